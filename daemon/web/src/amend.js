// What is said of a session when it is over: pain, scores, a note, what happened; and who said what.
import { Component } from 'preact';
import { askHub, complaintOf, isDone } from './ask.js';
import { Form } from './forms.js';
import { html } from './html.js';
import { clockTime, day, number, words } from './words.js';

const NOTE_BYTES = 200;

/** @typedef {{at: string, what: string, number: number | null, text: string | null, who: string}} Change
 *  @typedef {import('./record.js').PastRecord} PastRecord
 *  @typedef {'pain_before' | 'pain_after' | 'rmdq' | 'odi' | 'note' | 'adverse'} What
 *  @typedef {{record: PastRecord, onDone: () => void}} Props
 *  @typedef {{what: What | null, busy: boolean, complaint: string}} State */

/** How each is asked for and told: where it is sent, and what with.
 *  @type {Record<What, {path: string, most?: number, body: (value: string) => object}>} */
const WAYS = {
    pain_before: { path: 'pain', most: 10, body: (value) => ({ pain: Number(value), when: 'before' }) },
    pain_after: { path: 'pain', most: 10, body: (value) => ({ pain: Number(value), when: 'after' }) },
    rmdq: { path: 'rmdq', most: 24, body: (value) => ({ score: Number(value) }) },
    odi: { path: 'odi', most: 100, body: (value) => ({ score: Number(value) }) },
    note: { path: 'note', body: (value) => ({ text: value }) },
    adverse: { path: 'adverse', body: (value) => ({ text: value }) },
};

/** @extends {Component<Props, State>} */
export class Amend extends Component {
    /** @type {State} */
    state = { what: null, busy: false, complaint: '' };

    /** @param {What} what @param {string} value */
    async #send(what, value) {
        this.setState({ busy: true, complaint: '' });
        const { path, body } = WAYS[what];
        const answer = await askHub('POST', `/sessions/${this.props.record.id}/${path}`, body(value));
        const done = isDone(answer);
        this.setState({ busy: false, complaint: complaintOf(answer), what: done ? null : what });
        if (done) this.props.onDone();
    }

    render() {
        const { record } = this.props;
        const { what, busy, complaint } = this.state;
        if (record.open_until === null) return record.ended && html`<p class="hint">${words.amendClosed}</p>`;
        const field = what && { name: 'value', label: words.amendments[what],
            ...(WAYS[what].most ? { kind: /** @type {const} */ ('number'), max: WAYS[what].most }
                : { bytes: NOTE_BYTES }) };
        return html`<section class="amend" aria-label=${`${words.amend}, ${words.sessionNumber(number(record.id))}`}>
            <h2>${words.amend}</h2>
            <div class="deeds">${/** @type {What[]} */ (Object.keys(WAYS)).map((way) => html`<button key=${way}
                aria-pressed=${what === way} onClick=${() => this.setState({ what: what === way ? null : way })}>
                ${words.amendments[way]}</button>`)}</div>
            ${what && html`<${Form} key=${what} fields=${[field]} submit=${words.keepNote} asked=${busy}
                onSubmit=${(/** @type {Record<string, string>} */ { value }) => this.#send(what, value)}
                onCancel=${() => this.setState({ what: null })} />`}
            <p class="complaint" role="alert">${complaint}</p>
        </section>`;
    }
}

/** Who said what, and when. @param {{changes: Change[]}} props */
export function Changes({ changes }) {
    if (changes.length === 0) return null;
    return html`<div class="changes"><h2>${words.changes}</h2>
        <ul class="said">${changes.map(({ at, what, number: value, text, who }) => html`<li key=${at}>
            <time>${day(Date.parse(at))} ${clockTime(Date.parse(at))}</time>
            ${' '}${{ page: words.byPage, lumbarctl: words.byCommand }[who] ?? who}:
            ${' '}<b>${words.amendments[/** @type {What} */ (what)] ?? what}</b> ${text ?? number(value ?? 0)}</li>`)}
        </ul></div>`;
}
