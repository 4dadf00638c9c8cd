// What a plan is made of beside its limits, in a form: goals, and phases with their time, regions and order.
import { Component } from 'preact';
import { regionName } from './bodymap.js';
import { html } from './html.js';
import { KINDS, minutesOf, ofMinutes, withNewPhase, withOrder, withPhase } from './plandraft.js';
import { Typed } from './typed.js';
import { term, words } from './words.js';

/** @typedef {import('./plandraft.js').Draft} Draft
 *  @typedef {{regions: string[], draft: Draft, at: number, complaint: string, onDraft: (draft: Draft) => void}} Props
 *    regions: that the plan speaks of; at: place of the phase that the complaint is about */

const GOALS_MOST = 8; // as the hub takes them
const GOAL_BYTES = 160;
const TITLE_BYTES = 100;
const PHASES_MOST = 16;

/** @extends {Component<Props, {kind: string}>} */
export class PlanParts extends Component {
    state = { kind: '' };

    render() {
        const { draft, onDraft } = this.props;
        const { kind } = this.state;
        return html`
            <fieldset class="texts"><legend>${words.goals}</legend>
                ${draft.goals.map((goal, i) => html`<${Typed} key=${i} type="text" label=${words.goalNumber(i + 1)} value=${goal} bytes=${GOAL_BYTES}
                    onValue=${(/** @type {string} */ said) => onDraft({ ...draft, goals: draft.goals.map((each, j) => (i === j ? said : each)) })} />`)}
                ${draft.goals.length < GOALS_MOST && html`<div><button onClick=${() => onDraft({ ...draft, goals: [...draft.goals, ''] })}>
                    ${words.addGoal}</button></div>`}
            </fieldset>
            ${draft.phases.map((_, i) => this.#phase(i))}
            ${draft.phases.length < PHASES_MOST && html`<div class="new-phase">
                <label><span>${words.newPhase}</span><select value=${kind}
                    onChange=${(/** @type {Event} */ event) => this.setState({ kind: /** @type {HTMLSelectElement} */ (event.currentTarget).value })}>
                    <option value="">…</option>
                    ${Object.entries(KINDS).map(([name, title]) => html`<option key=${name} value=${name}>${term(title)}</option>`)}
                </select></label>
                <button disabled=${kind === ''} onClick=${() => {
                    onDraft(withNewPhase(draft, kind));
                    this.setState({ kind: '' });
                }}>${words.addPhase}</button></div>`}`;
    }

    /** @param {number} i */
    #phase(i) {
        const { draft, at, complaint, onDraft } = this.props;
        const phase = draft.phases[i];
        const title = term(phase.title);
        const all = draft.phases.map((_, place) => place);
        const swapped = (/** @type {number} */ first) => withOrder(draft,
            [...all.slice(0, first), first + 1, first, ...all.slice(first + 2)]);
        return html`<fieldset key=${`phase ${i}`} class="band"><legend>${i + 1}. ${title}</legend>
            ${i === at && html`<p class="complaint" role="alert">${complaint}</p>`}
            <div class="figures">
                <${Typed} type="text" label=${words.phaseName} value=${title} bytes=${TITLE_BYTES} needed=${true}
                    onValue=${(/** @type {string} */ said) => onDraft(withPhase(draft, i, { title: said }))} />
                <${Typed} type="number" label=${words.phaseTime} value=${minutesOf(phase)} unit=${words.minutesUnit} needed=${true}
                    onValue=${(/** @type {string} */ said) => onDraft(withPhase(draft, i, ofMinutes(said)))} />
            </div>
            ${this.#regions(i)}
            <div class="deeds">
                <button disabled=${i === 0} aria-label=${words.earlierOf(title)} onClick=${() => onDraft(swapped(i - 1))}>
                    <span aria-hidden="true">↑ </span>${words.earlier}</button>
                <button disabled=${i === all.length - 1} aria-label=${words.laterOf(title)} onClick=${() => onDraft(swapped(i))}>
                    <span aria-hidden="true">↓ </span>${words.later}</button>
                <button class="plain" disabled=${all.length === 1} aria-label=${words.takeOutOf(title)}
                    onClick=${() => onDraft(withOrder(draft, all.filter((place) => place !== i)))}>${words.takeOut}</button>
            </div>
        </fieldset>`;
    }

    /** @param {number} i */
    #regions(i) {
        const { regions, draft, onDraft } = this.props;
        const own = draft.phases[i].regions ?? [];
        const known = [...new Set([...regions, ...draft.phases.flatMap((phase) => phase.regions ?? [])])];
        return known.length > 0 && html`<div class="choices" role="group" aria-label=${words.bodyRegions}>${known.map((name) => html`<label key=${name}
            class=${own.includes(name) ? 'choice chosen' : 'choice'}><input type="checkbox" checked=${own.includes(name)}
                onChange=${() => onDraft(withPhase(draft, i, { regions: own.includes(name) ? own.filter((each) => each !== name) : [...own, name] }))} />
            ${regionName(name)}</label>`)}</div>`;
    }
}
