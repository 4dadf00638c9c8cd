// The plans of a client: read and changed, with what they were. A plan is the client's own copy of one that the
// administrator installed; a treatment goes on by the plan that it was opened with.
import { Component } from 'preact';
import { MetricType } from '#live';
import { askHub, complaintOf, isDone } from './ask.js';
import { regionName } from './bodymap.js';
import { html } from './html.js';
import { bandsOf, complainedOf, saysNothing } from './planbands.js';
import { draftOf, isReordered, minutesOf, planOf } from './plandraft.js';
import { PlanParts } from './planparts.js';
import { metricNamed, metricTitle } from './rules.js';
import { Slide } from './slide.js';
import { Typed } from './typed.js';
import { unitSuffix, unitSymbol } from './units.js';
import { number, term, words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('./planbands.js').Band} Band
 *  @typedef {import('./planbands.js').Plan} Plan
 *  @typedef {import('./planbands.js').PlanPhase} PlanPhase
 *  @typedef {import('./plandraft.js').Draft} Draft
 *  @typedef {import('./plandraft.js').DraftBand} DraftBand
 *  @typedef {{plan: Plan, tag: string}} Kept
 *  @typedef {{plans: Kept[] | null, templates: Plan[], draft: Draft | null, busy: boolean, complaint: string,
 *    at: DraftBand | undefined, atPhase: number, done: string[]}} State at, atPhase: what the complaint is about;
 *    done: what was changed */

/** Nothing is wrong, and nothing was done yet. */
const CALM = { complaint: '', at: undefined, atPhase: -1, done: [] };
const SIDES = /** @type {('low' | 'high' | 'own')[]} */ (['low', 'high', 'own']);

/** @extends {Component<{store: Store, client: string}, State>} */
export class ClientPlans extends Component {
    /** @type {State} */
    state = { plans: null, templates: [], draft: null, busy: false, ...CALM };

    componentDidMount() {
        this.#load();
    }

