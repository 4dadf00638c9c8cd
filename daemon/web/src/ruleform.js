// What a therapist changes of a rule: limits, delays, how urgent it is, and whether it is on. Each
// change is at once in the text of all changes; nothing of it counts before it is applied.
import { Component } from 'preact';
import { Choice } from './choice.js';
import { readFlow, writeFlow } from './flow.js';
import { html } from './html.js';
import { changesOf, quantity, withChange } from './ruletext.js';
import { unitSymbol } from './units.js';
import { words } from './words.js';

/** @typedef {Record<string, any>} Written a rule's map, words as they stand
 *  @typedef {{path: (string | number)[], metric: string, figure: string, unit: string}} Field path: to it
 *    in the rule; metric: that this part of a condition is about, '' the rule's own
 *  @typedef {{path: (string | number)[], metric: string, source: string, of: string}} Given a limit that
 *    is no figure of the rule: from limit(), own_range() or metric() of a metric
 *  @typedef {{name: string, base: Written, text: string, lasts: boolean, titleOf: (metric: string) => string,
 *    onText: (text: string) => void}} FormProps base: as it is in the other files; lasts: what it looks at
 *    is no event, so that it can hold for a while */

const LIMITS = ['above', 'below', 'outside'];
const NO_DELAY = '0 s';
const KEYS = [...LIMITS, 'clear', 'deadband', 'times', 'absent', 'for', 'clear_for'];
const SOURCE = /^(?:[\d.]+ *% of )?(limit|own_range|metric)\((.*?)\)/;
export const PRIORITIES = ['low', 'medium', 'high'];

/** As it would be with these changes. @param {Written} base @param {Record<string, string>} changes
 *  @returns {Written} */
export function changedRule(base, changes) {
    const rule = { ...base };
    for (const [key, value] of Object.entries(changes))
        if (value === '') delete rule[key];
        else rule[key] = readFlow(value) ?? value;
    return rule;
}

/** Those of its values that are numbers, in all parts of its condition; and the delay that it could
 *  have. @param {Written} rule @param {boolean} lasts what it looks at @returns {Field[]} */
export function fieldsOf(rule, lasts) {
    const own = lasts && rule.absent === undefined ? { for: NO_DELAY, ...rule } : rule;
    return valuesOf(own, [], '').flatMap(({ value, ...place }) => {
        const found = quantity(value);
        return found ? [{ ...place, ...found }] : [];
    });
}

/** Those of its limits that come from elsewhere. @param {Written} rule @returns {Given[]} */
function givenOf(rule) {
    return valuesOf(rule, [], '').flatMap(({ value, ...place }) => {
        const found = quantity(value) ? null : SOURCE.exec(String(value));
        return found ? [{ ...place, source: found[1], of: found[2] }] : [];
    });
}

/** What is written behind the keys of a condition and of its parts, a pair as two. @param {Written} part
 *  @param {Field['path']} path to it @param {string} metric
 *  @returns {{path: Field['path'], metric: string, value: any}[]} */
function valuesOf(part, path, metric) {
    const each = (/** @type {string} */ key) => (Array.isArray(part[key]) ? part[key].map((/** @type {any} */ value,
        /** @type {number} */ i) => ({ path: [...path, key, i], value }))
        : part[key] === undefined ? [] : [{ path: [...path, key], value: part[key] }]);
    return [...KEYS.flatMap(each).map((found) => ({ ...found, metric })),
        ...['all', 'any', 'not'].flatMap(each).flatMap((inner) =>
            valuesOf(inner.value, inner.path, inner.value.metric ?? ''))];
}

/** What it is called. @param {Pick<Field, 'path' | 'metric'>} field @param {(metric: string) => string} titleOf */
export function fieldName({ path, metric }, titleOf) {
    const side = typeof path.at(-1) === 'number' ? path.at(-1) : '';
    const key = `${side === '' ? path.at(-1) : path.at(-2)}${side}`;
    const of = metric ? `${path.includes('not') ? words.unless : ''}${titleOf(metric)}: ` : '';
    return of + (words.ruleKeys[key] ?? key);
}

/** With another value at its end. @param {any} value @param {Field['path']} path @param {string} end
 *  @returns {any} */
function withValue(value, path, end) {
    if (path.length === 0) return end;
    const [key, ...rest] = path;
    const inner = withValue(value[key], rest, end);
    return Array.isArray(value) ? value.map((each, i) => (i === key ? inner : each)) : { ...value, [key]: inner };
}

/** Where it is over again, of the same limit and in its unit. @param {Field[]} fields
 *  @param {Field} limit */
function clearOf(fields, { path, unit }) {
    const at = typeof path.at(-1) === 'string' ? path.length - 1 : path.length - 2;
    const clear = path.map((step, i) => (i === at ? 'clear' : step)).join();
    return LIMITS.includes(String(path[at])) ? fields.find((field) => field.path.join() === clear
        && field.unit === unit) : undefined;
}

