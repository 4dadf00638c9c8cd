// Sessions that are over: found by room, client and time, the newest first; two of them may be compared.
import { Component } from 'preact';
import { queryOf } from './archivequery.js';
import { askHub, complaintOf, isDone } from './ask.js';
import { html } from './html.js';
import { ReportLink } from './treatment.js';
import { clockTime, day, number, span, term, words } from './words.js';

/** @typedef {{id: number, state: string, room: string, client: string | null, therapist: string | null,
 *    plan: string | null, opened: string, started: string | null, ended: string,
 *    pain: {before: number | null, after: number | null}, adverse: boolean}} Past as the API says it
 *  @typedef {import('./archivequery.js').Wanted} Wanted
 *  @typedef {{sessions: Past[], next: number | null, complaint: string, wanted: Wanted, busy: boolean,
 *    chosen: number[], clients: string[]}} State */

const TWO = 2;

/** @param {number[]} ids */
export function recordAddress(...ids) {
    return `#/sessions/${ids.join('/')}`;
}

/** @extends {Component<{store: import('./store.js').Store}, State>} */
export class ArchiveScreen extends Component {
    /** @type {State} */
    state = { sessions: [], next: null, complaint: '', busy: true, chosen: [], clients: [],
        wanted: { room: '', client: '', from: '', to: '' } };
    #asked = 0;

    async componentDidMount() {
        this.#ask(null);
        const answer = await askHub('GET', '/clients');
        if (isDone(answer))
            this.setState({ clients: answer.said.clients.map((/** @type {{name: string}} */ { name }) => name) });
    }

    /** @param {number | null} before the next page; null: the first */
    async #ask(before) {
        const asked = ++this.#asked;
        this.setState({ busy: true });
        const answer = await askHub('GET', `/archive?${queryOf(this.state.wanted, before)}`);
        if (asked !== this.#asked) return;
        const done = isDone(answer);
        const known = before === null ? [] : this.state.sessions;
        this.setState({ busy: false, complaint: complaintOf(answer),
            sessions: done ? [...known, ...answer.said.sessions] : known, next: done ? answer.said.next : null });
    }

    /** @param {keyof Wanted} name @param {Event} event */
    #want(name, event) {
        const { value } = /** @type {HTMLInputElement} */ (event.target);
        this.setState({ wanted: { ...this.state.wanted, [name]: value } }, () => this.#ask(null));
    }

    /** The last two that were chosen. @param {number} id */
    #choose(id) {
        const { chosen } = this.state;
        this.setState({ chosen: chosen.includes(id) ? chosen.filter((other) => other !== id)
            : [...chosen, id].slice(-TWO) });
    }

    render() {
        const { sessions, next, complaint, busy, chosen } = this.state;
        return html`<div class="room archive">
            <h1>${words.pastSessions}</h1>
            ${this.#filters()}
            <p class="complaint" role="alert">${complaint}</p>
            <p class="hint" role="status">${chosen.length < TWO ? words.compareHint
                : html`<a class="report" href=${recordAddress(...[...chosen].sort((a, b) => a - b))}>
                    ${words.compareTwo(number(chosen[0]), number(chosen[1]))}</a>`}</p>
            ${sessions.length === 0 && !busy && !complaint && html`<p class="empty">${words.noPast}</p>`}
            ${sessions.length > 0 && html`<div class="scroll" tabindex="0" role="region"
                aria-label=${words.pastSessions}><table class="sessions">
                <thead><tr><th>${words.compare}</th><th>${words.date}</th><th>${words.roomShort}</th>
                    <th>${words.client}</th><th>${words.plan}</th><th>${words.painChange}</th>
                    <th>${words.report}</th></tr></thead>
                <tbody>${sessions.map((session) => this.#row(session))}</tbody></table></div>`}
            ${next !== null && html`<button onClick=${() => !busy && this.#ask(next)} aria-disabled=${busy}>
                ${words.older}</button>`}
        </div>`;
    }

    #filters() {
        const { wanted, clients } = this.state;
        const { store } = this.props;
        const on = (/** @type {keyof Wanted} */ name) => (/** @type {Event} */ event) => this.#want(name, event);
        return html`<form class="filters" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
            <label><span>${words.roomShort}</span><select value=${wanted.room} onChange=${on('room')}>
                <option value="">${words.anyRoom}</option>
                ${(store.hello?.rooms ?? []).map(({ name, title }) => html`<option key=${name} value=${name}>
                    ${title || name}</option>`)}</select></label>
            <label><span>${words.client}</span><select value=${wanted.client} onChange=${on('client')}>
                <option value="">${words.anyClient}</option>
                ${clients.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}</select></label>
            <label><span>${words.fromDay}</span>
                <input type="date" value=${wanted.from} onChange=${on('from')} /></label>
            <label><span>${words.toDay}</span>
                <input type="date" value=${wanted.to} onChange=${on('to')} /></label>
        </form>`;
    }

    /** @param {Past} session */
    #row({ id, state, room, client, plan, opened, started, ended, pain, adverse }) {
        const score = (/** @type {number | null} */ value) => (value === null ? '–' : number(value));
        const begin = Date.parse(started ?? opened);
        const title = this.props.store.roomNamed(room)?.title || room;
        return html`<tr key=${id}>
            <td><label class="tick"><input type="checkbox" checked=${this.state.chosen.includes(id)}
                aria-label=${words.compareThis(number(id))} onChange=${() => this.#choose(id)} /></label></td>
            <td><a class="report" href=${recordAddress(id)}>${day(begin)} ${clockTime(begin).slice(0, -3)}</a>
                <small>${span(Date.parse(ended) - begin)}</small></td>
            <td>${title}</td>
            <td>${client ?? words.noClient}</td>
            <td>${term(plan ?? '–')}${state === 'aborted' && html`<br /><b>${words.aborted}</b>`}
                ${adverse && html`<br /><b>${words.adverseShort}</b>`}</td>
            <td>${score(pain.before)} → ${score(pain.after)}</td>
            <td><${ReportLink} id=${id} /></td>
        </tr>`;
    }
}
