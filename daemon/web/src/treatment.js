// The treatment of a room: what is to be done with it now.
import { Component } from 'preact';
import { SessionState } from '#live';
import { courseAddress } from './clients.js';
import { Form } from './forms.js';
import { html } from './html.js';
import { Opening } from './opening.js';
import { PainScale } from './scale.js';
import { Slide } from './slide.js';
import { isOpen } from './store.js';
import { placeOf } from './treatments.js';
import { clockTime, words } from './words.js';

const NOTE_BYTES = 200;
const RMDQ_MOST = 24;
const ODI_MOST = 100;

/** @typedef {import('./treatments.js').Treatments} Treatments
 *  @typedef {import('./treatments.js').Detail} Detail
 *  @typedef {import('#live').Session} Session
 *  @typedef {{treatments: Treatments, session: Session | undefined, detail: Detail | null,
 *    room: string}} Props session: the room's last
 *  @typedef {'open' | 'note' | 'scores' | 'adverse' | 'abort' | 'name'} Shown */

/** @extends {Component<Props, {shown: Shown | null}>} */
export class Treatment extends Component {
    /** @type {{shown: Shown | null}} */
    state = { shown: null };

    /** @param {string} order @param {object} [body] */
    async #do(order, body) {
        const { treatments, session } = this.props;
        return session !== undefined && treatments.do(session.id, order, body);
    }

    /** What a form says; it closes where that was done. @param {Shown} shown @param {object} body */
    async #keep(shown, body) {
        if (await this.#do(shown, body) && this.state.shown === shown) this.#show(null);
    }

    /** Is the answer to this order awaited? @param {string} order */
    #awaits(order) {
        const { treatments, session } = this.props;
        return session !== undefined && treatments.awaits(placeOf(session.id, order));
    }

    /** @param {Shown | null} shown */
    #show(shown) {
        if (shown === 'name') this.props.treatments.look();
        this.setState({ shown });
    }

    render() {
        const { treatments, session, detail, room } = this.props;
        const places = [`room/${room}/`, ...(session ? [placeOf(session.id)] : [])];
        const complaint = places.map((at) => treatments.complaint(at)).find(Boolean) ?? '';
        const next = !session || !isOpen(session);
        const led = session && this.state.shown !== 'open' ? session : undefined;
        return html`<section class="treatment" aria-label=${words.session}>
            <div class="treat-bar">
                ${next && this.#openNext()}
                ${led && this.#lead(led)}
                ${led && this.#pain(led, detail)}
                ${places.some((at) => treatments.awaits(at)) && html`<p class="telling">${words.telling}</p>`}
                <p class="complaint" role="alert">${complaint}</p>
            </div>
            ${led && html`<div class="treat-more">
                ${!isOpen(led) && html`<${Over} session=${led} detail=${detail} />`}
                ${this.state.shown ? this.#form(this.state.shown, detail) : this.#deeds(led, detail)}
            </div>`}
        </section>`;
    }

    #openNext() {
        const { treatments, room } = this.props;
        if (this.state.shown === 'open')
            return html`<${Opening} treatments=${treatments} room=${room} onDone=${() => this.#show(null)} />`;
        return html`<div class="deeds first-deeds">
            <button class="open do" onClick=${() => this.#show('open')}>${words.opening}</button></div>`;
    }

    /** What is needed most first, what cannot be undone last. @param {Session} session */
    #lead({ state, phase, phase_count }) {
        const button = (/** @type {string} */ order, /** @type {string} */ text, kind = '') =>
            html`<button key=${order} class=${`${order} ${kind}`} aria-disabled=${this.#awaits(order)}
                onClick=${() => this.#do(order)}>${text}</button>`;
        const running = state === SessionState.RUNNING;
        const paused = state === SessionState.PAUSED;
        if (!running && !paused && state !== SessionState.PLANNED) return null;
        return html`<div class="deeds first-deeds">
            ${state === SessionState.PLANNED && button('start', words.start, 'do')}
            ${paused && button('resume', words.resume, 'do')}
            ${running && phase > 0 && button('next', phase < phase_count ? words.nextPhase
                : words.finish, 'do')}
            ${running && button('pause', words.pause)}
            ${(running || paused) && button('marker', words.markNow)}
            ${(running || paused) && html`<${Slide} key="end" text=${words.slideToEnd}
                onDone=${() => this.#do('end')} />`}
        </div>`;
    }

    /** What is needed now and then. @param {Session} session @param {Detail | null} detail */
    #deeds({ id, state, client, therapist }, detail) {
        const form = (/** @type {Shown} */ shown, /** @type {string} */ text) =>
            html`<button key=${shown} class=${shown} onClick=${() => this.#show(shown)}>${text}</button>`;
        const planned = state === SessionState.PLANNED;
        return html`<div class="deeds">
            ${form('note', words.noting)}
            ${(!client || !therapist) && form('name', words.naming)}
            ${!planned && form('scores', words.scores)}
            ${!planned && form('adverse', detail?.adverse ? words.adverseAgain : words.adverseNoting)}
            ${(planned || state === SessionState.RUNNING || state === SessionState.PAUSED)
                && form('abort', words.aborting)}
            ${!planned && html`<${ReportLink} key="report" id=${id} />`}
            ${client && html`<a key="course" class="report" href=${courseAddress(client)}>${words.course}</a>`}
        </div>`;
    }

    /** @param {Session} session @param {Detail | null} detail */
    #pain(session, detail) {
        const asked = this.#awaits('pain');
        const scale = (/** @type {'before' | 'during' | 'after'} */ when, /** @type {string} */ label) =>
            html`<${PainScale} key=${when} label=${label} value=${detail?.pain[when] ?? null}
                asked=${asked} onChoose=${(/** @type {number} */ pain) => this.#do('pain', { pain, when })} />`;
        if (session.state === SessionState.PLANNED) return scale('before', words.painBefore);
        if (!isOpen(session)) return scale('after', words.painAfter);
        // One question at a time: how it was before, as long as the first phase goes on.
        return detail?.pain.before === null && session.phase <= 1 ? scale('before', words.painBefore)
            : scale('during', words.painNow);
    }

    /** @param {Shown} shown @param {Detail | null} detail */
    #form(shown, detail) {
        const asked = this.#awaits(shown === 'scores' ? 'odi' : shown);
        const form = (/** @type {import('./forms.js').Field[]} */ fields, /** @type {string} */ submit,
            /** @type {(values: Record<string, string>) => void} */ onSubmit) => html`<${Form} key=${shown}
                fields=${fields} submit=${submit} asked=${asked} onSubmit=${onSubmit}
                onCancel=${() => this.#show(null)} />`;
        switch (shown) {
            case 'note':
                return form([{ name: 'text', label: words.note, bytes: NOTE_BYTES }], words.keepNote,
                    (values) => this.#keep('note', values));
            case 'adverse':
                return form([{ name: 'text', label: words.whatHappened, bytes: NOTE_BYTES,
                    value: detail?.adverse ?? '' }], words.keepNote, (values) => this.#keep('adverse', values));
            case 'abort':
                return form([{ name: 'reason', label: words.abortWhy, bytes: NOTE_BYTES }], words.abort,
                    (values) => this.#keep('abort', values));
            case 'scores':
                return form([{ name: 'rmdq', label: words.rmdq, kind: 'number', max: RMDQ_MOST, optional: true,
                    value: textOf(detail?.rmdq) }, { name: 'odi', label: words.odi, kind: 'number',
                    max: ODI_MOST, optional: true, value: textOf(detail?.odi) }], words.keepNote,
                    (values) => this.#keepScores(values));
            default:
                return this.#nameForm(form);
        }
    }

    /** @param {Function} form */
    #nameForm(form) {
        const { session, treatments } = this.props;
        const fields = [];
        if (!session?.client) fields.push({ name: 'client', label: words.client, bytes: 32, optional: true,
            list: treatments.clients.map(({ name }) => name) });
        fields.push({ name: 'therapist', label: words.therapist, bytes: 8, optional: true,
            value: session?.therapist || treatments.therapist });
        return form(fields, words.keepNote, (/** @type {Record<string, string>} */ values) =>
            this.#keep('name', Object.fromEntries(Object.entries(values).filter(([, text]) => text))));
    }

    /** Each is an order of its own. @param {Record<string, string>} values */
    async #keepScores(values) {
        for (const name of ['rmdq', 'odi'])
            if (values[name] !== '' && !await this.#do(name, { score: Number(values[name]) })) return;
        if (this.state.shown === 'scores') this.#show(null);
    }
}

/** Made by the hub from what it keeps, to be read and printed. @param {{id: number}} props */
export function ReportLink({ id }) {
    return html`<a class="report" target="_blank" rel="noopener"
        href=${`/api/v1/sessions/${id}/report?lang=${words.code}`}>${words.report}</a>`;
}

/** @param {number | null | undefined} value */
function textOf(value) {
    return value === null || value === undefined ? '' : String(value);
}

/** @param {{session: Session, detail: Detail | null}} props */
function Over({ session, detail }) {
    const ended = detail?.ended ? clockTime(Date.parse(detail.ended)) : '';
    return html`<p class="over">
        <b>${session.state === SessionState.ABORTED ? words.abortedAt(ended) : words.doneAt(ended)}</b>
        ${session.client && html` ${session.client}`}
        ${detail?.reason && html` · ${detail.reason}`}
    </p>`;
}
