// The screens before one is in: a login, or an invitation that is taken up.
import { Component } from 'preact';
import { askHub, isDone } from './ask.js';
import { html } from './html.js';
import { languageName, number, otherLanguage, setLanguage, words } from './words.js';

/** @typedef {import('./entrance.js').Entrance} Entrance
 *  @typedef {{name: string, label: string, type: string, fill: string, optional?: boolean}} Field */

/** @param {{entrance: Entrance, route: import('./route.js').Route, refresh: () => void}} props */
export function Door({ entrance, route, refresh }) {
    return html`<main class="door">
        <h1>Lumbar</h1>
        ${route.enrol ? html`<${Enrolment} entrance=${entrance} secret=${route.enrol} key=${route.enrol} />`
            : html`<${Login} entrance=${entrance} token=${route.token} key=${route.token} />`}
        <p class="foot"><button class="plain" onClick=${() => {
            setLanguage(otherLanguage());
            refresh();
        }}>${languageName(otherLanguage())}</button></p>
    </main>`;
}

/** What an address held that is nobody else's business: it does not stay there.
 *  @param {string} [then] where one goes from here */
function clearAddress(then = '#/') {
    history.replaceState(null, '', then);
    dispatchEvent(new HashChangeEvent('hashchange'));
}

/** @extends {Component<{entrance: Entrance, token: string | null}, {complaint: string, asked: boolean}>} */
class Login extends Component {
    state = { complaint: '', asked: false };

    componentDidMount() {
        if (this.props.token) this.#enter({ token: this.props.token }, words.tokenWrong);
    }

    /** @param {object} shown @param {string} wrong */
    async #enter(shown, wrong) {
        this.setState({ complaint: '', asked: true });
        const answer = await this.props.entrance.enter(shown);
        if (isDone(answer)) clearAddress(this.props.token ? '#/kiosk' : undefined);
        else this.setState({ complaint: refusal(answer, wrong), asked: false });
    }

    render() {
        const { complaint, asked } = this.state;
        return html`
            ${!this.props.entrance.setUp && html`<p class="banner">${words.notSetUp}</p>`}
            <${Fields} submit=${words.logIn} asked=${asked} complaint=${complaint} fields=${[
                { name: 'name', label: words.accountName, type: 'text', fill: 'username' },
                { name: 'password', label: words.password, type: 'password', fill: 'current-password' },
                { name: 'code', label: words.oneTimeCode, type: 'text', fill: 'one-time-code',
                    optional: true },
            ]} onSubmit=${(/** @type {Record<string, string>} */ values) =>
                this.#enter(values, words.loginWrong)} />`;
    }
}

/** @typedef {{name: string, role: string, least: number}} Invitation */

/** @extends {Component<{entrance: Entrance, secret: string},
 *    {invitation: Invitation | null, complaint: string, asked: boolean}>} */
class Enrolment extends Component {
    state = { invitation: /** @type {Invitation | null} */ (null), complaint: '', asked: false };

    async componentDidMount() {
        const answer = await askHub('POST', '/enrol', { secret: this.props.secret });
        if (isDone(answer)) this.setState({ invitation: answer.said });
        else this.setState({ complaint: refusal(answer, words.inviteSpent) });
    }

    /** @param {Record<string, string>} values */
    async #take({ password, again }) {
        if (password !== again) {
            this.setState({ complaint: words.passwordsDiffer });
            return;
        }
        this.setState({ complaint: '', asked: true });
        const answer = await this.props.entrance.enrol(this.props.secret, password);
        if (isDone(answer)) clearAddress();
        else this.setState({ complaint: refusal(answer, words.inviteSpent), asked: false });
    }

    render() {
        const { invitation, complaint, asked } = this.state;
        if (!invitation) return html`<p class="complaint" role="alert">${complaint}</p>`;
        return html`
            <p>${words.invited(invitation.name, words.roles[invitation.role] ?? invitation.role)}
                ${' '}${words.passwordRule(number(invitation.least))}</p>
            <${Fields} submit=${words.setPassword} asked=${asked} complaint=${complaint} fields=${[
                { name: 'password', label: words.newPassword, type: 'password', fill: 'new-password' },
                { name: 'again', label: words.passwordAgain, type: 'password', fill: 'new-password' },
            ]} onSubmit=${(/** @type {Record<string, string>} */ values) => this.#take(values)} />`;
    }
}

/** @typedef {{fields: Field[], submit: string, asked: boolean, complaint: string,
 *    choices?: string[][], onSubmit: (values: Record<string, string>) => void}} FieldsProps */

/** Names and secrets: what is in them stays in the boxes, and goes nowhere but to the hub.
 *  @param {FieldsProps} props */
export function Fields({ fields, submit, asked, complaint, choices = [], onSubmit }) {
    return html`<form class="form" onSubmit=${(/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
        if (asked) return;
        onSubmit(Object.fromEntries([...form].map(([name, text]) => [name, String(text)])));
    }}>
        ${fields.map(({ name, label, type, fill, optional }) => html`<label key=${name}>
            <span>${label}${optional && html` <small>${words.optional}</small>`}</span>
            <input name=${name} type=${type} autocomplete=${fill} autocapitalize="none" spellcheck="false"
                required=${!optional} /></label>`)}
        ${choices.length > 0 && html`<fieldset>${choices.map(([value, text], i) => html`<label key=${value}
            class="choice"><input type="radio" name="role" value=${value} defaultChecked=${i === 0} />
            <span>${text}</span></label>`)}</fieldset>`}
        <p class="complaint" role="alert">${complaint}</p>
        <div class="deeds"><button type="submit" class="do" aria-disabled=${asked}>${submit}</button></div>
    </form>`;
}

/** @param {import('./ask.js').Answer} answer @param {string} wrong what a refusal means here */
export function refusal({ status, said }, wrong) {
    if (status === 0) return words.noAnswer;
    if (status === 429) return words.tooOften;
    return [401, 404, 409].includes(status) ? wrong : words.hubRefused(said?.detail ?? String(status));
}
