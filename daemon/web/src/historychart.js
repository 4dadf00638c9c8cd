// One value over any span, from the hub's history: zoomed and panned, at the resolution of the screen.
// Mean as a line, lowest and highest as a band around it; where nothing was heard there is nothing.
import { Component, createRef } from 'preact';
import { askHub, complaintOf, isDone } from './ask.js';
import { columnsOf } from './columns.js';
import { html } from './html.js';
import { Plot, withPlots } from './plots.js';
import { drawNotes, drawPhases } from './stripmarks.js';
import { onTheme, theme } from './theme.js';
import { bounds } from './trace.js';
import { unitSuffix } from './units.js';
import { labelOf } from './value.js';
import { View } from './view.js';
import { day, number, term, words } from './words.js';

/** @import uPlot from 'uplot' */
/** @typedef {{name: string, title: string, unit: string, decimals: number, labels: string[], key: boolean,
 *    min: number, max: number}} Metric as a record says it
 *  @typedef {{from: number, to: number, low: number | null, high: number | null, target: boolean}} Limit
 *  @typedef {{from: number, to: number, priority: number}} AlarmMark hub time; to Infinity: it stands
 *  @typedef {import('./stripmarks.js').Marks & {alarms: AlarmMark[], limits: Limit[]}} ChartMarks
 *  @typedef {import('./columns.js').Columns} Columns
 *  @typedef {{device: string, metric: Metric, marks: ChartMarks, view: View, span: [number, number],
 *    width: number}} Props span: what is seen, hub time */

const HEIGHT_PX = 180;
const ALARM_PX = 6;
const SETTLED_MS = 120; // a finger still moves
const DAY_MS = 86400000;
const FONT = '14px system-ui, sans-serif';
/** By priority, so that colour is not alone. @type {number[][]} */
const DASHES = [[], [2, 4], [8, 5], []];

/** @extends {Component<Props, {columns: Columns | null, complaint: string, pointed: number | null}>} */
export class HistoryChart extends Component {
    /** @type {{columns: Columns | null, complaint: string, pointed: number | null}} */
    state = { columns: null, complaint: '', pointed: null };
    #host = createRef();
    /** @type {uPlot | undefined} */
    #plot;
    #asked = '';
    #timer = 0;
    #forget = () => {};

    componentDidMount() {
        withPlots(() => this.#host.current && this.#begin());
    }

    #begin() {
        this.#plot = new Plot(this.#options(), [[], [], [], []], this.#host.current);
        this.#forget = onTheme(() => this.#draw());
        this.#ask();
    }

