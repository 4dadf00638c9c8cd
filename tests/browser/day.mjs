// A day of a screen in minutes: frames that the hub sent for it are sent again, each time so much
// later, as fast as the page takes them. What happens on a day happens in it: alarms begin and end,
// and the configuration is loaded anew. Memory must not grow.
import assert from 'node:assert/strict';
import { settled } from './browser.mjs';
import { sleep, until } from './clinic.mjs';

const AT_ONCE = 50; // frames, before the page draws
const ROUNDS = 5; // on a screen, before the next one
const RELOADS_UNTIL = 0.5; // of the day: what is forgotten with a reload must not grow either
const ALARM_FRAMES = 4; // that an alarm of the day stands
const TICKS_MS = 600; // the page draws what it knows at least each 250 ms
const FIRST_MOST_MS = 60000; // until a page that is recorded is told values
const ROUND_GAP_MS = 100; // from the last frame of a round to the first of the next
const FIRST_READING = 0.25; // of the day: by then what runs often is compiled, and strips are full
const READINGS = 8; // of which the least counts, each a round later: an array has more or less to spare
const PACE_MS = 50; // frames that come at their own pace are looked for so often
const GROWTH_MOST = 0.02; // of each of these but the lists
const LISTS_GROWTH_MOST = 0.25; // theirs is room to spare too, up to half as much again
/** Kinds of nodes of a heap snapshot that are the engine's own. Code and its feedback come and go as
 *  the engine likes; what is native is counted as nodes, listeners and bytes of typed arrays. The size
 *  of the heap in use is no measure: it moves by a third from one collection to the next, while all
 *  that a snapshot reaches, code and all, stays the same. */
const ENGINE = ['code', 'native', 'synthetic', 'hidden', 'object shape'];
const LIST = 'array (object elements)'; // what arrays have room for
const TOLD = 3; // kinds of objects that grew most
const SIZE = { width: 1180, height: 820 };
const { ON, OFF } = { ON: 1, OFF: 0 }; // AlarmPresence of live.proto

/** @typedef {{decodeFrame: Function, encodeFrame: Function}} Wire of the page, as it is built
 *  @typedef {{opening: object[], round: object[], span: number}} Tape span: ms of a round
 *  @typedef {{hash: string, sign: string}} Screen its address, and what it shows once it has values
 *  @typedef {{kept: number, lists: number, arrays: number, nodes: number, listeners: number}} Memory
 *    bytes of the page's objects, of the elements of its arrays, and of what lies behind typed arrays;
 *    counts of the document
 *  @typedef {Memory & {kinds: Map<string, number>}} Reading bytes of each kind of object */

/** @type {Screen} */
export const WALL_SCREEN = { hash: '#/', sign: '.tile .value.fresh' };
/** @type {Screen} */
export const ROOM_SCREEN = { hash: '#/room/room-1', sign: '.strip canvas' };

/** A frame with values, after what a page begins with. */
function tells({ hello, points, latest }) {
    return !hello && points.length + latest.length > 0;
}

/** What the hub sends for a screen in a while: first what a page begins with, then what goes on.
 *  @param {Wire} wire @returns {Promise<Tape>} */
async function record(browser, url, wire, ms) {
    const session = await browser.browser.newContext({ viewport: SIZE });
    const page = await session.newPage();
    const frames = [];
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => frames.push(wire.decodeFrame(payload))));
    await page.goto(url);
    await until('values', () => frames.some(tells), FIRST_MOST_MS);
    await sleep(ms);
    await session.close();
    const first = frames.findIndex(tells) + 1;
    const round = frames.slice(first);
    assert.ok(round.length > 10, `${frames.length} frames in ${ms} ms`);
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

