// Alarm marks: shape, text and colour, so that none of them is needed alone.
import { Priority } from '#live';
import { shows } from './alarm.js';
import { html } from './html.js';
import { words } from './words.js';

/** @typedef {import('#live').Alarm} Alarm */

const SHAPES = {
    [Priority.HIGH]: { name: 'high', path: 'M14 2h20l12 12v20l-12 12h-20l-12-12v-20z', text: '!!!', y: 33 },
    [Priority.MEDIUM]: { name: 'medium', path: 'M24 3l22 41h-44z', text: '!!', y: 39 },
    [Priority.LOW]: { name: 'low', path: 'M24 2a22 22 0 0 1 0 44a22 22 0 0 1 0-44z', text: '!', y: 33 },
};

/** Beside the shape: what an alarm is, or what became of it. */
const GLYPHS = {
    plug: 'M8 2v6M16 2v6M5 8h14v3a7 7 0 0 1-14 0zM12 18v4',
    pin: 'M9 3h6M10 3v7l-4 4h12l-4-4v-7M12 14v8',
    bell: 'M6 16v-5a6 6 0 0 1 12 0v5l2 2H4zM10 21h4',
    mute: 'M6 16v-5a6 6 0 0 1 12 0v5l2 2H4zM10 21h4M3 3l18 18',
    halt: 'M12 3l10 18H2zM9 12l6 6M15 12l-6 6',
    battery: 'M3 8h15v8H3zM18 11h3v2h-3M6 10v4',
    signal: 'M5 20v-4M10 20v-8M15 20V8M4 4l16 16',
    unplugged: 'M8 2v6M16 2v6M5 8h14v3a7 7 0 0 1-14 0zM12 18v4M3 3l18 18',
    moon: 'M20 14a8.5 8.5 0 1 1-10-11a7 7 0 0 0 10 11z',
};

/** The name that style sheets know a priority by. @param {number} priority */
export function priorityName(priority) {
    return priority === Priority.NONE ? '' : SHAPES[/** @type {1} */ (priority)].name;
}

/** "High alarm, technical". @param {{priority: number, technical: boolean}} alarm */
export function kindWords({ priority, technical }) {
    const name = [, words.low, words.medium, words.high][priority];
    return `${name}, ${technical ? words.technical : words.clinical}`;
}

/** "High alarm, technical, acknowledged". @param {Alarm} alarm */
function markWords(alarm) {
    return [kindWords(alarm), alarm.acknowledged && words.isKnown, alarm.latched && words.isLatched,
        alarm.shelved && words.isShelved].filter(Boolean).join(', ');
}

/** What nobody has to hurry for is an outline; acknowledged, with a tick.
 *  @param {{alarm: Alarm}} props */
export function Mark({ alarm }) {
    const { priority, technical, acknowledged, latched, shelved } = alarm;
    if (priority === Priority.NONE) return null;
    const { name, path, text, y } = SHAPES[/** @type {1} */ (priority)];
    const quiet = acknowledged || !shows(alarm);
    return html`<span class=${`mark ${name} ${quiet ? 'quiet' : ''}`} role="img"
            aria-label=${markWords(alarm)}>
        <svg class="shape" viewBox="0 0 48 48" aria-hidden="true">
            <path d=${path} />${acknowledged ? html`<path class="tick" d=${`M15 ${y - 10}l7 7l11-14`} />`
                : html`<text x="24" y=${y}>${text}</text>`}
        </svg>
        ${technical && html`<${Glyph} name="plug" />`}
        ${latched && html`<${Glyph} name="pin" />`}
        ${shelved && html`<${Glyph} name="moon" />`}
    </span>`;
}

/** Suppressed: a dotted outline, of what it would be.
 *  @param {{rule: import('#live').Rule | undefined, seen?: boolean}} props seen: it is told of
 *    anyway, as a rule */
export function SuppressedMark({ rule, seen = false }) {
    if (!rule || rule.priority === Priority.NONE) return null;
    const { name, path, text, y } = SHAPES[/** @type {1} */ (rule.priority)];
    return html`<span class=${`mark ${name} quiet ${seen ? '' : 'dotted'}`} role="img"
            aria-label=${seen ? kindWords(rule) : `${kindWords(rule)}, ${words.isSuppressed}`}>
        <svg class="shape" viewBox="0 0 48 48" aria-hidden="true">
            <path d=${path} /><text x="24" y=${y}>${text}</text></svg>
        ${rule.technical && html`<${Glyph} name="plug" />`}
    </span>`;
}

/** @param {{name: keyof GLYPHS}} props */
export function Glyph({ name }) {
    return html`<svg class=${`glyph ${name}`} viewBox="0 0 24 24" aria-hidden="true">
        <path d=${GLYPHS[name]} /></svg>`;
}
