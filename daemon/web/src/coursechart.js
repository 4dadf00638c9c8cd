// A year on one screen: pain before and after each session, its dose, and ranges of motion with the
// error of their measurement drawn around the first one. One axis a unit; time is shared.
import { html } from './html.js';
import { unitSuffix } from './units.js';
import { month, number, term, words } from './words.js';

/** @typedef {import('./course.js').Course} Course
 *  @typedef {import('./course.js').CourseRange} CourseRange
 *  @typedef {{left: number, width: number, x: (at: string) => number, ticks: number[]}} Axis */

const LEFT = 48;
const RIGHT = 12;
const PANEL_PX = 120;
const PAD = 8;
const TICK_PX = 20;
const PAIN_MOST = 10;
const MDC_DEG = [15, 5]; // CLINIC: MDC90 of lumbar range of motion, by method

/** @param {{course: Course, width: number}} props */
export function CourseChart({ course, width }) {
    const axis = axisOf(course, width);
    return html`<div class="charts">
        <${Pain} course=${course} axis=${axis} />
        <${Dose} course=${course} axis=${axis} />
        ${course.ranges.length > 0 && html`<${Ranges} ranges=${course.ranges} axis=${axis} />`}
    </div>`;
}

/** From the first to the last, with a day of air. @param {Course} course @param {number} width
 *  @returns {Axis} */
function axisOf({ sessions, ranges }, width) {
    const times = [...sessions.map(({ opened }) => opened), ...ranges.map(({ at }) => at)].map(Date.parse);
    const from = Math.min(...times) - 86400000;
    const to = Math.max(...times) + 86400000;
    const x = (/** @type {number} */ time) => LEFT + (time - from) / (to - from) * (width - LEFT - RIGHT);
    return { left: LEFT, width, x: (at) => x(Date.parse(at)), ticks: months(from, to) };
}

/** Begins of months, no more than a dozen. @param {number} from @param {number} to */
function months(from, to) {
    const begins = [];
    const at = new Date(from);
    at.setDate(1);
    at.setHours(0, 0, 0, 0);
    for (at.setMonth(at.getMonth() + 1); at.getTime() < to; at.setMonth(at.getMonth() + 1))
        begins.push(at.getTime());
    const step = Math.ceil(begins.length / 12);
    return begins.filter((_, i) => i % step === 0);
}

/** A panel with its title, its time axis and the two ends of its own.
 *  @param {{title: string, axis: Axis, low: string, high: string, children: any}} props */
function Panel({ title, axis, low, high, children }) {
    const time = (/** @type {number} */ ms) => axis.x(new Date(ms).toISOString());
    return html`<figure>
        <figcaption>${title}</figcaption>
        <svg viewBox=${`0 0 ${axis.width} ${PANEL_PX + TICK_PX}`} role="img" aria-label=${title}>
            ${axis.ticks.map((ms) => html`<g key=${ms}>
                <line class="grid" x1=${time(ms)} x2=${time(ms)} y1="0" y2=${PANEL_PX} />
                <text class="tick" x=${Math.min(time(ms), axis.width - 24)} y=${PANEL_PX + 15}>${month(ms)}</text>
            </g>`)}
            <line class="grid" x1=${LEFT} x2=${axis.width - RIGHT} y1=${PANEL_PX} y2=${PANEL_PX} />
            <text class="end" x=${LEFT - 6} y="14">${high}</text>
            <text class="end" x=${LEFT - 6} y=${PANEL_PX - 2}>${low}</text>
            ${children}
        </svg>
    </figure>`;
}

/** Where a value stands. @param {number} value @param {number} low @param {number} high */
function yOf(value, low, high) {
    return PANEL_PX - PAD - (value - low) / (high - low) * (PANEL_PX - 2 * PAD);
}

/** @param {{course: Course, axis: Axis}} props */
function Pain({ course, axis }) {
    const asked = course.sessions.filter(({ pain }) => pain.before !== null);
    const after = course.sessions.filter(({ pain }) => pain.after !== null);
    const y = (/** @type {number | null} */ value) => yOf(value ?? 0, 0, PAIN_MOST);
    return html`<${Panel} title=${words.courseOfPain} axis=${axis} low="0" high="10">
        <polyline class="line" points=${asked.map(({ opened, pain }) =>
            `${axis.x(opened)},${y(pain.before)}`).join(' ')} />
        ${asked.map(({ id, opened, pain }) => html`<circle key=${`b${id}`} class="before" r="4"
            cx=${axis.x(opened)} cy=${y(pain.before)} />`)}
        ${after.map(({ id, opened, pain }) => html`<circle key=${`a${id}`} class="after" r="4"
            cx=${axis.x(opened)} cy=${y(pain.after)} />`)}
    </${Panel}>`;
}

/** @param {{course: Course, axis: Axis}} props */
function Dose({ course, axis }) {
    const measured = course.sessions.some(({ dose }) => dose.sum !== null && dose.sum > 0);
    const of = (/** @type {import('./course.js').Dose} */ dose) =>
        (measured ? dose.sum ?? 0 : dose.time_ms / 60000);
    const most = Math.max(1, ...course.sessions.map(({ dose }) => of(dose)));
    const unit = measured ? `${unitSuffix(course.unit ?? '')}·min` : '\u202fmin';
    const width = Math.max(2, Math.min(16, (axis.width - LEFT - RIGHT) / (course.sessions.length + 1) * 0.6));
    return html`<${Panel} title=${`${words.courseOfDose} (${unit.trim()})`} axis=${axis} low="0"
            high=${number(most)}>
        ${course.sessions.map(({ id, opened, dose }) => html`<rect key=${id} class="bar"
            x=${axis.x(opened) - width / 2} y=${yOf(of(dose), 0, most)} width=${width}
            height=${PANEL_PX - yOf(of(dose), 0, most)} />`)}
    </${Panel}>`;
}

/** By movement; what lies within the band of the first is no change.
 *  @param {{ranges: CourseRange[], axis: Axis}} props */
function Ranges({ ranges, axis }) {
    const of = (/** @type {CourseRange} */ { title, side }) => `${term(title)} ${side === 'low' ? '−' : '+'}`;
    return html`${[...new Set(ranges.map(of))].map((movement) => {
        const own = ranges.filter((range) => of(range) === movement);
        const first = own[0].best;
        const low = Math.max(0, Math.min(first - MDC_DEG[0], ...own.map(({ best }) => best)));
        const high = Math.max(first + MDC_DEG[0], ...own.map(({ best }) => best));
        const y = (/** @type {number} */ value) => yOf(value, low, high);
        return html`<${Panel} key=${movement} title=${`${words.courseOfRange}: ${movement} (°)`} axis=${axis}
                low=${number(low)} high=${number(high)}>
            ${MDC_DEG.map((deg, i) => html`<rect key=${deg} class=${`error e${i}`} x=${LEFT}
                width=${axis.width - LEFT - RIGHT} y=${y(first + deg)}
                height=${y(Math.max(low, first - deg)) - y(first + deg)} />`)}
            <polyline class="line" points=${own.map(({ at, best }) =>
                `${axis.x(at)},${y(best)}`).join(' ')} />
            ${own.map(({ at, best }, i) => html`<circle key=${i} class="before" r="4" cx=${axis.x(at)}
                cy=${y(best)} />`)}
        </${Panel}>`;
    })}`;
}