/** What is in use now; a snapshot collects first what can be. @returns {Promise<Reading>} */
async function readingOf(protocol) {
    const parts = [];
    const take = ({ chunk }) => parts.push(chunk);
    protocol.on('HeapProfiler.addHeapSnapshotChunk', take);
    await protocol.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
    protocol.off('HeapProfiler.addHeapSnapshotChunk', take);
    await protocol.send('HeapProfiler.collectGarbage'); // of what was drawn meanwhile
    const { backingStorageSize } = await protocol.send('Runtime.getHeapUsage');
    const { metrics } = await protocol.send('Performance.getMetrics');
    const of = (wanted) => metrics.find(({ name }) => name === wanted).value;
    const kinds = kindsOf(JSON.parse(parts.join('')));
    const lists = kinds.get(LIST);
    const kept = [...kinds.values()].reduce((sum, bytes) => sum + bytes, 0) - lists;
    return { kinds, kept, lists, arrays: backingStorageSize, nodes: of('Nodes'), listeners: of('JSEventListeners') };
}

/** Bytes of the page's objects, texts and functions, by their constructor where there is one.
 *  @returns {Map<string, number>} */
function kindsOf({ snapshot: { meta }, nodes, strings }) {
    const [type, name, size] = ['type', 'name', 'self_size'].map((field) => meta.node_fields.indexOf(field));
    const kinds = new Map();
    for (let i = 0; i < nodes.length; i += meta.node_fields.length) {
        const of = meta.node_types[type][nodes[i + type]];
        if (ENGINE.includes(of)) continue;
        const kind = of === 'object' || of === 'array' ? `${of} ${strings[nodes[i + name]]}` : of;
        kinds.set(kind, (kinds.get(kind) ?? 0) + nodes[i + size]);
    }
    return kinds;
}

/** @param {Reading[]} readings @returns {Reading} the least of each, kinds of where most is free */
function leastOf(readings) {
    const [{ kinds }] = readings.toSorted((a, b) => a.kept - b.kept);
    const least = (what) => Math.min(...readings.map((reading) => reading[what]));
    return { kinds, kept: least('kept'), lists: least('lists'), arrays: least('arrays'), nodes: least('nodes'),
        listeners: least('listeners') };
}

/** The screen shows values; asked without a handle, which would hold on to the whole of it. */
function shown(page, sign) {
    return until(sign, () => page.evaluate((found) => document.querySelector(found) !== null, sign));
}

/** In the page, in place of its connection: `hear` gives it frames. */
function standIn() {
    window.WebSocket = class {
        static OPEN = 1;
        readyState = 1;

        constructor() {
            window.hear = (frames) => frames.forEach((frame) =>
                this.onmessage?.({ data: Uint8Array.from(atob(frame), (letter) => letter.charCodeAt(0)).buffer }));
            setTimeout(() => this.onopen?.());
        }

        send() {}

        close() {}
    };
}

/** A page that is told the frames of a day, by us in place of the hub. */
class Day {
    frames = 0;
    /** @type {Wire} */
    #wire;
    /** @type {Tape} of the screen that is looked at */
    #tape;
    #now; // hub time of the next frame
    #rounds = 0;

    /** @param {Wire} wire @param {Tape} tape of its first screen */
    constructor(wire, tape) {
        this.#wire = wire;
        this.#tape = tape;
        this.#now = tape.round[0].hub_ms;
    }

    /** @param {Screen} screen */
    async open(browser, url, { hash, sign }) {
        this.session = await browser.browser.newContext({ viewport: SIZE });
        this.page = await this.session.newPage();
        await this.page.addInitScript(standIn);
        await this.page.goto(url + hash);
        await until('its connection', () => this.page.evaluate(() => 'hear' in window));
        await this.#send(this.#tape.opening);
        await shown(this.page, sign);
        this.protocol = await this.session.newCDPSession(this.page);
        await this.protocol.send('Performance.enable');
    }

    close() {
        return this.session.close();
    }

    /** @param {Screen} screen @param {Tape} tape */
    async look({ hash }, tape) {
        this.#tape = tape;
        await this.page.evaluate((to) => { location.hash = to; }, hash);
    }

