// What cannot be undone is done by a slide: its handle is to be moved from one end to the other.
import { html } from './html.js';

const END = 100;
const NEARLY = 95;

/** @param {{text: string, onDone: () => void}} props */
export function Slide({ text, onDone }) {
    const settle = (/** @type {Event} */ event) => {
        const slide = /** @type {HTMLInputElement} */ (event.currentTarget);
        const done = Number(slide.value) >= NEARLY;
        slide.value = '0';
        if (done) onDone();
    };
    return html`<label class="slide">
        <span aria-hidden="true">${text}</span>
        <input type="range" min="0" max=${END} step="5" defaultValue="0" aria-label=${text}
            onChange=${settle} />
    </label>`;
}
