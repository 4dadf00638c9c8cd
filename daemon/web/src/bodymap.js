// The body from behind: regions that the plan aims at fill with the time that was given to them, of
// the time that the plan gives. Which regions there are is what devices tell; those that have no
// place here stand in the list alone.
import { html } from './html.js';
import { unitSuffix } from './units.js';
import { minuteSecond, number, words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('#live').ProgressRegion} Region
 *  @typedef {{path: string, top: number, bottom: number}} Shape */

const WIDTH = 120;
/** The left side of each, seen from behind; the right one is its mirror image. @type {Record<string, Shape>} */
const SHAPES = {
    neck: { path: 'M59 20v12l-9-1q4-5 4-11z', top: 20, bottom: 32 },
    upper_back: { path: 'M59 35v28h-22l-4-22q12-7 26-6z', top: 35, bottom: 63 },
    lower_back: { path: 'M59 66v27h-21q-2-14 0-27z', top: 66, bottom: 93 },
    glute: { path: 'M59 96v26q-10 7-20-1v-18l-1-7z', top: 96, bottom: 125 },
    hip: { path: 'M35 95q1 12 1 25q-7-4-7-13q1-8 6-12z', top: 95, bottom: 120 },
    thigh: { path: 'M36 125q10 8 21 3l-2 22h-17z', top: 125, bottom: 150 },
};
const SILHOUETTE = 'M60 2a11 11 0 0 1 8 19q0 7 4 9q16 2 19 10l6 34l-6 2l-7-24q-2 20 1 38q6 8 7 22l-8 40h-48'
    + 'l-8-40q1-14 7-22q3-18 1-38l-7 24l-6-2l6-34q3-8 19-10q4-2 4-9a11 11 0 0 1 8-19z';

/** What a region is called, and where it is. @param {string} name "lower_back_left" */
function placeOf(name) {
    const side = /_(left|right)$/.exec(name);
    return { shape: SHAPES[side ? name.slice(0, side.index) : name], mirrored: side?.[1] === 'right',
        both: !side };
}

/** @param {Region} region */
function shareOf({ planned_ms, time_ms }) {
    if (planned_ms > 0) return Math.min(1, time_ms / planned_ms);
    return time_ms > 0 ? 1 : 0;
}

/** @param {{store: Store}} props */
export function BodyMap({ store }) {
    const regions = store.progress?.regions ?? [];
    if (regions.length === 0) return null;
    return html`<section class="body" aria-label=${words.bodyMap}>
        <svg viewBox="0 0 120 150" role="img" aria-label=${words.bodyMap}>
            <path class="silhouette" d=${SILHOUETTE} />
            ${regions.map((region) => html`<${RegionShape} key=${region.name} region=${region} />`)}
        </svg>
        <ul>${regions.map((region) => html`<${RegionLine} key=${region.name} store=${store}
            region=${region} />`)}</ul>
    </section>`;
}

/** @param {{region: Region}} props */
function RegionShape({ region }) {
    const { shape, mirrored, both } = placeOf(region.name);
    if (!shape) return null;
    const sides = both ? [false, true] : [mirrored];
    const height = (shape.bottom - shape.top) * shareOf(region);
    const clip = `region-${region.name}`;
    const kind = `${region.target ? 'target' : ''} ${region.now ? 'now' : ''}`;
    return sides.map((mirror) => html`<g key=${mirror} class=${`region ${kind}`}
            transform=${mirror ? `translate(${WIDTH} 0) scale(-1 1)` : undefined}>
        <clipPath id=${clip}><path d=${shape.path} /></clipPath>
        <path class="ground" d=${shape.path} />
        <rect class="fill" x="0" width=${WIDTH} y=${shape.bottom - height} height=${height}
            clip-path=${`url(#${clip})`} />
        <path class="edge" d=${shape.path} />
    </g>`);
}

/** @param {{store: Store, region: Region}} props */
function RegionLine({ store, region }) {
    const { name, planned_ms, time_ms, mean, metric, now } = region;
    const done = planned_ms > 0 && time_ms >= planned_ms;
    const of = mean === null ? undefined : store.metrics.get(metric);
    return html`<li class=${now ? 'now' : done ? 'done' : 'todo'}>
        <i aria-hidden="true">${now ? '▸' : done ? '✓' : '·'}</i>
        <span class="name">${regionName(name)}</span>
        <span class="time">${planned_ms > 0 ? words.doneOf(minuteSecond(time_ms), minuteSecond(planned_ms))
            : minuteSecond(time_ms)}</span>
        ${of && html`<span class="mean">${words.meanOf(number(mean ?? 0, of.decimals) + unitSuffix(of.unit))}</span>`}
    </li>`;
}

/** @param {string} name as devices tell it */
export function regionName(name) {
    return /** @type {Record<string, string>} */ (words.regions)[name] ?? name.replaceAll('_', ' ');
}
