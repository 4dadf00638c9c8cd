// Another room for a device: which one, what that means for treatments, and the order.
import { Component } from 'preact';
import { askHub, complaintOf, isDone } from './ask.js';
import { html } from './html.js';
import { isOpen } from './store.js';
import { deviceName } from './wall.js';
import { words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('#live').Device} Device
 *  @typedef {import('#live').Room} Room
 *  @typedef {{store: Store, device: Device, onEnd: () => void}} Props */

/** Below /devices: its kind and name. @param {Store} store @param {Device} device */
export function devicePath(store, device) {
    return `/devices/${deviceName(store, device).split('/').map(encodeURIComponent).join('/')}`;
}

/** @extends {Component<Props, {chosen: string, asked: boolean, complaint: string}>} */
export class Placing extends Component {
    state = { chosen: '', asked: false, complaint: '' };

    /** What somebody else has done meanwhile is not overwritten: the hub is asked where it is, and says
     *  so where that is not the room that stands on the screen. */
    async #put() {
        const { store, device, onEnd } = this.props;
        if (this.state.asked) return;
        this.setState({ asked: true, complaint: '' });
        const path = `${devicePath(store, device)}/room`;
        const now = await askHub('GET', path);
        const other = isDone(now) && now.said.room !== (this.#shown()?.name ?? null);
        const answer = !isDone(now) || other ? now
            : await askHub('PUT', path, { room: this.#target()?.name ?? null }, now.said.tag);
        const complaint = other ? words.movedMeanwhile : complaintOf(answer);
        this.setState({ asked: false, complaint });
        if (!complaint) onEnd();
    }

    #rooms() {
        return this.props.store.hello?.rooms ?? [];
    }

    /** Where it is, as the screen has it. */
    #shown() {
        return this.#rooms().find(({ id }) => id === this.props.device.room);
    }

    /** @returns {Room | undefined} none: out of any */
    #target() {
        return this.#rooms().find(({ name }) => name === this.state.chosen);
    }

    render() {
        const { device, onEnd } = this.props;
        const { chosen, asked, complaint } = this.state;
        const other = this.#rooms().filter(({ id }) => id !== device.room);
        return html`<div class="placing">
            <label class="pick"><span>${words.newRoom(device.name)}</span>
                <select value=${chosen} onChange=${(/** @type {Event} */ event) => this.setState({
                    chosen: /** @type {HTMLSelectElement} */ (event.target).value, complaint: '' })}>
                    <option value="">${device.room ? words.intoNone : words.choose}</option>
                    ${other.map(({ name, title }) => html`<option key=${name} value=${name}>${title || name}</option>`)}
                </select></label>
            ${this.#meaning().map((sentence) => html`<p key=${sentence}>${sentence}</p>`)}
            <div class="deeds">
                <button class="do" aria-disabled=${asked} disabled=${!chosen && !device.room}
                    onClick=${() => this.#put()}>${words.putThere(this.#target()?.title ?? words.intoNone)}</button>
                <button class="plain" onClick=${onEnd}>${words.cancel}</button>
            </div>
            <p class="complaint" role="alert">${complaint}</p>
        </div>`;
    }

    /** Of treatments under way in the room that it leaves, and in the one that it comes to. */
    #meaning() {
        const { store } = this.props;
        const underWay = (/** @type {number | undefined} */ room) => room
            && [...store.sessions.values()].some((session) => isOpen(session) && session.room === room);
        const from = this.#shown(), to = this.#target();
        return [from && underWay(from.id) ? words.leavesTreatment(from.title) : '',
            to && underWay(to.id) ? words.joinsTreatment(to.title) : ''].filter(Boolean);
    }
}
