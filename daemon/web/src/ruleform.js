// What a therapist changes of a rule: limits, delays, how urgent it is, and whether it is on. Each
// change is at once in the text of all changes; nothing of it counts before it is applied.
import { Component } from 'preact';
import { Choice } from './choice.js';
import { html } from './html.js';
import { changesOf, listOf, quantity, withChange } from './ruletext.js';
import { unitSymbol } from './units.js';
import { words } from './words.js';

/** @typedef {Record<string, any>} Written a rule's map, words as they stand
 *  @typedef {{key: string, side: number | null, figure: string, unit: string}} Field side: of a pair
 *  @typedef {{name: string, base: Written, text: string, lasts: boolean,
 *    onText: (text: string) => void}} FormProps base: as it is in the other files; lasts: what it looks at
 *    is no event, so that it can hold for a while */

const LIMITS = ['above', 'below', 'outside'];
const NO_DELAY = '0 s';
const KEYS = [...LIMITS, 'clear', 'deadband', 'absent', 'for', 'clear_for'];
export const PRIORITIES = ['low', 'medium', 'high'];

/** As it would be with these changes. @param {Written} base @param {Record<string, string>} changes
 *  @returns {Written} */
export function changedRule(base, changes) {
    const rule = { ...base };
    for (const [key, value] of Object.entries(changes))
        if (value === '') delete rule[key];
        else rule[key] = value;
    return rule;
}

/** Those of its values that are numbers; and the delay that it could have.
 *  @param {Written} rule @param {boolean} lasts what it looks at @returns {Field[]} */
function fieldsOf(rule, lasts) {
    return KEYS.flatMap(/** @returns {Field[]} */ (key) => {
        const one = quantity(rule[key] ?? (key === 'for' && lasts && rule.absent === undefined ? NO_DELAY : undefined));
        if (one) return [{ key, side: null, ...one }];
        const pair = listOf(rule[key]).map(quantity);
        return pair.length === 2 && pair.every(Boolean)
            ? pair.map((each, side) => ({ key, side, .../** @type {{figure: string, unit: string}} */ (each) })) : [];
    });
}

/** With the field at another figure, the value of its key as it is written. @param {Written} rule
 *  @param {Field} field @param {string} figure */
function written(rule, { key, side, unit }, figure) {
    const value = unit ? `${figure} ${unit}` : figure;
    if (side === null) return value;
    const pair = listOf(rule[key]).map(String);
    pair[side] = value;
    return `[${pair.join(', ')}]`;
}

/** Is it what stands in the other files? @param {Written} base @param {string} key @param {string} value */
function isBase(base, key, value) {
    const said = Array.isArray(base[key]) ? `[${base[key].join(', ')}]` : base[key] ?? '';
    return said === value || key === 'for' && base.for === undefined && value === NO_DELAY;
}

/** @param {FormProps} props */
export function RuleForm({ name, base, text, lasts, onText }) {
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
        const clear = LIMITS.includes(field.key)
            ? fields.find(({ key, side }) => key === 'clear' && side === field.side) : undefined;
        const moved = clear && String(Number((Number(clear.figure) + Number(figure) - Number(field.figure)).toFixed(3)));
        set([field.key, written(rule, field, figure)],
            ...(clear && moved ? [/** @type {[string, string]} */ (['clear', written(rule, clear, moved)])] : []));
    };
    return html`<div class="rule-form" role="group" aria-label=${words.changeRule(rule.title ?? name)}>
        <div class="figures">${fields.map((field) => html`<${Figure} key=${`${field.key} ${field.side}`} field=${field}
            onFigure=${(/** @type {string} */ figure) => setField(field, figure)} />`)}</div>
        ${!fields.some(({ key }) => [...LIMITS, 'absent'].includes(key)) && html`<p class="hint">${words.limitsAsText}</p>`}
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

/** What is typed is nobody's until it is left, and stays though the page is drawn anew meanwhile.
 *  @extends {Component<{field: Field, onFigure: (figure: string) => void}, {typed: string | null}>} */
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
        const { key, side, figure, unit } = this.props.field;
        const label = words.ruleKeys[side === null ? key : `${key}${side}`] ?? key;
        return html`<label><span>${label}</span><span class="figure">
            <input type="number" step="any" value=${this.state.typed ?? figure} onChange=${() => this.#take()}
                onInput=${(/** @type {Event} */ event) =>
                    this.setState({ typed: /** @type {HTMLInputElement} */ (event.currentTarget).value })} />
            <span>${unitSymbol(unit)}</span></span></label>`;
    }
}
