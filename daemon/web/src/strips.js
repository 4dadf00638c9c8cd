// All strips of a room: one loop that draws those on screen once each display frame, one cursor.
import { Component } from 'preact';
import { html } from './html.js';
import { withPlots } from './plots.js';
import { STRIP_MS, isMeasured } from './store.js';
import { PLOT_LEFT, PLOT_RIGHT, Strip } from './strip.js';
import { NO_MARKS } from './stripmarks.js';
import { unitSuffix } from './units.js';
import { DASH, figure, reading, write } from './value.js';
import { clockTime, span, term, words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('#live').Metric} Metric
 *  @typedef {import('#live').Device} Device */

const READING_MS = 250; // figures that change more often cannot be read
const UNSEEN = 2; // strips out of sight that are drawn with each reading, for printing and scrolling
const KEY_STEP_MS = 1000;
const HEIGHTS = { key: 136, plain: 84, band: 32, health: 44 };

/** @param {Metric} metric */
function heightOf(metric) {
    if (!isMeasured(metric)) return HEIGHTS.band;
    if (metric.health) return HEIGHTS.health;
    return metric.key ? HEIGHTS.key : HEIGHTS.plain;
}

/** @typedef {{root: HTMLElement, visible: boolean, pace: number,
 *    draw: (now: number, cursor: number, read: boolean) => void}} Drawn what the loop draws; pace: ms
 *    in which it may come to look different */

/** The loop and the cursor that the strips of a room share, and what moves with them. Display frames
 *  in which nothing moves are left out: the browser has work with each, even where nothing is drawn. */
