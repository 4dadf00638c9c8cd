// Alarm load: do alarms come as people can answer them, and are they answered?
import { Component } from 'preact';
import { askHub, complaintOf, isDone } from './ask.js';
import { Choice } from './choice.js';
import { html } from './html.js';
import { clockTime, day, number, span, term, words } from './words.js';

const HOUR_MS = 3600000;
const SPANS_H = [8, 24, 168];
const ASK_AGAIN_MS = 60000;

/** @typedef {import('./store.js').Store} Store
 *  @typedef {{from: string, to: string, alarms: number, per_ten_minutes: number, most: number,
 *    most_from: string | null, flood_limit: number, acknowledged: number,
 *    median_to_acknowledge_ms: number | null, ended: number, ended_unacknowledged: number,
 *    floods: number, first_floods: {from: string, to: string, alarms: number}[],
 *    worst_rules: {rule: string, alarms: number, unacknowledged: number,
 *      share: number}[]}} Load as the API says it */

/** @extends {Component<{store: Store}, {hours: number, load: Load | null, complaint: string}>} */
export class AlarmLoad extends Component {
    /** @type {{hours: number, load: Load | null, complaint: string}} */
    state = { hours: SPANS_H[1], load: null, complaint: '' };
    #timer = 0;

    componentDidMount() {
        this.#ask(this.state.hours);
        this.#timer = window.setInterval(() => this.#ask(this.state.hours), ASK_AGAIN_MS);
    }

    componentWillUnmount() {
        clearInterval(this.#timer);
    }

    /** @param {number} hours */
    async #ask(hours) {
        const now = this.props.store.clock.now();
        const query = `?from=${time(now - hours * HOUR_MS)}&to=${time(now)}`;
        const answer = await askHub('GET', `/alarms/load${query}`);
        if (this.state.hours !== hours) return; // another span was chosen meanwhile
        this.setState({ load: isDone(answer) ? answer.said : null, complaint: complaintOf(answer) });
    }

    /** @param {number} hours */
    #choose(hours) {
        this.setState({ hours, load: null, complaint: '' }, () => this.#ask(hours));
    }

    render() {
        const { hours, load, complaint } = this.state;
        return html`<section class="load" aria-label=${words.load}>
            <h2>${words.load}</h2>
            <div class="choices">${SPANS_H.map((of) => html`<${Choice} key=${of} name="load"
                text=${of < 48 ? words.hours(number(of)) : words.days(number(of / 24))}
                chosen=${of === hours} onChoose=${() => this.#choose(of)} />`)}</div>
            ${complaint && html`<p class="complaint" role="alert">${complaint}</p>`}
            ${load && html`<${Figures} load=${load} />
                <${Floods} load=${load} />
                <${Worst} load=${load} store=${this.props.store} />`}
        </section>`;
    }
}

/** @param {number} ms */
function time(ms) {
    return encodeURIComponent(new Date(ms).toISOString());
}

/** @param {{load: Load}} props */
function Figures({ load }) {
    const { median_to_acknowledge_ms: median, ended, ended_unacknowledged: unseen } = load;
    const unacked = ended > 0 ? `${number((100 * unseen) / ended)}\u202f%` : '–';
    /** @type {[string, string][]} */
    const figures = [[number(load.alarms), words.loadAlarms],
        [number(load.per_ten_minutes, 2), words.loadAverage],
        [number(load.most), load.most_from ? words.loadMostAt(when(load.most_from)) : words.loadMost],
        [median === null ? '–' : span(median), words.loadMedian],
        [unacked, words.loadUnacked]];
    return html`<dl class="counts">${figures.map(([figure, name]) => html`<div key=${name}>
        <dd>${figure}</dd><dt>${name}</dt></div>`)}</dl>`;
}

/** @param {{load: Load}} props */
function Floods({ load: { floods, flood_limit: limit, first_floods: first } }) {
    return html`<p>${floods === 0 ? words.noFlood(number(limit)) : words.floods(floods, number(limit))}</p>
        ${floods > 0 && html`<ul class="floods">${first.map((flood) => html`<li key=${flood.from}>
            ${when(flood.from)} – ${clockTime(Date.parse(flood.to))}:
            ${' '}${words.loadOfFlood(number(flood.alarms))}</li>`)}</ul>`}`;
}

/** Which rules to look at: half of all alarms come from the first of them, as a rule.
 *  @param {{load: Load, store: Store}} props */
function Worst({ load, store }) {
    if (load.worst_rules.length === 0) return null;
    const title = (/** @type {string} */ name) =>
        term([...store.rules.values()].find((rule) => rule.name === name)?.title ?? name);
    return html`<div class="scroll"><table class="sessions">
        <thead><tr><th>${words.rule}</th><th>${words.loadAlarms}</th><th>${words.loadShare}</th>
            <th>${words.loadUnacked}</th></tr></thead>
        <tbody>${load.worst_rules.map(({ rule, alarms, share, unacknowledged }) => html`<tr key=${rule}>
            <td>${title(rule)}</td><td>${number(alarms)}</td><td>${number(100 * share)}${'\u202f%'}</td>
            <td>${number(unacknowledged)}</td></tr>`)}</tbody>
    </table></div>
    <p class="hint">${words.loadHint}</p>`;
}

/** "26 Nov 2026 14:02:11". @param {string} instant */
function when(instant) {
    const ms = Date.parse(instant);
    return `${day(ms)} ${clockTime(ms)}`;
}
