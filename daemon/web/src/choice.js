// One of several: a radio button that a finger finds.
import { html } from './html.js';

/** @param {{name: string, text: string, chosen: boolean, onChoose: () => void}} props */
export function Choice({ name, text, chosen, onChoose }) {
    return html`<label class=${chosen ? 'choice chosen' : 'choice'}>
        <input type="radio" name=${name} checked=${chosen} onChange=${onChoose} />${text}</label>`;
}
