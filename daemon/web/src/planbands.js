// The limits and targets of a plan, as a flat list that a form changes, and back.
import { quantity } from './ruletext.js';

/** @typedef {Record<string, any>} Written a band as a plan has it
 *  @typedef {{kind: string, title: string, time?: string, regions?: string[], limits: Written[],
 *    targets: Written[]}} PlanPhase
 *  @typedef {{name: string, title: string, goals: string[], regions: string[], limits: Written[],
 *    targets: Written[], phases: PlanPhase[], time_s: number}} Plan as the API says it
 *  @typedef {'limits' | 'targets'} What
 *  @typedef {{what: What, phase: number, metric: string, regions: string[] | undefined, low: string, high: string,
 *    own: string}} Band phase: -1: in all; '': open to this side, or of no own range */

/** By which word each side is said; both; a limit that is beyond it, a target that is not.
 *  @type {Record<What, [string, string, string]>} */
const WAYS = { limits: ['below', 'above', 'outside'], targets: ['least', 'most', 'between'] };
const WHAT = /** @type {What[]} */ (Object.keys(WAYS));

/** @param {Plan} plan @returns {Band[]} in the plan's order, what holds in all phases first */
export function bandsOf(plan) {
    return [plan, ...plan.phases].flatMap((part, i) => WHAT.flatMap((what) =>
        part[what].map((written) => bandOf(what, i - 1, written))));
}

/** @param {What} what @param {number} phase @param {Written} written @returns {Band} */
function bandOf(what, phase, written) {
    const [low, high, both] = WAYS[what];
    const figure = (/** @type {unknown} */ value) => quantity(value)?.figure ?? '';
    return { what, phase, metric: written.metric, regions: written.regions, own: figure(written.own),
        low: figure(written[both]?.[0] ?? written[low]), high: figure(written[both]?.[1] ?? written[high]) };
}

/** What is sent to the hub: one that says nothing any more is left out. @param {Plan} plan
 *  @param {Band[]} bands @param {(metric: string) => string} unitOf as plans write it
 *  @returns {object} */
export function withBands({ title, goals, regions, phases }, bands, unitOf) {
    const part = (/** @type {number} */ phase) => Object.fromEntries(WHAT.map((what) => [what,
        bands.filter((band) => band.what === what && band.phase === phase && !saysNothing(band))
            .map((band) => write(band, unitOf))]));
    return { title, goals, regions, ...part(-1), phases: phases.map((phase, i) => ({ ...phase, ...part(i) })) };
}

/** @param {Band} band */
export function saysNothing({ low, high, own }) {
    return low === '' && high === '' && own === '';
}

/** @param {Band} band @param {(metric: string) => string} unitOf */
function write({ what, metric, regions, low, high, own }, unitOf) {
    const [least, most, both] = WAYS[what];
    const value = (/** @type {string} */ figure) => `${figure} ${unitOf(metric)}`.trim();
    return { metric, ...(regions !== undefined && { regions }),
        ...(low !== '' && high !== '' ? { [both]: [value(low), value(high)] }
            : { ...(low !== '' && { [least]: value(low) }), ...(high !== '' && { [most]: value(high) }) }),
        ...(own !== '' && { own: `${own} %` }) };
}

/** The band that the hub's complaint is about ("phases[1].limits[0].above: ..."), or the phase, and what it
 *  says of it. @template {Band} T @param {string} complaint @param {T[]} bands those that were sent
 *  @returns {{band: T | undefined, phase: number, words: string}} phase: -1: of none */
export function complainedOf(complaint, bands) {
    const found = /^(?:phases\[(\d+)\]\.)?(limits|targets)\[(\d+)\](?:\.\w+)?: (.*)$/.exec(complaint);
    if (!found) {
        const phase = /^phases\[(\d+)\](?:\.\w+)?: (.*)$/.exec(complaint);
        return { band: undefined, phase: Number(phase?.[1] ?? -1), words: phase?.[2] ?? complaint };
    }
    const alike = bands.filter(({ what, phase }) => what === found[2] && phase === Number(found[1] ?? -1));
    return { band: alike[Number(found[3])], phase: -1, words: found[4] };
}
