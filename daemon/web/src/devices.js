// Devices, a row each: whose they are, how well they are heard, and what is wrong with them.
import { Component } from 'preact';
import { CalibrationState, MetricRole } from '#live';
import { askHub, complaintOf } from './ask.js';
import { freshnessOf } from './freshness.js';
import { isGone, isLow, metricOfRole } from './health.js';
import { html } from './html.js';
import { Placing, devicePath } from './placing.js';
import { isOpen } from './store.js';
import { reading } from './value.js';
import { deviceName } from './wall.js';
import { number, span, term, words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('#live').Device} Device */

const LOSS_PERCENT = 5; // CLINIC.md: loss, clock_skew
const SKEW_MS = 5000;
const SAID_MS = 15000; // a complaint is read by then
const SHOWS_S = 10; // for so long a device is asked to blink

/** @typedef {{store: Store, entrance: import('./entrance.js').Entrance, now: number}} Props */

/** @extends {Component<Props, {choosing: number, placing: number, asked: number, complaint: string, of: number,
 *  showing: number}>} */
export class DevicesScreen extends Component {
    state = { choosing: 0, placing: 0, asked: 0, complaint: '', of: 0, showing: 0 };
    #shown = 0; // the timer

    /** Was it done? @param {Device} device @param {string} path @param {object} body */
    async #order(device, path, body) {
        if (this.state.asked) return false;
        this.setState({ asked: device.id, choosing: 0, complaint: '' });
        const complaint = complaintOf(await askHub('POST', path, body));
        this.setState({ asked: 0, complaint, of: device.id });
        if (complaint) setTimeout(() => this.setState({ complaint: '' }), SAID_MS);
        return !complaint;
    }

    /** Whether it does, only who stands before it can tell. @param {Device} device */
    async #identify(device) {
        const path = `${devicePath(this.props.store, device)}/identify`;
        if (!await this.#order(device, path, { seconds: SHOWS_S })) return;
        clearTimeout(this.#shown);
        this.setState({ showing: device.id });
        this.#shown = setTimeout(() => this.setState({ showing: 0 }), SHOWS_S * 1000);
    }

    componentWillUnmount() {
        clearTimeout(this.#shown);
    }

    render() {
        const { store, now } = this.props;
        if (!store.hello) return html`<p class="empty">${words.waiting}</p>`;
        const devices = [...store.devices.values()].sort((a, b) => worth(store, b, now) - worth(store, a, now)
            || (a.room || Infinity) - (b.room || Infinity) || a.name.localeCompare(b.name));
        return html`<div class="room">
            <h1>${words.devices}</h1>
            ${devices.length === 0 && html`<p class="empty">${words.noDevices}</p>`}
            <ul class="device-list">${devices.map((device) => html`<li key=${device.id}
                    class=${worth(store, device, now) > 0 ? 'device-row odd' : 'device-row'}>
                ${this.#head(device)}
                <${Facts} store=${store} device=${device} now=${now} />
                ${this.#deeds(device)}
                ${this.state.showing === device.id && html`<p class="showing" role="status">${words.showing}</p>`}
                ${this.state.of === device.id && html`<p class="complaint" role="alert">${this.state.complaint}</p>`}
            </li>`)}</ul>
        </div>`;
    }

    /** @param {Device} device */
    #head(device) {
        const { store } = this.props;
        const room = store.hello?.rooms.find(({ id }) => id === device.room);
        const kind = store.hello?.kinds.find(({ id }) => id === device.kind);
        return html`<div class="device-head">
            <h2>${device.name} <small>${kind && term(kind.title)}</small></h2>
            ${room ? html`<a class="where" href=${`#/room/${encodeURIComponent(room.name)}`}>
                ${room.title || room.name}</a>` : html`<b>${words.unassigned}</b>`}
        </div>`;
    }

    /** To another room, for as long as the configuration says nothing new; or to a treatment: it stays
     *  in it, whatever room it is in. @param {Device} device */
    #deeds(device) {
        const { store, entrance } = this.props;
        if (this.state.placing === device.id)
            return html`<${Placing} store=${store} device=${device} onEnd=${() => this.setState({ placing: 0 })} />`;
        const name = deviceName(store, device);
        const others = [...store.sessions.values()]
            .filter((session) => isOpen(session) && session.room !== device.room);
        if (this.state.choosing === device.id)
            return html`<div class="deeds">${others.map(({ id, room, client }) => html`<button key=${id}
                onClick=${() => this.#order(device, `/sessions/${id}/assign`, { device: name })}>
                ${store.hello?.rooms.find((each) => each.id === room)?.title} ${client}</button>`)}
                <button class="plain" onClick=${() => this.setState({ choosing: 0 })}>${words.cancel}</button></div>`;
        return html`<div class="deeds">
            ${entrance.may('admin', 'lead', 'therapist') && html`<button class="identify"
                aria-disabled=${this.state.asked === device.id} onClick=${() => this.#identify(device)}>
                ${words.identify}</button><button class="another"
                onClick=${() => this.setState({ placing: device.id, choosing: 0 })}>${words.anotherRoom}</button>`}
            ${others.length > 0 && html`<button class="assign" aria-disabled=${this.state.asked === device.id}
                onClick=${() => this.setState({ choosing: device.id })}>${words.assign}</button>`}
        </div>`;
    }
}

/** How much it asks for somebody: those first. @param {Store} store @param {Device} device
 *  @param {number} now */
function worth(store, device, now) {
    const roles = [MetricRole.BATTERY, MetricRole.SIGNAL].map((role) => metricOfRole(store, device, role));
    return Number(isGone(store, device, now)) * 4 + roles.filter((metric) => isLow(store, device, metric)).length
        + Number(lossOf(device) > LOSS_PERCENT) + Number(isSkewed(device));
}

/** In %. @param {Device} device */
function lossOf({ messages, lost }) {
    return messages + lost > 0 ? (100 * lost) / (messages + lost) : 0;
}

/** @param {Device} device */
function isSkewed({ has_skew, skew_ms }) {
    return has_skew && Math.abs(skew_ms) > SKEW_MS;
}

/** Name, text, and whether something is wrong with it, of each.
 *  @param {{store: Store, device: Device, now: number}} props */
function Facts({ store, device, now }) {
    const heard = store.heardOf(device);
    const gone = isGone(store, device, now);
    /** @type {[string, string, boolean][]} */
    const facts = [[words.heard, heard === 0 ? words.neverHeard
        : now - heard < 2000 ? words.now : words.ago(span(now - heard)), gone]];
    for (const role of [MetricRole.BATTERY, MetricRole.SIGNAL]) {
        const metric = metricOfRole(store, device, role);
        const value = metric && store.value(device, metric);
        if (!metric) continue;
        const shown = reading(metric, value, now);
        facts.push([term(metric.title), `${shown.figure}${shown.unit}`
            + `${value && freshnessOf(value, metric, now) !== 'fresh' ? `, ${shown.age}` : ''}`,
            isLow(store, device, metric)]);
    }
    facts.push([words.lost, `${number(lossOf(device), 1)}\u202f%`, lossOf(device) > LOSS_PERCENT],
        [words.skew, device.has_skew ? `${number(device.skew_ms / 1000, 1)}\u202fs` : words.noSkew, isSkewed(device)]);
    if (store.anglesOf(device).length > 0)
        facts.push([words.calibrated, calibrationWords(store, device, now), false]);
    return html`<dl class="facts">${facts.map(([name, text, odd]) => html`<div key=${name} class=${odd ? 'odd' : ''}>
        <dt>${name}</dt><dd>${odd && html`<i aria-hidden="true">!</i> `}${text}</dd></div>`)}</dl>`;
}

/** How old its neutral posture is. @param {Store} store @param {Device} device @param {number} now */
function calibrationWords(store, device, now) {
    const known = store.calibrations.get(device.id);
    if (known?.neutral === CalibrationState.UNDER_WAY) return words.standStill;
    return known && known.taken_ms > 0 ? words.ago(span(now - known.taken_ms)) : words.never;
}
