// What people do with an alarm: told to the hub, and what has become of it.
//
// The frame shows what the hub made of it, at once; the answer comes when that is on the hub's disk.
// Until then the alarm takes no other deed: a finger that taps twice does one thing.
import { askHub, complaintOf, isDone } from './ask.js';
import { words } from './words.js';

const SAID_MS = 15000; // a complaint is read by then

/** @typedef {import('#live').Alarm} Alarm
 *  @typedef {'ack' | 'unack' | 'shelve' | 'unshelve' | 'reset'} Deed */

export class Deeds {
    /** @type {Set<number>} alarms that wait for an answer, by number */
    #asked = new Set();
    /** @type {Map<number, string>} */
    #complaints = new Map();
    #changed;

    /** @param {() => void} changed something here has */
    constructor(changed) {
        this.#changed = changed;
    }

    /** Is an answer awaited? @param {Alarm} alarm */
    awaits({ number }) {
        return this.#asked.has(number);
    }

    /** Why the last deed was not done, '' where it was. @param {Alarm} alarm */
    complaint({ number }) {
        return this.#complaints.get(number) ?? '';
    }

    /** @param {Alarm} alarm @param {Deed} deed
     *  @param {{why?: string, seconds?: number}} [more] */
    async do({ number }, deed, more = {}) {
        if (this.#asked.has(number)) return;
        this.#asked.add(number);
        this.#complaints.delete(number);
        this.#changed();
        const complaint = await tell(number, deed, more);
        this.#asked.delete(number);
        if (complaint) this.#complain(number, complaint);
        this.#changed();
    }

    /** @param {number} number @param {string} complaint */
    #complain(number, complaint) {
        this.#complaints.set(number, complaint);
        setTimeout(() => {
            this.#complaints.delete(number);
            this.#changed();
        }, SAID_MS);
    }
}

/** '' where it was done and is kept. @param {number} number @param {Deed} deed
 *  @param {object} more */
async function tell(number, deed, more) {
    const answer = await askHub('POST', `/alarms/${number}/${deed}`, more);
    if (answer.status === 404 || answer.status === 409) return words.notAnyMore;
    if (answer.status !== 0 && !isDone(answer)) return words.notDone(String(answer.status));
    return complaintOf(answer);
}
