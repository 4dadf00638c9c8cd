// What rules would raise if they were armed: no alarm, but nobody takes it for a good value.
import { html } from './html.js';
import { SuppressedMark } from './marks.js';
import { clockTime, number, sentence, span, words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('#live').Suppressed} Suppressed */

/** @param {{store: Store, items: Suppressed[], more?: number, now: number, rooms?: boolean}} props
 *    rooms: each says where it is */
export function SuppressedList({ store, items, more = 0, now, rooms }) {
    if (items.length === 0) return null;
    return html`<section class="suppressed" aria-label=${words.suppressed}>
        <h2>${words.suppressed}</h2>
        <ul>${items.map((item) => html`<li key=${`${item.rule}/${item.device}`}>
            <${SuppressedMark} rule=${store.rules.get(item.rule)} />
            <div class="said">
                ${rooms && html`<b>${store.roomOf(item)?.title}</b>`}
                <p class="sentence">${sentence(item.text)}</p>
                <p>${item.in_session ? words.suppressedIn : words.suppressedOut}, ${
                    words.since(clockTime(item.since_ms), span(now - item.since_ms))}</p>
            </div>
        </li>`)}</ul>
        ${more > 0 && html`<p>${words.suppressedMore(number(more))}</p>`}
    </section>`;
}
