// A value as it may be shown: number, unit and age; or a dash and the reason.
import { MetricType } from '#live';
import { freshnessOf } from './freshness.js';
import { html } from './html.js';
import { unitSuffix } from './units.js';
import { clockTime, number, span, term, words } from './words.js';

/** @typedef {import('#live').Metric} Metric
 *  @typedef {import('./freshness.js').Value} Value */

export const DASH = '\u2013';
const NOW_MS = 2000; // younger than this, a number of seconds would only flicker

/** @param {Metric} metric */
export function isLabelled(metric) {
    return metric.type === MetricType.STATE || metric.type === MetricType.EVENT;
}

/** A state as people read it. @param {string[]} labels @param {number} value */
export function labelOf(labels, value) {
    return term(labels[Math.round(value)]?.replaceAll('_', ' ') ?? DASH);
}

/** The value without its unit. @param {Metric} metric @param {number} value */
export function figure(metric, value) {
    if (Number.isNaN(value)) return DASH;
    if (isLabelled(metric)) return labelOf(metric.labels, value);
    return number(value, metric.decimals);
}

/** Figure, unit and age of a value now, as texts.
 *  @param {Metric} metric @param {Value | undefined} value @param {number} now_ms */
export function reading(metric, value, now_ms) {
    const freshness = freshnessOf(value, metric, now_ms);
    if (!value || freshness === 'never')
        return { freshness, figure: DASH, unit: '', age: words.neverHeard };
    if (freshness === 'offline')
        return { freshness, figure: DASH, unit: '', age: words.lastHeard(clockTime(value.time_ms)) };
    const age = now_ms - value.time_ms;
    const text = figure(metric, value.value);
    return {
        freshness,
        figure: text,
        unit: text === DASH ? '' : unitSuffix(metric.unit),
        age: freshness === 'stale' ? words.old(span(age)) : age < NOW_MS ? words.now : span(age),
    };
}

/** Two of them do not stand beside each other in the narrowest tile. @param {string} figure */
function isLong(figure) {
    return figure.length > 4 || (figure.length > 3 && figure.startsWith('\u2212'));
}

/** Writes into a cell what is another text than before: laying a page out costs more than to compare. Into
 *  the node that is there, for ten new ones a second and figure are garbage.
 *  @param {Element} cell @param {string} freshness @param {[Element, string][]} texts */
export function write(cell, freshness, ...texts) {
    const kind = `value ${freshness}`;
    if (cell.className !== kind) cell.className = kind;
    for (const [part, text] of texts) {
        if (!part.firstChild) part.textContent = text;
        else if (part.firstChild.nodeValue !== text) part.firstChild.nodeValue = text;
    }
}

/** @param {{metric: Metric, value: Value | undefined, now: number}} props */
export function ValueCell({ metric, value, now }) {
    const shown = reading(metric, value, now);
    return html`<div class=${`value ${shown.freshness} ${isLong(shown.figure) ? 'long' : ''}`}>
        <span class="name">${term(metric.title)}</span>
        <span class="reading">${shown.figure}</span>
        <span class="side"><span class="unit">${shown.unit.trim()}</span>
            <span class="age">${shown.age}</span></span>
    </div>`;
}
