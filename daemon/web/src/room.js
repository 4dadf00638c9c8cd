// A room: the body, the strips of the last five minutes, the alarms, and beneath them what is to be
// done with the treatment. In one column the alarms come first.
import { Component } from 'preact';
import { Account } from './account.js';
import { waits } from './alarm.js';
import { AlarmList } from './alarms.js';
import { BodyMap } from './bodymap.js';
import { Calibrate } from './calibrate.js';
import { html } from './html.js';
import { Mark } from './marks.js';
import { PauseBar } from './pauses.js';
import { PhaseClock } from './session.js';
import { SpineView, anglesIn } from './spine.js';
import { isMeasured } from './store.js';
import { marksOf } from './stripmarks.js';
import { StripLoop, StripView } from './strips.js';
import { SuppressedList } from './suppressed.js';
import { Treatment } from './treatment.js';
import { deviceName, heardWords } from './wall.js';
import { number, term, words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('#live').Room} Room
 *  @typedef {import('#live').Device} Device
 *  @typedef {import('#live').Metric} Metric */

/** @typedef {import('./treatments.js').Treatments} Treatments */

const ELSEWHERE = 5; // rooms that are named beside this one

/** @extends {Component<{store: Store, deeds: import('./deeds.js').Deeds, treatments: Treatments,
 *    name: string, now: number}>} */
export class RoomScreen extends Component {
    loop = new StripLoop(this.props.store);

    render() {
        const { store, deeds, treatments, name, now } = this.props;
        if (!store.hello) return html`<p class="empty">${words.waiting}</p>`;
        const room = store.roomNamed(name);
        if (!room) return html`<p class="empty">${words.unknownRoom(name)}</p>`;
        const devices = store.devicesIn(room.id);
        const session = store.sessionIn(room.id);
        const alarms = store.alarmsIn(room.id);
        const last = store.lastSessionIn(room.id);
        const detail = last ? treatments.detail(last) : null;
        this.loop.marks = marksOf(detail);
        return html`<div class=${store.isPaused(room.id) ? 'room calm-marks' : 'room'}>
            <header class="room-head">
                <h1>${room.title || room.name}</h1>
                <${Elsewhere} store=${store} room=${room} />
            </header>
            <div class="room-grid">
                <div class="room-side">
                    ${session && html`<${PhaseClock} session=${session} now=${now} />`}
                    ${alarms.length === 0 ? html`<p class="calm">${words.calm}</p>`
                        : html`<${AlarmList} store=${store} deeds=${deeds} alarms=${alarms} now=${now}
                            label=${words.alarms} />`}
                    <${PauseBar} store=${store} deeds=${deeds} room=${room} now=${now} />
                    <${SuppressedList} store=${store} items=${store.suppressedIn(room.id)} now=${now} />
                    <${Account} detail=${detail} />
                </div>
                <${Treatment} treatments=${treatments} session=${last} detail=${detail} room=${room.name}
                    key=${last?.id} />
                <div class="room-body">
                    <${Body} store=${store} loop=${this.loop} room=${room} session=${last} />
                </div>
                <div class="room-strips">${this.#strips(devices)}</div>
            </div>
        </div>`;
    }

    /** @param {Device[]} devices */
    #strips(devices) {
        const { store, treatments, now } = this.props;
        if (devices.length === 0) return html`<p class="hint">${words.deviceSilent}</p>`;
        return html`<div class="devices" tabindex="0" role="group" aria-label=${words.stripsHint}
                onKeyDown=${(/** @type {KeyboardEvent} */ event) => this.loop.onKey(event)}
                onBlur=${() => this.loop.point(-1)}>
                ${devices.map((device) => html`<${DeviceSection} store=${store}
                    treatments=${treatments} device=${device} loop=${this.loop} now=${now}
                    key=${`${store.generation}/${device.id}`} />`)}
            </div>
            <p class="hint">${words.lastMinutes}. ${words.stripsHint}</p>`;
    }
}

