// Rules, a sentence each: what they look at, from when on, how urgent it is, what to do first.
import { html } from './html.js';
import { SuppressedMark, kindWords } from './marks.js';
import { unitSuffix } from './units.js';
import { number, term, words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('#live').Rule} Rule */

/** @param {{store: Store}} props */
export function RulesScreen({ store }) {
    if (!store.hello) return html`<p class="empty">${words.waiting}</p>`;
    const rules = [...store.rules.values()].sort((a, b) => b.priority - a.priority
        || Number(a.technical) - Number(b.technical) || a.title.localeCompare(b.title));
    return html`<div class="room">
        <h1>${words.rules}</h1>
        <p class="hint">${words.rulesHint}</p>
        ${rules.length === 0 && html`<p class="empty">${words.noRules}</p>`}
        <ul class="rule-list">${rules.map((rule) => html`<li key=${rule.id}>
            <${SuppressedMark} rule=${rule} seen=${true} />
            <div class="said">
                <h2>${rule.title || rule.name}</h2>
                <p>${conditionWords(store, rule)}</p>
                ${rule.action && html`<p><b>${words.first}</b> ${rule.action}</p>`}
            </div></li>`)}</ul>
    </div>`;
}

/** "Lumbar flexion above 45° or below −12°: medium alarm, clinical." @param {Store} store
 *  @param {Rule} rule */
function conditionWords(store, rule) {
    const limits = rule.limits.map(({ metric, above, below }) => {
        const of = store.metrics.get(metric);
        const value = (/** @type {number} */ limit) => number(limit, Number.isInteger(limit) ? 0 : 1)
            + unitSuffix(of?.unit ?? '1');
        return [of && term(of.title), above !== null && words.above(value(above)), below !== null && words.below(value(below))]
            .filter(Boolean).join(' ');
    });
    const what = limits.length > 0 ? limits.join(', ') : term(store.metrics.get(rule.metric)?.title ?? rule.name);
    return `${what}: ${kindWords(rule)}.`;
}
