// The spine from the side, as it is bent now: drawn by the room's loop with its strips, from the
// metrics whose role says that they are angles of it. The neutral posture is an outline, the
// client's own range an arc.
import { Component } from 'preact';
import { MetricRole } from '#live';
import { freshnessOf } from './freshness.js';
import { html } from './html.js';
import { arcPath, backOf, headOf, linePath, poseOf, spineOf, trunkPath, vertebraePath } from './spineform.js';
import { unitSuffix } from './units.js';
import { reading, write } from './value.js';
import { number, term, words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('#live').Device} Device
 *  @typedef {import('#live').Metric} Metric
 *  @typedef {{device: Device, metric: Metric}} Angle
 *  @typedef {import('./strips.js').StripLoop} StripLoop */

const PACE_MS = 80; // the hub tells values hardly more often
const LEAST_DEG = 0.2; // less than this is not worth drawing anew
const NEUTRAL = spineOf({ bend: 0, pelvis: 0 });
const NEUTRAL_HEAD = headOf(NEUTRAL);
const ARC = { inner: 49, outer: 54 };
const SIDES = [MetricRole.FLEXION, MetricRole.INCLINATION, MetricRole.LATERAL, MetricRole.ROTATION];

/** The angles of a room's devices that can be drawn, by role. @param {Store} store @param {number} room */
export function anglesIn(store, room) {
    /** @type {Map<number, Angle>} */
    const angles = new Map();
    for (const device of store.devicesIn(room))
        for (const metric of store.metricsOf(device))
            if (SIDES.includes(/** @type {1} */ (metric.role)) && !angles.has(metric.role))
                angles.set(metric.role, { device, metric });
    return angles;
}

/** @typedef {{loop: StripLoop, store: Store, angles: Map<number, Angle>}} Props */

/** @extends {Component<Props>} */
export class SpineView extends Component {
    visible = false;
    pace = PACE_MS;
    root = document.body; // until there is one
    #drawn = '';

    componentDidMount() {
        this.props.loop.add(this);
    }

    componentWillUnmount() {
        this.props.loop.remove(this);
    }

    /** What moves is drawn by the loop; what is known of the client is drawn anew.
     *  @param {Props} next */
    shouldComponentUpdate(next) {
        return next.angles.size !== this.props.angles.size || this.#ranges() !== this.#arcs;
    }

    #arcs = '';

