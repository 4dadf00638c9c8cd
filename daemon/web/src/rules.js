// Rules, a sentence each: what they look at, from when on, how urgent it is, what to do first. And for
// those who may: other limits, tried on recorded sessions before they are applied.
import { Component } from 'preact';
import { MetricType } from '#live';
import { askHub, complaintOf, isDone } from './ask.js';
import { html } from './html.js';
import { SuppressedMark, kindWords } from './marks.js';
import { PRIORITIES, RuleForm, fieldName, fieldsOf, unitWords } from './ruleform.js';
import { changesOf, quantity } from './ruletext.js';
import { RuleTrial } from './ruletrial.js';
import { Slide } from './slide.js';
import { unitSuffix } from './units.js';
import { number, sentence, term, words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('#live').Rule} Rule
 *  @typedef {{file: string, line: number, now: Record<string, any>, before: Record<string, any> | null}} Source
 *  @typedef {{name: string, text: string, for: number | null, clear_for: number | null,
 *    built_in: boolean, written: Source | null}} Told as the API says it
 *  @typedef {import('./ruletext.js').RuleMap} RuleMap
 *  @typedef {import('./ruletext.js').Edit} Edit
 *  @typedef {{file: string | null, text: string, rules: RuleMap[] | null,
 *    before: {number: number, text: string} | null}} Changes
 *  @typedef {{told: Map<string, Told>, out: Source[], changes: Changes | null, tag: string, draft: string,
 *    said: RuleMap[], unread: string, open: string, trial: import('./ruletrial.js').Trial | null, tried: string | null,
 *    busy: '' | 'try' | 'apply', complaint: string, done: string}} State
 *    draft: the text of the changes as it would be; said: what it says, as the hub reads it; unread: why it
 *    cannot, or not be changed as it was asked; tried: of what the trial was */

const READ_AFTER_MS = 300; // of what is typed in the text
const SESSIONS = 10; // those that were last recorded
const TRY_MS = 65000; // another one may be tried before
const MANY = 4; // rules of one title

/** @extends {Component<{store: Store, mayChange: boolean, mayRead: boolean}, State>} */
export class RulesScreen extends Component {
    /** @type {State} */
    state = { told: new Map(), out: [], changes: null, tag: '', draft: '', said: [], unread: '', open: '',
        trial: null, tried: null, busy: '', complaint: '', done: '' };
    /** @type {Promise<void>} edits come one after the other */
    #edits = Promise.resolve();
    #typed = 0; // timer
    #generation = -1; // of what the hub said when it was asked

    componentDidMount() {
        this.#load();
    }

    componentWillUnmount() {
        clearTimeout(this.#typed);
    }

    componentDidUpdate() {
        if (this.props.store.generation !== this.#generation) this.#load();
    }

    async #load() {
        this.#generation = this.props.store.generation;
        const [rules, changes] = await Promise.all([askHub('GET', '/rules'), askHub('GET', '/rules/changes')]);
        if (!isDone(rules) || !isDone(changes))
            return this.setState({ complaint: complaintOf(isDone(rules) ? changes : rules) });
        const { draft, changes: old } = this.state;
        this.setState({ told: new Map(rules.said.rules.map((/** @type {Told} */ rule) => [rule.name, rule])),
            out: rules.said.left_out });
        // What somebody is at is not taken from them: applying it says that it was changed meanwhile.
        if (!old || draft === old.text) this.#take(changes);
    }

    /** What is in the hub from now on. @param {import('./ask.js').Answer} answer @param {Partial<State>} more */
    #take({ said, tag }, more = {}) {
        this.setState({ ...more, changes: said, tag, draft: said.text, said: said.rules ?? [],
            unread: said.rules ? '' : words.textUnread });
    }

