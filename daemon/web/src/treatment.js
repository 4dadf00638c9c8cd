// The treatment of a room: what is to be done with it now, its phases, what was noted, its dose.
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
import { unitSuffix } from './units.js';
import { clockTime, number, words } from './words.js';

const NOTE_BYTES = 200;
const RMDQ_MOST = 24;
const ODI_MOST = 100;

/** @typedef {import('./treatments.js').Treatments} Treatments
 *  @typedef {import('./treatments.js').Detail} Detail
 *  @typedef {import('./treatments.js').Phase} Phase
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
        return html`<section class="treatment" aria-label=${words.session}>
            ${!session || !isOpen(session) ? this.#openNext() : null}
            ${session && this.state.shown !== 'open' && this.#lead(session, detail)}
            ${places.some((at) => treatments.awaits(at)) && html`<p class="telling">${words.telling}</p>`}
            <p class="complaint" role="alert">${complaint}</p>
        </section>`;
    }

    #openNext() {
        const { treatments, room } = this.props;
        if (this.state.shown === 'open')
            return html`<${Opening} treatments=${treatments} room=${room} onDone=${() => this.#show(null)} />`;
        return html`<div class="deeds">
            <button class="open do" onClick=${() => this.#show('open')}>${words.opening}</button></div>`;
    }

    /** @param {Session} session @param {Detail | null} detail */
    #lead(session, detail) {
        return html`
            ${!isOpen(session) && html`<${Over} session=${session} detail=${detail} />`}
            ${this.state.shown ? this.#form(this.state.shown, detail) : this.#deeds(session, detail)}
            ${this.#pain(session, detail)}
            ${detail && html`<div class="account">
                <${Phases} phases=${detail.phases} />
                <${Doses} doses=${detail.doses} />
                <${Notes} notes=${detail.notes} />
            </div>`}`;
    }

    /** What is needed most first, what takes back last. @param {Session} session
     *  @param {Detail | null} detail */
    #deeds({ id, state, phase, phase_count, client, therapist }, detail) {
        const button = (/** @type {string} */ order, /** @type {string} */ text, kind = '') =>
            html`<button key=${order} class=${`${order} ${kind}`} aria-disabled=${this.#awaits(order)}
                onClick=${() => this.#do(order)}>${text}</button>`;
        const form = (/** @type {Shown} */ shown, /** @type {string} */ text) =>
            html`<button key=${shown} class=${shown} onClick=${() => this.#show(shown)}>${text}</button>`;
        const running = state === SessionState.RUNNING;
        const paused = state === SessionState.PAUSED;
        const planned = state === SessionState.PLANNED;
        return html`<div class="deeds">
            ${planned && button('start', words.start, 'do')}
            ${paused && button('resume', words.resume, 'do')}
            ${running && phase > 0 && button('next', phase < phase_count ? words.nextPhase
                : words.finish, 'do')}
            ${running && button('pause', words.pause)}
            ${(running || paused) && button('marker', words.markNow)}
            ${form('note', words.noting)}
            ${(!client || !therapist) && form('name', words.naming)}
            ${!planned && form('scores', words.scores)}
            ${!planned && form('adverse', detail?.adverse ? words.adverseAgain : words.adverseNoting)}
            ${(running || paused) && html`<${Slide} key="end" text=${words.slideToEnd}
                onDone=${() => this.#do('end')} />`}
            ${(running || paused || planned) && form('abort', words.aborting)}
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
        return html`${detail?.pain.before === null && scale('before', words.painBefore)}
            ${scale('during', words.painNow)}`;
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

/** @param {{phases: Phase[]}} props */
function Phases({ phases }) {
    if (phases.length === 0) return null;
    return html`<section><h3>${words.phases}</h3><ol class="phases">${phases.map((phase, i) => {
        const state = phase.ended ? 'done' : phase.began ? 'now' : 'todo';
        return html`<li key=${i} class=${state} aria-current=${state === 'now' ? 'step' : undefined}>
            <i aria-hidden="true">${{ done: '✓', now: '▸', todo: '·' }[state]}</i>
            <span>${phase.title}</span>
            <span class="time">${words.doneOf(minuteSecond(phase.spent_ms), minuteSecond(phase.time_ms))}</span>
        </li>`;
    })}</ol></section>`;
}

/** "4:05". @param {number} ms */
function minuteSecond(ms) {
    const s = Math.floor(ms / 1000);
    return `${number(Math.floor(s / 60))}:${String(s % 60).padStart(2, '0')}`;
}

/** @param {{doses: Detail['doses']}} props */
function Doses({ doses }) {
    if (doses.length === 0) return null;
    return html`<section><h3>${words.dose}</h3><ul class="doses">${doses.map(({ region, time_ms, mean, unit }) =>
        html`<li key=${region}><span>${region.replaceAll('_', ' ')}</span>
            <span class="time">${minuteSecond(time_ms)}${mean !== null
                && ` · ${words.meanOf(number(mean, 1) + unitSuffix(unit ?? ''))}`}</span>
        </li>`)}</ul></section>`;
}

/** The newest first. @param {{notes: Detail['notes']}} props */
function Notes({ notes }) {
    if (notes.length === 0) return null;
    return html`<section><h3>${words.notes}</h3><ul class="notes">${[...notes].reverse().map(({ at, kind, text }, i) =>
        html`<li key=${notes.length - i}><time>${clockTime(Date.parse(at))}</time>
            <span>${kind === 'marker' ? `⚑ ${text || words.marker}` : text}</span></li>`)}</ul></section>`;
}
