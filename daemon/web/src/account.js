// What was done in a treatment: its phases with their times, what was noted.
import { html } from './html.js';
import { clockTime, minuteSecond, term, words } from './words.js';

/** @typedef {import('./treatments.js').Detail} Detail
 *  @typedef {import('./treatments.js').Phase} Phase */

/** @param {{detail: Detail | null}} props */
export function Account({ detail }) {
    if (!detail) return null;
    return html`<div class="account">
        <${Phases} phases=${detail.phases} />
        <${Notes} notes=${detail.notes} />
    </div>`;
}

/** @param {{phases: Phase[]}} props */
function Phases({ phases }) {
    if (phases.length === 0) return null;
    return html`<section><h2>${words.phases}</h2><ol class="phases">${phases.map((phase, i) => {
        const state = phase.ended ? 'done' : phase.began ? 'now' : 'todo';
        return html`<li key=${i} class=${state} aria-current=${state === 'now' ? 'step' : undefined}>
            <i aria-hidden="true">${{ done: '✓', now: '▸', todo: '·' }[state]}</i>
            <span>${term(phase.title)}</span>
            <span class="time">${words.doneOf(minuteSecond(phase.spent_ms), minuteSecond(phase.time_ms))}</span>
        </li>`;
    })}</ol></section>`;
}

/** The newest first. @param {{notes: Detail['notes']}} props */
function Notes({ notes }) {
    if (notes.length === 0) return null;
    return html`<section><h2>${words.notes}</h2><ul class="notes">${[...notes].reverse().map(({ at, kind, text }, i) =>
        html`<li key=${notes.length - i}><time>${clockTime(Date.parse(at))}</time>
            <span>${kind === 'marker' ? `⚑ ${text || words.marker}` : text}</span></li>`)}</ul></section>`;
}
