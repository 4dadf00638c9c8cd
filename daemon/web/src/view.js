// What is seen of time: zoomed and panned by wheel, finger, key or button; shared by charts.

const LEAST_MS = 2000;
const MOST_MS = 400 * 86400000;
const ZOOM = 1.6;
const PAN = 0.25; // of what is seen

/** @typedef {{left: number, width: number}} Inner where time is, in css px of the window */

export class View {
    /** @type {[number, number]} */
    span;
    /** @type {[number, number]} */
    #whole;
    #changed;
    /** @type {Map<number, number>} fingers, by their number: where */
    #fingers = new Map();

    /** @param {[number, number]} whole ms of any clock @param {() => void} changed */
    constructor(whole, changed) {
        this.#whole = whole;
        this.span = whole;
        this.#changed = changed;
    }

    whole() {
        this.#look(...this.#whole);
    }

    /** @param {number} times above 1: nearer @param {number} [place] of what is seen, which stays */
    zoom(times, place = 0.5) {
        const [from, to] = this.span;
        const wide = Math.min(MOST_MS, Math.max(LEAST_MS, (to - from) / times));
        const fixed = from + (to - from) * place;
        this.#look(fixed - wide * place, fixed + wide * (1 - place));
    }

    nearer() {
        this.zoom(ZOOM);
    }

    farther() {
        this.zoom(1 / ZOOM);
    }

    /** @param {number} share of what is seen; above 0: later */
    pan(share) {
        const [from, to] = this.span;
        this.#look(from + (to - from) * share, to + (to - from) * share);
    }

    earlier() {
        this.pan(-PAN);
    }

    later() {
        this.pan(PAN);
    }

    /** @param {number} from @param {number} to */
    #look(from, to) {
        this.span = [from, to];
        this.#changed();
    }

    /** For the element of a chart. @param {() => Inner} inner */
    handlers(inner) {
        return {
            onWheel: (/** @type {WheelEvent} */ event) => this.#onWheel(event, inner()),
            onPointerDown: (/** @type {PointerEvent} */ event) => this.#fingers.set(event.pointerId, event.clientX),
            onPointerMove: (/** @type {PointerEvent} */ event) => this.#onMove(event, inner()),
            onPointerUp: (/** @type {PointerEvent} */ event) => this.#fingers.delete(event.pointerId),
            onPointerLeave: (/** @type {PointerEvent} */ event) => this.#fingers.delete(event.pointerId),
            onPointerCancel: (/** @type {PointerEvent} */ event) => this.#fingers.delete(event.pointerId),
        };
    }

    /** @param {WheelEvent} event @param {Inner} inner */
    #onWheel(event, { left, width }) {
        if (!event.ctrlKey && !event.shiftKey && Math.abs(event.deltaX) < Math.abs(event.deltaY)
            && !event.altKey) return this.#zoomBy(event, left, width);
        event.preventDefault();
        return this.pan((event.deltaX || event.deltaY) / width);
    }

    /** @param {WheelEvent} event @param {number} left @param {number} width */
    #zoomBy(event, left, width) {
        event.preventDefault();
        this.zoom(2 ** (-event.deltaY / 300), Math.min(1, Math.max(0, (event.clientX - left) / width)));
    }

    /** One finger draws time along, two spread it. @param {PointerEvent} event @param {Inner} inner */
    #onMove(event, { left, width }) {
        const before = this.#fingers.get(event.pointerId);
        if (before === undefined || before === event.clientX) return;
        const other = [...this.#fingers].find(([id]) => id !== event.pointerId)?.[1];
        this.#fingers.set(event.pointerId, event.clientX);
        if (other === undefined) {
            this.pan((before - event.clientX) / width);
            return;
        }
        const [was, is] = [Math.abs(before - other), Math.abs(event.clientX - other)];
        if (was > 8 && is > 8) this.zoom(is / was, Math.min(1, Math.max(0, (other - left) / width)));
    }

    /** Of the group of charts. @param {KeyboardEvent} event */
    onKey(event) {
        /** @type {Record<string, () => void>} */
        const keys = { ArrowLeft: () => this.earlier(), ArrowRight: () => this.later(),
            '+': () => this.nearer(), '=': () => this.nearer(), ArrowUp: () => this.nearer(),
            '-': () => this.farther(), ArrowDown: () => this.farther(), Home: () => this.whole() };
        const work = event.target === event.currentTarget ? keys[event.key] : undefined;
        if (!work || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        work();
    }
}
