// What people do with an alarm: told to the hub, and what has become of it.
//
// The frame shows what the hub made of it, at once; the answer comes when that is on the hub's disk.
// Until then the alarm takes no other deed: a finger that taps twice does one thing.
import { words } from './words.js';

const ANSWER_MS = 10000;
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
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), ANSWER_MS);
    try {
        const answer = await fetch(`/api/v1/alarms/${number}/${deed}`, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify(more),
            signal: late.signal,
        });
        if (answer.ok) return (await answer.json()).stored ? '' : words.notStored;
        if (answer.status === 404 || answer.status === 409) return words.notAnyMore;
        return words.notDone(String(answer.status));
    } catch {
        return words.noAnswer;
    } finally {
        clearTimeout(timer);
    }
}
