// What the page costs: node bench.mjs [BUILD]
//
// A wall of 40 rooms at 10 Hz and a room at 50 Hz in real Chromium without a graphics processor: frames
// a second, and CPU of all its processes above an empty page. How soon a value is on the screen, and
// how much is sent for it; with ASSERT=0 this is only measured. Then a working day of frames, recorded
// from the hub and sent again as fast as the page takes them: memory must not grow. DAY_HOURS shortens
// the day; below one, a room's strips still grow in it.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Browser } from './browser.mjs';
import { Clinic, sleep, until } from './clinic.mjs';
import { ROOM_SCREEN, WALL_SCREEN, testDay } from './day.mjs';
import { Tap } from './tap.mjs';
import { firstValue } from './wall.mjs';

const ROOMS = 40;
const MEASURE_MS = 10000;
const FPS_LEAST = 58;
const CORE_MOST = 35; // % of one
const PAINT_MOST_MS = 500;
const TRANSFER_MOST = 150 * 1024;
const STRIPS_MS = 300000; // what a strip shows
const DAY = { hours: Number(process.env.DAY_HOURS ?? 8), record_ms: 20000 };
const TICKS_A_SECOND = 100; // of /proc

const here = fileURLToPath(new URL('.', import.meta.url));
const build = resolve(process.argv[2] ?? join(here, '../../build'));
const wire = await import(pathToFileURL(join(build, 'daemon/web/page/tested.mjs')));
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
    if (sign) await until('the screen', () => page.$(sign));
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

async function testCost(browser, clinic, name, { hash, sign }) {
    await tap.check(`${name}: ${FPS_LEAST} frames a second, at most ${CORE_MOST} % of a core above an empty page`, async () => {
        const empty = await coreOf(browser, 'about:blank', '');
        const { used, fps } = await coreOf(browser, clinic.url + hash, sign);
        const words = `${fps.toFixed(1)} frames a second, ${(used - empty.used).toFixed(1)} % of a core above an empty page`;
        return holds(fps >= FPS_LEAST && used - empty.used <= CORE_MOST, words);
    });
}

async function testFirst(browser, clinic) {
    await tap.check(`a value is on the screen within ${PAINT_MOST_MS} ms, the first time and again, of at most ${TRANSFER_MOST / 1024} KiB`, async () => {
        const { first, again, empty } = await firstValue(browser, clinic);
        const { page, log, close } = await browser.open(clinic.url);
        await until('a value', () => page.$('.tile .value.fresh'));
        await close();
        return holds(first <= PAINT_MOST_MS && again <= PAINT_MOST_MS && log.bytes > 1000 && log.bytes <= TRANSFER_MOST,
            `${first.toFixed(0)} ms at the first visit, of which an empty page takes ${empty.toFixed(0)}; `
            + `${again.toFixed(0)} ms again; ${(log.bytes / 1024).toFixed(1)} KiB`);
    });
}

const browser = new Browser();
const clinics = [];
try {
    await browser.start();
    const wall = await clinicOf(ROOMS, 10);
    clinics.push(wall);
    await testFirst(browser, wall);
    await testCost(browser, wall, `a wall of ${ROOMS} rooms at 10 Hz`, WALL_SCREEN);
    await testDay(tap, browser, wire, { name: 'a wall', url: wall.url, screens: [WALL_SCREEN], ...DAY });
    await wall.stop();
    clinics.length = 0;
    // Massage devices speak at a fifth of the rate: eight metrics of one at 50 Hz.
    const room = await clinicOf(1, 250);
    clinics.push(room);
    const full = Date.now() + STRIPS_MS;
    await testDay(tap, browser, wire, { name: 'a room', url: room.url, screens: [ROOM_SCREEN], ...DAY });
    await sleep(Math.max(0, full - Date.now()));
    await testCost(browser, room, 'a room at 50 Hz, its strips full', ROOM_SCREEN);
} catch (error) {
    await tap.check('the bench runs to its end', () => { throw error; });
} finally {
    await browser.stop().catch(() => {});
    for (const clinic of clinics) await clinic.stop();
}
process.exitCode = tap.end();