export class StripLoop {
    /** @type {Set<Drawn>} */
    views = new Set();
    store;
    marks = NO_MARKS; // of the room's treatment
    #age = -1; // of the cursor, ms before now; < 0: none
    #frame = 0;
    #wait = 0;
    #read = 0;
    #turn = 0; // of those out of sight
    #seen = new IntersectionObserver((entries) => {
        for (const { target, isIntersecting } of entries)
            for (const view of this.views) if (view.root === target) view.visible = isIntersecting;
        if (entries.some(({ isIntersecting }) => isIntersecting)) this.#soon();
    }, { rootMargin: '100px' });

    /** @param {Store} store */
    constructor(store) {
        this.store = store;
    }

    /** @param {Drawn} view */
    add(view) {
        this.views.add(view);
        this.#seen.observe(view.root);
        if (this.views.size === 1) this.#soon();
    }

    /** @param {Drawn} view */
    remove(view) {
        this.views.delete(view);
        this.#seen.unobserve(view.root);
        if (this.views.size === 0) this.#stop();
    }

    #stop() {
        clearTimeout(this.#wait);
        cancelAnimationFrame(this.#frame);
    }

    /** With the next display frame; what looks or points may still be told of after the last is gone. */
    #soon() {
        this.#stop();
        if (this.views.size === 0) return;
        this.#frame = requestAnimationFrame(() => {
            this.#wait = window.setTimeout(() => this.#soon(), this.#pace());
            this.#draw();
        });
    }

    #pace() {
        let pace = READING_MS;
        for (const view of this.views) if (view.visible) pace = Math.min(pace, view.pace);
        return pace;
    }

    #draw() {
        const now = this.store.clock.now();
        if (!Number.isFinite(now)) return;
        const cursor = this.#age < 0 ? 0 : now - this.#age;
        const read = performance.now() - this.#read >= READING_MS;
        if (read) this.#read = performance.now();
        for (const view of this.views) if (view.visible) view.draw(now, cursor, read);
        if (read) this.#drawUnseen(now, cursor);
    }

    /** In turn, so that no frame has to draw them all. @param {number} now @param {number} cursor */
    #drawUnseen(now, cursor) {
        const unseen = [...this.views].filter(({ visible }) => !visible);
        for (let i = 0; i < Math.min(UNSEEN, unseen.length); i++)
            unseen[this.#turn++ % unseen.length].draw(now, cursor, true);
    }

    /** @param {number} age_ms before now, < 0: none */
    point(age_ms) {
        this.#age = age_ms < 0 ? -1 : Math.min(age_ms, STRIP_MS);
        this.#read = 0;
        this.#soon();
    }

    /** @param {KeyboardEvent} event */
    onKey(event) {
        const step = { ArrowLeft: KEY_STEP_MS, ArrowRight: -KEY_STEP_MS }[event.key];
        if (event.key === 'Escape') this.point(-1);
        if (step === undefined) return;
        event.preventDefault();
        this.point(Math.max(0, this.#age) + step * (event.shiftKey ? 10 : 1));
    }
}

/** One strip with its title and its reading.
 *  @extends {Component<{loop: StripLoop, device: Device, metric: Metric, times: boolean}>} */
export class StripView extends Component {
    visible = false;
    root = document.body; // until there is one
    /** @type {Strip | undefined} */
    strip;
    /** @type {ResizeObserver | undefined} */
    resized;

    componentDidMount() {
        this.props.loop.add(this);
        this.#write(this.#present(this.props.loop.store.clock.now())); // what is out of sight waits long for its turn
        withPlots(() => this.props.loop.views.has(this) && this.#begin());
    }

    #begin() {
        const { loop, device, metric, times } = this.props;
        const host = this.#part('.plot');
        const series = () => loop.store.series.get(device.id)?.get(metric.id);
        this.strip = new Strip(host, metric, series,
            () => loop.store.limitsOf(metric.id, loop.store.room), () => loop.marks,
            { width: host.clientWidth, height: heightOf(metric), times });
        this.resized = new ResizeObserver(() => this.strip?.resize(host.clientWidth));
        this.resized.observe(host);
    }

    componentWillUnmount() {
        this.props.loop.remove(this);
        this.resized?.disconnect();
        this.strip?.destroy();
    }

    get pace() {
        return this.strip?.pace ?? 0;
    }

    /** What is inside is drawn by the loop. */
    shouldComponentUpdate() {
        return false;
    }

    /** @param {string} selector */
    #part(selector) {
        return /** @type {HTMLElement} */ (this.root.querySelector(selector));
    }

    /** @param {number} now @param {number} cursor @param {boolean} read figures as well */
    draw(now, cursor, read) {
        this.strip?.draw(now, cursor);
        if (read) this.#write(cursor === 0 ? this.#present(now) : this.#past(now, cursor));
    }

    /** @param {number} now */
    #present(now) {
        const { loop, device, metric } = this.props;
        return reading(metric, loop.store.value(device, metric), now);
    }

    /** @param {number} now @param {number} cursor */
    #past(now, cursor) {
        const { metric } = this.props;
        const sample = this.strip?.at(cursor);
        const when = `${clockTime(cursor)}, ${words.ago(span(now - cursor))}`;
        if (!sample || Number.isNaN(sample.value))
            return { freshness: 'past', figure: DASH, unit: '', age: when };
        return { freshness: 'past', figure: figure(metric, sample.value),
            unit: unitSuffix(metric.unit), age: when };
    }

    /** @param {{freshness: string, figure: string, unit: string, age: string}} shown */
    #write(shown) {
        const cell = this.#part('.value');
        write(cell, shown.freshness, [cell.children[0], shown.figure + shown.unit], [cell.children[1], shown.age]);
    }

    render() {
        const { loop, metric } = this.props;
        const kind = metric.health ? 'health' : metric.key ? 'key' : '';
        return html`<div class=${`strip ${kind}`}
                ref=${(/** @type {HTMLElement | null} */ root) => { if (root) this.root = root; }}>
            <div class="head">
                <h3>${term(metric.title)}</h3>
                <div class="value"><span class="reading"></span><span class="age"></span></div>
            </div>
            <div class="plot" onPointerMove=${(/** @type {PointerEvent} */ event) => loop.point(ageAt(event))}
                onPointerDown=${(/** @type {PointerEvent} */ event) => loop.point(ageAt(event))}
                onPointerLeave=${() => loop.point(-1)}></div>
        </div>`;
    }
}

/** How long ago it was where a strip is pointed at. @param {PointerEvent} event */
function ageAt(event) {
    const box = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    const width = box.width - PLOT_LEFT - PLOT_RIGHT;
    return Math.max(0, ((box.right - PLOT_RIGHT - event.clientX) / width) * STRIP_MS);
}
