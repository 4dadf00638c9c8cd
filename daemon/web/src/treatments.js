// What people do with a treatment: told to the hub, and what has become of it; and what a room's
// screen asks of it besides the frames (phases with their times, notes, dose).
import { askHub, complaintOf, isDone } from './ask.js';

const ASK_AGAIN_MS = 5000; // dose and time go on without a frame
const SAID_MS = 15000; // a complaint is read by then
const THERAPIST_KEPT_AS = 'lumbar.therapist';

/** @typedef {import('#live').Session} Session
 *  @typedef {{kind: string, title: string, time_ms: number, spent_ms: number, began: string | null,
 *    ended: string | null}} Phase
 *  @typedef {{at: string, kind: 'note' | 'marker', text: string}} Note
 *  @typedef {{id: number, state: string, client: string | null, therapist: string | null,
 *    ended: string | null, phases: Phase[], notes: Note[], rmdq: number | null, odi: number | null,
 *    adverse: string | null, reason: string | null,
 *    pain: Record<'before' | 'during' | 'after', number | null>,
 *    doses: {region: string, time_ms: number, mean: number | null,
 *      unit: string | null}[]}} Detail as the API says it
 *  @typedef {{name: string, plans: string[]}} Client
 *  @typedef {{name: string, title: string, time_s: number}} Plan */

export class Treatments {
    /** @type {Map<number, {detail: Detail | null, of: Session, asked: number}>} */
    #known = new Map();
    /** @type {Set<string>} places that wait for an answer */
    #asked = new Set();
    /** @type {Map<string, string>} */
    #complaints = new Map();
    /** @type {Client[]} */
    clients = [];
    /** @type {Plan[]} */
    plans = [];
    #changed;

    /** @param {() => void} changed something here has */
    constructor(changed) {
        this.#changed = changed;
    }

    /** What is known of it beyond its frame; asked for when it changed, and while it is looked at.
     *  @param {Session} session @returns {Detail | null} */
    detail(session) {
        const known = this.#known.get(session.id);
        const now = performance.now();
        if (known && known.of === session && now - known.asked < ASK_AGAIN_MS) return known.detail;
        this.#known.clear(); // one room is looked at
        this.#known.set(session.id, { detail: known?.detail ?? null, of: session, asked: now });
        this.#ask(session.id);
        return known?.detail ?? null;
    }

    /** @param {number} id */
    async #ask(id) {
        const answer = await askHub('GET', `/sessions/${id}`);
        if (isDone(answer)) this.#take(answer.said);
    }

    /** @param {Detail} detail */
    #take(detail) {
        const known = this.#known.get(detail.id);
        if (!known) return;
        known.detail = detail;
        this.#changed();
    }

    /** Who may be treated, and by which plan. */
    async look() {
        const [clients, plans] = await Promise.all([askHub('GET', '/clients'), askHub('GET', '/plans')]);
        if (isDone(clients)) this.clients = clients.said.clients;
        if (isDone(plans)) this.plans = plans.said.plans;
        this.#changed();
    }

    /** The initials that this screen last used. */
    get therapist() {
        return localStorage.getItem(THERAPIST_KEPT_AS) ?? '';
    }

    /** Is an answer awaited for something of this place? @param {string} place */
    awaits(place) {
        return [...this.#asked].some((at) => at.startsWith(place));
    }

    /** Why the last order was not done, '' where it was. @param {string} place */
    complaint(place) {
        return [...this.#complaints].find(([at]) => at.startsWith(place))?.[1] ?? '';
    }

    /** @param {number} id @param {string} order @param {object} [body] */
    do(id, order, body = {}) {
        return this.tell(placeOf(id, order), 'POST', `/sessions/${id}/${order}`, body);
    }

    /** Opens one; a client who is not known yet is made known first.
     *  @param {string} room @param {{client: string, plan: string, therapist: string}} opening */
    async open(room, { client, plan, therapist }) {
        localStorage.setItem(THERAPIST_KEPT_AS, therapist);
        const known = !client || this.clients.some(({ name }) => name === client);
        if (!known && !await this.tell(`room/${room}/`, 'POST', '/clients', { name: client })) return false;
        return this.tell(`room/${room}/`, 'POST', '/sessions',
            { room, therapist, ...(client && { client }), ...(plan && { plan }) });
    }

    /** One order at a time of each kind: a finger that taps twice does one thing. True: it was done.
     *  @param {string} place @param {import('./ask.js').Method} method @param {string} path
     *  @param {object} [body] */
    async tell(place, method, path, body) {
        if (this.#asked.has(place)) return false;
        this.#asked.add(place);
        this.#complaints.delete(place);
        this.#changed();
        const answer = await askHub(method, path, body);
        this.#asked.delete(place);
        if (isDone(answer) && answer.said.phases) this.#take(answer.said);
        this.#complain(place, complaintOf(answer));
        this.#changed();
        return isDone(answer);
    }

    /** @param {string} place @param {string} complaint */
    #complain(place, complaint) {
        if (!complaint) return;
        this.#complaints.set(place, complaint);
        setTimeout(() => {
            this.#complaints.delete(place);
            this.#changed();
        }, SAID_MS);
    }
}

/** Where an order is awaited; without one, any of the treatment. @param {number} id
 *  @param {string} [order] */
export function placeOf(id, order) {
    return order ? `session/${id}/${order}/` : `session/${id}/`;
}
