// Administration: accounts, and tokens of walls and programs.
import { Component } from 'preact';
import { askHub, complaintOf, isDone } from './ask.js';
import { html } from './html.js';
import { Fields } from './login.js';
import { Slide } from './slide.js';
import { day, words } from './words.js';

/** @typedef {{name: string, tag: string, role: string, rooms: string[], disabled: boolean, password: boolean,
 *    seen: string | null, logins: number}} User
 *  @typedef {{id: number, name: string, role: string, rooms: string[], used: string | null,
 *    until: string, holds: boolean}} Token
 *  @typedef {{users: User[] | null, tokens: Token[], link: string, whose: string, complaint: string,
 *    open: string, asked: boolean, rooms: string[]}} State rooms: of the token to be made */

const ROLES = ['therapist', 'lead', 'admin', 'display', 'auditor'];

/** @extends {Component<{rooms: import('#live').Room[]}, State>} */
export class PeopleScreen extends Component {
    /** @type {State} */
    state = { users: null, tokens: [], link: '', whose: '', complaint: '', open: '', asked: false,
        rooms: [] };

    componentDidMount() {
        this.#load();
    }

    async #load() {
        const [users, tokens] = await Promise.all([askHub('GET', '/users'), askHub('GET', '/tokens')]);
        if (isDone(users) && isDone(tokens))
            this.setState({ users: users.said.users, tokens: tokens.said.tokens });
        else this.setState({ users: [], complaint: complaintOf(isDone(users) ? tokens : users) });
    }

    /** An order, and what came of it; a link is shown until the next one.
     *  @param {import('./ask.js').Method} method @param {string} path @param {object} [body]
     *  @param {string} [tag] of the version that is changed */
    async #order(method, path, body, tag) {
        this.setState({ complaint: '', link: '', asked: true });
        const answer = await askHub(method, path, body, tag);
        const done = isDone(answer);
        this.setState({ complaint: complaintOf(answer), asked: false,
            link: done ? answer.said.link ?? '' : '', whose: done ? answer.said.name ?? '' : '' });
        await this.#load();
    }

    render() {
        const { users, tokens, link, whose, complaint } = this.state;
        if (!users) return html`<p class="empty">${words.waiting}</p>`;
        return html`<div class="people">
            <h1>${words.people}</h1>
            <p class="complaint" role="alert">${complaint}</p>
            ${link && html`<div class="banner" role="status"><p>${words.linkFor(whose)}</p>
                <p><code>${link}</code></p></div>`}
            <ul>${users.map((user) => this.#user(user))}</ul>
            ${this.#form('/users', words.addUser, words.accountName)}
            <h2>${words.tokens}</h2>
            <ul>${tokens.map((token) => this.#token(token))}</ul>
            <p id="token-rooms">${words.tokenRooms}</p>
            <div class="deeds" role="group" aria-labelledby="token-rooms">${this.props.rooms.map((room) => html`<button
                key=${room.id} aria-pressed=${this.state.rooms.includes(room.name)}
                onClick=${() => this.setState({ rooms: toggled(this.state.rooms, room.name) })}>
                ${room.title || room.name}</button>`)}</div>
            ${this.#form('/tokens', words.addToken, words.tokenName)}
        </div>`;
    }

    /** @param {User} user */
    #user({ name, tag, role, rooms, disabled, password, seen, logins }) {
        const path = `/users/${encodeURIComponent(name)}`;
        const open = this.state.open === path;
        return html`<li key=${path}>
            <button class="plain row" aria-expanded=${open}
                onClick=${() => this.setState({ open: open ? '' : path })}>
                <b>${name}</b> <span>${words.roles[role] ?? role}</span>
                <span>${rooms.length > 0 ? rooms.join(', ') : words.allTheRooms}</span>
                <small>${disabled ? words.isDisabled : password ? lastSeen(seen, logins) : words.noPassword}</small>
            </button>
            ${open && html`<div class="deeds">
                ${ROLES.filter((other) => other !== role).map((other) => html`<button key=${other}
                    onClick=${() => this.#order('PUT', path, { role: other }, tag)}>
                    ${words.becomes(words.roles[other])}</button>`)}
                ${this.props.rooms.map((room) => html`<button key=${room.id} aria-pressed=${rooms.includes(room.name)}
                    onClick=${() => this.#order('PUT', path, { rooms: toggled(rooms, room.name) }, tag)}>
                    ${room.title}</button>`)}
                <button onClick=${() => this.#order('PUT', path, { disabled: !disabled }, tag)}>
                    ${disabled ? words.enable : words.disable}</button>
                <button onClick=${() => this.#order('POST', `${path}/logout`, {})}>${words.logOut}</button>
                <${Slide} text=${words.resetPassword} onDone=${() => this.#order('POST', `${path}/reset`, {})} />
            </div>`}
        </li>`;
    }

    /** @param {Token} token */
    #token({ id, name, role, rooms, used, until, holds }) {
        return html`<li key=${id}><div class="row">
            <b>${name}</b> <span>${words.roles[role] ?? role}</span>
            <span>${rooms.length > 0 ? rooms.join(', ') : words.allTheRooms}</span>
            <small>${holds ? words.tokenUntil(date(until)) : words.tokenOver} ${words.tokenUsed(date(used))}</small>
            </div><div class="deeds"><${Slide} text=${words.revoke}
                onDone=${() => this.#order('DELETE', `/tokens/${id}`)} /></div></li>`;
    }

    /** A name and, for an account, a role: its rooms are given afterwards. A token has those chosen.
     *  @param {string} path @param {string} submit @param {string} label */
    #form(path, submit, label) {
        return html`<${Fields} submit=${submit} asked=${this.state.asked} complaint="" key=${path}
            fields=${[{ name: 'name', label, type: 'text', fill: 'off' }]}
            choices=${path === '/users' ? ROLES.map((role) => [role, words.roles[role]]) : []}
            onSubmit=${(/** @type {Record<string, string>} */ values) => this.#order('POST', path,
                path === '/tokens' ? { ...values, rooms: this.state.rooms } : values)} />`;
    }
}

/** With it, or without it where it was among them. @param {string[]} list @param {string} name */
function toggled(list, name) {
    return list.includes(name) ? list.filter((other) => other !== name) : [...list, name];
}

/** @param {string | null} at */
function date(at) {
    return at ? day(Date.parse(at)) : '\u2013';
}

/** @param {string | null} seen @param {number} logins */
function lastSeen(seen, logins) {
    return logins > 0 ? words.isLoggedIn : words.lastLogin(date(seen));
}
