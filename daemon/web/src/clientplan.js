// The plans of a client: the limits of each read and changed, with what they were. A plan is the client's own
// copy of one that the administrator installed; a treatment goes on by the plan that it was opened with.
import { Component } from 'preact';
import { MetricType } from '#live';
import { askHub, complaintOf, isDone } from './ask.js';
import { regionName } from './bodymap.js';
import { html } from './html.js';
import { bandsOf, complainedOf, saysNothing, withBands } from './planbands.js';
import { metricNamed, metricTitle } from './rules.js';
import { Typed } from './typed.js';
import { unitSuffix, unitSymbol } from './units.js';
import { number, term, words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('./planbands.js').Band} Band
 *  @typedef {import('./planbands.js').Plan} Plan
 *  @typedef {{plan: Plan, tag: string}} Kept
 *  @typedef {{name: string, bands: Band[]}} Draft bands: first those of the plan, in its order, then new ones
 *  @typedef {{plans: Kept[] | null, templates: Plan[], draft: Draft | null, busy: boolean, complaint: string,
 *    at: Band | undefined, done: string[]}} State at: what the complaint is about; done: what was changed */

const SIDES = /** @type {('low' | 'high' | 'own')[]} */ (['low', 'high', 'own']);

/** @extends {Component<{store: Store, client: string}, State>} */
export class ClientPlans extends Component {
    /** @type {State} */
    state = { plans: null, templates: [], draft: null, busy: false, complaint: '', at: undefined, done: [] };

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
        const answers = await Promise.all(client.said.plans.map((/** @type {string} */ name) => askHub('GET', this.#path(name))));
        const wrong = answers.find((answer) => !isDone(answer));
        this.setState({ templates: templates.said.plans, complaint: wrong ? complaintOf(wrong) : this.state.complaint,
            plans: answers.filter(isDone).map(({ said, tag }) => ({ plan: said, tag })) });
    }

    /** @param {string} name @param {object} body @param {string} tag @param {Partial<State>} then */
    async #put(name, body, tag, then) {
        if (this.state.busy) return;
        this.setState({ busy: true, complaint: '', at: undefined, done: [] });
        const answer = await askHub('PUT', this.#path(name), body, tag);
        if (isDone(answer)) this.setState({ ...then, busy: false, complaint: complaintOf(answer) }, () => this.#load());
        else this.setState({ busy: false, ...this.#refusal(answer) });
    }

    /** @param {import('./ask.js').Answer} answer @returns {Pick<State, 'complaint' | 'at'>} */
    #refusal(answer) {
        if (answer.status === 412) return { complaint: words.planMeanwhile, at: undefined };
        const sent = this.state.draft?.bands.filter((band) => !saysNothing(band)) ?? [];
        const { band, words: said } = complainedOf(answer.said?.detail ?? '', sent);
        return { complaint: band ? words.hubRefused(said) : complaintOf(answer), at: band };
    }

    /** @param {Kept} kept */
    #keep({ plan, tag }) {
        const { bands } = /** @type {Draft} */ (this.state.draft);
        this.#put(plan.name, withBands(plan, bands, (metric) => unitOf(this.props.store, metric)), tag,
            { draft: null, done: this.#changes(plan, bands) });
    }

    /** "Lumbar flexion, all phases: Limit, above 45° → 40°". @param {Plan} plan @param {Band[]} bands */
    #changes(plan, bands) {
        const { store } = this.props;
        const old = bandsOf(plan);
        return bands.flatMap((band, i) => SIDES.flatMap((side) => {
            const [was, is] = [old[i]?.[side] ?? '', band[side]];
            return was === is ? [] : `${bandTitle(store, plan, band)}: ${sideName(band, side)} `
                + `${figureWords(store, band, side, was)} → ${figureWords(store, band, side, is)}`;
        }));
    }

    render() {
        const { plans, templates, busy, complaint, at, done } = this.state;
        const own = plans?.map(({ plan }) => plan.name) ?? [];
        const others = templates.filter(({ name }) => !own.includes(name));
        return html`<section class="client-plans" aria-label=${words.clientPlans}>
            <h2>${words.clientPlans}</h2>
            <p class="hint">${words.clientPlansHint}</p>
            <p class="complaint" role="alert">${!at && complaint}</p>
            <div role="status">${done.length > 0 && html`<p class="calm">${words.planKept}</p>
                <ul class="changed">${done.map((line) => html`<li key=${line}>${line}</li>`)}</ul>`}</div>
            ${plans?.map((kept) => this.#plan(kept))}
            ${plans && others.length > 0 && html`<div class="templates"><p>${own.length === 0 && words.noOwnPlan} ${words.ownPlanFrom}</p>
                <div class="deeds">${others.map(({ name, title }) => html`<button key=${name} aria-disabled=${busy}
                    onClick=${() => this.#put(name, { template: name }, '', { draft: null })}>${term(title)}</button>`)}</div></div>`}
        </section>`;
    }

    /** @param {Kept} kept */
    #plan(kept) {
        const { draft } = this.state;
        const { plan } = kept;
        const bands = bandsOf(plan);
        const isOpen = draft?.name === plan.name;
        return html`<div class="client-plan" key=${plan.name}>
            <h3>${term(plan.title)} <small>${words.minutes(number(Math.round(plan.time_s / 60)))}</small></h3>
            ${isOpen ? this.#form(kept, bands) : html`
                ${bands.length === 0 && html`<p>${words.noLimits}</p>`}
                <ul>${bands.map((band, i) => html`<li key=${i}>${bandTitle(this.props.store, plan, band)}:${' '}
                    <b>${bandWords(this.props.store, band)}</b></li>`)}</ul>
                <button class="change" aria-label=${words.changeLimitsOf(term(plan.title))} onClick=${() =>
                    this.setState({ draft: { name: plan.name, bands }, complaint: '', at: undefined, done: [] })}>
                    ${words.changeLimits}</button>`}
        </div>`;
    }

    /** @param {Kept} kept @param {Band[]} old */
    #form(kept, old) {
        const { draft, busy } = this.state;
        const { bands } = /** @type {Draft} */ (draft);
        const changes = this.#changes(kept.plan, bands);
        return html`<div class="rule-form" role="group" aria-label=${words.changeLimitsOf(term(kept.plan.title))}>
            ${bands.map((band, i) => this.#band(kept.plan, band, old[i], i))}
            <p class="hint">${words.emptyLimit}</p>
            <${NewBand} store=${this.props.store} plan=${kept.plan} onBand=${(/** @type {Band} */ band) =>
                this.setState({ draft: { name: kept.plan.name, bands: [...bands, band] } })} />
            <p class="hint">${words.countsFromNext}</p>
            <div class="deeds">
                <button class="do keep" aria-disabled=${busy} disabled=${changes.length === 0}
                    onClick=${() => this.#keep(kept)}>${words.keepLimits}</button>
                <button class="plain" onClick=${() => this.setState({ draft: null, complaint: '', at: undefined }, () => this.#load())}>
                    ${words.discardRules}</button>
            </div>
        </div>`;
    }

    /** @param {Plan} plan @param {Band} band @param {Band | undefined} old @param {number} i */
    #band(plan, band, old, i) {
        const { store } = this.props;
        const { draft, at, complaint } = this.state;
        const set = (/** @type {'low' | 'high' | 'own'} */ side, /** @type {string} */ value) => {
            const { name, bands } = /** @type {Draft} */ (draft);
            this.setState({ draft: { name, bands: bands.map((each, j) => (i === j ? { ...each, [side]: value } : each)) },
                complaint: '', at: undefined });
        };
        return html`<fieldset key=${i} class="band"><legend>${bandTitle(store, plan, band)}</legend>
            ${band === at && html`<p class="complaint" role="alert">${complaint}</p>`}
            <div class="figures">${SIDES.filter((side) => side !== 'own' || band.own || old?.own || !old).map((side) => html`<div key=${side}><${Typed} type="number"
                label=${sideName(band, side)} value=${band[side]} unit=${side === 'own' ? '%' : unitSymbol(unitOf(store, band.metric))}
                onValue=${(/** @type {string} */ value) => set(side, value)} />
                ${(old?.[side] ?? '') !== band[side] && html`<p class="was">
                    ${words.wasBefore(figureWords(store, band, side, old?.[side] ?? ''))}</p>`}</div>`)}</div>
        </fieldset>`;
    }
}

