// What changes of rules would have meant in recorded sessions: one sentence, and where it comes from.
import { html } from './html.js';
import { clockTime, day, number, span, term, words } from './words.js';

/** @typedef {{now: number, then: number, fewer: number, more: number}} Counts
 *  @typedef {Counts & {other_priority: number, judged_s: number, complete: boolean,
 *    sessions: (Counts & {id: number, room: string, from: string | null, damaged: boolean})[],
 *    rules: (Counts & {name: string, title: string})[]}} Trial as the API says it */

/** @param {{trial: Trial, mayRead: boolean}} props mayRead: of sessions, what they are about */
export function RuleTrial({ trial, mayRead }) {
    const { sessions, rules, fewer, more, other_priority } = trial;
    if (sessions.length === 0) return html`<p class="verdict">${words.nothingToTry}</p>`;
    const changed = rules.filter((rule) => rule.fewer + rule.more > 0);
    const same = trial.now - fewer;
    return html`
        <p class="verdict">${words.verdict(fewer, more)}</p>
        <p>${words.verdictOf(sessions.length, span(trial.judged_s * 1000), number(trial.now), number(same))}
            ${other_priority > 0 && ` ${words.otherPriority(other_priority)}`}
            ${!trial.complete && ` ${words.triedInPart}`}
            ${sessions.some(({ damaged }) => damaged) && ` ${words.triedDamaged}`}</p>
        ${changed.length > 0 && html`<ul class="by-rule">${changed.map((rule) => html`<li key=${rule.name}>
            <b>${term(rule.title || rule.name)}</b> <${Change} counts=${rule} /></li>`)}</ul>`}
        <details><summary>${words.bySession}</summary><ul class="by-session">${sessions.map((session) => html`<li
            key=${session.id}>${mayRead ? html`<a href=${`#/sessions/${session.id}`}>${sessionWords(session)}</a>`
                : sessionWords(session)}
            <${Change} counts=${session} /></li>`)}</ul></details>`;
}

/** @param {Trial['sessions'][0]} session */
function sessionWords({ room, from }) {
    const at = from ? Date.parse(from) : NaN;
    return from ? `${day(at)}, ${clockTime(at)}, ${room}` : room;
}

/** "5 now, 2 then: 3 fewer". @param {{counts: Counts}} props */
function Change({ counts: { now, then, fewer, more } }) {
    return html`<span>${words.nowAndThen(number(now), number(then))}${fewer + more > 0
        && `: ${words.verdict(fewer, more)}`}</span>`;
}
