// What the page costs: node bench.mjs [BUILD]
//
// A wall of 40 rooms at 10 Hz and a room at 50 Hz in real Chromium without a graphics processor: frames
// a second, and CPU of all its processes above an empty page. How soon a value is on the screen, and
// how much is sent for it. Then a working day of frames, recorded from the hub and sent again as fast
// as the page takes them: memory must not grow. DAY_HOURS shortens the day, ASSERT=0 only measures.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Browser } from './browser.mjs';
import { Clinic, sleep, until } from './clinic.mjs';
import { Tap } from './tap.mjs';
import { firstValue } from './wall.mjs';

const ROOMS = 40;
const MEASURE_MS = 10000;
const FPS_LEAST = 58;
const CORE_MOST = 35; // % of one
const PAINT_MOST_MS = 500;
const TRANSFER_MOST = 150 * 1024;
const RECORD_MS = 20000;
const DAY_HOURS = Number(process.env.DAY_HOURS ?? 8);
const GROWTH_MOST = 0.1; // of what it was after a tenth of the day
const AT_ONCE = 200; // frames, until the page says that it has them
const TICKS_A_SECOND = 100; // of /proc

const here = fileURLToPath(new URL('.', import.meta.url));
const build = resolve(process.argv[2] ?? join(here, '../../build'));
const { decodeFrame, encodeFrame } = await import(pathToFileURL(join(build, 'daemon/web/page/tested.mjs')));
const tap = new Tap();
const asserts = process.env.ASSERT !== '0';

function holds(condition, words) {
    if (asserts) assert.ok(condition, words);
    return words;
}

/** CPU of a process and all below it, in s. */
function cpuBelow(pid) {
    const stats = new Map();
    for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)))
        try {
            const fields = readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
            stats.set(Number(name), { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) });
        } catch { /* it has just ended */ }
    const isBelow = (at) => at === pid || (stats.has(at) && isBelow(stats.get(at).parent));
    return [...stats].filter(([at]) => isBelow(at))
        .reduce((sum, [, { ticks }]) => sum + ticks, 0) / TICKS_A_SECOND;
}

/** Processes of ours whose parent we are and that are browsers. */
function browserPid() {
    return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).map(Number).find((pid) => {
        try {
            const [, name, , parent] = /^\d+ \((.*)\) (.) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'));
            return Number(parent) === process.pid && /chrom/.test(name);
        } catch {
            return false;
        }
    });
}

/** % of a core that the browser needs while this page is open. */
async function coreOf(browser, url, sign) {
    const { page, close } = await browser.open(url, { width: 1920, height: 1080 });
    if (sign) await until('the screen', () => page.$(sign), 30000);
    await sleep(3000);
    const before = cpuBelow(browserPid());
    await sleep(MEASURE_MS);
    const used = (100 * (cpuBelow(browserPid()) - before)) / (MEASURE_MS / 1000);
    const fps = sign ? await framesOf(page) : 0;
    await close();
    return { used, fps };
}

function framesOf(page) {
    return page.evaluate((ms) => new Promise((done) => {
        const start = performance.now();
        let frames = 0;
        const next = (now) => {
            frames++;
            if (now - start < ms) requestAnimationFrame(next);
            else done((frames / (now - start)) * 1000);
        };
        requestAnimationFrame(next);
    }), MEASURE_MS);
}

async function clinicOf(rooms, rate) {
    const clinic = new Clinic(build, rooms);
    await clinic.startBroker();
    await clinic.startHub();
    clinic.startDevices({ more: ['--rate', String(rate), '--batch', '100'] });
    return clinic;
}

async function testCost(browser, clinic, name, address, sign) {
    await tap.check(`${name}: ${FPS_LEAST} frames a second, at most ${CORE_MOST} % of a core above an empty page`, async () => {
        const empty = await coreOf(browser, 'about:blank', '');
        const { used, fps } = await coreOf(browser, clinic.url + address, sign);
        const words = `${fps.toFixed(1)} frames a second, ${(used - empty.used).toFixed(1)} % of a core above an empty page`;
        return holds(fps >= FPS_LEAST && used - empty.used <= CORE_MOST, words);
    });
}

