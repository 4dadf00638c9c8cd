// The wall: a tile a room, those that need someone first.
import { html } from './html.js';
import { layout } from './layout.js';
import { Mark, priorityName } from './marks.js';
import { SessionLine } from './session.js';
import { phaseLeft } from './store.js';
import { ValueCell, isLabelled } from './value.js';
import { clockTime, span, words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('#live').Room} Room
 *  @typedef {import('#live').Device} Device
 *  @typedef {import('#live').Alarm} Alarm */

const DENSE_FIGURES = 2;

/** @param {{store: Store, now: number, width: number, height: number}} props */
export function Wall({ store, now, width, height }) {
    if (!store.hello) return html`<p class="empty">${words.waiting}</p>`;
    const rooms = byNeed(store, now);
    if (rooms.length === 0 && store.devices.size === 0)
        return html`<p class="empty">${words.noRooms}</p>`;
    const { density, columns, fits } = layout(rooms.length, width, height);
    return html`
        <div class=${`wall ${density} ${fits ? 'fits' : ''}`}
            style=${{ '--columns': columns, height: fits ? `${height}px` : '' }}>
            ${rooms.map(({ room, alarms }) => html`
                <${Tile} key=${room.id} store=${store} room=${room} alarms=${alarms} now=${now}
                    dense=${density === 'dense'} />`)}
        </div>
        <${Unassigned} store=${store} now=${now} />`;
}

/** Alarms first, then treatments by the minutes that are left of their phase. Sorting is stable:
 *  rooms that need nobody stay where the configuration puts them.
 *  @param {Store} store @param {number} now */
function byNeed(store, now) {
    const rooms = (store.hello?.rooms ?? []).map((room) =>
        ({ room, alarms: store.alarmsIn(room.id), left: minutesLeft(store.sessionIn(room.id), now) }));
    return rooms.sort((a, b) => (b.alarms[0]?.priority ?? 0) - (a.alarms[0]?.priority ?? 0)
        || (a.left === b.left ? 0 : a.left - b.left));
}

/** In whole minutes, so that tiles do not change places all the time.
 *  @param {import('#live').Session | undefined} session @param {number} now */
function minutesLeft(session, now) {
    if (!session) return Infinity;
    const left = phaseLeft(session, now);
    return left === null ? Number.MAX_VALUE : Math.max(0, Math.ceil(left / 60000));
}

/** @param {{store: Store, room: Room, alarms: Alarm[], now: number, dense: boolean}} props */
function Tile({ store, room, alarms, now, dense }) {
    const worst = alarms[0];
    const session = store.sessionIn(room.id);
    return html`<a class=${`tile ${worst ? priorityName(worst.priority) : ''}`}
            href=${`#/room/${encodeURIComponent(room.name)}`}>
        <div class="head">
            <h2>${room.title || room.name}</h2>
            ${worst && html`<span class="since">
                ${words.since(clockTime(worst.raised_ms), span(now - worst.raised_ms))}
                ${alarms.length > 1 && html` · <b>${words.moreAlarms(alarms.length - 1)}</b>`}
            </span>`}
        </div>
        ${session && html`<${SessionLine} session=${session} now=${now} />`}
        ${worst && html`<${Worst} store=${store} alarm=${worst} />`}
        <${KeyValues} store=${store} room=${room} worst=${worst} now=${now} dense=${dense} />
    </a>`;
}

/** @param {{store: Store, alarm: Alarm}} props */
function Worst({ store, alarm }) {
    const action = store.rules.get(alarm.rule)?.action;
    return html`<div class="worst">
        <${Mark} priority=${alarm.priority} technical=${alarm.technical} />
        <div>
            <p class="sentence">${alarm.text}</p>
            ${action && html`<p class="first"><b>${words.first}</b> ${action}</p>`}
        </div>
    </div>`;
}

/** @typedef {{device: Device, metric: import('#live').Metric}} Key */

/** @param {{store: Store, room: Room, worst: Alarm | undefined, now: number, dense: boolean}} props */
function KeyValues({ store, room, worst, now, dense }) {
    const devices = store.devicesIn(room.id);
    if (devices.length === 0) return html`<p class="hint">${words.deviceSilent}</p>`;
    const keys = devices.flatMap((device) => store.metricsOf(device)
        .filter((metric) => metric.key).map((metric) => ({ device, metric })));
    if (keys.length === 0) return html`<p class="hint">${words.noKeyValue}</p>`;
    const figures = keys.filter(({ metric }) => !isLabelled(metric));
    const labels = keys.filter(({ metric }) => isLabelled(metric));
    const cell = (/** @type {Key} */ { device, metric }) => html`
        <${ValueCell} key=${`${device.id}/${metric.id}`} metric=${metric}
            value=${store.value(device, metric)} now=${now} />`;
    return html`
        <div class="figures">
            ${(dense ? mostTelling(store, figures, worst) : figures).map(cell)}
            <div class="labels">${labels.map(cell)}</div>
        </div>`;
}

/** What a dense tile has room for: the value that the alarm is about, then those that have limits;
 *  in the order that they always have. @param {Store} store @param {Key[]} figures
 *  @param {Alarm | undefined} worst */
function mostTelling(store, figures, worst) {
    const alarming = worst && store.rules.get(worst.rule)?.metric;
    const weight = (/** @type {Key} */ { metric }) =>
        (metric.id === alarming ? 2 : 0) + (store.limitsOf(metric.id).length > 0 ? 1 : 0);
    const chosen = new Set([...figures].sort((a, b) => weight(b) - weight(a)).slice(0, DENSE_FIGURES));
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
