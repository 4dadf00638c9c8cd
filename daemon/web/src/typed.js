// A figure or a line that is typed into a form.
import { Component } from 'preact';
import { cut } from './forms.js';
import { html } from './html.js';

/** What is typed is nobody's until it is left, and stays though the page is drawn anew meanwhile. Needed:
 *  nothing is no value, and what was there stays.
 *  @extends {Component<{type: 'number' | 'text', label: string, value: string, unit?: string, bytes?: number,
 *    needed?: boolean, onValue: (value: string) => void}, {typed: string | null}>} */
export class Typed extends Component {
    /** @type {{typed: string | null}} */
    state = { typed: null };

    #take() {
        const { typed } = this.state;
        const { type, value, needed, onValue } = this.props;
        if (typed === null) return;
        const figure = type === 'number' && typed !== '';
        const wanted = figure ? String(Number(typed)) : typed.trim();
        const good = figure ? Number.isFinite(Number(typed)) : wanted !== '' || !needed;
        if (good && wanted !== value) onValue(wanted);
        this.setState({ typed: null });
    }

    /** @param {Event} event */
    #type(event) {
        const { value } = /** @type {HTMLInputElement} */ (event.currentTarget);
        this.setState({ typed: this.props.bytes ? cut(value, this.props.bytes) : value });
    }

    render() {
        const { type, label, value, unit } = this.props;
        return html`<label><span>${label}</span><span class=${type === 'number' ? 'figure' : 'line'}>
            <input type=${type} step="any" value=${this.state.typed ?? value} autocomplete="off"
                onChange=${() => this.#take()} onInput=${(/** @type {Event} */ event) => this.#type(event)} />
            ${unit !== undefined && html`<span>${unit}</span>`}</span></label>`;
    }
}
