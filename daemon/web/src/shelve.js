// Shelving: out of sight for a time, with a reason.
import { Component } from 'preact';
import { Choice } from './choice.js';
import { cut } from './forms.js';
import { html } from './html.js';
import { number, words } from './words.js';

const MINUTES = [5, 15, 30, 60];
const WHY_BYTES = 160; // the hub keeps 167

/** @typedef {{onShelve: (why: string, seconds: number) => void, onCancel: () => void}} Props */

/** @extends {Component<Props, {why: string, other: boolean, minutes: number}>} */
export class ShelveForm extends Component {
    state = { why: '', other: false, minutes: MINUTES[1] };

    /** @param {Event} event */
    #submit(event) {
        event.preventDefault();
        const why = cut(this.state.why.trim(), WHY_BYTES);
        if (why) this.props.onShelve(why, this.state.minutes * 60);
    }

    render() {
        const { why, other, minutes } = this.state;
        return html`<form class="shelve" onSubmit=${(/** @type {Event} */ event) => this.#submit(event)}>
            <fieldset>
                <legend>${words.shelveWhy}</legend>
                ${words.shelveReasons.map((reason) => html`<${Choice} key=${reason} name="why"
                    text=${reason} chosen=${!other && why === reason}
                    onChoose=${() => this.setState({ why: reason, other: false })} />`)}
                <${Choice} name="why" text=${words.shelveOther} chosen=${other}
                    onChoose=${() => this.setState({ why: '', other: true })} />
                ${other && html`<input type="text" aria-label=${words.shelveWhy} value=${why} required
                    maxlength=${WHY_BYTES} onInput=${(/** @type {Event} */ event) =>
                        this.setState({ why: /** @type {HTMLInputElement} */ (event.target).value })} />`}
            </fieldset>
            <fieldset>
                <legend>${words.shelveTime}</legend>
                ${MINUTES.map((of) => html`<${Choice} key=${of} name="time"
                    text=${words.minutes(number(of))} chosen=${of === minutes}
                    onChoose=${() => this.setState({ minutes: of })} />`)}
            </fieldset>
            <div class="deeds">
                <button type="submit" class="do" disabled=${!why.trim()}>${words.shelve}</button>
                <button type="button" class="plain" onClick=${this.props.onCancel}>
                    ${words.cancel}</button>
            </div>
        </form>`;
    }
}
