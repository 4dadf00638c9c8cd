// Debian's Chromium, and pages in it that remember what they asked for and complained of.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { PATIENCE_MS } from './clinic.mjs';

export const CHROMIUM = '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export class Browser {
    static installed() {
        return existsSync(CHROMIUM);
    }

    /** With an empty user data folder, which goes away with it. */
    async start() {
        this.folder = mkdtempSync(join(tmpdir(), 'lumbar-chromium.'));
        this.context = await chromium.launchPersistentContext(this.folder,
            { executablePath: CHROMIUM, headless: true, args: FLAGS, viewport: null });
        this.browser = this.context.browser();
    }

    async stop() {
        await this.context?.close();
        rmSync(this.folder, { recursive: true, force: true });
    }

    /** A page of its own context. `said` is the console, `asked` every address, `watches` what went
     *  to the hub by WebSocket. */
    async open(url, { width = 1180, height = 820, scheme = 'light', locale = 'en-GB', motion } = {}) {
        const session = await this.browser.newContext({ viewport: { width, height }, locale,
            colorScheme: scheme, reducedMotion: motion });
        const page = await session.newPage();
        page.setDefaultTimeout(PATIENCE_MS);
        const log = { said: [], asked: [], watches: [], bytes: 0 };
        page.on('console', (message) => log.said.push(`${message.type()}: ${message.text()}`));
        page.on('pageerror', (error) => log.said.push(`error: ${error.message}`));
        page.on('request', (request) => log.asked.push(request.url()));
        page.on('requestfinished', async (request) => {
            const sizes = await request.sizes().catch(() => null);
            log.bytes += sizes ? sizes.responseBodySize + sizes.responseHeadersSize : 0;
        });
        page.on('websocket', (socket) => {
            log.asked.push(socket.url());
            socket.on('framesent', ({ payload }) => log.watches.push(payload));
        });
        await page.goto(url);
        return { page, log, close: () => session.close() };
    }
}

/** Text of the first element, '' where there is none. */
export function text(page, selector) {
    return page.evaluate((found) => document.querySelector(found)?.textContent ?? '', selector);
}

/** All texts of a selector. */
export function texts(page, selector) {
    return page.evaluate((found) =>
        Array.from(document.querySelectorAll(found), (element) => element.textContent.trim()), selector);
}

/** After the page was drawn again: two frames on, whatever changed is on the screen. */
export function settled(page) {
    return page.evaluate(() => new Promise((done) => {
        requestAnimationFrame(() => requestAnimationFrame(done));
    }));
}