/** Is it what stands in the other files? @param {Written} base @param {string} key @param {string} value */
function isBase(base, key, value) {
    return writeFlow(base[key] ?? '') === value || key === 'for' && base.for === undefined && value === NO_DELAY;
}

/** @param {FormProps} props */
export function RuleForm({ name, base, text, lasts, titleOf, onText }) {
    const changes = changesOf(text, name);
    if (!changes) return html`<p class="hint">${words.ruleAsText}</p>`;
    const rule = changedRule(base, changes);
    const fields = fieldsOf(rule, lasts);
    /** @param {[string, string | null][]} values by key; null: as it was */
    const set = (...values) => {
        /** @type {string | null} */
        let next = text;
        for (const [key, value] of values)
            next = next === null ? null
                : withChange(next, name, key, value === null || isBase(base, key, value) ? null : value);
        if (next !== null) onText(next);
    };
    /** A limit takes along where it is over again, which would be beyond it else.
     *  @param {Field} field @param {string} figure */
    const setField = (field, figure) => {
        const clear = clearOf(fields, field);
        const moved = clear && String(Number((Number(clear.figure) + Number(figure) - Number(field.figure)).toFixed(3)));
        let next = withValue(rule, field.path, `${figure} ${field.unit}`.trim());
        if (clear) next = withValue(next, clear.path, `${moved} ${clear.unit}`.trim());
        const keys = new Set([field, ...(clear ? [clear] : [])].map(({ path }) => String(path[0])));
        set(...[...keys].map((key) => /** @type {[string, string]} */ ([key, writeFlow(next[key])])));
    };
    return html`<div class="rule-form" role="group" aria-label=${words.changeRule(rule.title ?? name)}>
        <div class="figures">
            ${fields.map((field) => html`<${Figure} key=${field.path.join()} field=${field}
                label=${fieldName(field, titleOf)} onFigure=${(/** @type {string} */ figure) => setField(field, figure)} />`)}
            ${givenOf(rule).map((given) => html`<p key=${given.path.join()} class="given">
                <b>${fieldName(given, titleOf)}</b>
                <span>${words.limitFrom(given.source, titleOf(given.of))}</span></p>`)}
        </div>
        ${hintsOf(rule, fields).map((hint) => html`<p key=${hint} class="hint">${hint}</p>`)}
        <fieldset><legend>${words.urgency}</legend><div class="choices">${PRIORITIES.map((priority, i) => html`<${Choice}
            key=${priority} name=${`priority-${name}`} text=${[words.low, words.medium, words.high][i]}
            chosen=${rule.priority === priority} onChoose=${() => set(['priority', priority])} />`)}</div></fieldset>
        <fieldset><legend>${words.isOn}</legend><div class="choices">
            <${Choice} name=${`on-${name}`} text=${words.on} chosen=${rule.off !== 'true'}
                onChoose=${() => set(['off', null])} />
            <${Choice} name=${`on-${name}`} text=${words.off} chosen=${rule.off === 'true'}
                onChoose=${() => set(['off', 'true'])} /></div></fieldset>
        ${Object.keys(changes).length > 0 && html`<button class="plain" onClick=${() =>
            set(...Object.keys(changes).map((key) => /** @type {[string, null]} */ ([key, null])))}>
            ${words.asInstalled}</button>`}
    </div>`;
}

/** Where those limits are changed that are no numbers of the rule. @param {Written} rule
 *  @param {Field[]} fields */
function hintsOf(rule, fields) {
    const hints = new Set(givenOf(rule).map(({ source }) => words.limitsFrom[source]));
    const limited = fields.some(({ path }) => path.some((step) => [...LIMITS, 'absent'].includes(String(step))));
    return hints.size > 0 || limited ? [...hints] : [words.limitsAsText];
}

/** @param {string} unit as a rule writes it */
export function unitWords(unit) {
    if (!unit.startsWith('% of')) return unitSymbol(unit);
    return unit.startsWith('% of limit') ? words.ofPlan : words.ofOwnRange;
}

/** What is typed is nobody's until it is left, and stays though the page is drawn anew meanwhile.
 *  @extends {Component<{field: Field, label: string, onFigure: (figure: string) => void}, {typed: string | null}>} */
class Figure extends Component {
    /** @type {{typed: string | null}} */
    state = { typed: null };

    #take() {
        const { typed } = this.state;
        if (typed === null) return;
        if (typed !== '' && Number.isFinite(Number(typed)) && typed !== this.props.field.figure)
            this.props.onFigure(String(Number(typed)));
        this.setState({ typed: null });
    }

    render() {
        const { field: { figure, unit }, label } = this.props;
        return html`<label><span>${label}</span><span class="figure">
            <input type="number" step="any" value=${this.state.typed ?? figure} onChange=${() => this.#take()}
                onInput=${(/** @type {Event} */ event) =>
                    this.setState({ typed: /** @type {HTMLInputElement} */ (event.currentTarget).value })} />
            <span>${unitWords(unit)}</span></span></label>`;
    }
}