/** What the body does, and what is done to it. @param {{store: Store, loop: StripLoop, room: Room,
 *    session: import('#live').Session | undefined}} props */
function Body({ store, loop, room, session }) {
    const angles = anglesIn(store, room.id);
    return html`${angles.size > 0 && html`<${SpineView} loop=${loop} store=${store} angles=${angles}
            key=${store.generation} />`}
        ${session && store.progress?.session === session.id && html`<${BodyMap} store=${store} />`}`;
}

/** Who looks at one room must still see that another one needs someone.
 *  @param {{store: Store, room: Room}} props */
function Elsewhere({ store, room }) {
    const others = (store.hello?.rooms ?? []).filter(({ id }) => id !== room.id)
        .map((other) => ({ other, worst: store.alarmsIn(other.id)[0] }))
        .filter(({ worst }) => worst && waits(worst))
        .sort((a, b) => b.worst.priority - a.worst.priority);
    const more = others.length - ELSEWHERE;
    if (others.length === 0) return null;
    return html`<nav class="elsewhere" aria-label=${words.elsewhere}>
        ${others.slice(0, ELSEWHERE).map(({ other, worst }) => html`
            <a key=${other.id} href=${`#/room/${encodeURIComponent(other.name)}`}>
                <${Mark} alarm=${worst} />
                <span>${other.title || other.name}</span></a>`)}
        ${more > 0 && html`<a href="#/">${words.moreRooms(more, number(more))}</a>`}
    </nav>`;
}

/** @param {{store: Store, treatments: Treatments, device: Device, loop: StripLoop, now: number}} props */
function DeviceSection({ store, treatments, device, loop, now }) {
    const kind = store.hello?.kinds.find(({ id }) => id === device.kind);
    const metrics = stripOrder(store.metricsOf(device));
    return html`<section class="device">
        <h2>${kind ? term(kind.title) : ''} <small>${deviceName(store, device)}</small></h2>
        <${Calibrate} store=${store} treatments=${treatments} device=${device}
            name=${deviceName(store, device)} now=${now} />
        ${metrics.map((metric, i) => html`<${StripView} key=${metric.id} loop=${loop}
            device=${device} metric=${metric} times=${i === metrics.length - 1
                || (metric.key && !metrics[i + 1].key)} />`)}
        <${Accounting} store=${store} device=${device} now=${now} />
    </section>`;
}

/** Key values first, health last; of the same, states before what is measured.
 *  @param {Metric[]} metrics */
function stripOrder(metrics) {
    const rank = (/** @type {Metric} */ metric) =>
        (metric.health ? 4 : metric.key ? 0 : 2) + (isMeasured(metric) ? 1 : 0);
    return [...metrics].sort((a, b) => rank(a) - rank(b));
}

/** How well the device is heard. @param {{store: Store, device: Device, now: number}} props */
function Accounting({ store, device, now }) {
    const sent = device.messages + device.lost;
    const share = sent > 0 ? (100 * device.lost) / sent : 0;
    const skew = device.has_skew ? `${number(device.skew_ms / 1000, 1)}\u202fs` : words.noSkew;
    /** @type {[string, string, boolean][]} */
    const rows = [
        [words.messages, number(device.messages), false],
        [words.lost, `${number(device.lost)} (${number(share, 1)}\u202f%)`, device.lost > 0],
        [words.duplicates, number(device.duplicates), false],
        [words.late, number(device.late), device.late > 0],
        [words.refused, number(device.refused), device.refused > 0],
        [words.outOfRange, number(device.out_of_range), device.out_of_range > 0],
        [words.skew, skew, device.has_skew && Math.abs(device.skew_ms) > 5000],
    ];
    return html`<dl class="accounting">
        <div><dt>${deviceName(store, device)}</dt><dd>${heardWords(store, device, now)}</dd></div>
        ${rows.map(([name, text, odd]) => html`<div key=${name} class=${odd ? 'odd' : ''}>
            <dt>${name}</dt><dd>${text}</dd></div>`)}
    </dl>`;
}
