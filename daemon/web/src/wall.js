// The wall: a tile a room, those that need someone first.
import { Component } from 'preact';
import { SessionState } from '#live';
import { shows, waits } from './alarm.js';
import { Troubles } from './health.js';
import { html } from './html.js';
import { layout } from './layout.js';
import { Glyph, Mark, priorityName } from './marks.js';
import { PauseMarks } from './pauses.js';
import { SessionLine } from './session.js';
import { phaseLeft } from './store.js';
import { ValueCell, isLabelled } from './value.js';
import { clockTime, number, sentence, span, term, words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('#live').Room} Room
 *  @typedef {import('#live').Device} Device
 *  @typedef {import('#live').Alarm} Alarm
 *  @typedef {import('./deeds.js').Deeds} Deeds */

const FIRST_TILES = 12;
const TIGHT_FIGURES = 2;
const GAP_PX = 8;
const NARROW_PX = 320; // units stand beneath their figures
const SLIM_PX = 240; // two figures of 44 px have no room
const SHORT_PX = 248; // no room for all of an alarm and two figures
const ASKS_PX = 272; // a dense tile of this height has room for a button

/** Rooms that need someone are seen before the rest is drawn.
 *  @extends {Component<{store: Store, deeds: Deeds, now: number, width: number, height: number,
 *    still?: boolean}, {whole: boolean}>} still: nobody touches it */
export class Wall extends Component {
    state = { whole: false };
    #next = 0;

    componentDidMount() {
        this.#goOn();
    }

    componentDidUpdate() {
        this.#goOn();
    }

    componentWillUnmount() {
        cancelAnimationFrame(this.#next);
    }

    /** Once the first are on the screen. */
    #goOn() {
        if (this.state.whole || !this.props.store.hello) return;
        this.#next ||= requestAnimationFrame(() => {
            this.#next = requestAnimationFrame(() => this.setState({ whole: true }));
        });
    }

    render() {
        const { store, deeds, now, width, height, still = false } = this.props;
        if (!store.hello) return html`<p class="empty">${words.waiting}</p>`;
        const rooms = byNeed(store, now);
        if (rooms.length === 0 && store.devices.size === 0)
            return html`<p class="empty">${words.noRooms}</p>`;
        const { density, columns, fits } = layout(rooms.length, width, height);
        const wide = (width + GAP_PX) / columns - GAP_PX;
        const high = fits ? (height + GAP_PX) / Math.ceil(rooms.length / columns) - GAP_PX : Infinity;
        const touched = !still && (density !== 'dense' || (fits && high >= ASKS_PX));
        const scant = [fits && 'fits', wide < NARROW_PX && 'narrow', wide < SLIM_PX && 'slim',
            high < SHORT_PX && 'short'].filter(Boolean).join(' ');
        const { whole } = this.state;
        return html`
            <div class=${`wall ${density} ${scant}`}
                style=${{ '--columns': columns, height: fits ? `${height}px` : '' }}>
                ${rooms.slice(0, whole ? undefined : FIRST_TILES).map(({ room, alarms }) => html`
                    <${Tile} key=${room.id} store=${store} deeds=${deeds} room=${room} alarms=${alarms}
                        now=${now} density=${density} still=${still} touched=${touched} />`)}
            </div>
            ${whole && !still && html`<${Unassigned} store=${store} now=${now} />`}`;
    }
}

/** Alarms first, then treatments by the minutes that are left of their phase. Sorting is stable:
 *  rooms that need nobody stay where the configuration puts them.
 *  @param {Store} store @param {number} now */
function byNeed(store, now) {
    const rooms = (store.hello?.rooms ?? []).map((room) =>
        ({ room, alarms: store.alarmsIn(room.id), left: minutesLeft(store.sessionIn(room.id), now) }));
    return rooms.sort((a, b) => urgency(b.alarms[0]) - urgency(a.alarms[0])
        || (a.left === b.left ? 0 : a.left - b.left));
}

