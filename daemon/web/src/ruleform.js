// What a therapist changes of a rule: limits, delays, words, how urgent it is, whether it stays until it is
// reset, and whether it is on. Each change is at once in the text of all changes, where the hub writes it;
// nothing of it counts before it is applied.
import { Choice } from './choice.js';
import { html } from './html.js';
import { changedRule, editsOf, quantity } from './ruletext.js';
import { Typed } from './typed.js';
import { unitSymbol } from './units.js';
import { term, words } from './words.js';

/** @typedef {import('./ruletext.js').RuleMap} RuleMap
 *  @typedef {import('./ruletext.js').Path} Path
 *  @typedef {import('./ruletext.js').Edit} Edit
 *  @typedef {{path: Path, metric: string, figure: string, unit: string}} Field path: to it
 *    in the rule; metric: that this part of a condition is about, '' the rule's own
 *  @typedef {{path: Path, metric: string, source: string, of: string}} Given a limit that
 *    is no figure of the rule: from limit(), own_range() or metric() of a metric
 *  @typedef {{name: string, base: RuleMap, changes: RuleMap, own: boolean, lasts: boolean, complaint: string,
 *    titleOf: (metric: string) => string, onEdit: (edits: Edit[]) => void, onText: () => void}} FormProps
 *    base: as it is in the other files; own: it stands in none of those; lasts: what it looks at is no event,
 *    so that it can hold for a while; complaint: why the text cannot be read, or not be changed there */

const LIMITS = ['above', 'below', 'outside'];
const WINDOWS = ['mean', 'min', 'max', 'rate', 'last', 'count'];
const NO_DELAY = '0 s';
const DELAYS = ['for', 'clear_for', 'escalate', 'realarm']; // none is as if it were not said
const KEYS = [...LIMITS, 'clear', 'deadband', 'times', 'absent', ...WINDOWS, ...DELAYS];
const SOURCE = /^(?:[\d.]+ *% of )?(limit|own_range|metric)\((.*?)\)/;
const TEXTS = { title: 100, text: 200, plain: 200, action: 200 }; // bytes that the hub takes
const NEEDED = ['title', 'text'];
const LATCHES = ['false', 'true'];
export const PRIORITIES = ['low', 'medium', 'high'];

/** Those of its values that are numbers, in all parts of its condition; and the delays that it could
 *  have. @param {RuleMap} rule @param {string[]} delays @returns {Field[]} */
export function fieldsOf(rule, delays = []) {
    const whole = { ...Object.fromEntries(delays.map((key) => [key, NO_DELAY])), ...rule };
    return valuesOf(whole, [], '').flatMap(({ value, ...place }) => {
        const found = quantity(value);
        return found ? [{ ...place, ...found }] : [];
    });
}

/** @param {RuleMap} rule @param {boolean} lasts */
function delaysOf(rule, lasts) {
    return DELAYS.filter((key) => key !== 'for' || lasts && rule.absent === undefined);
}

/** Those of its limits that come from elsewhere. @param {RuleMap} rule @returns {Given[]} */
function givenOf(rule) {
    return valuesOf(rule, [], '').flatMap(({ value, ...place }) => {
        const found = quantity(value) ? null : SOURCE.exec(String(value));
        return found ? [{ ...place, source: found[1], of: found[2] }] : [];
    });
}

/** What is written behind the keys of a condition and of its parts, a pair as two. @param {RuleMap} part
 *  @param {Path} path to it @param {string} metric
 *  @returns {{path: Path, metric: string, value: any}[]} */
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

/** Where it is over again, of the same limit and in its unit. @param {Field[]} fields
 *  @param {Field} limit */
function clearOf(fields, { path, unit }) {
    const at = typeof path.at(-1) === 'string' ? path.length - 1 : path.length - 2;
    const clear = path.map((step, i) => (i === at ? 'clear' : step)).join();
    return LIMITS.includes(String(path[at])) ? fields.find((field) => field.path.join() === clear
        && field.unit === unit) : undefined;
}

