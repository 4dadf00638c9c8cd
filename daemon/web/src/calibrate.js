// Calibration of a wearable on whoever wears it, beside its strips: the neutral posture that all is
// told from, and tests of a range of motion.
import { Component } from 'preact';
import { CalibrationState } from '#live';
import { html } from './html.js';
import { unitSuffix } from './units.js';
import { clockTime, number, span, term, words } from './words.js';

const HOLD_S = 5;
const REPETITIONS = 3;

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('./treatments.js').Treatments} Treatments
 *  @typedef {import('#live').Device} Device
 *  @typedef {import('#live').Metric} Metric
 *  @typedef {import('#live').Calibration} Calibration
 *  @typedef {{store: Store, treatments: Treatments, device: Device, name: string, now: number}} Props
 *    name: as the API has it */

/** @extends {Component<Props, {choosing: boolean}>} */
export class Calibrate extends Component {
    state = { choosing: false };

    /** @param {string} method @param {string} what @param {object} [body] */
    #tell(method, what, body) {
        const { treatments, name } = this.props;
        const path = name.split('/').map(encodeURIComponent).join('/');
        this.setState({ choosing: false });
        treatments.tell(`device/${name}/`, /** @type {'POST'} */ (method), `/devices/${path}/${what}`, body);
    }

    render() {
        const { store, treatments, device, name, now } = this.props;
        const angles = store.anglesOf(device);
        if (angles.length === 0) return null;
        const known = store.calibrations.get(device.id);
        const place = `device/${name}/`;
        return html`<div class="calibration">
            <${Neutral} known=${known} now=${now} />
            <${Range} known=${known} store=${store} now=${now} />
            ${this.state.choosing ? this.#choices(angles) : this.#deeds(known, treatments.awaits(place))}
            <p class="complaint" role="alert">${treatments.complaint(place)}</p>
        </div>`;
    }

    /** @param {Calibration | undefined} known @param {boolean} asked */
    #deeds(known, asked) {
        const listening = known?.neutral === CalibrationState.UNDER_WAY;
        const testing = known?.range === CalibrationState.UNDER_WAY;
        return html`<div class="deeds">
            <button class="neutral" aria-disabled=${asked || listening}
                onClick=${() => listening || this.#tell('POST', 'neutral', { seconds: HOLD_S })}>
                ${words.takeNeutral}</button>
            ${testing ? html`<button class="end-range" aria-disabled=${asked}
                    onClick=${() => this.#tell('POST', 'range/end', {})}>${words.endRange}</button>`
                : html`<button class="range" onClick=${() => this.setState({ choosing: true })}>
                    ${words.testRange}</button>`}
            ${known && known.taken_ms > 0 && html`<button class="plain forget" aria-disabled=${asked}
                onClick=${() => this.#tell('DELETE', 'neutral')}>${words.forgetNeutral}</button>`}
        </div>`;
    }

    /** Which movement? @param {Metric[]} angles */
    #choices(angles) {
        return html`<div class="deeds">
            ${angles.map(({ id, name, title }) => html`<button key=${id}
                onClick=${() => this.#tell('POST', 'range', { metric: name, repetitions: REPETITIONS })}>
                ${title}</button>`)}
            <button class="plain" onClick=${() => this.setState({ choosing: false })}>${words.cancel}</button>
        </div>`;
    }
}

/** @param {{known: Calibration | undefined, now: number}} props */
function Neutral({ known, now }) {
    if (known?.neutral === CalibrationState.UNDER_WAY)
        return html`<p class="now"><b>${words.standStill}</b>
            ${' '}${words.seconds(number(Math.max(0, Math.ceil((known.until_ms - now) / 1000))))}</p>`;
    const refused = known?.neutral === CalibrationState.REFUSED && known.neutral_reason;
    return html`<p>${refused && html`<b>${words.neutralRefused(refused)}</b> `}
        ${known && known.taken_ms > 0
            ? words.neutralTaken(clockTime(known.taken_ms), span(now - known.taken_ms), clockTime(known.expires_ms))
            : words.noNeutral}
        ${known && known.taken_ms === 0 && !refused && known.neutral_reason
            && html` <span class="hint">${words.because(known.neutral_reason)}</span>`}</p>`;
}

/** @param {{known: Calibration | undefined, store: Store, now: number}} props */
function Range({ known, store, now }) {
    const metric = known && store.metrics.get(known.metric);
    if (!known || !metric || known.range === CalibrationState.NONE) return null;
    const angle = (/** @type {number | null} */ value) => number(value ?? 0, 0) + unitSuffix(metric.unit);
    if (known.range === CalibrationState.UNDER_WAY)
        return html`<p class="now"><b>${term(metric.title)}</b>
            ${' '}${words.repetitionOf(number(known.repeated), number(known.wanted))}</p>`;
    if (known.range === CalibrationState.REFUSED)
        return html`<p><b>${words.rangeRefused(term(metric.title), known.range_reason)}</b></p>`;
    return html`<p>${words.rangeDone(term(metric.title), angle(known.best), angle(known.mean),
        known.spread === null ? '' : angle(known.spread), number(known.repeated))}
        ${' '}<span class="hint">${words.ago(span(now - known.measured_ms))}</span></p>`;
}