    /** @param {string} [plan] */
    #path(plan) {
        const path = `/clients/${encodeURIComponent(this.props.client)}`;
        return plan === undefined ? path : `${path}/plans/${encodeURIComponent(plan)}`;
    }

    async #load() {
        const [client, templates] = await Promise.all([askHub('GET', this.#path()), askHub('GET', '/plans')]);
        if (!isDone(client) || !isDone(templates))
            return this.setState({ complaint: complaintOf(isDone(client) ? templates : client) });
        const answers = await Promise.all(client.said.plans
            .map((/** @type {string} */ name) => askHub('GET', this.#path(name))));
        const wrong = answers.find((answer) => !isDone(answer));
        this.setState({ templates: templates.said.plans, complaint: wrong ? complaintOf(wrong) : this.state.complaint,
            plans: answers.filter(isDone).map(({ said, tag }) => ({ plan: said, tag })) });
    }

    /** @param {'PUT' | 'DELETE'} method @param {string} name @param {object | undefined} body @param {string} tag
     *  @param {Partial<State>} then */
    async #order(method, name, body, tag, then) {
        if (this.state.busy) return;
        this.setState({ busy: true, ...CALM });
        const answer = await askHub(method, this.#path(name), body, tag);
        if (isDone(answer)) this.setState({ ...then, busy: false, complaint: complaintOf(answer) }, () => this.#load());
        else this.setState({ busy: false, ...this.#refusal(answer) });
    }

    /** @param {import('./ask.js').Answer} answer @returns {Pick<State, 'complaint' | 'at' | 'atPhase'>} */
    #refusal(answer) {
        if (answer.status === 412) return { complaint: words.planMeanwhile, at: undefined, atPhase: -1 };
        const sent = this.state.draft?.bands.filter((band) => !saysNothing(band)) ?? [];
        const { band, phase, words: said } = complainedOf(answer.said?.detail ?? '', sent);
        const complaint = band || phase >= 0 ? words.hubRefused(said) : complaintOf(answer);
        return { complaint, at: band, atPhase: phase };
    }

    /** @param {Kept} kept */
    #keep({ plan, tag }) {
        const draft = /** @type {Draft} */ (this.state.draft);
        this.#order('PUT', plan.name, planOf(plan, draft, (metric) => unitOf(this.props.store, metric)), tag,
            { draft: null, done: changesOf(this.props.store, plan, draft) });
    }

    render() {
        const { plans, templates, complaint, at, atPhase, done } = this.state;
        const own = plans?.map(({ plan }) => plan.name) ?? [];
        const others = templates.filter(({ name }) => !own.includes(name));
        return html`<section class="client-plans" aria-label=${words.clientPlans}>
            <h2>${words.clientPlans}</h2>
            <p class="hint">${words.clientPlansHint}</p>
            <p class="complaint" role="alert">${!at && atPhase < 0 && complaint}</p>
            <div role="status">${done.length > 0 && html`<p class="calm">${words.planKept}</p>
                <ul class="changed">${done.map((line) => html`<li key=${line}>${line}</li>`)}</ul>`}</div>
            ${plans?.map((kept) => this.#plan(kept))}
            ${plans && others.length > 0 && html`<div class="templates">
                <p>${own.length === 0 && words.noOwnPlan} ${words.ownPlanFrom}</p>
                <div class="deeds">${others.map((template) => this.#template(template))}</div></div>`}
        </section>`;
    }

    /** Of which the client may have a copy. @param {Plan} template */
    #template({ name, title }) {
        return html`<button key=${name} aria-disabled=${this.state.busy}
            onClick=${() => this.#order('PUT', name, { template: name }, '', { draft: null })}>${term(title)}</button>`;
    }

    /** @param {Kept} kept */
    #plan(kept) {
        const { draft } = this.state;
        const { plan } = kept;
        const { store } = this.props;
        const bands = bandsOf(plan);
        return html`<div class="client-plan" key=${plan.name}>
            <h3>${term(plan.title)} <small>${words.minutes(number(Math.round(plan.time_s / 60)))}</small></h3>
            ${draft?.name === plan.name ? this.#form(kept) : html`
                ${plan.goals.length > 0 && html`<ul class="goals">
                    ${plan.goals.map((goal, i) => html`<li key=${i}>${goal}</li>`)}</ul>`}
                <ol class="phases">${plan.phases.map((phase, i) => html`<li key=${i}>${phaseWords(phase)}</li>`)}</ol>
                ${bands.length === 0 && html`<p>${words.noLimits}</p>`}
                <ul class="bands">${bands.map((band, i) => html`<li key=${i}>
                    ${bandTitle(store, plan, band)}:${' '}<b>${bandWords(store, band)}</b></li>`)}</ul>
                <button class="change" aria-label=${words.changePlanOf(term(plan.title))}
                    onClick=${() => this.setState({ draft: draftOf(plan), ...CALM })}>${words.changePlan}</button>`}
        </div>`;
    }

    /** @param {Draft} draft */
    #change(draft) {
        this.setState({ draft, complaint: '', at: undefined, atPhase: -1 });
    }

    /** @param {Kept} kept */
    #form(kept) {
        const { busy, atPhase, complaint } = this.state;
        const draft = /** @type {Draft} */ (this.state.draft);
        const { plan, tag } = kept;
        const title = term(plan.title);
        return html`<div class="rule-form" role="group" aria-label=${words.changePlanOf(title)}>
            <${PlanParts} regions=${plan.regions} draft=${draft} at=${atPhase} complaint=${complaint}
                onDraft=${(/** @type {Draft} */ changed) => this.#change(changed)} />
            ${draft.bands.map((band, i) => this.#band(draft, i))}
            <p class="hint">${words.emptyLimit}</p>
            <${NewBand} store=${this.props.store} phases=${draft.phases} onBand=${(/** @type {DraftBand} */ band) =>
                this.#change({ ...draft, bands: [...draft.bands, band] })} />
            <p class="hint">${words.countsFromNext}</p>
            <div class="deeds">
                <button class="do keep" aria-disabled=${busy}
                    disabled=${changesOf(this.props.store, plan, draft).length === 0}
                    onClick=${() => this.#keep(kept)}>${words.keepPlan}</button>
                <button class="plain" onClick=${() => this.setState({ draft: null, ...CALM }, () => this.#load())}>
                    ${words.discardRules}</button>
            </div>
            <${Slide} text=${words.removePlan} onDone=${() => this.#order('DELETE', plan.name, undefined, tag,
                { draft: null, done: [words.planRemoved(title)] })} />
        </div>`;
    }

    /** @param {Draft} draft @param {number} i */
    #band(draft, i) {
        const { store } = this.props;
        const { at, complaint } = this.state;
        const band = draft.bands[i];
        const { was } = band;
        const sides = SIDES.filter((side) => side !== 'own' || band.own || was?.own || !was);
        const unit = unitSymbol(unitOf(store, band.metric));
        const set = (/** @type {'low' | 'high' | 'own'} */ side, /** @type {string} */ value) => this.#change({
            ...draft, bands: draft.bands.map((each, j) => (i === j ? { ...each, [side]: value } : each)) });
        return html`<fieldset key=${`band ${i}`} class="band"><legend>${bandTitle(store, draft, band)}</legend>
            ${band === at && html`<p class="complaint" role="alert">${complaint}</p>`}
            <div class="figures">${sides.map((side) => html`<div key=${side}><${Typed} type="number"
                label=${sideName(band, side)} value=${band[side]} unit=${side === 'own' ? '%' : unit}
                onValue=${(/** @type {string} */ value) => set(side, value)} />
                ${(was?.[side] ?? '') !== band[side] && html`<p class="was">
                    ${words.wasBefore(figureWords(store, band, side, was?.[side] ?? ''))}</p>`}</div>`)}</div>
        </fieldset>`;
    }
}

/** What the plan has no limit for yet.
 *  @extends {Component<{store: Store, phases: PlanPhase[], onBand: (band: DraftBand) => void},
 *    {metric: string, phase: number}>} */
class NewBand extends Component {
    state = { metric: '', phase: -1 };

    #add() {
        const { metric, phase } = this.state;
        if (metric) this.props.onBand({ what: 'limits', phase, metric, regions: undefined,
            low: '', high: '', own: '', was: null });
        this.setState({ metric: '', phase: -1 });
    }

    render() {
        const { store, phases } = this.props;
        const value = (/** @type {Event} */ event) => /** @type {HTMLSelectElement} */ (event.currentTarget).value;
        return html`<div class="new-band">
            <label><span>${words.newLimit}</span><select value=${this.state.metric}
                onChange=${(/** @type {Event} */ event) => this.setState({ metric: value(event) })}>
                <option value="">…</option>
                ${limitable(store).map((name) => html`
                    <option key=${name} value=${name}>${metricTitle(store, name)}</option>`)}
            </select></label>
            <label><span>${words.inPhase}</span><select value=${String(this.state.phase)}
                onChange=${(/** @type {Event} */ event) => this.setState({ phase: Number(value(event)) })}>
                <option value="-1">${words.allPhases}</option>
                ${phases.map(({ title }, i) => html`<option key=${i} value=${String(i)}>${term(title)}</option>`)}
            </select></label>
            <button disabled=${!this.state.metric} onClick=${() => this.#add()}>${words.addLimit}</button>
        </div>`;
    }
}