/** @param {string} key @param {unknown} value */
function isNone(key, value) {
    return DELAYS.includes(key) && value === NO_DELAY || key in TEXTS && value === ''
        || key === 'latch' && value === 'false';
}

/** @param {FormProps} props */
export function RuleForm({ name, base, changes, own, lasts, complaint, titleOf, onEdit, onText }) {
    const rule = changedRule(base, changes);
    const fields = fieldsOf(rule, delaysOf(rule, lasts));
    const set = (/** @type {{path: Path, value: string}[]} */ ...values) =>
        onEdit(editsOf(base, changes, values, isNone));
    /** A limit takes along where it is over again, which would be beyond it else.
     *  @param {Field} field @param {string} figure */
    const setField = (field, figure) => {
        const clear = clearOf(fields, field);
        const by = Number(figure) - Number(field.figure);
        const moved = clear && String(Number((Number(clear.figure) + by).toFixed(3)));
        set({ path: field.path, value: `${figure} ${field.unit}`.trim() },
            ...(clear ? [{ path: clear.path, value: `${moved} ${clear.unit}`.trim() }] : []));
    };
    return html`<div class="rule-form" role="group" aria-label=${words.changeRule(term(rule.title ?? name))}>
        <p class="complaint" role="alert">${complaint && `${complaint.replace(/\.?$/, '.')} ${words.thenAsText}`}</p>
        <div class="figures">
            ${fields.map((field) => html`<${Typed} key=${field.path.join()} type="number"
                label=${fieldName(field, titleOf)} value=${field.figure} unit=${unitWords(field.unit)} needed=${true}
                onValue=${(/** @type {string} */ figure) => setField(field, figure)} />`)}
            ${givenOf(rule).map((given) => html`<p key=${given.path.join()} class="given">
                <b>${fieldName(given, titleOf)}</b>
                <span>${words.limitFrom(given.source, titleOf(given.of))}</span></p>`)}
        </div>
        ${hintsOf(rule, fields).map((hint) => html`<p key=${hint} class="hint">${hint}</p>`)}
        <div class="texts">
            ${Object.entries(TEXTS).map(([key, bytes]) => html`<${Typed} key=${key} type="text"
                label=${words.ruleKeys[key]} value=${rule[key] ?? ''} bytes=${bytes} needed=${NEEDED.includes(key)}
                onValue=${(/** @type {string} */ value) => set({ path: [key], value })} />`)}
        </div>
        <fieldset><legend>${words.urgency}</legend><div class="choices">
            ${PRIORITIES.map((priority, i) => html`<${Choice} key=${priority} name=${`priority-${name}`}
                text=${[words.low, words.medium, words.high][i]} chosen=${rule.priority === priority}
                onChoose=${() => set({ path: ['priority'], value: priority })} />`)}</div></fieldset>
        <fieldset><legend>${words.ruleKeys.latch}</legend><div class="choices">
            ${LATCHES.map((latch) => html`<${Choice} key=${latch} name=${`latch-${name}`} text=${words.latches[latch]}
                chosen=${(rule.latch ?? 'false') === latch}
                onChoose=${() => set({ path: ['latch'], value: latch })} />`)}</div></fieldset>
        ${!own && html`<fieldset><legend>${words.isOn}</legend><div class="choices">
            <${Choice} name=${`on-${name}`} text=${words.on} chosen=${rule.off !== 'true'}
                onChoose=${() => onEdit([{ path: ['off'], value: null }])} />
            <${Choice} name=${`on-${name}`} text=${words.off} chosen=${rule.off === 'true'}
                onChoose=${() => set({ path: ['off'], value: 'true' })} /></div></fieldset>`}
        <div class="deeds">
            ${!own && Object.keys(changes).length > 0 && html`<button class="plain installed" onClick=${() =>
                onEdit(Object.keys(changes).map((key) => ({ path: [key], value: null })))}>
                ${words.asInstalled}</button>`}
            <button class="plain to-text" onClick=${onText}>${words.toText}</button>
        </div>
    </div>`;
}

/** Where those limits are changed that are no numbers of the rule. @param {RuleMap} rule
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