async function testFirst(browser, clinic) {
    await tap.check(`a value is on the screen within ${PAINT_MOST_MS} ms, of at most ${TRANSFER_MOST / 1024} KiB`, async () => {
        const ms = await firstValue(browser, clinic);
        const { page, log, close } = await browser.open(clinic.url);
        await until('a value', () => page.$('.tile .value.fresh'));
        await close();
        return holds(ms <= PAINT_MOST_MS && log.bytes > 1000 && log.bytes <= TRANSFER_MOST,
            `${ms.toFixed(0)} ms, ${(log.bytes / 1024).toFixed(1)} KiB`);
    });
}

/** The frames that the hub sends for this screen in a while. */
async function record(browser, url) {
    const session = await browser.browser.newContext({ viewport: { width: 1180, height: 820 } });
    const page = await session.newPage();
    const frames = [];
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => frames.push(decodeFrame(payload))));
    await page.goto(url);
    await sleep(RECORD_MS);
    await session.close();
    return frames;
}

/** The same so much later; times in it are the hub's, or ages. */
function later(frame, ms) {
    return encodeFrame({ ...frame, hub_ms: frame.hub_ms + ms,
        devices: frame.devices.map((device) => ({ ...device, heard_ms: device.heard_ms + ms })),
        points: frame.points.map((points) => ({ ...points, start_ms: points.start_ms + ms })) });
}

/** Memory that is in use once all that can be is collected. */
async function memoryOf(page, protocol) {
    await protocol.send('HeapProfiler.collectGarbage');
    const { metrics } = await protocol.send('Performance.getMetrics');
    const of = (wanted) => metrics.find(({ name }) => name === wanted).value;
    return { heap: of('JSHeapUsedSize'), nodes: of('Nodes'), listeners: of('JSEventListeners') };
}

async function testDay(browser, clinic, name, address, sign) {
    await tap.check(`${name}: ${DAY_HOURS} hours of frames make memory no larger`, async () => {
        const frames = await record(browser, clinic.url + address);
        const first = frames.findIndex(({ hello, points, latest }) => !hello && (points.length || latest.length));
        const round = frames.slice(first + 1);
        const span = round.at(-1).hub_ms - round[0].hub_ms + 100;
        const session = await browser.browser.newContext({ viewport: { width: 1180, height: 820 } });
        const page = await session.newPage();
        let send;
        await page.routeWebSocket(/\/live$/, (socket) => { send = (bytes) => socket.send(Buffer.from(bytes)); });
        await page.goto(clinic.url + address);
        await until('its connection', () => send);
        for (const frame of frames.slice(0, first + 1)) send(encodeFrame(frame));
        await until('the screen', () => page.$(sign));
        const protocol = await page.context().newCDPSession(page);
        await protocol.send('Performance.enable');
        const rounds = Math.ceil((DAY_HOURS * 3600000) / span);
        let early;
        for (let i = 0, sent = 0; i < rounds; i++) {
            for (const frame of round) {
                send(later(frame, i * span));
                if (++sent % AT_ONCE === 0) await page.evaluate(() => 0);
            }
            if (i === Math.floor(rounds / 10)) early = await memoryOf(page, protocol);
        }
        const late = await memoryOf(page, protocol);
        await session.close();
        const words = `${rounds * round.length} frames; heap ${(early.heap / 1e6).toFixed(1)} then `
            + `${(late.heap / 1e6).toFixed(1)} MB, ${early.nodes} then ${late.nodes} nodes`;
        return holds(late.heap <= early.heap * (1 + GROWTH_MOST) + 1e6 && late.nodes <= early.nodes * (1 + GROWTH_MOST)
            && late.listeners <= early.listeners * (1 + GROWTH_MOST), words);
    });
}

const browser = new Browser();
const clinics = [];
try {
    await browser.start();
    const wall = await clinicOf(ROOMS, 10);
    clinics.push(wall);
    await testFirst(browser, wall);
    await testCost(browser, wall, `a wall of ${ROOMS} rooms at 10 Hz`, '#/', '.tile .value.fresh');
    await testDay(browser, wall, 'a wall', '#/', '.tile .value');
    await wall.stop();
    clinics.length = 0;
    // Massage devices speak at a fifth of the rate: eight metrics of one at 50 Hz.
    const room = await clinicOf(1, 250);
    clinics.push(room);
    await testCost(browser, room, 'a room at 50 Hz', '#/room/room-1', '.strip canvas');
    await testDay(browser, room, 'a room', '#/room/room-1', '.strip canvas');
} catch (error) {
    await tap.check('the bench runs to its end', () => { throw error; });
} finally {
    await browser.stop().catch(() => {});
    for (const clinic of clinics) await clinic.stop();
}
process.exitCode = tap.end();
