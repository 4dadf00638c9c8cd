// Alarm marks: shape, text and colour, so that none of them is needed alone.
import { Priority } from '#live';
import { html } from './html.js';
import { words } from './words.js';

const SHAPES = {
    [Priority.HIGH]: { name: 'high', path: 'M14 2h20l12 12v20l-12 12h-20l-12-12v-20z', text: '!!!', y: 33 },
    [Priority.MEDIUM]: { name: 'medium', path: 'M24 3l22 41h-44z', text: '!!', y: 39 },
    [Priority.LOW]: { name: 'low', path: 'M24 2a22 22 0 0 1 0 44a22 22 0 0 1 0-44z', text: '!', y: 33 },
};

/** The name that style sheets know a priority by. @param {number} priority */
export function priorityName(priority) {
    return priority === Priority.NONE ? '' : SHAPES[/** @type {1} */ (priority)].name;
}

/** @param {number} priority @param {boolean} technical */
function markWords(priority, technical) {
    const name = { [Priority.HIGH]: words.high, [Priority.MEDIUM]: words.medium,
        [Priority.LOW]: words.low }[priority];
    return technical ? `${name}, ${words.technical}` : name;
}

/** @param {{priority: number, technical?: boolean}} props */
export function Mark({ priority, technical = false }) {
    if (priority === Priority.NONE) return null;
    const { name, path, text, y } = SHAPES[/** @type {1} */ (priority)];
    return html`<span class=${`mark ${name}`} role="img" aria-label=${markWords(priority, technical)}>
        <svg viewBox="0 0 48 48" aria-hidden="true">
            <path d=${path} /><text x="24" y=${y}>${text}</text>
        </svg>
        ${technical && html`<${Plug} />`}
    </span>`;
}

/** About the equipment, not the person. */
function Plug() {
    return html`<svg class="plug" viewBox="0 0 24 24" aria-hidden="true">
        <path d="M8 2v6M16 2v6M5 8h14v3a7 7 0 0 1-14 0zM12 18v4" />
    </svg>`;
}
