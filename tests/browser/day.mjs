// A day of a screen in minutes: frames that the hub sent for it are sent again, each time so much
// later, as fast as the page takes them. What happens on a day happens in it: alarms begin and end,
// and the configuration is loaded anew. Memory must not grow.
import assert from 'node:assert/strict';
import { settled } from './browser.mjs';
import { sleep, until } from './clinic.mjs';

const AT_ONCE = 200; // frames, until the page says that it has them
const ROUNDS = 5; // on a screen, before the next one
const RELOADS_UNTIL = 0.5; // of the day: what is forgotten with a reload must not grow either
const ALARM_FRAMES = 4; // that an alarm of the day stands
const TICKS_MS = 600; // the page draws what it knows at least each 250 ms
const ROUND_GAP_MS = 100; // from the last frame of a round to the first of the next
const FIRST_READING = 0.25; // of the day: by then what runs often is compiled, and strips are full
const GROWTH_MOST = 0.02; // of what the page itself keeps
const HEAP_GROWTH_MOST = 0.1; // of the whole heap, with the code that the engine compiles now and then
const HEAP_HOURS = 1; // in less it still compiles
/** Kinds of nodes of a heap snapshot that are the engine's own. */
const ENGINE = ['code', 'native', 'synthetic', 'hidden', 'object shape'];
const SIZE = { width: 1180, height: 820 };
const { ON, OFF } = { ON: 1, OFF: 0 }; // AlarmPresence of live.proto

/** @typedef {{decodeFrame: Function, encodeFrame: Function}} Wire of the page, as it is built
 *  @typedef {{opening: object[], round: object[], span: number}} Tape span: ms of a round
 *  @typedef {{hash: string, sign: string}} Screen its address, and what it shows once it has values
 *  @typedef {{heap: number, kept: number, arrays: number, nodes: number, listeners: number}} Memory
 *    bytes of the JavaScript heap, of the page's objects in it, and of what lies behind typed arrays;
 *    counts of the document */

/** @type {Screen} */
export const WALL_SCREEN = { hash: '#/', sign: '.tile .value.fresh' };
/** @type {Screen} */
export const ROOM_SCREEN = { hash: '#/room/room-1', sign: '.strip canvas' };

/** What the hub sends for a screen in a while: first what a page begins with, then what goes on.
 *  @param {Wire} wire @returns {Promise<Tape>} */
async function record(browser, url, wire, ms) {
    const session = await browser.browser.newContext({ viewport: SIZE });
    const page = await session.newPage();
    const frames = [];
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => frames.push(wire.decodeFrame(payload))));
    await page.goto(url);
    await sleep(ms);
    await session.close();
    const first = frames.findIndex(({ hello, points, latest }) => !hello && (points.length || latest.length)) + 1;
    const round = frames.slice(first);
    assert.ok(first > 0 && round.length > 10, `${frames.length} frames in ${ms} ms`);
    return { opening: frames.slice(0, first), round, span: round.at(-1).hub_ms - round[0].hub_ms + ROUND_GAP_MS };
}

/** The same so much later; times in it are the hub's, or ages. */
function later(frame, ms) {
    return { ...frame, hub_ms: frame.hub_ms + ms,
        devices: frame.devices.map((device) => ({ ...device, heard_ms: device.heard_ms + ms })),
        points: frame.points.map((points) => ({ ...points, start_ms: points.start_ms + ms })) };
}

/** An alarm of the opening's first rule and device begins, or is over, with this frame. */
function alarming({ opening }, frame, number, presence) {
    const rule = opening.find(({ hello }) => hello).hello.rules[0];
    const device = opening.flatMap(({ devices }) => devices)[0];
    return { ...frame, alarms: [...frame.alarms, { rule: rule.id, device: device.id, number, presence,
        priority: rule.priority, since_ms: frame.hub_ms, raised_ms: frame.hub_ms,
        text: `Alarm ${number} of the day.`, action: `Look for the ${number}th time.` }] };
}

/** The frames of one round of the day. @param {Tape} tape @param {number} from hub time of its first
 *  @param {number} i which @param {boolean} reloads the hub has loaded its configuration anew before it */
function roundOf(tape, from, i, reloads) {
    const ms = from - tape.round[0].hub_ms;
    const moved = tape.round.map((frame) => later(frame, ms));
    for (let at = 0; at + ALARM_FRAMES < moved.length; at += 2 * ALARM_FRAMES) {
        const number = 1e6 + i * moved.length + at;
        moved[at] = alarming(tape, moved[at], number, ON);
        moved[at + ALARM_FRAMES] = alarming(tape, moved[at + ALARM_FRAMES], number, OFF);
    }
    const opening = reloads ? tape.opening : [];
    return [...opening.map((frame) => ({ ...later(frame, ms), hub_ms: from, points: [] })), ...moved];
}

/** What is in use once the page has taken all that was sent and what can be is collected.
 *  @returns {Promise<Memory>} */