/** Measured values of the body, not of the device; a name that two kinds have is said with its kind.
 *  @param {Store} store */
function limitable(store) {
    const values = [...store.metrics.values()].filter(({ type, health }) => type <= MetricType.COUNTER && !health);
    const kindOf = (/** @type {import('#live').Metric} */ { kind }) =>
        store.hello?.kinds.find(({ id }) => id === kind)?.name;
    const name = (/** @type {import('#live').Metric} */ metric) =>
        (values.some((other) => other !== metric && other.name === metric.name) ? `${kindOf(metric)}/${metric.name}`
            : metric.name);
    return values.map(name).sort((a, b) => metricTitle(store, a).localeCompare(metricTitle(store, b)));
}

/** @param {Store} store @param {string} metric @returns {string} as plans write it */
function unitOf(store, metric) {
    const { unit } = metricNamed(store, metric) ?? { unit: '1' };
    return unit === '1' ? '' : unit;
}

/** "Warm-up, 5 min". @param {PlanPhase} phase */
function phaseWords(phase) {
    const minutes = Number(minutesOf(phase));
    const time = words.minutes(number(minutes, Number.isInteger(minutes) ? 0 : 1));
    return [term(phase.title), time, ...(phase.regions ?? []).map(regionName)].join(', ');
}