    /** What the draft says, with other values of a rule. @param {string} [rule] @param {Edit[]} [set] */
    #change(rule, set) {
        clearTimeout(this.#typed);
        // Not with the answer: by then a complaint may be about what was asked later.
        if (set) this.setState({ complaint: '', done: '' });
        this.#edits = this.#edits.then(async () => {
            const { draft } = this.state;
            const answer = await askHub('POST', '/rules/text', { text: draft, ...(set && { rule, set }) });
            if (this.state.draft !== draft) return; // it was typed in meanwhile
            const done = isDone(answer);
            const unread = complaintOf(answer);
            await new Promise((drawn) => { // the next one goes on from there
                this.setState(done ? { draft: answer.said.text, said: answer.said.rules, unread }
                    : { unread }, () => drawn(undefined));
            });
        });
    }

    /** To where all of it is written. */
    #toText() {
        const text = /** @type {HTMLDetailsElement} */ (document.querySelector('.rule-text'));
        text.open = true;
        text.querySelector('textarea')?.focus();
    }

    async #try() {
        const { draft, busy } = this.state;
        if (busy) return;
        this.setState({ busy: 'try', complaint: '', done: '', trial: null, tried: null });
        const answer = await askHub('POST', '/rules/try', { text: draft, sessions: SESSIONS }, undefined, TRY_MS);
        const good = isDone(answer);
        const complaint = answer.status === 429 ? words.othersTry(words.seconds(number(answer.again_s)))
            : complaintOf(answer);
        this.setState({ busy: '', complaint, trial: good ? answer.said : null, tried: good ? draft : null });
    }

    /** @param {string} text @param {string} done what is said then */
    async #apply(text, done) {
        if (this.state.busy) return;
        this.setState({ busy: 'apply', complaint: '', done: '' });
        const answer = await askHub('PUT', '/rules/changes', { text }, this.state.tag);
        this.setState({ busy: '', complaint: complaintOf(answer) });
        if (!isDone(answer)) return;
        this.#take(answer, { open: '', trial: null, tried: null, done });
        this.#load();
    }

    #discard() {
        this.setState({ changes: null, draft: '', said: [], unread: '', trial: null, tried: null, complaint: '',
            done: '' }, () => this.#load());
    }

    /** @param {string} draft */
    #draft(draft) {
        this.setState({ draft, complaint: '', done: '' });
        clearTimeout(this.#typed);
        this.#typed = setTimeout(() => this.#change(), READ_AFTER_MS);
    }

    render() {
        const { store, mayChange } = this.props;
        const { out, changes, complaint, done } = this.state;
        if (!store.hello) return html`<p class="empty">${words.waiting}</p>`;
        const rules = [...store.rules.values()].sort((a, b) => b.priority - a.priority
            || Number(a.technical) - Number(b.technical) || a.title.localeCompare(b.title));
        return html`<div class="room rules">
            <h1>${words.rules}</h1>
            <p class="hint">${mayChange ? words.rulesHint : words.rulesFor}</p>
            ${mayChange && changes && this.#bar(changes)}
            <p class="complaint" role="alert">${complaint}</p>
            <p class="calm" role="status">${done}</p>
            ${rules.length + out.length === 0 && html`<p class="empty">${words.noRules}</p>`}
            <ul class="rule-list">
                ${byTitle(rules).map((alike) =>
                    (alike.length < MANY ? alike.map((rule) => this.#rule(rule)) : this.#alike(alike)))}
                ${out.map((source) => this.#left(source))}
            </ul>
            ${mayChange && changes && this.#text(changes)}
        </div>`;
    }

    /** What is to be done with all changes together. @param {Changes} changes */
    #bar({ text, before }) {
        const { draft, busy, trial, tried } = this.state;
        if (draft === text)
            return before && html`<div class="deeds"><button class="undo" aria-disabled=${busy !== ''}
                onClick=${() => this.#apply(before.text, words.undone)}>${words.undoRules}</button></div>`;
        return html`<section class="rule-bar" aria-label=${words.notApplied}>
            <h2>${words.notApplied}</h2>
            ${tried !== draft && html`<p>${words.triedFirst}</p>`}
            <div role="status">${busy === 'try' ? html`<p>${words.trying}</p>`
                : trial && tried === draft && html`<${RuleTrial} trial=${trial} mayRead=${this.props.mayRead} />`}</div>
            <div class="deeds">
                ${tried !== draft && html`<button class="do try" aria-disabled=${busy !== ''}
                    onClick=${() => this.#try()}>${words.tryRules}</button>`}
                ${tried === draft && html`<${Slide} text=${words.applyRules}
                    onDone=${() => this.#apply(draft, words.applied)} />`}
                <button class="plain discard" onClick=${() => this.#discard()}>${words.discardRules}</button>
            </div>
        </section>`;
    }

    /** @param {Rule} rule */
    #rule(rule) {
        const { store } = this.props;
        const told = this.state.told.get(rule.name);
        return html`<li key=${rule.name} class=${this.state.open === rule.name ? 'open' : ''}>
            <${SuppressedMark} rule=${rule} seen=${true} />
            <div class="said">
                <h2>${term(rule.title || rule.name)}</h2>
                <p>${conditionWords(store, rule)} ${told && delayWords(told)}</p>
                ${told?.text && html`<p class="hint">“${sentence(told.text).replace(/\{\w+\}\.?/g, '…')}”</p>`}
                ${rule.action && html`<p><b>${words.first}</b> ${term(rule.action)}</p>`}
                ${told?.written && this.#edit(rule.name, term(rule.title || rule.name), told.written,
                    store.metrics.get(rule.metric)?.type !== MetricType.EVENT)}
            </div></li>`;
    }

    /** What the hub itself watches of each metric stands in one place; what can be changed does not.
     *  @param {Rule[]} rules of one title */
    #alike(rules) {
        if (rules.some(({ name }) => this.state.told.get(name)?.written)) return rules.map((rule) => this.#rule(rule));
        const [{ name, title, action }] = rules;
        return html`<li key=${name}>
            <${SuppressedMark} rule=${rules[0]} seen=${true} />
            <div class="said">
                <h2>${term(title || name)}</h2>
                ${action && html`<p><b>${words.first}</b> ${term(action)}</p>`}
                <details><summary>${words.rulesAlike(number(rules.length))}</summary>
                    <ul>${rules.map((rule) => html`
                        <li key=${rule.name}>${conditionWords(this.props.store, rule)}</li>`)}</ul>
                </details>
            </div></li>`;
    }

    /** One that is off. @param {Source} source */
    #left(source) {
        const { name, title = name } = source.now;
        return html`<li key=${name} class=${this.state.open === name ? 'off open' : 'off'}><div class="said">
            <h2>${term(title)} <small>${words.isLeftOut}</small></h2>
            ${this.#edit(name, term(title), source, false)}
        </div></li>`;
    }

    /** @param {string} name @param {string} title @param {Source} written @param {boolean} lasts */
    #edit(name, title, { now, before, file }, lasts) {
        const { said, unread, open, changes } = this.state;
        const changed = changesOf(said, name);
        const own = before === null && file === changes?.file; // a rule of the clinic's, whole in the text
        const base = own ? {} : before ?? now;
        const isOpen = open === name;
        const titleOf = (/** @type {string} */ metric) => metricTitle(this.props.store, metric);
        return html`
            ${!own && Object.keys(changed).length > 0 && html`<p class="changed">
                ${words.changedHere} ${Object.entries(changed)
                    .map(([key, value]) => changeWords(base, key, value, titleOf)).join('; ')}</p>`}
            ${this.props.mayChange && changes?.file && html`<button class="change" aria-expanded=${isOpen}
                aria-label=${words.changeRule(title)} onClick=${() => this.setState({ open: isOpen ? '' : name })}>
                ${isOpen ? words.foldIn : words.change}</button>
                ${isOpen && html`<${RuleForm} name=${name} base=${base} changes=${changed} own=${own} lasts=${lasts}
                    complaint=${unread} titleOf=${titleOf} onText=${() => this.#toText()}
                    onEdit=${(/** @type {Edit[]} */ set) => this.#change(name, set)} />`}`}`;
    }

    /** For who writes rules: all of it. @param {Changes} changes */
    #text({ file }) {
        if (file === null) return html`<p class="hint">${words.cannotChange}</p>`;
        return html`<details class="rule-text"><summary>${words.asText}</summary>
            <p class="hint">${words.asTextHint(file)}</p>
            <textarea rows="14" spellcheck=${false} aria-label=${words.asText} value=${this.state.draft}
                onInput=${(/** @type {Event} */ event) =>
                    this.#draft(/** @type {HTMLTextAreaElement} */ (event.currentTarget).value)} />
        </details>`;
    }
}

/** In the order of the first of each title. @param {Rule[]} rules @returns {Rule[][]} */
function byTitle(rules) {
    const titles = [...new Set(rules.map(({ title }) => title))];
    return titles.map((title) => rules.filter((rule) => rule.title === title));
}

/** A metric as rules and plans name it, with its kind or without. @param {Store} store @param {string} name */
export function metricNamed(store, name) {
    return [...store.metrics.values()].find((metric) => metric.name === name.split('/').at(-1));
}

/** @param {Store} store @param {string} name */
export function metricTitle(store, name) {
    return term(metricNamed(store, name)?.title ?? name);
}

/** "limit 45 deg → 50 deg", in each part of a condition where it is another one.
 *  @param {RuleMap} base @param {string} key @param {any} value
 *  @param {(metric: string) => string} titleOf */
function changeWords(base, key, value, titleOf) {
    if (key === 'off') return words.off;
    if (key === 'latch') return `${words.ruleKeys.latch}: ${words.latches[value]}`;
    const changed = fieldsOf({ [key]: value }).filter(({ metric }) => metric !== '');
    const before = fieldsOf({ [key]: base[key] });
    if (changed.length > 0)
        return changed.flatMap((field) => {
            const old = before.find(({ path }) => path.join() === field.path.join());
            return old && old.figure !== field.figure ? [`${fieldName(field, titleOf)} ${old.figure} → ${field.figure}
                ${unitWords(field.unit)}`] : [];
        }).join('; ');
    return `${words.ruleKeys[key] ?? key} ${valueWords(base[key])} → ${valueWords(value)}`;
}

/** As people read it: "45°", "−25° … 60°". @param {unknown} value @returns {string} */
function valueWords(value) {
    const one = quantity(value);
    if (one) return one.figure.replace('-', '−') + unitSuffix(one.unit || '1');
    if (Array.isArray(value) && value.every((each) => typeof each === 'string'))
        return value.map(valueWords).join(' … ');
    const level = PRIORITIES.indexOf(String(value));
    if (level >= 0) return [words.low, words.medium, words.high][level];
    return typeof value === 'string' && value !== '' ? value : value ? '…' : words.none;
}

/** @param {Told} told */
function delayWords(told) {
    const seconds = (/** @type {number} */ s) => words.seconds(number(s, Number.isInteger(s) ? 0 : 1));
    return [told.for && words.raisedAfter(seconds(told.for)),
        told.clear_for && words.overAfter(seconds(told.clear_for))].filter(Boolean).join(' ');
}

/** "Lumbar flexion above 45° or below −12°: medium alarm, clinical." @param {Store} store
 *  @param {Rule} rule */
function conditionWords(store, rule) {
    const limits = rule.limits.map(({ metric, above, below }) => {
        const of = store.metrics.get(metric);
        const value = (/** @type {number} */ limit) => number(limit, Number.isInteger(limit) ? 0 : 1)
            + unitSuffix(of?.unit ?? '1');
        return [of && term(of.title), above !== null && words.above(value(above)),
            below !== null && words.below(value(below))].filter(Boolean).join(' ');
    });
    const what = limits.length > 0 ? limits.join(', ') : term(store.metrics.get(rule.metric)?.title ?? rule.name);
    return `${what}: ${kindWords(rule)}.`;
}
