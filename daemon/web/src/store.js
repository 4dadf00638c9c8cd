// What the hub has said, ready to be shown: one store, filled by frames, read by the screens.
import { MetricType, PauseType, SessionState } from '#live';
import { byNeed, keyOf, shows, stands, waits } from './alarm.js';
import { HubClock } from './hubclock.js';
import { limitsOf } from './limits.js';
import { Series } from './series.js';
import { valueOf } from './wire.js';

/** @typedef {import('#live').Metric} Metric
 *  @typedef {import('#live').Device} Device
 *  @typedef {import('#live').Alarm} Alarm
 *  @typedef {import('#live').Room} Room
 *  @typedef {import('#live').Session} Session
 *  @typedef {import('./freshness.js').Value} Value */

export const STRIP_MS = 300000;
const SERIES_MS = STRIP_MS + 10000;
const NEVER = 0xffffffff;
const ANGLE_STALE_MS = 3000; // what is told more rarely is no angle of now

export class Store {
    clock = new HubClock();
    /** @type {import('#live').Hello | null} */
    hello = null;
    /** @type {Map<number, Metric>} */
    metrics = new Map();
    /** @type {Map<number, import('#live').Rule>} */
    rules = new Map();
    /** @type {Map<number, Device>} */
    devices = new Map();
    /** @type {Map<number, Map<number, Value>>} by device, then metric */
    values = new Map();
    /** @type {Map<string, Alarm>} those that stand or are shelved */
    alarms = new Map();
    /** @type {import('#live').SuppressedList} */
    suppressed = { items: [], more: 0 };
    /** @type {Map<number, Session>} the last of each room */
    sessions = new Map();
    /** @type {Map<number, Alarm[]> | null} of each room, in the order of need; null: to be sorted */
    #byRoom = null;
    /** @type {Map<string, import('./limits.js').Limit[]>} of strips, as far as they were asked for */
    #limits = new Map();
    /** @type {Map<number, import('#live').Calibration>} by device */
    calibrations = new Map();
    /** @type {import('#live').Progress | null} of the treatment in the room that is looked at */
    progress = null;
    /** @type {import('#live').Pause[]} rooms that call nobody for a time */
    pauses = [];
    /** @type {import('#live').Health | null} */
    health = null;
    bye = '';
    /** What stands is not all here yet. */
    partial = true;
    cursor = 0;
    instance = 0n;
    generation = 0; // of hello: what metrics and limits are may be another with each
    lag = 0; // ms that a frame is on its way longer than the quickest, smoothed
    worstLag = 0; // of this minute and the one before
    #minute = [0, 0, 0]; // when it began, the worst in it, the worst before
    heard = -Infinity; // when the last frame came, on our own clock

    /** The room whose strips come, 0 for none. */
    room = 0;
    /** @type {Map<number, Map<number, Series>>} by device, then metric */
    series = new Map();

    /** Takes a frame. True: more than values has changed, show it at once.
     *  @param {import('#live').Frame} frame */
    take(frame) {
        if (frame.hello) this.#takeHello(frame.hello);
        this.clock.hear(frame.hub_ms);
        this.heard = this.clock.local();
        this.#noteLag(Math.max(0, this.clock.now() - frame.hub_ms));
        this.cursor = frame.cursor || this.cursor;
        for (const device of frame.devices) this.devices.set(device.id, device);
        if (frame.hello || frame.devices.length || frame.alarms.length) this.#byRoom = null;
        for (const alarm of frame.alarms) this.#takeAlarm(alarm);
        this.partial = frame.more;
        if (frame.suppressed) this.suppressed = frame.suppressed;
        if (frame.hello || frame.sessions.length) this.#limits.clear();
        for (const session of frame.sessions) this.#takeSession(session);
        for (const calibration of frame.calibrations)
            this.calibrations.set(calibration.device, calibration);
        for (const latest of frame.latest) this.#takeLatest(latest, frame.hub_ms);
        if (frame.gap) this.#takeGap();
        for (const points of frame.points) this.#takePoints(points);
        if (frame.pauses) this.pauses = frame.pauses.pauses;
        if (frame.progress) this.progress = frame.progress;
        if (frame.health) this.health = frame.health;
        if (frame.bye) this.bye = frame.bye.reason;
        return !!(frame.hello || frame.devices.length || frame.alarms.length || frame.pauses
            || frame.suppressed || frame.sessions.length || frame.calibrations.length || frame.bye);
    }