    /** Own ranges, as a text that changes with them. */
    #ranges() {
        return JSON.stringify(this.props.store.progress?.own ?? []);
    }

    /** An angle at a time: of now, of the cursor; null where it is not known, or too old.
     *  @param {number} role @param {number} now @param {number} cursor */
    #angle(role, now, cursor) {
        const angle = this.props.angles.get(role);
        if (!angle) return null;
        const { device, metric } = angle;
        const { store } = this.props;
        if (cursor !== 0) {
            const series = store.series.get(device.id)?.get(metric.id);
            const at = series ? series.find(cursor + 1) - 1 : -1;
            if (!series || at < series.start || cursor - series.times[at] > metric.stale_ms) return null;
            const value = series.values[at];
            return Number.isNaN(value) ? null : value;
        }
        const value = store.value(device, metric);
        return value && freshnessOf(value, metric, now) === 'fresh' ? value.value : null;
    }

    /** @param {number} now @param {number} cursor 0: none @param {boolean} read figures as well */
    draw(now, cursor, read) {
        const [flexion, inclination, lateral] = SIDES.map((role) => this.#angle(role, now, cursor));
        const rounded = [flexion, inclination, lateral].map((deg) =>
            (deg === null ? '' : Math.round(deg / LEAST_DEG)));
        const drawn = rounded.join();
        if (drawn !== this.#drawn) {
            this.#drawn = drawn;
            this.#bend(flexion, inclination);
            this.#lean(lateral);
        }
        if (read) this.#write(now);
    }

    /** @param {number | null} flexion @param {number | null} inclination */
    #bend(flexion, inclination) {
        const known = flexion !== null || inclination !== null;
        this.root.classList.toggle('unknown', !known);
        if (!known) return;
        const pose = poseOf(flexion, inclination);
        const joints = spineOf(pose);
        const head = headOf(joints);
        this.#set('.side .vertebrae', 'd', vertebraePath(joints));
        this.#set('.side .figure .trunk', 'd', trunkPath(joints));
        this.#set('.side .pelvis', 'transform', `rotate(${pose.pelvis.toFixed(1)} 4 8)`);
        this.#set('.side .head', 'transform',
            `translate(${head.x.toFixed(1)} ${head.y.toFixed(1)}) rotate(${head.deg.toFixed(0)})`);
        this.#set('.side .needle', 'transform', `rotate(${(pose.bend + pose.pelvis).toFixed(1)})`);
        this.#set('.side .own', 'transform', `rotate(${pose.pelvis.toFixed(1)})`);
    }

    /** @param {number | null} lateral */
    #lean(lateral) {
        const back = this.root.querySelector('.behind');
        back?.classList.toggle('unknown', lateral === null);
        if (!back || lateral === null) return;
        const joints = backOf(lateral);
        const top = joints[joints.length - 1];
        this.#set('.behind .vertebrae', 'd', vertebraePath(joints));
        this.#set('.behind .upper', 'transform',
            `translate(${top.x.toFixed(1)} ${top.y.toFixed(1)}) rotate(${top.deg.toFixed(1)})`);
    }

    /** @param {string} selector @param {string} name @param {string} value */
    #set(selector, name, value) {
        this.root.querySelector(selector)?.setAttribute(name, value);
    }

    /** @param {number} now */
    #write(now) {
        const cells = this.root.querySelectorAll('.angles .value');
        [...this.props.angles.values()].forEach(({ device, metric }, i) => {
            const shown = reading(metric, this.props.store.value(device, metric), now);
            const cell = cells[i];
            if (!cell) return;
            write(cell, shown.freshness, [cell.children[1], shown.figure + shown.unit],
                [cell.children[2], shown.freshness === 'fresh' ? '' : shown.age]);
        });
    }

    render() {
        const { angles } = this.props;
        this.#arcs = this.#ranges();
        this.#drawn = '';
        const own = this.#own();
        return html`<section class="spine unknown" aria-label=${words.spine}
                ref=${(/** @type {HTMLElement | null} */ root) => { if (root) this.root = root; }}>
            <div class="views">
                <svg class="side" viewBox="-30 -82 92 112" role="img" aria-label=${words.spineFromSide}>
                    ${own && html`<path class="own" d=${arcPath(own.low, own.high, ARC.inner, ARC.outer)} />`}
                    <path class="leg" d="M4 8v30" />
                    <g class="figure">
                        <path class="trunk" />
                        <path class="pelvis" d="M-5 -1q-3 6 0 12q5 3 10 -1q4 -6 0 -11q-5 -3 -10 0z" />
                        <path class="vertebrae" />
                        <ellipse class="head" rx="7" ry="8.5" />
                        <path class="needle" d=${`M0 -${ARC.inner - 3}V-${ARC.outer + 4}`} />
                    </g>
                    <g class="neutral">
                        <path d=${linePath(NEUTRAL)} />
                        <circle cx=${NEUTRAL_HEAD.x} cy=${NEUTRAL_HEAD.y} r="7.5" />
                    </g>
                </svg>
                ${angles.has(MetricRole.LATERAL) && html`<svg class="behind unknown" viewBox="-32 -72 64 84"
                        role="img" aria-label=${words.spineFromBehind}>
                    <path class="leg" d="M-13 4h26" />
                    <g class="figure">
                        <path class="vertebrae" />
                        <g class="upper"><path class="leg" d="M-16 4q16 -5 32 0" />
                            <circle class="head" cy="-13" r="7.5" /></g>
                    </g>
                </svg>`}
            </div>
            <dl class="angles">${[...angles.values()].map(({ metric }) => html`<div class="value" key=${metric.id}>
                <dt class="name">${term(metric.title)}</dt><dd class="reading"></dd><dd class="age"></dd></div>`)}</dl>
            <p class="hint">${own ? words.ownRange(number(own.low, 0) + own.unit, number(own.high, 0) + own.unit)
                : words.noOwnRange}</p>
        </section>`;
    }

    /** What the client reaches in the bend of the spine; from upright, where one side is not known. */
    #own() {
        const { store, angles } = this.props;
        const metric = angles.get(MetricRole.FLEXION)?.metric;
        const own = metric && store.progress?.own.find((each) => each.metric === metric.id);
        if (!metric || !own) return null;
        return { low: own.low ?? 0, high: own.high ?? 0, unit: unitSuffix(metric.unit) };
    }
}
