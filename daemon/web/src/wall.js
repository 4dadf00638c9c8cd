// The wall: a tile a room, those that need someone first.
import { html } from './html.js';
import { Mark, priorityName } from './marks.js';
import { ValueCell, isLabelled } from './value.js';
import { clockTime, span, words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('#live').Room} Room
 *  @typedef {import('#live').Device} Device
 *  @typedef {import('#live').Alarm} Alarm */

/** How much a tile can show, by what is left for it. Widths and heights in px. */
const DENSITIES = [
    { name: 'roomy', width: 560, height: 400 },
    { name: 'normal', width: 340, height: 260 },
    { name: 'dense', width: 216, height: 168 },
];
const DENSE_FIGURES = 2;

/** Columns and density for so many tiles: the roomiest that needs no scrolling; where even dense
 *  tiles do not all fit, they scroll downwards, never sideways.
 *  @param {number} count @param {number} width @param {number} height */
export function layout(count, width, height) {
    for (const density of DENSITIES) {
        const columns = Math.max(1, Math.floor(width / density.width));
        const rows = Math.floor(height / density.height);
        if (columns * rows >= count) return { density: density.name, columns: fewest(count, columns) };
    }
    const columns = Math.max(1, Math.floor(width / DENSITIES[2].width));
    // Few columns: people scroll anyhow, so what they find there may as well be legible.
    return { density: columns < 3 ? 'normal' : 'dense', columns: columns < 3 ? 1 : columns };
}

/** As few columns as give the same number of rows. @param {number} count @param {number} most */
function fewest(count, most) {
    return Math.max(1, Math.ceil(count / Math.ceil(count / most)));
}

/** @param {{store: Store, now: number, width: number, height: number}} props */
export function Wall({ store, now, width, height }) {
    if (!store.hello) return html`<p class="empty">${words.waiting}</p>`;
    const rooms = byNeed(store);
    if (rooms.length === 0 && store.devices.size === 0)
        return html`<p class="empty">${words.noRooms}</p>`;
    const { density, columns } = layout(rooms.length, width, height);
    return html`
        <div class=${`wall ${density}`} style=${{ '--columns': columns }}>
            ${rooms.map(({ room, alarms }) => html`
                <${Tile} key=${room.id} store=${store} room=${room} alarms=${alarms} now=${now}
                    dense=${density === 'dense'} />`)}
        </div>
        <${Unassigned} store=${store} now=${now} />`;
}

/** Sorting is stable: rooms that need nobody stay where the configuration puts them.
 *  @param {Store} store */
function byNeed(store) {
    const rooms = (store.hello?.rooms ?? []).map((room) => ({ room, alarms: store.alarmsIn(room.id) }));
    return rooms.sort((a, b) => (b.alarms[0]?.priority ?? 0) - (a.alarms[0]?.priority ?? 0));
}

/** @param {{store: Store, room: Room, alarms: Alarm[], now: number, dense: boolean}} props */
function Tile({ store, room, alarms, now, dense }) {
    const worst = alarms[0];
    return html`<a class=${`tile ${worst ? priorityName(worst.priority) : ''}`}
            href=${`#/room/${encodeURIComponent(room.name)}`}>
        <h2>${room.title || room.name}</h2>
        ${worst && html`<${Worst} store=${store} alarm=${worst} more=${alarms.length - 1}
            now=${now} />`}
        <${KeyValues} store=${store} room=${room} worst=${worst} now=${now} dense=${dense} />
    </a>`;
}

/** @param {{store: Store, alarm: Alarm, more: number, now: number}} props */
function Worst({ store, alarm, more, now }) {
    const action = store.rules.get(alarm.rule)?.action;
    return html`<div class="worst">
        <${Mark} priority=${alarm.priority} technical=${alarm.technical} />
        <div>
            <p class="sentence">${alarm.text}</p>
            ${action && html`<p class="first"><b>${words.first}</b> ${action}</p>`}
            <p class="since">${words.since(clockTime(alarm.raised_ms), span(now - alarm.raised_ms))}
                ${more > 0 && html` · ${words.moreAlarms(more)}`}</p>
        </div>
    </div>`;
}

/** @param {{store: Store, room: Room, worst: Alarm | undefined, now: number, dense: boolean}} props */
function KeyValues({ store, room, worst, now, dense }) {
    const devices = store.devicesIn(room.id);
    if (devices.length === 0) return html`<p class="hint">${words.deviceSilent}</p>`;
    let shown = devices.flatMap((device) => store.metricsOf(device)
        .filter((metric) => metric.key)
        .map((metric) => ({ device, metric, value: store.value(device, metric) })));
    if (shown.length === 0) return html`<p class="hint">${words.noKeyValue}</p>`;
    // What it is about must be among the few that a dense tile has room for.
    const alarming = worst && store.rules.get(worst.rule)?.metric;
    if (dense) shown = [...shown].sort((a, b) => Number(b.metric.id === alarming) - Number(a.metric.id === alarming));
    const figures = shown.filter(({ metric }) => !isLabelled(metric));
    const labels = shown.filter(({ metric }) => isLabelled(metric));
    const cell = (/** @type {typeof shown[0]} */ { device, metric, value }) =>
        html`<${ValueCell} key=${`${device.id}/${metric.id}`} metric=${metric} value=${value}
            now=${now} />`;
    return html`
        <div class="values">${(dense ? figures.slice(0, DENSE_FIGURES) : figures).map(cell)}</div>
        <div class="labels">${(dense ? labels.slice(0, DENSE_FIGURES) : labels).map(cell)}</div>`;
}

/** @param {{store: Store, now: number}} props */
function Unassigned({ store, now }) {
    const devices = store.devicesIn(0);
    if (devices.length === 0) return null;
    return html`<section class="unassigned">
        <h2>${words.unassigned}</h2>
        <ul>${devices.map((device) => html`<li key=${device.id}>
            <b>${deviceName(store, device)}</b>
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