    /** @param {number} lag_ms of a frame */
    #noteLag(lag_ms) {
        let [began, worst, before] = this.#minute;
        if (this.heard - began > 60000) [began, before, worst] = [this.heard, worst, 0];
        this.#minute = [began, Math.max(worst, lag_ms), before];
        this.lag += (lag_ms - this.lag) / 16;
        this.worstLag = Math.max(worst, lag_ms, before);
    }

    /** Looks at another room: its strips come anew, from the beginning. @param {number} room */
    look(room) {
        this.room = room;
        this.cursor = 0;
        this.progress = null;
        this.series.clear();
    }

    /** @param {import('#live').Hello} hello */
    #takeHello(hello) {
        if (hello.instance !== this.instance) this.#forget();
        this.hello = hello;
        this.generation++;
        this.bye = '';
        this.instance = hello.instance;
        this.metrics = new Map(hello.metrics.map((metric) => [metric.id, metric]));
        this.rules = new Map(hello.rules.map((rule) => [rule.id, rule]));
        this.devices.clear(); // all come after it, or those that may be seen now
        this.alarms.clear(); // all that stand do
        this.suppressed = { items: [], more: 0 };
        this.sessions.clear(); // and so do they
        this.calibrations.clear();
    }

    /** Somebody else looks now, who may see other things, or nobody. */
    forget() {
        this.#forget();
        this.hello = null;
        this.instance = 0n;
        this.heard = -Infinity;
        this.room = 0;
        this.alarms.clear();
        this.sessions.clear();
        this.calibrations.clear();
        this.suppressed = { items: [], more: 0 };
        this.pauses = [];
        this.#byRoom = null;
    }

    /** Another run of the hub: its numbers mean other things. */
    #forget() {
        this.devices.clear();
        this.values.clear();
        this.series.clear();
        this.clock.reset();
        this.health = null;
        this.progress = null;
        this.cursor = 0;
    }

    /** @param {Alarm} alarm */
    #takeAlarm(alarm) {
        if (stands(alarm) || alarm.shelved) this.alarms.set(keyOf(alarm), alarm);
        else this.alarms.delete(keyOf(alarm));
    }

    /** One that moved leaves the room where it was. @param {Session} session */
    #takeSession(session) {
        for (const [room, { id }] of this.sessions)
            if (id === session.id) this.sessions.delete(room);
        this.sessions.set(session.room, session);
    }

    /** @param {import('#live').Latest} latest @param {number} hub_ms */
    #takeLatest({ device, metric, value, age_ms }, hub_ms) {
        for (let i = 0; i < metric.length; i++) {
            const known = this.metrics.get(metric[i]);
            if (known && age_ms[i] !== NEVER)
                this.#note(device, metric[i], hub_ms - age_ms[i], valueOf(value[i], known));
        }
    }

    /** @param {import('#live').Points} points */
    #takePoints({ device, start_ms, dt_ms, columns }) {
        for (const { metric, delta } of columns) {
            const known = this.metrics.get(metric);
            if (!known) continue;
            const series = this.#seriesOf(device, metric);
            let time = start_ms;
            let quantised = 0;
            let newest = NaN;
            let when = 0;
            for (let i = 0; i < delta.length; i++) {
                time += dt_ms[i];
                quantised += delta[i];
                const value = valueOf(quantised, known);
                series.push(time, value);
                if (Number.isNaN(value)) continue;
                newest = value;
                when = time;
            }
            this.#note(device, metric, when, newest);
        }
    }

    #takeGap() {
        for (const metrics of this.series.values())
            for (const series of metrics.values()) series.cut();
    }

    /** The newest that was a value: a sensor that says nothing (NaN) makes it no newer, so that it
     *  grows old, as it does in the hub (device_note).
     *  @param {number} device @param {number} metric @param {number} time_ms
     *  @param {number} value */
    #note(device, metric, time_ms, value) {
        if (Number.isNaN(value)) return;
        let metrics = this.values.get(device);
        if (!metrics) this.values.set(device, metrics = new Map());
        const kept = metrics.get(metric);
        if (!kept) metrics.set(metric, { value, time_ms });
        else if (time_ms >= kept.time_ms) {
            kept.value = value;
            kept.time_ms = time_ms;
        }
    }

    /** @param {number} device @param {number} metric */
    #seriesOf(device, metric) {
        let metrics = this.series.get(device);
        if (!metrics) this.series.set(device, metrics = new Map());
        let series = metrics.get(metric);
        if (!series) metrics.set(metric, series = new Series(SERIES_MS));
        return series;
    }

    /* Questions of the screens. */

    /** @param {string} name */
    roomNamed(name) {
        return this.hello?.rooms.find((room) => room.name === name);
    }

    /** @param {number} room 0: those of none */
    devicesIn(room) {
        return [...this.devices.values()].filter((device) => device.room === room);
    }

    /** The metrics of a device, as its plugin orders them. @param {Device} device */
    metricsOf(device) {
        return [...this.metrics.values()].filter((metric) => metric.kind === device.kind);
    }

    /** @param {Device} device @param {Metric} metric */
    value(device, metric) {
        return this.values.get(device.id)?.get(metric.id);
    }

    /** Alarms of a room that stand or are shelved, the worst first; none that is behind its cause.
     *  @param {number} room */
    alarmsIn(room) {
        this.#byRoom ??= this.#sorted();
        return this.#byRoom.get(room) ?? [];
    }

    #sorted() {
        /** @type {Map<number, Alarm[]>} */
        const rooms = new Map();
        for (const alarm of this.allAlarms()) {
            const room = this.#roomNumber(alarm);
            const list = rooms.get(room);
            if (list) list.push(alarm);
            else rooms.set(room, [alarm]);
        }
        return rooms;
    }

    /** The one that its tile shows. @param {number} room */
    worstIn(room) {
        const first = this.alarmsIn(room)[0];
        return first && shows(first) ? first : undefined;
    }

    /** Of all rooms and of none, the worst first; none that is behind its cause. */
    allAlarms() {
        return [...this.alarms.values()].filter(({ behind }) => !behind).sort(byNeed);
    }

    /** Those behind a cause: the number of its alarm, or what is none.
     *  @param {number} cause */
    alarmsBehind(cause) {
        return [...this.alarms.values()].filter(({ behind }) => behind === cause).sort(byNeed);
    }

    /** What a room has paused. @param {number} room */
    pausesIn(room) {
        return this.pauses.filter((pause) => pause.room === room);
    }

    /** Does the alarm's room make no sound? @param {Alarm} alarm */
    isSilent(alarm) {
        return this.pausesIn(this.#roomNumber(alarm)).length > 0;
    }

    /** Do its alarms call nobody? @param {number} room */
    isPaused(room) {
        return this.pausesIn(room).some(({ type }) => type === PauseType.ALARM);
    }

    /** How many wait for somebody. */
    get waiting() {
        let count = 0;
        for (const alarm of this.alarms.values()) count += Number(waits(alarm));
        return count;
    }

    /** What would be raised there, if it were armed. @param {number} room */
    suppressedIn(room) {
        return this.suppressed.items.filter((item) => this.#roomNumber(item) === room);
    }

    /** @param {{device: number}} alarm */
    roomOf(alarm) {
        return this.hello?.rooms.find(({ id }) => id === this.#roomNumber(alarm));
    }

    /** @param {{device: number}} alarm */
    #roomNumber({ device }) {
        return this.devices.get(device)?.room ?? 0;
    }

    /** The room's last treatment, over or not. @param {number} room */
    lastSessionIn(room) {
        return this.sessions.get(room);
    }

    /** The room's treatment, if one is planned, runs or is paused. @param {number} room */
    sessionIn(room) {
        const session = this.sessions.get(room);
        return session && isOpen(session) ? session : undefined;
    }

    /** The angles that a device measures: what can be calibrated. @param {Device} device */
    anglesOf(device) {
        return this.metricsOf(device).filter(({ type, unit, stale_ms }) =>
            type === MetricType.GAUGE && unit === 'deg' && stale_ms <= ANGLE_STALE_MS);
    }

    /** The limits that belong on a metric's strip in a room: those of rules that are numbers, and
     *  those that the room's treatment gives. The same list while they are the same.
     *  @param {number} metric @param {number} room */
    limitsOf(metric, room) {
        const key = `${room}/${metric}`;
        let limits = this.#limits.get(key);
        if (!limits) this.#limits.set(key, limits = limitsOf(metric, this.rules, this.sessions.get(room)));
        return limits;
    }

    /** When a device was last heard: what it said itself may be newer than the hub's account.
     *  @param {Device} device 0: never */
    heardOf(device) {
        let heard = device.heard_ms;
        for (const value of this.values.get(device.id)?.values() ?? [])
            if (value.time_ms > heard) heard = value.time_ms;
        return heard;
    }
}

/** @param {Session} session */
export function isOpen({ state }) {
    return state === SessionState.PLANNED || state === SessionState.RUNNING
        || state === SessionState.PAUSED;
}

/** What is left of its phase, below 0 where it is over; null: it has none that counts down.
 *  @param {Session} session @param {number} now */
export function phaseLeft(session, now) {
    if (session.phase === 0) return null;
    if (session.state === SessionState.RUNNING) return session.phase_end_ms - now;
    return session.state === SessionState.PAUSED ? session.phase_left_ms : null;
}

/** @param {Metric} metric */
export function isMeasured(metric) {
    return metric.type === MetricType.GAUGE || metric.type === MetricType.COUNTER;
}
