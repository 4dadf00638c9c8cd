// Who does not see, point or like motion: axe-core on every screen, everything by keyboard.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { text } from './browser.mjs';
import { soon, until } from './clinic.mjs';

const axe = readFileSync(fileURLToPath(new URL('node_modules/axe-core/axe.min.js', import.meta.url)), 'utf8');
const TABS_MOST = 400;

/** Screens by address, and what says that they are there. */
export const SCREENS = { wall: ['#/', '.tile .value'], kiosk: ['#/kiosk', '.tile .value'],
    room: ['#/room/room-2', '.strip canvas'], alarms: ['#/alarms', '.alarm'],
    clients: ['#/clients', '.clients a'], course: ['#/client/kiefer-7', '.course'],
    devices: ['#/devices', '.device-row'], rules: ['#/rules', '.rule-list li'],
    hub: ['#/hub', '.hub-parts'] };

/** What axe-core complains of, a line each. @param rules some of its; all where not given */
export async function violations(page, rules) {
    await page.evaluate(axe);
    return page.evaluate(async (only) => {
        const { violations: found } = await globalThis.axe.run(document,
            { resultTypes: ['violations'], ...(only && { runOnly: only }) });
        return found.flatMap(({ id, nodes }) => nodes.map(({ target, any, all, none }) =>
            `${id}: ${target.join(' ')}: ${[...any, ...all, ...none].map(({ message }) => message).join('; ')}`));
    }, rules);
}

/** Marks what can be operated, and says how many: of radio buttons with one name, one. */
function markOperable(page) {
    return page.evaluate(() => {
        const names = new Set();
        const all = Array.from(document.querySelectorAll('a[href], button, input, select, textarea, summary, '
            + '[tabindex="0"]')).filter((element) => {
            if (element.disabled || !element.checkVisibility() || element.closest('details:not([open]) > :not(summary)'))
                return false;
            if (element.type !== 'radio') return true;
            return !names.has(element.name) && names.add(element.name);
        });
        for (const element of all) element.dataset.unreached = '';
        return all.length;
    });
}

/** Goes through the screen by Tab, as long as there is something new; what was never reached, and
 *  what does not show that it has the focus. */
async function walk(page) {
    const hidden = new Set();
    for (let i = 0; i < TABS_MOST; i++) {
        await page.keyboard.press('Tab');
        const { left, unseen } = await page.evaluate(() => {
            const at = document.activeElement;
            const group = at.type === 'radio' ? document.querySelectorAll(`[name="${at.name}"]`) : [at];
            for (const element of group) delete element.dataset.unreached;
            const shows = [at, at.closest('label')].some((element) => element
                && getComputedStyle(element).outlineStyle !== 'none');
            return { left: document.querySelectorAll('[data-unreached]').length,
                unseen: at !== document.body && !shows ? at.outerHTML.slice(0, 120) : '' };
        });
        if (unseen) hidden.add(unseen);
        if (left === 0) break;
    }
    return { hidden: [...hidden], unreached: await page.$$eval('[data-unreached]', (found) =>
        found.map((element) => element.outerHTML.slice(0, 120))) };
}

/** Of what can be operated how many there are, and what of it Tab does not reach or does not show. */
export async function unreached(page) {
    const count = await markOperable(page);
    const { hidden, unreached: never } = await walk(page);
    return { count, wrong: [...hidden, ...never] };
}

async function testScreen(tap, browser, clinic, name, address, sign) {
    const { page, close } = await browser.open(clinic.url + address);
    await tap.check(`axe-core finds nothing on the ${name}, and no bad contrast in the dark`, async () => {
        await until('the screen', () => page.$(sign));
        assert.deepEqual(await violations(page), []);
        await page.emulateMedia({ colorScheme: 'dark' });
        assert.deepEqual(await violations(page, ['color-contrast']), []);
    });
    await tap.check(`all of the ${name} is reached by keyboard, and shows where one is`, async () => {
        const { count, wrong } = await unreached(page);
        assert.equal(name === 'kiosk', count === 0, `${count} to operate`);
        assert.deepEqual(wrong, []);
        return `${count} to operate`;
    });
    await close();
}

export async function testAccess(tap, browser, clinic) {
    for (const [name, [address, sign]] of Object.entries(SCREENS))
        await testScreen(tap, browser, clinic, name, address, sign);
    await tap.check('axe-core finds nothing in forms', async () => {
        const { page, close } = await browser.open(`${clinic.url}#/room/room-3`);
        await page.click('.treatment .open');
        await until('the form', () => page.$('.opening'));
        assert.deepEqual(await violations(page), []);
        await page.goto(`${clinic.url}#/alarms`);
        await page.click('.alarm .shelf');
        await until('the form', () => page.$('.shelve'));
        assert.deepEqual(await violations(page), []);
        await close();
    });
    await testKeyboard(tap, browser, clinic);
}

async function testKeyboard(tap, browser, clinic) {
    await tap.check('the wall on a television is moved each minute, so that nothing burns in', async () => {
        const { page, close } = await browser.open(`${clinic.url}#/kiosk`);
        await until('tiles', () => page.$('.tile .value'));
        assert.equal(await page.$('a[href], button'), null);
        await page.clock.install();
        await page.reload();
        await page.clock.runFor(2000);
        await until('tiles', () => page.$('.tile .value'));
        const shift = () => page.evaluate(() => document.documentElement.style.getPropertyValue('--shift'));
        const before = await shift();
        await page.clock.runFor(60000);
        assert.notEqual(await shift(), before);
        await page.goto(`${clinic.url}#/`);
        await until('links', () => page.$('a.tile[href]'));
        assert.equal(await page.$('.kiosk'), null);
        await close();
    });

    await tap.check('a treatment is led on by keyboard alone', async () => {
        const { page, close } = await browser.open(`${clinic.url}#/room/room-2`);
        await page.focus('.treatment .pause');
        await page.keyboard.press('Enter');
        await page.waitForSelector('.treatment .resume:not([aria-disabled="true"])');
        await page.focus('.treatment .resume');
        await page.keyboard.press('Space');
        await page.waitForSelector('.treatment .marker:not([aria-disabled="true"])');
        const before = (await page.$$('.notes li')).length;
        await page.focus('.treatment .marker');
        await page.keyboard.press('Enter');
        await until('a marker', async () => (await page.$$('.notes li')).length > before);
        await soon(async () => assert.match(await text(page, '.notes li'), /⚑/));
        await close();
    });
}