/** What is other in the draft, a line each. @param {Store} store @param {Plan} plan @param {Draft} draft */
function changesOf(store, plan, draft) {
    return [...goalChanges(plan, draft), ...phaseChanges(plan, draft), ...bandChanges(store, draft)];
}

/** @param {Plan} plan @param {Draft} draft */
function goalChanges({ goals }, draft) {
    const now = draft.goals.filter((goal) => goal !== '');
    return [...goals.filter((goal) => !now.includes(goal)).map((goal) => `${words.goal}: ${goal} → ${words.none}`),
        ...now.filter((goal) => !goals.includes(goal)).map((goal) => `${words.goal}: ${words.none} → ${goal}`)];
}

/** @param {Plan} plan @param {Draft} draft */
function phaseChanges(plan, draft) {
    const gone = plan.phases.filter((phase) => !draft.phases.some(({ was }) => was === phase));
    const [none, order] = [words.none, draft.phases.map(({ title }) => term(title)).join(', ')];
    return [...gone.map((phase) => `${phaseWords(phase)} → ${none}`),
        ...draft.phases.flatMap((phase) => {
            const [was, is] = [phase.was ? phaseWords(phase.was) : none, phaseWords(phase)];
            return was === is ? [] : `${was} → ${is}`;
        }),
        ...(isReordered(plan, draft) ? [words.inOrder(order)] : [])];
}

/** "Lumbar flexion, all phases: Limit, above 45° → 40°". @param {Store} store @param {Draft} draft */
function bandChanges(store, draft) {
    return draft.bands.flatMap((band) => SIDES.flatMap((side) => {
        const [was, is] = [band.was?.[side] ?? '', band[side]];
        return was === is ? [] : `${bandTitle(store, draft, band)}: ${sideName(band, side)} `
            + `${figureWords(store, band, side, was)} → ${figureWords(store, band, side, is)}`;
    }));
}

/** @param {Store} store @param {{phases: PlanPhase[]}} plan or a draft of one @param {Band} band */
function bandTitle(store, { phases }, { metric, phase, regions }) {
    return [metricTitle(store, metric), phase < 0 ? words.allPhases : term(phases[phase].title),
        ...(regions ?? []).map(regionName)].join(', ');
}

/** @param {Band} band @param {'low' | 'high' | 'own'} side */
function sideName({ what }, side) {
    return side === 'own' ? words.ownShare : words.planSides[what][side];
}

/** @param {Store} store @param {Band} band @param {'low' | 'high' | 'own'} side @param {string} figure */
function figureWords(store, { metric }, side, figure) {
    if (figure === '') return words.none;
    return figure.replace('-', '−') + unitSuffix(side === 'own' ? '%' : unitOf(store, metric) || '1');
}

/** "above 45°, or 80 % of the own range". @param {Store} store @param {Band} band */
function bandWords(store, band) {
    const sides = /** @type {('low' | 'high')[]} */ (['low', 'high']).filter((side) => band[side] !== '')
        .map((side) => words.planBand[band.what][side](figureWords(store, band, side, band[side])));
    return [sides.join(', '), band.own && words.ownInstead(figureWords(store, band, 'own', band.own))]
        .filter(Boolean).join('; ');
}
