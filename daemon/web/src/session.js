// A treatment as tiles and rooms show it: who, which phase, how much of it is left.
import { SessionState } from '#live';
import { html } from './html.js';
import { phaseLeft } from './store.js';
import { minuteSecond, number, term, words } from './words.js';

/** @typedef {import('#live').Session} Session */

const MINUTE = 60000;
const CIRCLE = 2 * Math.PI * 9;

/** "4 min", "40 s"; over it: "2 min over". @param {number} ms */
function leftWords(ms) {
    const over = ms < 0;
    const whole = Math.abs(ms);
    const text = whole >= MINUTE ? words.minutes(number(over ? Math.floor(whole / MINUTE)
        : Math.ceil(whole / MINUTE))) : words.seconds(number(Math.floor(whole / 1000)));
    return over ? words.over(text) : words.left(text);
}

/** A ring that empties with the phase. @param {{share: number}} props 1: all of it is left */
function Ring({ share }) {
    return html`<svg class="ring" viewBox="0 0 24 24" aria-hidden="true">
        <circle cx="12" cy="12" r="9" />
        <circle class="left" cx="12" cy="12" r="9" transform="rotate(-90 12 12)"
            stroke-dasharray=${`${(CIRCLE * share).toFixed(2)} ${CIRCLE.toFixed(2)}`} />
    </svg>`;
}

/** Where the treatment stands: "Massage · 4 min left". @param {{session: Session, now: number}} props */
function Phase({ session, now }) {
    if (session.state === SessionState.PLANNED) return html`<span>${words.planned}</span>`;
    const paused = session.state === SessionState.PAUSED && html`<b>${words.paused}</b>`;
    const left = phaseLeft(session, now);
    if (left === null) return paused || html`<span>${words.underWay}</span>`;
    const share = Math.min(1, Math.max(0, left / session.phase_ms));
    return html`<${Ring} share=${share} />
        <span class="phase">${term(session.phase_title)}</span>
        ${paused}<span class=${left < 0 ? 'left over' : 'left'}>${leftWords(left)}</span>`;
}

/** One line of a tile. @param {{session: Session, now: number}} props */
export function SessionLine({ session, now }) {
    return html`<p class="session">
        <b class="client">${session.client || words.noClient}</b>
        ${session.therapist && html`<span class="therapist">${session.therapist}</span>`}
        <${Phase} session=${session} now=${now} />
    </p>`;
}

/** What is left, to the second: "4:05"; over it: "+0:12". @param {number} left */
function countdown(left) {
    return left >= 0 ? minuteSecond(Math.ceil(left / 1000) * 1000) : `+${minuteSecond(-left)}`;
}

/** The clock of a room: whose treatment, its phase with what is left of it, what comes next.
 *  @param {{session: Session, now: number}} props */
export function PhaseClock({ session, now }) {
    const left = phaseLeft(session, now);
    const share = left === null ? 0 : Math.min(1, Math.max(0, left / session.phase_ms));
    return html`<section class="phase-clock" aria-label=${words.phaseClock}>
        <p class="who"><b class="client">${session.client || words.noClient}</b>
            ${session.therapist && html` <span class="therapist">${session.therapist}</span>`}</p>
        <div class="dial">
            ${left !== null && html`<div class="face"><${Ring} share=${share} />
                <b class=${left < 0 ? 'left over' : 'left'}>${countdown(left)}</b></div>`}
            <div>
                <p class="phase">${phaseWords(session)}</p>
                ${session.state === SessionState.PAUSED && html`<p><b>${words.paused}</b></p>`}
                ${session.phase > 0 && html`<p class="plan">
                    ${words.phaseOf(session.phase, session.phase_count)}${session.plan && `, ${term(session.plan)}`}</p>
                <p class="plan">${session.next_title ? words.next(term(session.next_title)) : words.lastPhase}</p>`}
            </div>
        </div>
        ${session.ask_to_stop && html`<p class="stop"><b>${words.askToStop}</b></p>`}
        ${session.adverse && html`<p class="stop"><b>${words.adverse}</b></p>`}
    </section>`;
}

/** @param {Session} session */
function phaseWords({ state, phase_title, plan }) {
    if (state === SessionState.PLANNED) return plan ? `${term(plan)}, ${words.planned}` : words.planned;
    return term(phase_title) || words.underWay;
}
