// What people do with alarms, and with rooms that call: told to the hub, and what has become of it.
//
// The frame shows what the hub made of it, at once; the answer comes when that is on the hub's disk.
// Until then nothing else is done with the same alarm or room: a finger that taps twice does one
// thing.
import { askHub, isDone } from './ask.js';
import { words } from './words.js';

const SAID_MS = 15000; // a complaint is read by then

/** @typedef {import('#live').Alarm} Alarm
 *  @typedef {'ack' | 'unack' | 'shelve' | 'unshelve' | 'reset'} Deed
 *  @typedef {'audio' | 'alarm'} What a room may pause */

export class Deeds {
    /** @type {Set<string>} places that wait for an answer */
    #asked = new Set();
    /** @type {Map<string, string>} */
    #complaints = new Map();
    #changed;

    /** @param {() => void} changed something here has */
    constructor(changed) {
        this.#changed = changed;
    }

    /** Is an answer awaited? @param {Alarm} alarm */
    awaits(alarm) {
        return this.#asked.has(placeOf(alarm));
    }

    /** Why the last deed was not done, '' where it was. @param {Alarm} alarm */
    complaint(alarm) {
        return this.#complaints.get(placeOf(alarm)) ?? '';
    }

    /** @param {Alarm} alarm @param {Deed} deed
     *  @param {{why?: string, seconds?: number}} [more] */
    do(alarm, deed, more = {}) {
        return this.#order(placeOf(alarm), `/alarms/${alarm.number}/${deed}`, more);
    }

    /** The same of a room that pauses, by its name. @param {string} room */
    awaitsRoom(room) {
        return this.#asked.has(`room ${room}`);
    }

    /** @param {string} room */
    complaintOfRoom(room) {
        return this.#complaints.get(`room ${room}`) ?? '';
    }

    /** @param {string} room @param {What} what @param {number} seconds 0: it calls again */
    pause(room, what, seconds) {
        const path = `/rooms/${encodeURIComponent(room)}/${seconds > 0 ? 'pause' : 'resume'}`;
        return this.#order(`room ${room}`, path, seconds > 0 ? { what, seconds } : { what });
    }

    /** @param {string} place @param {string} path @param {object} body */
    async #order(place, path, body) {
        if (this.#asked.has(place)) return;
        this.#asked.add(place);
        this.#complaints.delete(place);
        this.#changed();
        const complaint = complaintOf(await askHub('POST', path, body));
        this.#asked.delete(place);
        if (complaint) this.#complain(place, complaint);
        this.#changed();
    }

    /** @param {string} place @param {string} complaint */
    #complain(place, complaint) {
        this.#complaints.set(place, complaint);
        setTimeout(() => {
            this.#complaints.delete(place);
            this.#changed();
        }, SAID_MS);
    }
}

/** @param {Alarm} alarm */
function placeOf({ number }) {
    return `alarm ${number}`;
}

/** '' where it was done and is kept. @param {import('./ask.js').Answer} answer */
function complaintOf(answer) {
    if (isDone(answer)) return answer.said.stored ? '' : words.notStored;
    if (answer.status === 0) return words.noAnswer;
    if (answer.status === 404 || answer.status === 409) return words.notAnyMore;
    return words.notDone(String(answer.status));
}
