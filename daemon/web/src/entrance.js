// Who is in: asked of the hub before anything else is, and whenever a connection was lost.
import { askHub, isDone } from './ask.js';

const TOUCH_MS = 60000; // a login that is used lasts; the hub is told at most so often

/** @typedef {{name: string, by: string, role: string | null, reads: boolean, all_rooms: boolean,
 *    rooms: string[], glass_until: string | null, codes: boolean}} Me */

export class Entrance {
    /** @type {Me | null} */
    me = null;
    out = false; // the hub wants a login
    setUp = true; // there is somebody who could log in
    /** @type {{id: number, who: string, why: string, at: string}[]} broken, and no lead has seen it */
    glass = [];
    #changed;
    #touchedAt = 0;

    /** @param {() => void} changed */
    constructor(changed) {
        this.#changed = changed;
    }

    /** A frame says that glass was broken, or seen: who, and why? */
    async lookAtGlass() {
        if (this.me?.by !== 'login' || this.me.role !== 'lead') return;
        const answer = await askHub('GET', '/glass?unseen=1');
        if (!isDone(answer)) return;
        this.glass = answer.said.glass;
        this.#changed();
    }

    /** @param {number} id */
    async seeGlass(id) {
        await askHub('POST', `/glass/${id}/seen`, {});
        await this.lookAtGlass();
    }

    /** Asks who we are. A hub that does not answer says nothing about it. */
    async look() {
        this.#take(await askHub('GET', '/me'));
        if (this.out) await this.#lookAtDoor();
    }

    async #lookAtDoor() {
        const door = await askHub('GET', '/door');
        if (isDone(door)) this.setUp = door.said.set_up;
        this.#changed();
    }

    /** @param {import('./ask.js').Answer} answer */
    #take(answer) {
        if (isDone(answer)) {
            this.me = answer.said;
            this.out = false;
            if (this.me?.role !== 'lead') this.glass = [];
        } else if (answer.status === 401) {
            this.me = null;
            this.glass = [];
            this.out = true;
        }
        this.#changed();
    }

    /** @param {object} shown name and password, or a token. @returns the hub's answer */
    async enter(shown) {
        const answer = await askHub('POST', '/login', shown);
        if (isDone(answer)) this.#take(answer);
        return answer;
    }

    /** Takes an invitation up. @param {string} secret @param {string} password */
    async enrol(secret, password) {
        const answer = await askHub('POST', '/enrol', { secret, password });
        if (isDone(answer)) this.#take(answer);
        return answer;
    }

    /** @param {boolean} [everywhere] */
    async leave(everywhere) {
        await askHub('POST', everywhere ? '/logout/everywhere' : '/logout', {});
        await this.look();
    }

    /** Somebody is here and does something. */
    touch() {
        if (this.me?.by !== 'login' || performance.now() - this.#touchedAt < TOUCH_MS) return;
        this.#touchedAt = performance.now();
        this.look();
    }

    /** May who is in do what only these roles may? Without accounts, everybody may.
     *  @param {string[]} roles */
    may(...roles) {
        const { me } = this;
        return me !== null && (me.by === 'open' || (me.role !== null && roles.includes(me.role)));
    }
}
