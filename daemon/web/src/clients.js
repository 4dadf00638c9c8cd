// Who is treated, by pseudonym: the way to each one's course.
import { Component } from 'preact';
import { askHub, complaintOf, isDone } from './ask.js';
import { html } from './html.js';
import { number, words } from './words.js';

/** @typedef {{name: string, created: string, session: number | null}} Client
 *  @typedef {{clients: Client[] | null, complaint: string, wanted: string}} State */

/** @extends {Component<{}, State>} */
export class ClientsScreen extends Component {
    /** @type {State} */
    state = { clients: null, complaint: '', wanted: '' };

    async componentDidMount() {
        const answer = await askHub('GET', '/clients');
        this.setState({ clients: isDone(answer) ? answer.said.clients : [], complaint: complaintOf(answer) });
    }

    render() {
        const { clients, complaint, wanted } = this.state;
        if (!clients) return html`<p class="empty">${words.waiting}</p>`;
        const found = clients.filter(({ name }) => name.toLowerCase().includes(wanted.trim().toLowerCase()));
        return html`<div class="room">
            <h1>${words.clients}</h1>
            <p class="complaint" role="alert">${complaint}</p>
            ${clients.length === 0 && !complaint && html`<p class="empty">${words.noClients}</p>`}
            ${clients.length > 0 && html`<label class="search"><span>${words.findClient}</span>
                <input type="text" value=${wanted} autocomplete="off" onInput=${(/** @type {Event} */ event) =>
                    this.setState({ wanted: /** @type {HTMLInputElement} */ (event.target).value })} /></label>`}
            <ul class="clients">${found.map(({ name, session }) => html`<li key=${name}>
                <a href=${courseAddress(name)}>${name}
                    ${session !== null && html`<small>${words.inSession(number(session))}</small>`}</a></li>`)}
            </ul>
        </div>`;
    }
}

/** @param {string} name */
export function courseAddress(name) {
    return `#/client/${encodeURIComponent(name)}`;
}
