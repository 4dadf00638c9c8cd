// One's own account: another password, one-time codes, broken glass; and the trail, for who may read it.
import { Component } from 'preact';
import { askHub, complaintOf, isDone } from './ask.js';
import { html } from './html.js';
import { Fields, refusal } from './login.js';
import { clockTime, day, words } from './words.js';

/** @typedef {import('./entrance.js').Entrance} Entrance
 *  @typedef {{said: string, complaint: string, secret: string, asked: boolean}} State */

/** @extends {Component<{entrance: Entrance}, State>} */
export class OwnScreen extends Component {
    /** @type {State} */
    state = { said: '', complaint: '', secret: '', asked: false };

    /** @param {string} path @param {object} body @param {string} said @param {string} wrong */
    async #order(path, body, said, wrong) {
        this.setState({ said: '', complaint: '', asked: true });
        const answer = await askHub('POST', path, body);
        const done = isDone(answer);
        this.setState({ asked: false, said: done ? said : '', complaint: done ? '' : refusal(answer, wrong),
            secret: done ? answer.said.secret ?? '' : this.state.secret });
        if (done) await this.props.entrance.look();
    }

    render() {
        const { me } = this.props.entrance;
        if (me?.by !== 'login') return null;
        const { said, complaint } = this.state;
        return html`<div class="people">
            <h1>${words.isIn(me.name, words.roles[me.role ?? ''] ?? '')}</h1>
            <p role="status">${said}</p><p class="complaint" role="alert">${complaint}</p>
            ${['admin', 'lead', 'therapist'].includes(me.role ?? '') && this.#glass(me)}
            <h2>${words.password}</h2>
            ${this.#form('password', words.setPassword, [
                ['old', words.password, 'password', 'current-password'],
                ['new', words.newPassword, 'password', 'new-password']],
            (values) => this.#order('/me/password', values, words.isSet, words.loginWrong))}
            <h2>${words.oneTimeCode}</h2>${this.#codes(me)}
            <p><button onClick=${() => this.props.entrance.leave(true)}>${words.logOutEverywhere}</button></p>
        </div>`;
    }

    /** @param {import('./entrance.js').Me} me */
    #glass({ glass_until: until }) {
        if (until)
            return html`<div class="banner odd"><p>${words.glassUntil(clockTime(Date.parse(until)))}</p>
                <button onClick=${() => this.#order('/glass/mend', {}, '', '')}>${words.mendGlass}</button></div>`;
        return html`<h2>${words.breakGlass}</h2><p>${words.glassHint}</p>
            ${this.#form('glass', words.breakGlass, [['why', words.why, 'text', 'off']],
                (values) => this.#order('/glass', values, '', ''))}`;
    }

    /** @param {import('./entrance.js').Me} me */
    #codes({ codes }) {
        const { secret } = this.state;
        if (!codes && !secret)
            return html`<p>${words.codesHint}</p>
                <button onClick=${() => this.#order('/me/codes', {}, '', '')}>${words.codesWanted}</button>`;
        const path = codes ? '/me/codes/end' : '/me/codes/begin';
        return html`
            ${!codes && html`<p>${words.codesSecret}</p><p><code>${secret.match(/.{1,4}/g)?.join(' ')}</code></p>`}
            ${this.#form(path, codes ? words.codesEnd : words.codesBegin,
                [['code', words.oneTimeCode, 'text', 'one-time-code']],
                (values) => this.#order(path, values, words.isSet, words.codeWrong))}`;
    }

    /** @param {string} key @param {string} submit @param {string[][]} fields
     *  @param {(values: Record<string, string>) => void} onSubmit */
    #form(key, submit, fields, onSubmit) {
        return html`<${Fields} key=${key} submit=${submit} asked=${this.state.asked} complaint=""
            fields=${fields.map(([name, label, type, fill]) => ({ name, label, type, fill }))}
            onSubmit=${onSubmit} />`;
    }
}

/** What was broken, until a lead has seen it. @param {{entrance: Entrance}} props */
export function GlassBanner({ entrance }) {
    return entrance.glass.map(({ id, who, why, at }) => html`<p class="banner odd" key=${id}>
        <b>${words.glassBroken(who, clockTime(Date.parse(at)))}</b>${' '}${why}${' '}
        <button onClick=${() => entrance.seeGlass(id)}>${words.seen}</button></p>`);
}

/** @typedef {{id: number, at_ms: number, right_at_ms?: number, who: string, role: string, door: string, what: string,
 *    about: string, why: string, outcome: number}} Line */

const LINES = 200;

/** A clock that was wrong may have told it. @param {Line} line */
const when = (line) => line.right_at_ms ?? line.at_ms;

/** The newest lines of the trail.
 *  @extends {Component<{}, {lines: Line[] | null, complaint: string}>} */
export class TrailScreen extends Component {
    state = { lines: /** @type {Line[] | null} */ (null), complaint: '' };

    async componentDidMount() {
        const first = await askHub('GET', '/audit?limit=1');
        const after = Math.max(0, (isDone(first) ? first.said.head.id : 0) - LINES);
        const answer = isDone(first) ? await askHub('GET', `/audit?after=${after}`) : first;
        this.setState({ lines: isDone(answer) ? answer.said.lines.reverse() : [], complaint: complaintOf(answer) });
    }

    render() {
        const { lines, complaint } = this.state;
        return html`<div class="people"><h1>${words.trail}</h1><p>${words.trailHint}</p>
            <p class="complaint" role="alert">${complaint}</p>
            ${lines ? html`<ol class="trail">${lines.map((line) => html`<li key=${line.id}>
                <small>${day(when(line))} ${clockTime(when(line))}</small> <b>${line.who}</b>
                <span>${line.what}</span> <span>${line.about}</span> <small>${line.why}</small>
                ${line.outcome >= 400 && html`<small>${String(line.outcome)}</small>`}</li>`)}</ol>`
                : html`<p class="empty">${words.waiting}</p>`}</div>`;
    }
}