/** What somebody knows of, or put out of sight, moves no tile. @param {Alarm | undefined} worst */
function urgency(worst) {
    return worst && waits(worst) ? worst.priority : 0;
}

/** In whole minutes, so that tiles do not change places all the time.
 *  @param {import('#live').Session | undefined} session @param {number} now */
function minutesLeft(session, now) {
    if (!session) return Infinity;
    const left = phaseLeft(session, now);
    return left === null ? Number.MAX_VALUE : Math.max(0, Math.ceil(left / 60000));
}

/** @param {{store: Store, deeds: Deeds, room: Room, alarms: Alarm[], now: number,
 *    density: string, still: boolean, touched: boolean}} props touched: it has room for a button */
function Tile({ store, deeds, room, alarms, now, density, still, touched }) {
    const worst = store.worstIn(room.id);
    const asks = worst && waits(worst) && touched;
    const session = store.sessionIn(room.id);
    const colour = worst ? `${priorityName(worst.priority)} ${waits(worst) ? '' : 'quiet'}` : '';
    const calm = store.isPaused(room.id) ? 'calm-marks' : '';
    return html`<div class=${`place ${colour} ${calm} ${asks ? 'asks' : ''}`}>
        <a class=${`tile ${colour}`}
                href=${still ? undefined : `#/room/${encodeURIComponent(room.name)}`}>
            <div class="head">
                <${RoomName} name=${room.title || room.name} />
                <${Troubles} store=${store} devices=${store.devicesIn(room.id)} now=${now} />
                <${PauseMarks} pauses=${store.pausesIn(room.id)} now=${now} />
                <${Others} worst=${worst} alarms=${alarms} now=${now} />
            </div>
            ${session && html`<${SessionLine} session=${session} now=${now} />`}
            ${worst && html`<${Worst} alarm=${worst} now=${now} />`}
            <${KeyValues} store=${store} room=${room} worst=${worst} now=${now}
                phase=${session?.state === SessionState.RUNNING ? session.phase_kind : ''}
                tight=${density === 'dense' || (asks && density === 'normal')} />
        </a>
        ${asks && html`<${Deed} deeds=${deeds} alarm=${worst} />`}
    </div>`;
}

/** A name that is too long ends early, but not its number: that is what tells rooms apart.
 *  @param {{name: string}} props */
function RoomName({ name }) {
    const [, most, last] = /^(.+?)(\s\S*\d\S*)$/.exec(name) ?? [name, name, ''];
    return html`<h2><span>${most}</span>${last && html`<span class="last">${last}</span>`}</h2>`;
}

/** Since when the worst alarm stands, how many others do, how many are shelved.
 *  @param {{worst: Alarm | undefined, alarms: Alarm[], now: number}} props */
function Others({ worst, alarms, now }) {
    if (alarms.length === 0) return null;
    const shown = alarms.filter(shows).length;
    const shelved = alarms.length - shown;
    return html`<span class="since">
        ${worst && words.since(clockTime(worst.raised_ms), span(now - worst.raised_ms))}
        ${shown > 1 && html` · <b>${words.moreAlarms(shown - 1)}</b>`}
        ${shelved > 0 && html` <span class="shelves" role="img"
            aria-label=${words.shelvedAlarms(shelved)}><${Glyph} name="moon" />${number(shelved)}</span>`}
    </span>`;
}

/** @param {{alarm: Alarm, now: number}} props */
function Worst({ alarm, now }) {
    const { acknowledged, latched, unknown_ms, hides } = alarm;
    const where = [unknown_ms > 0 && words.unknownFor(span(now - unknown_ms)), latched && words.latched,
        acknowledged && words.isKnown, hides > 0 && words.behindIt(hides, number(hides))]
        .filter(Boolean).join(' · ');
    return html`<div class="worst">
        <${Mark} alarm=${alarm} />
        <div>
            <p class="sentence">${sentence(alarm.text)}</p>
            ${where && html`<p class="where">${where}</p>`}
            ${alarm.action && !acknowledged && html`<p class="first"><b>${words.first}</b>
                ${' '}${term(alarm.action)}</p>`}
        </div>
    </div>`;
}

/** Whoever reads the alarm on the wall may say so there. @param {{deeds: Deeds, alarm: Alarm}} props */
function Deed({ deeds, alarm }) {
    const complaint = deeds.complaint(alarm);
    return html`<div class="deeds" key=${alarm.number}>
        <button class="ack" aria-disabled=${deeds.awaits(alarm)}
            onClick=${() => deeds.do(alarm, 'ack')}>
            ${words.acknowledge}</button>
        ${complaint && html`<p class="complaint" role="alert">${complaint}</p>`}
    </div>`;
}

/** @typedef {{device: Device, metric: import('#live').Metric}} Key */

/** @param {{store: Store, room: Room, worst: Alarm | undefined, now: number, phase: string,
 *    tight: boolean | undefined}} props phase: the kind of the one that runs, '' of none */
function KeyValues({ store, room, worst, now, phase, tight }) {
    const devices = store.devicesIn(room.id);
    if (devices.length === 0) return html`<p class="hint">${words.deviceSilent}</p>`;
    const all = devices.flatMap((device) => store.metricsOf(device).map((metric) => ({ device, metric })));
    const keys = all.filter(({ metric }) => metric.key || metric.phases.includes(phase));
    if (keys.length === 0) return html`<p class="hint">${words.noKeyValue}</p>`;
    const figures = keys.filter(({ metric }) => !isLabelled(metric));
    const labels = keys.filter(({ metric }) => isLabelled(metric));
    const cell = (/** @type {Key} */ { device, metric }) => html`
        <${ValueCell} key=${`${device.id}/${metric.id}`} metric=${metric}
            value=${store.value(device, metric)} now=${now} />`;
    return html`
        <div class="figures">
            ${(tight || phase ? mostTelling(store, figures, worst, phase) : figures).map(cell)}
            <div class="labels">${labels.map(cell)}</div>
        </div>`;
}

/** The two that tell most: the value that the alarm is about, then what matters in the phase, then
 *  what has limits; in the order that they always have. @param {Store} store @param {Key[]} figures
 *  @param {Alarm | undefined} worst @param {string} phase */
function mostTelling(store, figures, worst, phase) {
    const alarming = worst && store.rules.get(worst.rule)?.metric;
    const weight = (/** @type {Key} */ { device, metric }) => (metric.id === alarming ? 4 : 0)
        + (metric.phases.includes(phase) ? 2 : 0)
        + (store.limitsOf(metric.id, device.room).length > 0 ? 1 : 0);
    const chosen = new Set([...figures].sort((a, b) => weight(b) - weight(a)).slice(0, TIGHT_FIGURES));
    return figures.filter((key) => chosen.has(key));
}

/** @param {{store: Store, now: number}} props */
function Unassigned({ store, now }) {
    const devices = store.devicesIn(0);
    if (devices.length === 0) return null;
    return html`<section class="unassigned">
        <h2>${words.unassigned}</h2>
        <ul>${devices.map((device) => html`<li key=${device.id}>
            <b>${deviceName(store, device)}</b>${' '}
            <span>${heardWords(store, device, now)}</span></li>`)}</ul>
        <p class="hint">${words.unassignedHint}</p>
    </section>`;
}

/** As the configuration names it. @param {Store} store @param {Device} device */
export function deviceName(store, device) {
    const kind = store.hello?.kinds.find(({ id }) => id === device.kind);
    return `${kind?.name ?? '?'}/${device.name}`;
}

/** @param {Store} store @param {Device} device @param {number} now */
export function heardWords(store, device, now) {
    const heard = store.heardOf(device);
    if (heard === 0) return words.neverHeard;
    return `${words.heard} ${now - heard < 2000 ? words.now : words.ago(span(now - heard))}`;
}
