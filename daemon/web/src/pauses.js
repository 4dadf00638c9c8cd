// Pauses of a room: audio paused and alarm paused, with what is left of each. Acknowledged is a third
// thing and stands with the alarm.
import { PauseType } from '#live';
import { html } from './html.js';
import { Glyph } from './marks.js';
import { clockTime, span, words } from './words.js';

const PAUSE_S = 120;

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('./deeds.js').Deeds} Deeds
 *  @typedef {import('#live').Room} Room
 *  @typedef {import('#live').Pause} Pause */

const KINDS = /** @type {const} */ ([
    { type: PauseType.AUDIO, what: 'audio', glyph: 'mute' },
    { type: PauseType.ALARM, what: 'alarm', glyph: 'halt' },
]);

/** What is paused, in a tile: glyph and time left. @param {{pauses: Pause[], now: number}} props */
export function PauseMarks({ pauses, now }) {
    return KINDS.map(({ type, glyph }) => {
        const pause = pauses.find((each) => each.type === type);
        return pause?.hand && html`<span class=${`paused ${glyph}`} key=${type} role="img"
            aria-label=${pausedWords(pause, now)}>
            <${Glyph} name=${glyph} />${span(pause.hand.until_ms - now)}</span>`;
    });
}

/** In the room: to pause, and to call again.
 *  @param {{store: Store, deeds: Deeds, room: Room, now: number}} props */
export function PauseBar({ store, deeds, room, now }) {
    const pauses = store.pausesIn(room.id);
    if (pauses.length === 0 && store.alarmsIn(room.id).length === 0) return null;
    const complaint = deeds.complaintOfRoom(room.name);
    return html`<div class="pauses" aria-busy=${deeds.awaitsRoom(room.name)}>
        ${KINDS.map(({ type, what, glyph }) => {
            const pause = pauses.find((each) => each.type === type);
            return html`<${Kind} key=${what} deeds=${deeds} room=${room.name} what=${what}
                glyph=${glyph} pause=${pause} now=${now} />`;
        })}
        ${complaint && html`<p class="complaint" role="alert">${complaint}</p>`}
    </div>`;
}

/** @param {{deeds: Deeds, room: string, what: 'audio' | 'alarm', glyph: 'mute' | 'halt',
 *    pause: Pause | undefined, now: number}} props */
function Kind({ deeds, room, what, glyph, pause, now }) {
    const asked = deeds.awaitsRoom(room);
    if (!pause)
        return html`<button class=${`pause ${what}`} aria-disabled=${asked}
            onClick=${() => deeds.pause(room, what, PAUSE_S)}>
            <${Glyph} name=${glyph} />${what === 'audio' ? words.pauseAudio : words.pauseAlarms}</button>`;
    return html`<span class=${`is-paused ${what}`}><${Glyph} name=${glyph} />
        <span>${pausedWords(pause, now)}</span>
        <button class=${`resume ${what}`} aria-disabled=${asked}
            onClick=${() => deeds.pause(room, what, 0)}>${words.callAgain}</button></span>`;
}

/** @param {Pause} pause @param {number} now */
function pausedWords({ type, hand }, now) {
    const until = hand?.until_ms ?? now;
    const said = type === PauseType.AUDIO ? words.audioPaused : words.alarmsPaused;
    return said(span(until - now), clockTime(until));
}