    /** A round as fast as the page takes it. */
    async play(reloads = false) {
        const frames = roundOf(this.#tape, this.#now, this.#rounds++, reloads);
        for (let at = 0; at < frames.length; at += AT_ONCE) await this.#send(frames.slice(at, at + AT_ONCE));
        this.#now += this.#tape.span;
    }

    /** @returns {Promise<Reading>} */
    async read() {
        const readings = [];
        for (let i = 0; i < READINGS; i++) {
            await this.play();
            readings.push(await this.#meanwhile(async () => {
                await sleep(TICKS_MS);
                await settled(this.page);
                return readingOf(this.protocol);
            }));
        }
        return leastOf(readings);
    }

    #send(frames) {
        this.frames += frames.length;
        return this.page.evaluate((told) => window.hear(told),
            frames.map((frame) => Buffer.from(this.#wire.encodeFrame(frame)).toString('base64')));
    }

    /** Frames come at their own pace while something is done, without what happens on a day: a page
     *  that hears nothing says so, and shows what is old as old, which is another page.
     *  @template T @param {() => Promise<T>} work */
    async #meanwhile(work) {
        const { round, span } = this.#tape;
        const shift = this.#now - round[0].hub_ms;
        const began = performance.now();
        let sent = 0;
        let done = false;
        const next = () => later(round[sent % round.length], shift + Math.floor(sent / round.length) * span);
        const speak = async () => {
            for (; !done; await sleep(PACE_MS)) {
                const due = [];
                for (; next().hub_ms - this.#now <= performance.now() - began; sent++)
                    due.push({ ...next(), alarms: [] });
                await this.#send(due);
            }
        };
        const [found] = await Promise.all([work().finally(() => { done = true; }), speak()]);
        this.#now += Math.ceil(sent / round.length) * span;
        return found;
    }
}

/** Sends a day, looking at the screens in turn: what the page needs after a part of it, and at its end.
 *  @param {Wire} wire @param {Screen[]} screens @param {Tape[]} tapes one of each @param {number} hours
 *  @returns {Promise<{frames: number, early: Reading, late: Reading}>} */
async function replay(browser, url, wire, screens, tapes, hours) {
    const day = new Day(wire, tapes[0]);
    await day.open(browser, url, screens[0]);
    const turns = Math.ceil((hours * 3600000) / (ROUNDS * tapes.reduce((sum, { span }) => sum + span, 0)));
    let early;
    for (let turn = 0; turn < turns; turn++) {
        for (const [which, screen] of screens.entries()) {
            await day.look(screen, tapes[which]);
            for (let i = 0; i < ROUNDS; i++) await day.play(i === 0 && turn < turns * RELOADS_UNTIL);
            await shown(day.page, screen.sign);
        }
        if (turn === Math.floor(turns * FIRST_READING)) early = await day.read();
    }
    const late = await day.read();
    await day.close();
    return { frames: day.frames, early, late };
}

/** @param {Memory} memory */
function say({ kept, lists, arrays, nodes, listeners }) {
    const [own, elements, behind] = [kept, lists, arrays].map((bytes) => `${(bytes / 1e6).toFixed(3)} MB`);
    return `the page's ${own}, lists ${elements}, arrays ${behind}, ${nodes} nodes, ${listeners} listeners`;
}

/** The kinds of objects that grew most. @param {Reading} early @param {Reading} late */
function grown(early, late) {
    return [...late.kinds].map(([kind, bytes]) => ({ kind, more: bytes - (early.kinds.get(kind) ?? 0) }))
        .toSorted((a, b) => b.more - a.more).slice(0, TOLD)
        .map(({ kind, more }) => `${kind} by ${more} bytes`).join(', ');
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
        for (const what of ['kept', 'lists', 'arrays', 'nodes', 'listeners'])
            assert.ok(late[what] <= early[what] * (1 + (what === 'lists' ? LISTS_GROWTH_MOST : GROWTH_MOST)),
                `${what}: ${words}; most grew ${grown(early, late)}`);
        return words;
    });
}
