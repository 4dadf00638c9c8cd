// A session that is over, or two of them side by side: what was done and measured, its charts zoomed
// together. Time in them is told from each one's start, so that the same moments stand above another.
import { Component } from 'preact';
import { Amend, Changes } from './amend.js';
import { askHub, complaintOf, isDone } from './ask.js';
import { courseAddress } from './clients.js';
import { HistoryChart } from './historychart.js';
import { html } from './html.js';
import { ReportLink } from './treatment.js';
import { View } from './view.js';
import { clockTime, day, number, span, term, words } from './words.js';

/** @typedef {import('./historychart.js').Metric} Metric
 *  @typedef {import('./historychart.js').ChartMarks} ChartMarks
 *  @typedef {{kind: string, title: string, time_ms: number, spent_ms: number, began: string | null,
 *    ended: string | null}} Phase
 *  @typedef {{metric: string, phase: number | null, target: boolean, low: number | null,
 *    high: number | null, below_ms: number, within_ms: number, above_ms: number}} Band
 *  @typedef {{number: number, title: string, device: string, metric: string, priority: number,
 *    technical: boolean, raised: string, ended: string | null}} PastAlarm
 *  @typedef {{id: number, state: string, room: string, room_title: string, client: string | null,
 *    therapist: string | null, plan: string | null, opened: string, started: string | null,
 *    ended: string | null, reason: string | null, adverse: string | null, rmdq: number | null,
 *    odi: number | null, pain: Record<'before' | 'during' | 'after', number | null>, phases: Phase[],
 *    notes: {at: string, kind: 'note' | 'marker', text: string}[], bands: Band[],
 *    devices: {device: string, from: string, to: string | null, metrics: Metric[]}[],
 *    alarms: PastAlarm[], changes: import('./amend.js').Change[], open_until: string | null}} PastRecord
 *    as the API says it
 *  @typedef {{device: string, metric: Metric}} Shown
 *  @typedef {{records: (PastRecord | null)[], complaint: string, names: string[]}} State names: of the
 *    metrics that are drawn */

const CHARTS_FIRST = 3;
const LEAST_MS = 10000;
const WIDE_PX = 1000; // two stand beside each other

/** @extends {Component<{ids: number[], width: number}, State>} */
export class RecordScreen extends Component {
    /** @type {State} */
    state = { records: this.props.ids.map(() => null), complaint: '', names: [] };
    /** @type {View | null} of ms since the start of each */
    #view = null;

    async componentDidMount() {
        const answers = await Promise.all(this.props.ids.map((id) => askHub('GET', `/sessions/${id}/record`)));
        const records = answers.map((answer) => (isDone(answer) ? answer.said : null));
        const known = records.filter(Boolean);
        this.#view = new View([0, Math.max(LEAST_MS, ...known.map(lengthOf))], () => this.setState({}));
        this.setState({ records, names: firstNames(known),
            complaint: answers.map(complaintOf).find(Boolean) ?? '' });
    }