/** What the plan has no limit for yet.
 *  @extends {Component<{store: Store, plan: Plan, onBand: (band: Band) => void}, {metric: string, phase: number}>} */
class NewBand extends Component {
    state = { metric: '', phase: -1 };

    #add() {
        const { metric, phase } = this.state;
        if (metric) this.props.onBand({ what: 'limits', phase, metric, regions: undefined, low: '', high: '', own: '' });
        this.setState({ metric: '', phase: -1 });
    }

    render() {
        const { store, plan } = this.props;
        const value = (/** @type {Event} */ event) => /** @type {HTMLSelectElement} */ (event.currentTarget).value;
        return html`<div class="new-band">
            <label><span>${words.newLimit}</span><select value=${this.state.metric}
                onChange=${(/** @type {Event} */ event) => this.setState({ metric: value(event) })}>
                <option value="">…</option>
                ${limitable(store).map((name) => html`<option key=${name} value=${name}>${metricTitle(store, name)}</option>`)}
            </select></label>
            <label><span>${words.inPhase}</span><select value=${String(this.state.phase)}
                onChange=${(/** @type {Event} */ event) => this.setState({ phase: Number(value(event)) })}>
                <option value="-1">${words.allPhases}</option>
                ${plan.phases.map(({ title }, i) => html`<option key=${i} value=${String(i)}>${term(title)}</option>`)}
            </select></label>
            <button disabled=${!this.state.metric} onClick=${() => this.#add()}>${words.addLimit}</button>
        </div>`;
    }
}

/** Measured values of the body, not of the device; a name that two kinds have is said with its kind.
 *  @param {Store} store */
function limitable(store) {
    const values = [...store.metrics.values()].filter(({ type, health }) => type <= MetricType.COUNTER && !health);
    const name = (/** @type {import('#live').Metric} */ metric) => (values.filter((other) => other.name === metric.name).length > 1
        ? `${store.hello?.kinds.find(({ id }) => id === metric.kind)?.name}/${metric.name}` : metric.name);
    return values.map(name).sort((a, b) => metricTitle(store, a).localeCompare(metricTitle(store, b)));
}

/** @param {Store} store @param {string} metric @returns {string} as plans write it */
function unitOf(store, metric) {
    const { unit } = metricNamed(store, metric) ?? { unit: '1' };
    return unit === '1' ? '' : unit;
}

/** @param {Store} store @param {Plan} plan @param {Band} band */
function bandTitle(store, plan, { metric, phase, regions }) {
    return [metricTitle(store, metric), phase < 0 ? words.allPhases : term(plan.phases[phase].title),
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
