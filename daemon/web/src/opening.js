// Opening a treatment: who, by which plan, led by whom.
import { Component } from 'preact';
import { Choice } from './choice.js';
import { cut } from './forms.js';
import { html } from './html.js';
import { number, term, words } from './words.js';

const CLIENT_BYTES = 32;
const THERAPIST_BYTES = 8;

/** @typedef {import('./treatments.js').Treatments} Treatments
 *  @typedef {{treatments: Treatments, room: string, onDone: () => void}} Props */

/** @extends {Component<Props, {client: string, plan: string, therapist: string}>} */
export class Opening extends Component {
    state = { client: '', plan: '', therapist: this.props.treatments.therapist };

    componentDidMount() {
        this.props.treatments.look();
    }

    /** @param {Event} event */
    async #submit(event) {
        event.preventDefault();
        const { treatments, room, onDone } = this.props;
        const { client, plan, therapist } = this.state;
        if (await treatments.open(room, { client: client.trim(), plan, therapist: therapist.trim() }))
            onDone();
    }

    /** Plans that were tailored to the client stand before the others, and in their place. */
    #plans() {
        const { plans, clients } = this.props.treatments;
        const own = clients.find(({ name }) => name === this.state.client.trim())?.plans ?? [];
        return [
            ...own.map((name) => ({ name, text: words.ownPlan(term(plans.find((plan) =>
                plan.name === name)?.title ?? name)) })),
            ...plans.filter(({ name }) => !own.includes(name)).map(({ name, title, time_s }) =>
                ({ name, text: `${term(title)}, ${words.minutes(number(Math.round(time_s / 60)))}` })),
        ];
    }

    render() {
        const { treatments, room, onDone } = this.props;
        const { client, plan, therapist } = this.state;
        const known = !client.trim() || treatments.clients.some(({ name }) => name === client.trim());
        const asked = treatments.awaits(`room/${room}/`);
        const text = (/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target).value;
        return html`<form class="form opening" onSubmit=${(/** @type {Event} */ event) => this.#submit(event)}>
            <label><span>${words.client} <small>${words.pseudonym}</small></span>
                <input type="text" name="client" value=${client} list="clients" autocomplete="off"
                    onInput=${(/** @type {Event} */ event) =>
                        this.setState({ client: cut(text(event), CLIENT_BYTES) })} />
                <datalist id="clients">${treatments.clients.map(({ name }) =>
                    html`<option key=${name} value=${name} />`)}</datalist>
                ${!known && html`<span class="hint">${words.newClient}</span>`}
            </label>
            <fieldset>
                <legend>${words.plan}</legend>
                ${this.#plans().map(({ name, text: title }) => html`<${Choice} key=${name} name="plan" text=${title}
                    chosen=${plan === name} onChoose=${() => this.setState({ plan: name })} />`)}
                <${Choice} name="plan" text=${words.noPlan} chosen=${plan === ''}
                    onChoose=${() => this.setState({ plan: '' })} />
            </fieldset>
            <label><span>${words.therapist} <small>${words.initials}</small></span>
                <input type="text" name="therapist" value=${therapist} autocomplete="off"
                    onInput=${(/** @type {Event} */ event) =>
                        this.setState({ therapist: cut(text(event), THERAPIST_BYTES) })} />
            </label>
            <div class="deeds">
                <button type="submit" class="do" aria-disabled=${asked} disabled=${!therapist.trim()}>
                    ${words.open}</button>
                <button type="button" class="plain" onClick=${onDone}>${words.cancel}</button>
            </div>
        </form>`;
    }
}
