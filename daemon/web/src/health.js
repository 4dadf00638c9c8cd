// What is wrong with a room's devices, as glyphs: nothing where all is well. From what metrics say of
// themselves and from the limits of the rules on them, never by name.
import { MetricRole } from '#live';
import { freshnessOf } from './freshness.js';
import { html } from './html.js';
import { Glyph } from './marks.js';
import { unitSuffix } from './units.js';
import { figure } from './value.js';
import { number, span, term, words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('#live').Device} Device
 *  @typedef {import('#live').Metric} Metric
 *  @typedef {{glyph: 'battery' | 'signal' | 'unplugged', text: string}} Trouble */

const SKEW_MS = 5000; // CLINIC.md, clock_skew

/** The device's metric of a role. @param {Store} store @param {Device} device @param {number} role */
export function metricOfRole(store, device, role) {
    return store.metricsOf(device).find((metric) => metric.role === role);
}

/** Is the value below what a rule asks for? @param {Store} store @param {Device} device
 *  @param {Metric | undefined} metric */
export function isLow(store, device, metric) {
    const value = metric && store.value(device, metric);
    if (!metric || !value) return false;
    return store.limitsOf(metric.id, device.room).some(({ limit, above }) => !above && value.value < limit);
}

/** Is nothing heard that should be? Of what it measures, all is offline.
 *  @param {Store} store @param {Device} device @param {number} now */
export function isGone(store, device, now) {
    const measured = store.metricsOf(device).filter((metric) => !metric.health && metric.offline_ms > 0
        && store.value(device, metric));
    return measured.length > 0 && measured.every((metric) =>
        freshnessOf(store.value(device, metric), metric, now) === 'offline');
}

/** @param {Store} store @param {Device} device @param {number} now @returns {Trouble[]} */
function troublesOf(store, device, now) {
    const troubles = /** @type {Trouble[]} */ ([]);
    for (const [role, glyph] of /** @type {[number, 'battery' | 'signal'][]} */ ([
        [MetricRole.BATTERY, 'battery'], [MetricRole.SIGNAL, 'signal']])) {
        const metric = metricOfRole(store, device, role);
        const value = metric && store.value(device, metric);
        if (metric && value && isLow(store, device, metric))
            troubles.push({ glyph,
                text: `${term(metric.title)} ${figure(metric, value.value)}${unitSuffix(metric.unit)}` });
    }
    if (isGone(store, device, now))
        troubles.push({ glyph: 'unplugged', text: words.deviceGone(span(now - store.heardOf(device))) });
    else if (device.has_skew && Math.abs(device.skew_ms) > SKEW_MS)
        troubles.push({ glyph: 'unplugged', text: `${words.skew} ${number(device.skew_ms / 1000)}\u202fs` });
    return troubles;
}

/** The glyphs of a tile, one of each. @param {{store: Store, devices: Device[], now: number}} props */
export function Troubles({ store, devices, now }) {
    /** @type {Map<string, string>} */
    const texts = new Map();
    for (const device of devices)
        for (const { glyph, text } of troublesOf(store, device, now))
            texts.set(glyph, [texts.get(glyph), `${device.name}: ${text}`].filter(Boolean).join(', '));
    return texts.size > 0 && html`<span class="troubles">${[...texts].map(([glyph, text]) => html`<span
        key=${glyph} role="img" aria-label=${text} title=${text}>
        <${Glyph} name=${/** @type {'battery'} */ (glyph)} /></span>`)}</span>`;
}
