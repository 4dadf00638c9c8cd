// Eleven large numbers: how much does it hurt, from nothing to the worst.
import { html } from './html.js';
import { number, words } from './words.js';

const NUMBERS = Array.from({ length: 11 }, (_, i) => i);

/** @param {{label: string, value: number | null, asked: boolean, onChoose: (n: number) => void}} props */
export function PainScale({ label, value, asked, onChoose }) {
    return html`<fieldset class="scale">
        <legend>${label} <small>${words.painEnds}</small></legend>
        <div class="numbers">${NUMBERS.map((n) => html`<button key=${n} type="button"
            class=${n === value ? 'do' : ''} aria-pressed=${n === value} aria-disabled=${asked}
            onClick=${() => onChoose(n)}>${number(n)}</button>`)}</div>
    </fieldset>`;
}