async function memoryOf(page, protocol) {
    await sleep(TICKS_MS);
    await settled(page);
    // What one collection only finalises, the next one frees.
    for (let i = 0; i < 3; i++) await protocol.send('HeapProfiler.collectGarbage');
    const { usedSize, backingStorageSize } = await protocol.send('Runtime.getHeapUsage');
    const { metrics } = await protocol.send('Performance.getMetrics');
    const of = (wanted) => metrics.find(({ name }) => name === wanted).value;
    return { heap: usedSize, kept: await keptBytes(protocol), arrays: backingStorageSize, nodes: of('Nodes'),
        listeners: of('JSEventListeners') };
}

/** Bytes of all objects, texts and functions of the page, by a heap snapshot. */
async function keptBytes(protocol) {
    const parts = [];
    const take = ({ chunk }) => parts.push(chunk);
    protocol.on('HeapProfiler.addHeapSnapshotChunk', take);
    await protocol.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
    protocol.off('HeapProfiler.addHeapSnapshotChunk', take);
    const { snapshot: { meta }, nodes } = JSON.parse(parts.join(''));
    const [type, size] = ['type', 'self_size'].map((name) => meta.node_fields.indexOf(name));
    let bytes = 0;
    for (let i = 0; i < nodes.length; i += meta.node_fields.length)
        if (!ENGINE.includes(meta.node_types[type][nodes[i + type]])) bytes += nodes[i + size];
    return bytes;
}

/** The screen shows values; asked without a handle, which would hold on to the whole of it. */
function shown(page, sign) {
    return until(sign, () => page.evaluate((found) => document.querySelector(found) !== null, sign));
}

/** A page on its first screen that is told frames by us. @param {Wire} wire */
async function openPage(browser, url, { hash, sign }, wire, { opening }) {
    const session = await browser.browser.newContext({ viewport: SIZE });
    const page = await session.newPage();
    let send;
    await page.routeWebSocket(/\/live$/, (socket) => {
        send = (frame) => socket.send(Buffer.from(wire.encodeFrame(frame)));
    });
    await page.goto(url + hash);
    await until('its connection', () => send);
    opening.forEach(send);
    await shown(page, sign);
    return { page, send, close: () => session.close() };
}

/** Sends a day, looking at the screens in turn: what the page needs after a part of it, and at its end.
 *  @param {Wire} wire @param {Screen[]} screens @param {Tape[]} tapes one of each @param {number} hours
 *  @returns {Promise<{frames: number, early: Memory, late: Memory}>} */
async function replay(browser, url, wire, screens, tapes, hours) {
    const { page, send, close } = await openPage(browser, url, screens[0], wire, tapes[0]);
    const protocol = await page.context().newCDPSession(page);
    await protocol.send('Performance.enable');
    const turns = Math.ceil((hours * 3600000) / (ROUNDS * tapes.reduce((sum, { span }) => sum + span, 0)));
    let now = tapes[0].round[0].hub_ms;
    let round = 0;
    let frames = 0;
    let early;
    for (let turn = 0; turn < turns; turn++) {
        for (const [which, { hash, sign }] of screens.entries()) {
            await page.evaluate((to) => { location.hash = to; }, hash);
            for (let i = 0; i < ROUNDS; i++, round++, now += tapes[which].span)
                for (const frame of roundOf(tapes[which], now, round, i === 0 && turn < turns * RELOADS_UNTIL)) {
                    send(frame);
                    if (++frames % AT_ONCE === 0) await page.evaluate(() => 0);
                }
            await shown(page, sign);
        }
        if (turn === Math.floor(turns * FIRST_READING)) early = await memoryOf(page, protocol);
    }
    const late = await memoryOf(page, protocol);
    await close();
    return { frames, early, late };
}

/** @param {Memory} memory */
function say({ heap, kept, arrays, nodes, listeners }) {
    const [all, own, behind] = [heap, kept, arrays].map((bytes) => `${(bytes / 1e6).toFixed(2)} MB`);
    return `heap ${all}, of it the page's ${own}, arrays ${behind}, ${nodes} nodes, ${listeners} listeners`;
}

/** A day of these screens makes memory no larger.
 *  @param {Wire} wire @param {{name: string, url: string, screens: Screen[], hours: number,
 *    record_ms: number}} day url: of the hub */
export async function testDay(tap, browser, wire, { name, url, screens, hours, record_ms }) {
    const length = hours < 1 ? `${Math.round(hours * 60)} minutes` : `${hours} hours`;
    await tap.check(`${name}: ${length} of frames make memory no larger`, async () => {
        const tapes = await Promise.all(screens.map(({ hash }) => record(browser, url + hash, wire, record_ms)));
        const { frames, early, late } = await replay(browser, url, wire, screens, tapes, hours);
        const words = `${frames} frames; ${say(early)}, then ${say(late)}`;
        for (const what of ['kept', 'arrays', 'nodes', 'listeners'])
            assert.ok(late[what] <= early[what] * (1 + GROWTH_MOST), `${what}: ${words}`);
        assert.ok(hours < HEAP_HOURS || late.heap <= early.heap * (1 + HEAP_GROWTH_MOST), words);
        return words;
    });
}
