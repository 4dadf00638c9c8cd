// The hub itself: what is wrong with it, how well it hears, writes and is read, its backups.
import { Component } from 'preact';
import { askHub, complaintOf, isDone } from './ask.js';
import { html } from './html.js';
import { clockTime, day, number, span, words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {{version: string, uptime_s: number, messages: number, refused: number,
 *    complaints: string[], broker: {connected: boolean, heartbeat_ms: number, connects: number},
 *    spool: {safe: boolean, used_bytes: number, size_bytes: number, dropped: number},
 *    history: {safe: boolean, failures: number}, recorder: {safe: boolean, bytes: number},
 *    web: {clients: number, watching: number, frames: number, skipped: number},
 *    backup: {busy: boolean, every_s: number, newest: string | null, count: number, bytes: number,
 *      error: string | null}}} Status as the API says it */

const ASK_EACH_MS = 5000;

/** @extends {Component<{store: Store, mayAdmin: boolean}, {status: Status | null, complaint: string}>} */
export class HubScreen extends Component {
    /** @type {{status: Status | null, complaint: string}} */
    state = { status: null, complaint: '' };
    #timer = 0;

    componentDidMount() {
        this.#ask();
        this.#timer = window.setInterval(() => this.#ask(), ASK_EACH_MS);
    }

    componentWillUnmount() {
        clearInterval(this.#timer);
    }

    async #ask() {
        const answer = await askHub('GET', '/status');
        this.setState({ status: isDone(answer) ? answer.said : this.state.status, complaint: complaintOf(answer) });
    }

    async #backUp() {
        const answer = await askHub('POST', '/backups', {});
        this.setState({ complaint: isDone(answer) ? '' : complaintOf(answer) });
        this.#ask();
    }

    render() {
        const { status, complaint } = this.state;
        return html`<div class="room">
            <h1>${words.hub}</h1>
            <p class="complaint" role="alert">${complaint}</p>
            ${!status && !complaint && html`<p class="empty">${words.waiting}</p>`}
            ${status && html`
                ${status.complaints.length === 0 ? html`<p class="calm">${words.hubWell}</p>`
                    : html`<ul class="wrongs">
                        ${status.complaints.map((text) => html`<li key=${text}>${text}</li>`)}</ul>`}
                <div class="hub-parts">${this.#parts(status)}${this.#backups(status.backup)}</div>`}
        </div>`;
    }

    /** @param {Status} status */
    #parts({ version, uptime_s, messages, refused, broker, spool, history, recorder, web }) {
        const { store } = this.props;
        return html`
            <${Part} title=${words.hubHears} facts=${[
                [words.brokerUp, broker.connected ? words.milliseconds(number(broker.heartbeat_ms))
                    : words.brokerDown, !broker.connected],
                [words.messages, number(messages), false], [words.refused, number(refused), false],
                [words.lost, number(spool.dropped), spool.dropped > 0],
                [words.ringUsed, `${number((100 * spool.used_bytes) / spool.size_bytes)}\u202f%`,
                    spool.used_bytes > spool.size_bytes / 2]]} />
            <${Part} title=${words.hubWrites} facts=${[
                [words.history, history.safe ? words.writes : words.fails, !history.safe],
                [words.recordings, recorder.safe ? megabytes(recorder.bytes) : words.fails, !recorder.safe],
                [words.diskUp, spool.safe ? words.writes : words.fails, !spool.safe]]} />
            <${Part} title=${words.hubShows} facts=${[
                [words.screensOpen, number(web.clients), false],
                [words.frameLag, words.milliseconds(number(store.lag)), store.lag > 100],
                [words.frameLagMost, words.milliseconds(number(store.worstLag)), store.worstLag > 1000],
                [words.framesSkipped, number(web.skipped), false],
                [words.runs, `${words.version(version)}, ${span(uptime_s * 1000)}`, false]]} />`;
    }

    /** @param {Status['backup']} backup */
    #backups({ busy, every_s, newest, count, bytes, error }) {
        const at = newest ? Date.parse(newest) : NaN;
        return html`<${Part} title=${words.backups} facts=${[
                [words.newest, newest ? `${day(at)}, ${clockTime(at)}` : words.never, !newest && every_s > 0],
                [words.kept, `${number(count)}, ${megabytes(bytes)}`, false],
                ...(error ? [[words.fails, error, true]] : [])]}>
            ${this.props.mayAdmin && html`<button aria-disabled=${busy} onClick=${() => busy || this.#backUp()}>
                ${busy ? words.backingUp : words.backUpNow}</button>`}
        <//>`;
    }
}

/** @param {number} bytes */
function megabytes(bytes) {
    return `${number(bytes / 1e6, 1)}\u202fMB`;
}

/** @param {{title: string, facts: [string, string, boolean][], children?: any}} props */
function Part({ title, facts, children }) {
    return html`<section class="part"><h2>${title}</h2>
        <dl class="facts">${facts.map(([name, text, odd]) => html`<div key=${name} class=${odd ? 'odd' : ''}>
            <dt>${name}</dt><dd>${odd && html`<i aria-hidden="true">!</i> `}${text}</dd></div>`)}</dl>
        ${children}</section>`;
}
