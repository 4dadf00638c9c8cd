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
    #moved = ''; // the button that moved a phase, where it is now

    /** Who moves a phase by keyboard stays with it; at an end with its other button. */
    componentDidUpdate() {
        const [place, way] = this.#moved.split(' ');
        this.#moved = '';
        const buttons = ['earlier', 'later'].sort((name) => (name === way ? -1 : 1))
            .map((name) => /** @type {HTMLButtonElement} */ (document.getElementsByName(`${name} ${place}`)[0]));
        if (way) buttons.find(({ disabled }) => !disabled)?.focus();
    }

    /** @param {number} from @param {number} to its neighbour's place */
    #move(from, to) {
        const { draft, onDraft } = this.props;
        this.#moved = `${to} ${to < from ? 'earlier' : 'later'}`;
        onDraft(withOrder(draft, draft.phases.map((_, i) => ({ [from]: to, [to]: from })[i] ?? i)));
    }

    render() {
        const { draft } = this.props;
        return html`
            ${this.#goals()}
            ${draft.phases.map((_, i) => this.#phase(i))}
            ${draft.phases.length < PHASES_MOST && this.#newPhase()}`;
    }

    #goals() {
        const { draft, onDraft } = this.props;
        const { goals } = draft;
        const set = (/** @type {number} */ i, /** @type {string} */ said) =>
            onDraft({ ...draft, goals: goals.map((goal, j) => (i === j ? said : goal)) });
        return html`<fieldset class="texts"><legend>${words.goals}</legend>
            ${goals.map((goal, i) => html`<${Typed} key=${i} type="text" label=${words.goalNumber(i + 1)}
                value=${goal} bytes=${GOAL_BYTES} onValue=${(/** @type {string} */ said) => set(i, said)} />`)}
            ${goals.length < GOALS_MOST && html`<div>
                <button onClick=${() => onDraft({ ...draft, goals: [...goals, ''] })}>${words.addGoal}</button></div>`}
        </fieldset>`;
    }

    #newPhase() {
        const { draft, onDraft } = this.props;
        const { kind } = this.state;
        const choose = (/** @type {Event} */ { currentTarget }) =>
            this.setState({ kind: /** @type {HTMLSelectElement} */ (currentTarget).value });
        return html`<div class="new-phase">
            <label><span>${words.newPhase}</span><select value=${kind} onChange=${choose}>
                <option value="">…</option>
                ${Object.entries(KINDS).map(([name, title]) => html`
                    <option key=${name} value=${name}>${term(title)}</option>`)}
            </select></label>
            <button disabled=${kind === ''} onClick=${() => {
                onDraft(withNewPhase(draft, kind));
                this.setState({ kind: '' });
            }}>${words.addPhase}</button></div>`;
    }

    /** @param {number} i */
    #phase(i) {
        const { draft, at, complaint, onDraft } = this.props;
        const phase = draft.phases[i];
        const title = term(phase.title);
        const set = (/** @type {Partial<import('./planbands.js').PlanPhase>} */ change) =>
            onDraft(withPhase(draft, i, change));
        return html`<fieldset key=${`phase ${i}`} class="band"><legend>${i + 1}. ${title}</legend>
            ${i === at && html`<p class="complaint" role="alert">${complaint}</p>`}
            <div class="figures">
                <${Typed} type="text" label=${words.phaseName} value=${title} bytes=${TITLE_BYTES} needed=${true}
                    onValue=${(/** @type {string} */ said) => set({ title: said })} />
                <${Typed} type="number" label=${words.phaseTime} value=${minutesOf(phase)} unit=${words.minutesUnit}
                    needed=${true} onValue=${(/** @type {string} */ said) => set(ofMinutes(said))} />
            </div>
            ${this.#regions(i)}
            ${this.#place(i, title)}
        </fieldset>`;
    }

    /** @param {number} i @param {string} title */
    #place(i, title) {
        const { draft, onDraft } = this.props;
        const last = draft.phases.length - 1;
        const others = draft.phases.map((_, place) => place).filter((place) => place !== i);
        return html`<div class="deeds">
            <button name=${`earlier ${i}`} disabled=${i === 0} aria-label=${words.earlierOf(title)}
                onClick=${() => this.#move(i, i - 1)}><span aria-hidden="true">↑ </span>${words.earlier}</button>
            <button name=${`later ${i}`} disabled=${i === last} aria-label=${words.laterOf(title)}
                onClick=${() => this.#move(i, i + 1)}><span aria-hidden="true">↓ </span>${words.later}</button>
            <button class="plain" disabled=${last === 0} aria-label=${words.takeOutOf(title)}
                onClick=${() => onDraft(withOrder(draft, others))}>${words.takeOut}</button>
        </div>`;
    }

    /** @param {number} i */
    #regions(i) {
        const { regions, draft, onDraft } = this.props;
        const own = draft.phases[i].regions ?? [];
        const known = [...new Set([...regions, ...draft.phases.flatMap((phase) => phase.regions ?? [])])];
        const toggled = (/** @type {string} */ name) =>
            (own.includes(name) ? own.filter((each) => each !== name) : [...own, name]);
        return known.length > 0 && html`<div class="choices" role="group" aria-label=${words.bodyRegions}>
            ${known.map((name) => html`<label key=${name} class=${own.includes(name) ? 'choice chosen' : 'choice'}>
                <input type="checkbox" checked=${own.includes(name)}
                    onChange=${() => onDraft(withPhase(draft, i, { regions: toggled(name) }))} />
                ${regionName(name)}</label>`)}</div>`;
    }
}
