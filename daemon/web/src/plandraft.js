// A plan while it is changed: its goals, its phases in their order and its limits; and what the hub is sent.
import { bandsOf, withBands } from './planbands.js';
import { quantity } from './ruletext.js';

/** @typedef {import('./planbands.js').Plan} Plan
 *  @typedef {import('./planbands.js').PlanPhase} PlanPhase
 *  @typedef {import('./planbands.js').Band} Band
 *  @typedef {PlanPhase & {was: PlanPhase | null}} DraftPhase was: as the plan has it; null: it is new
 *  @typedef {Band & {was: Band | null}} DraftBand
 *  @typedef {{name: string, goals: string[], phases: DraftPhase[], bands: DraftBand[]}} Draft name: of the plan */

/** What phases can be, and how the hub calls one that has no other name. @type {Record<string, string>} */
export const KINDS = { warm_up: 'Warm-up', heat: 'Heat', massage: 'Massage', percussion: 'Percussion',
    stretching: 'Stretching', exercise: 'Exercise', rest: 'Rest' };
const NEW_PHASE = { time: '300000 ms', regions: [], limits: [], targets: [] };
const MINUTE_MS = 60000;

/** @param {Plan} plan @returns {Draft} */
export function draftOf(plan) {
    return { name: plan.name, goals: plan.goals, phases: plan.phases.map((phase) => ({ ...phase, was: phase })),
        bands: bandsOf(plan).map((band) => ({ ...band, was: band })) };
}

/** @param {Plan} plan @param {Draft} draft @param {(metric: string) => string} unitOf as plans write it
 *  @returns {object} */
export function planOf(plan, { goals, phases, bands }, unitOf) {
    return withBands({ ...plan, goals: goals.filter((goal) => goal !== ''),
        phases: phases.map(({ was: _, ...phase }) => phase) }, bands, unitOf);
}

/** These phases in this order; limits go with theirs. @param {Draft} draft @param {number[]} order places that
 *  they have now @returns {Draft} */
export function withOrder(draft, order) {
    const placed = (/** @type {number} */ phase) => (phase < 0 ? phase : order.indexOf(phase));
    return { ...draft, phases: order.map((at) => draft.phases[at]),
        bands: draft.bands.filter(({ phase }) => phase < 0 || order.includes(phase))
            .map((band) => ({ ...band, phase: placed(band.phase) })) };
}

/** @param {Draft} draft @param {number} at @param {Partial<PlanPhase>} change @returns {Draft} */
export function withPhase(draft, at, change) {
    return { ...draft, phases: draft.phases.map((phase, i) => (i === at ? { ...phase, ...change } : phase)) };
}

/** One more, at the end. @param {Draft} draft @param {string} kind @returns {Draft} */
export function withNewPhase(draft, kind) {
    return { ...draft, phases: [...draft.phases, { ...NEW_PHASE, kind, title: KINDS[kind], was: null }] };
}

/** @param {PlanPhase} phase */
export function minutesOf({ time }) {
    return String(Number(quantity(time)?.figure ?? 0) / MINUTE_MS);
}

/** @param {string} minutes @returns {Partial<PlanPhase>} */
export function ofMinutes(minutes) {
    return { time: `${Math.round(Number(minutes) * MINUTE_MS)} ms` };
}

/** Have phases that were there changed places among each other? @param {Plan} plan @param {Draft} draft */
export function isReordered({ phases }, draft) {
    const places = draft.phases.filter(({ was }) => was)
        .map(({ was }) => phases.indexOf(/** @type {PlanPhase} */ (was)));
    return places.some((place, i) => i > 0 && place < places[i - 1]);
}