    /** Something was said of one. @param {number} id */
    async #again(id) {
        const answer = await askHub('GET', `/sessions/${id}/record`);
        if (isDone(answer)) this.setState({ records: this.state.records.map((record) =>
            (record?.id === id ? answer.said : record)) });
    }

    render() {
        const { records, complaint, names } = this.state;
        const known = /** @type {PastRecord[]} */ (records.filter(Boolean));
        if (known.length === 0)
            return html`<p class="empty" role=${complaint ? 'alert' : undefined}>${complaint || words.waiting}</p>`;
        const view = /** @type {View} */ (this.#view);
        const beside = known.length > 1 && this.props.width >= WIDE_PX;
        const width = beside ? (this.props.width - 24) / 2 : this.props.width;
        const tools = html`<${Tools} view=${view} />
            <${Choice} records=${known} names=${names} onChange=${(/** @type {string[]} */ chosen) =>
                this.setState({ names: chosen })} />`;
        return html`<div class="room record">
            <p class="complaint" role="alert">${complaint}</p>
            ${known.length > 1 && tools}
            <div class=${beside ? 'beside' : ''} tabindex="0" role="group" aria-label=${words.chartsHint}
                onKeyDown=${(/** @type {KeyboardEvent} */ event) => view.onKey(event)}>
                ${known.map((record) => html`<${Pane} key=${record.id} record=${record} names=${names}
                    view=${view} width=${width} tools=${known.length === 1 && tools}
                    onSaid=${() => this.#again(record.id)} />`)}
            </div>
            <p class="hint">${words.chartsHint}</p>
        </div>`;
    }
}

/** @param {PastRecord} record */
function beginOf({ started, opened }) {
    return Date.parse(started ?? opened);
}

/** @param {PastRecord} record */
function lengthOf(record) {
    return (record.ended ? Date.parse(record.ended) : Date.now()) - beginOf(record);
}

/** Of each device once, however often it came. @param {PastRecord} record @returns {Shown[]} */
function valuesOf({ devices }) {
    const once = devices.filter(({ device }, i) => devices.findIndex((other) => other.device === device) === i);
    return once.flatMap(({ device, metrics }) => metrics.map((metric) => ({ device, metric })));
}

/** Key values first. @param {PastRecord[]} records */
function firstNames(records) {
    const all = records.flatMap(valuesOf).filter(({ metric }) => metric.labels.length === 0);
    const keys = all.filter(({ metric }) => metric.key);
    return [...new Set((keys.length > 0 ? keys : all).map(({ metric }) => metric.name))].slice(0, CHARTS_FIRST);
}

/** @param {{view: View}} props */
function Tools({ view }) {
    const tools = /** @type {[string, string, () => void][]} */ ([
        ['◀', words.earlier, () => view.earlier()], ['▶', words.later, () => view.later()],
        ['+', words.zoomIn, () => view.nearer()], ['−', words.zoomOut, () => view.farther()]]);
    return html`<div class="deeds tools">
        ${tools.map(([sign, title, work]) => html`<button key=${title} aria-label=${title} title=${title}
            onClick=${work}>${sign}</button>`)}
        <button onClick=${() => view.whole()}>${words.wholeSession}</button>
    </div>`;
}

/** Which values are drawn. @param {{records: PastRecord[], names: string[],
 *    onChange: (names: string[]) => void}} props */
function Choice({ records, names, onChange }) {
    const all = [...new Map(records.flatMap(valuesOf).map(({ metric }) => [metric.name, term(metric.title)]))];
    return html`<div class="chosen">
        ${all.filter(([name]) => names.includes(name)).map(([name, title]) => html`<button key=${name}
            class="plain" aria-label=${words.removeValue(title)} onClick=${() =>
                onChange(names.filter((other) => other !== name))}>${title} ✕</button>`)}
        <label><span class="unseen">${words.addValue}</span>
            <select value="" onChange=${(/** @type {Event} */ event) => {
                const { value } = /** @type {HTMLSelectElement} */ (event.target);
                if (value) onChange([...names, value]);
            }}><option value="">${words.addValue}</option>
            ${all.filter(([name]) => !names.includes(name)).map(([name, title]) =>
                html`<option key=${name} value=${name}>${title}</option>`)}</select></label>
    </div>`;
}

/** One of them. @param {{record: PastRecord, names: string[], view: View, width: number,
 *    tools: any, onSaid: () => void}} props tools: those of its charts, where no other pane shares them */
function Pane({ record, names, view, width, tools, onSaid }) {
    const begin = beginOf(record);
    const seen = /** @type {[number, number]} */ (view.span.map((ms) => begin + ms));
    const values = valuesOf(record).filter(({ metric }) => names.includes(metric.name));
    return html`<section class="pane" aria-label=${words.sessionNumber(number(record.id))}>
        <${Head} record=${record} />
        ${tools}
        ${values.map(({ device, metric }) => html`<${HistoryChart} key=${`${device} ${metric.name}`}
            device=${device} metric=${metric} view=${view} span=${seen} width=${Math.floor(width)}
            marks=${marksOf(record, device, metric)} />`)}
        ${values.length === 0 && html`<p class="hint">${words.noValues}</p>`}
        <${Said} record=${record} />
        <${Amend} record=${record} onDone=${onSaid} />
        <${Changes} changes=${record.changes} />
    </section>`;
}

/** @param {PastRecord} record @param {string} device @param {Metric} metric @returns {ChartMarks} */
function marksOf(record, device, metric) {
    const end = record.ended ? Date.parse(record.ended) : Infinity;
    const phases = record.phases.filter(({ began }) => began).map(({ began, ended, title }) => ({
        from: Date.parse(began ?? ''), to: ended ? Date.parse(ended) : end, title: term(title) }));
    return {
        phases,
        notes: record.notes.map(({ at, kind }) => ({ at: Date.parse(at), flag: kind === 'marker' })),
        alarms: record.alarms.filter((alarm) => alarm.device === device && alarm.metric === metric.name)
            .map(({ raised, ended, priority }) => ({ from: Date.parse(raised),
                to: ended ? Date.parse(ended) : Infinity, priority })),
        limits: record.bands.filter((band) => band.metric === metric.name).flatMap((band) => {
            const phase = band.phase === null ? { began: record.started, ended: record.ended }
                : record.phases[band.phase - 1];
            if (!phase?.began) return [];
            return [{ from: Date.parse(phase.began), to: phase.ended ? Date.parse(phase.ended) : Date.now(),
                low: band.low, high: band.high, target: band.target }];
        }),
    };
}

/** @param {{record: PastRecord}} props */
function Head({ record }) {
    const { id, client, therapist, plan, room_title: room, pain, rmdq, odi, state } = record;
    const score = (/** @type {number | null} */ value) => (value === null ? '–' : number(value));
    const begin = beginOf(record);
    return html`<header>
        <h1>${words.sessionNumber(number(id))}: ${client ?? words.noClient}</h1>
        <p>${day(begin)}, ${clockTime(begin)} (${span(lengthOf(record))}) · ${room}
            ${therapist && html` · ${therapist}`}${plan && html` · ${term(plan)}`}
            ${state === 'aborted' && html` · <b>${words.aborted}${record.reason && `: ${record.reason}`}</b>`}</p>
        <p>${words.painChange}: <b>${score(pain.before)} → ${score(pain.after)}</b> · RMDQ ${score(rmdq)}
            ${' '}· ODI ${score(odi)}</p>
        <p class="links"><${ReportLink} id=${id} />
            ${client && html`<a class="report" href=${courseAddress(client)}>${words.course}</a>`}</p>
    </header>`;
}

/** What was said and raised. @param {{record: PastRecord}} props */
function Said({ record }) {
    const items = [
        ...record.notes.map(({ at, kind, text }) =>
            ({ at, text: text || words.markerOf, mark: kind === 'marker' ? '⚑' : '' })),
        ...record.alarms.map(({ raised, title, priority, ended }) => ({ at: raised, mark: '!'.repeat(priority),
            text: `${term(title)}${ended ? ` (${span(Date.parse(ended) - Date.parse(raised))})` : ''}` })),
    ].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
    return html`<div>
        ${record.adverse && html`<p class="stop"><b>${words.adverseShort}:</b> ${record.adverse}</p>`}
        <ul class="said">${items.map(({ at, text, mark }, i) => html`<li key=${i}>
            <time>${clockTime(Date.parse(at))}</time> ${mark && html`<b>${mark}</b> `}${text}</li>`)}</ul>
    </div>`;
}
