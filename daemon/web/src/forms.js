// Forms of a treatment: words and numbers that go with an order.
import { Component } from 'preact';
import { html } from './html.js';
import { words } from './words.js';

/** @typedef {{name: string, label: string, kind?: 'text' | 'number', value?: string, max?: number,
 *    bytes?: number, optional?: boolean, list?: string[]}} Field bytes: what the hub keeps of a text
 *  @typedef {{fields: Field[], submit: string, asked: boolean, careful?: boolean,
 *    onSubmit: (values: Record<string, string>) => void, onCancel: () => void}} FormProps */

/** @extends {Component<FormProps, {values: Record<string, string>}>} */
export class Form extends Component {
    state = { values: Object.fromEntries(this.props.fields.map(({ name, value }) => [name, value ?? ''])) };

    /** @param {Event} event */
    #submit(event) {
        event.preventDefault();
        if (this.#isWhole() && !this.props.asked) this.props.onSubmit(this.#trimmed());
    }

    #trimmed() {
        return Object.fromEntries(Object.entries(this.state.values).map(([name, text]) => [name, text.trim()]));
    }

    /** All that is needed is there. */
    #isWhole() {
        const values = this.#trimmed();
        return this.props.fields.every(({ name, optional }) => optional || values[name] !== '');
    }

    /** @param {Field} field @param {string} text */
    #set({ name, bytes }, text) {
        this.setState({ values: { ...this.state.values, [name]: bytes ? cut(text, bytes) : text } });
    }

    render() {
        const { fields, submit, asked, onCancel } = this.props;
        return html`<form class="form" onSubmit=${(/** @type {Event} */ event) => this.#submit(event)}>
            ${fields.map((field) => this.#field(field))}
            <div class="deeds">
                <button type="submit" class="do" aria-disabled=${asked} disabled=${!this.#isWhole()}>
                    ${submit}</button>
                <button type="button" class="plain" onClick=${onCancel}>${words.cancel}</button>
            </div>
        </form>`;
    }

    /** @param {Field} field */
    #field(field) {
        const { name, label, kind = 'text', max, list, optional } = field;
        const id = `list-${name}`;
        return html`<label key=${name}><span>${label}${optional && html` <small>${words.optional}</small>`}</span>
            <input type=${kind} name=${name} value=${this.state.values[name]} min="0" max=${max}
                step="1" list=${list && id} autocomplete="off"
                onInput=${(/** @type {Event} */ event) =>
                    this.#set(field, /** @type {HTMLInputElement} */ (event.target).value)} />
            ${list && html`<datalist id=${id}>${list.map((text) => html`<option key=${text} value=${text} />`)}
                </datalist>`}
        </label>`;
    }
}

/** To what the hub keeps, in its bytes. @param {string} text @param {number} bytes */
export function cut(text, bytes) {
    const encoder = new TextEncoder();
    let kept = text;
    while (encoder.encode(kept).length > bytes) kept = kept.slice(0, -1);
    return kept;
}