    componentWillUnmount() {
        clearTimeout(this.#timer);
        this.#forget();
        this.#plot?.destroy();
        this.#plot = undefined;
    }

    componentDidUpdate() {
        this.#draw();
        clearTimeout(this.#timer);
        this.#timer = window.setTimeout(() => this.#ask(), SETTLED_MS);
    }

    /** What is seen, if it is not there already: as many buckets as there are pixels. */
    async #ask() {
        if (!this.#plot) return;
        const { device, metric, span: [from, to], width } = this.props;
        const query = new URLSearchParams({ device, metric: metric.name, points: String(Math.round(width)),
            from: new Date(from).toISOString(), to: new Date(to).toISOString() });
        const path = `/history?${query}`;
        if (path === this.#asked) return;
        this.#asked = path;
        const answer = await askHub('GET', path);
        if (path !== this.#asked || !this.#plot) return;
        if (answer.status === 404) this.setState({ columns: [[], [], [], []], complaint: '' });
        else if (isDone(answer)) this.setState({ columns: columnsOf(answer.said), complaint: '' });
        else this.setState({ complaint: complaintOf(answer) });
    }

    /** @returns {uPlot.Options} */
    #options() {
        const ink = () => theme.soft;
        const grid = { stroke: () => theme.grid, width: 1 };
        const line = () => theme.line;
        return {
            width: this.props.width,
            height: HEIGHT_PX,
            ms: 1,
            cursor: { drag: { x: false, y: false, setScale: false }, y: false, points: { show: false } },
            legend: { show: false },
            padding: [8, 12, 0, 0],
            scales: { x: { auto: false, range: () => this.props.span },
                y: { auto: false, range: () => this.#bounds() } },
            axes: [{ stroke: ink, grid, font: FONT, size: 34, space: 84, values: times },
                { stroke: ink, grid, font: FONT, size: 72, space: 28,
                    values: (_, splits) => splits.map((value) => this.#figure(value)) }],
            series: [{}, { stroke: line, width: 0, points: { show: false } },
                { stroke: line, width: 2, points: { show: false } },
                { stroke: line, width: 0, points: { show: false } }],
            bands: [{ series: [3, 1], fill: () => `color-mix(in srgb, ${theme.line} 22%, transparent)` }],
            hooks: {
                drawClear: [() => drawPhases(this.#place(), this.props.marks.phases, true)],
                draw: [() => this.#drawMarks()],
                setCursor: [(plot) => this.setState({ pointed: plot.cursor.idx ?? null })],
            },
        };
    }

    #draw() {
        const plot = this.#plot;
        if (!plot) return;
        const { width, span } = this.props;
        if (Math.abs(width - plot.width) >= 1) plot.setSize({ width, height: HEIGHT_PX });
        if (this.state.columns && plot.data[0] !== this.state.columns[0])
            plot.setData(/** @type {uPlot.AlignedData} */ (this.state.columns), false);
        const [low, high] = this.#bounds();
        plot.batch(() => {
            plot.setScale('x', { min: span[0], max: span[1] });
            plot.setScale('y', { min: low, max: high });
        });
        plot.redraw(false);
    }

    /** Of what is seen, and its limits. @returns {[number, number]} */
    #bounds() {
        const { metric, marks, span: [from, to] } = this.props;
        if (metric.labels.length > 0) return [-0.5, metric.labels.length - 0.5];
        const [time, low, , high] = this.state.columns ?? [[], [], [], []];
        const seen = time.flatMap((at, i) => (at >= from && at <= to && low[i] !== null
            ? [Number(low[i]), Number(high[i])] : []));
        const limits = marks.limits.filter((limit) => limit.from < to && limit.to > from)
            .flatMap((limit) => [limit.low, limit.high]).filter((value) => value !== null);
        return bounds(seen.length > 0 ? [least(seen), most(seen)] : null, /** @type {number[]} */ (limits),
            metric);
    }

    /** @param {number} value */
    #figure(value) {
        const { labels, decimals } = this.props.metric;
        if (labels.length > 0) return labels[value] ? labelOf(labels, value) : '';
        return number(value, Number.isInteger(value) ? 0 : Math.max(1, decimals));
    }

    /** @returns {import('./stripmarks.js').Place} */
    #place() {
        const plot = /** @type {uPlot} */ (this.#plot);
        const { ctx, bbox: { left, top, width, height } } = plot;
        return { ctx, left, top, width, height, ratio: ctx.canvas.width / plot.width,
            x: (time) => plot.valToPos(time, 'x', true) };
    }

    #drawMarks() {
        if (!this.#plot) return;
        const place = this.#place();
        const { ctx, left, top, width, height } = place;
        ctx.save();
        ctx.beginPath();
        ctx.rect(left, top, width, height);
        ctx.clip();
        for (const limit of this.props.marks.limits) this.#drawLimit(place, limit);
        this.props.marks.alarms.forEach((alarm) => drawAlarm(place, alarm));
        ctx.restore();
        drawNotes(place, this.props.marks.notes);
    }

    /** A limit is dashed, a target dotted; each says its value, where it lasts long enough for that.
     *  @param {import('./stripmarks.js').Place} place
     *  @param {Limit} limit */
    #drawLimit({ ctx, ratio, x, left, top, width, height }, { from, to, low, high, target }) {
        const plot = /** @type {uPlot} */ (this.#plot);
        const begin = Math.max(left, x(from));
        const end = Math.min(left + width, x(to));
        ctx.strokeStyle = ctx.fillStyle = target ? theme.soft : theme.medium;
        ctx.lineWidth = 2 * ratio;
        ctx.setLineDash((target ? [2, 4] : [8, 5]).map((n) => n * ratio));
        ctx.font = `${14 * ratio}px system-ui, sans-serif`;
        ctx.textAlign = 'right';
        for (const value of [low, high]) {
            if (value === null || end <= begin) continue;
            const y = Math.round(plot.valToPos(value, 'y', true));
            ctx.beginPath();
            ctx.moveTo(begin, y);
            ctx.lineTo(end, y);
            ctx.stroke();
            const said = `${value === high ? '>' : '<'} ${this.#figure(value)}`;
            if (ctx.measureText(said).width > end - begin - 8 * ratio) continue;
            // Beyond the limit, as far as there the chart goes on.
            const over = value === high ? y - 18 * ratio >= top : y + 18 * ratio > top + height;
            ctx.textBaseline = over ? 'bottom' : 'top';
            ctx.fillText(said, end - 4 * ratio, y + (over ? -2 : 2) * ratio);
        }
    }

    render() {
        const { device, metric, view } = this.props;
        const { complaint } = this.state;
        return html`<figure class="history">
            <figcaption><b>${term(metric.title)}</b> <small>${device}</small>
                <output>${this.#readout()}</output></figcaption>
            <div class="plot" ref=${this.#host} ...${view.handlers(() => this.#inner())}></div>
            ${complaint && html`<p class="complaint" role="alert">${complaint}</p>`}
        </figure>`;
    }

    /** Where time is, on the screen. */
    #inner() {
        const rect = this.#host.current.querySelector('.u-over').getBoundingClientRect();
        return { left: rect.left, width: rect.width };
    }

    /** What the pointer is at; else the whole of what is seen. */
    #readout() {
        const { columns, pointed } = this.state;
        if (!columns) return words.waiting;
        const [time, low, mean, high] = columns;
        const { metric, span: [from, to] } = this.props;
        const unit = unitSuffix(metric.unit);
        if (pointed !== null && time[pointed] !== undefined && mean[pointed] !== null)
            return `${instant(time[pointed])}  ${metric.labels.length > 0
                ? this.#figure(Math.round(Number(mean[pointed])))
                : words.spread(this.#figure(Number(low[pointed])), this.#figure(Number(mean[pointed])),
                    this.#figure(Number(high[pointed])) + unit)}`;
        const seen = time.map((at, i) => i).filter((i) => time[i] >= from && time[i] <= to && mean[i] !== null);
        if (seen.length === 0) return words.nothingHeard;
        if (metric.labels.length > 0) return '';
        const middle = seen.reduce((sum, i) => sum + Number(mean[i]), 0) / seen.length;
        return words.spread(this.#figure(least(seen.map((i) => Number(low[i])))), this.#figure(middle),
            this.#figure(most(seen.map((i) => Number(high[i])))) + unit);
    }
}

/** A bar over the time that it stood, with its marks. @param {import('./stripmarks.js').Place} place
 *  @param {AlarmMark} alarm */
function drawAlarm({ ctx, left, top, width, height, ratio, x }, { from, to, priority }) {
    const begin = Math.max(left, x(from));
    const end = to === Infinity ? left + width : Math.min(left + width, x(to));
    if (end <= left || begin >= left + width) return;
    ctx.fillStyle = ctx.strokeStyle = [theme.low, theme.low, theme.medium, theme.high][priority];
    ctx.setLineDash(DASHES[priority].map((n) => n * ratio));
    ctx.lineWidth = ALARM_PX * ratio;
    ctx.beginPath();
    ctx.moveTo(begin, top + height - ALARM_PX / 2 * ratio);
    ctx.lineTo(Math.max(end, begin + 2 * ratio), top + height - ALARM_PX / 2 * ratio);
    ctx.stroke();
    ctx.font = `bold ${14 * ratio}px system-ui, sans-serif`;
    ctx.textAlign = 'left';
    ctx.textBaseline = 'bottom';
    ctx.fillText('!'.repeat(priority), begin + 2 * ratio, top + height - (ALARM_PX + 1) * ratio);
}

/** Without spreading a long list over the stack. @param {number[]} list */
function least(list) {
    return list.reduce((low, value) => Math.min(low, value), Infinity);
}

/** @param {number[]} list */
function most(list) {
    return list.reduce((high, value) => Math.max(high, value), -Infinity);
}

/** @param {number} ms */
function instant(ms) {
    return `${day(ms)} ${new Date(ms).toTimeString().slice(0, 8)}`;
}

/** As fine as the ticks are. @param {uPlot} plot @param {number[]} splits */
function times(plot, splits) {
    const step = splits.length > 1 ? splits[1] - splits[0] : 0;
    return splits.map((ms) => (step >= DAY_MS / 2 ? day(ms)
        : new Date(Math.round(ms)).toTimeString().slice(0, step < 60000 ? 8 : 5)));
}
