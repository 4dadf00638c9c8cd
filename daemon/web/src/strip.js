// A strip: one metric of one device over the last five minutes, drawn by uPlot. A measured metric
// is a line with its limits, a state a band with its labels, an event a mark.
import { MetricType, Priority } from '#live';
import { Plot } from './plots.js';
import { STRIP_MS, isMeasured } from './store.js';
import { drawNotes, drawPhases } from './stripmarks.js';
import { theme } from './theme.js';
import { Columns, bounds, extent } from './trace.js';
import { number } from './words.js';
import { figure } from './value.js';

/** @import uPlot from 'uplot' */
/** @typedef {import('./series.js').Series} Series
 *  @typedef {import('#live').Metric} Metric
 *  @typedef {import('./limits.js').Limit} Limit */

const AXIS_PX = 60;
const TIMES_PX = 28;
const RIGHT_PX = 8;
const FONT = '14px system-ui, sans-serif';
const MINUTE_MS = 60000;
const RESCALE_MS = 500;
const BAND_PAD = 2; // css px
const LABEL_PX = 18;
const LABEL_STEP_PX = 72;
const PARTS = 8; // of a css pixel
/** A data set of nothing: uPlot then draws axes and calls our hooks. */
const NOTHING = /** @type {[number[]]} */ ([[]]);

export class Strip {
    metric;
    #series;
    #columns = new Columns();
    #limitsNow;
    /** @type {Limit[]} */
    #limits = [];
    #marks;
    #plot;
    #to = 0;
    #cursor = 0; // hub time, 0: none
    #age = -1; // of the cursor, as it was drawn; -1: none
    #ratio = 1;
    /** @type {[number, number]} */
    #bounds = [0, 1];
    #rescaled = -Infinity;

    /** There is a Plot by then.
     *  @param {HTMLElement} host @param {Metric} metric @param {() => Series | undefined} series
     *  @param {() => Limit[]} limits as they are now, the same list while they are the same
     *  @param {() => import('./stripmarks.js').Marks} marks
     *  @param {{width: number, height: number, times: boolean}} size */
    constructor(host, metric, series, limits, marks, size) {
        this.metric = metric;
        this.#series = series;
        this.#marks = marks;
        this.#limitsNow = limits;
        this.#plot = new Plot(this.#options(size), NOTHING, host);
    }

    /** @param {{width: number, height: number, times: boolean}} size @returns {uPlot.Options} */
    #options({ width, height, times }) {
        const ink = () => theme.soft;
        const measured = isMeasured(this.metric);
        const grid = { stroke: () => theme.grid, width: 1, show: measured };
        return {
            width,
            height: height + (times ? TIMES_PX : 0),
            ms: 1,
            pxAlign: 0, // else what moves smoothly would jump from pixel to pixel
            padding: [measured ? 6 : 0, RIGHT_PX, times || !measured ? 0 : 6, 0],
            cursor: { show: false },
            legend: { show: false },
            scales: {
                x: { auto: false, range: () => [this.#to - STRIP_MS, this.#to] },
                y: { auto: false, range: () => this.#bounds },
            },
            axes: [
                { stroke: ink, grid, ticks: { show: false }, font: FONT, space: 72, gap: 6,
                    size: times ? TIMES_PX : 0, incrs: [MINUTE_MS], values: times ? minutes : none },
                { stroke: ink, grid, font: FONT,
                    ticks: { show: false }, size: AXIS_PX, gap: 8, space: 28,
                    values: measured ? numbers : none },
            ],
            series: [{}],
            hooks: {
                drawClear: [() => drawPhases(this.#place(), this.#marks().phases, this.metric.key)],
                drawAxes: [() => this.#drawLimits()],
                draw: [() => this.#drawData()],
            },
        };
    }

    /** @param {number} width css px */
    resize(width) {
        if (Math.abs(width - this.#plot.width) >= 1)
            this.#plot.setSize({ width, height: this.#plot.height });
    }

    /** @param {number} now_ms hub time at the right edge @param {number} cursor_ms 0: none */
    draw(now_ms, cursor_ms) {
        if (!this.#hasMoved(now_ms, cursor_ms)) return;
        this.#to = now_ms;
        this.#cursor = cursor_ms;
        this.#ratio = this.#plot.ctx.canvas.width / this.#plot.width;
        this.#rescale(now_ms);
        this.#plot.batch(() => {
            this.#plot.setScale('x', { min: now_ms - STRIP_MS, max: now_ms });
            this.#plot.setScale('y', { min: this.#bounds[0], max: this.#bounds[1] });
        });
    }

    /** In so many ms it moves by a part of a pixel. */
    get pace() {
        return STRIP_MS / (this.#plot.width * PARTS);
    }

    /** Less than a part of a pixel nobody sees, and each drawing costs: at five minutes a strip, a
     *  display frame moves it by a fortieth. @param {number} now_ms @param {number} cursor_ms */
    #hasMoved(now_ms, cursor_ms) {
        const age = cursor_ms === 0 ? -1 : Math.round(now_ms - cursor_ms);
        if (age === this.#age && Math.abs(now_ms - this.#to) < this.pace) return false;
        this.#age = age;
        return true;
    }

    destroy() {
        this.#plot.destroy();
    }

    /** The sample that was newest at a time, if it was not too old then.
     *  @param {number} time_ms @returns {import('./freshness.js').Value | undefined} */
    at(time_ms) {
        const series = this.#series();
        if (!series) return undefined;
        const i = series.find(time_ms + 1) - 1;
        if (i < series.start) return undefined;
        const apart = this.metric.type === MetricType.EVENT ? 1000 : this.metric.stale_ms;
        if (apart > 0 && time_ms - series.times[i] > apart) return undefined;
        return { value: series.values[i], time_ms: series.times[i] };
    }

    /** @param {number} now_ms */
    #rescale(now_ms) {
        const limits = this.#limitsNow();
        if (!isMeasured(this.metric)
            || (limits === this.#limits && Math.abs(now_ms - this.#rescaled) < RESCALE_MS)) return;
        this.#limits = limits;
        this.#rescaled = now_ms;
        const series = this.#series();
        this.#bounds = bounds(series ? extent(series, now_ms - STRIP_MS) : null,
            this.#limits.map(({ limit }) => limit),
            { min: this.metric.min ?? 0, max: this.metric.max ?? 1 });
    }

    #drawLimits() {
        if (!isMeasured(this.metric)) return;
        this.#limits.forEach(({ limit, above, priority }, i) =>
            this.#drawLimit(priority, limit, this.#bounds[above ? 1 : 0], 6 + i * LABEL_STEP_PX));
    }

    /** A line with its value; beyond it is shaded. @param {number} priority @param {number} limit
     *  @param {number} beyond the end of the axis on its far side
     *  @param {number} indent of the label, so that those of close limits stand side by side */
    #drawLimit(priority, limit, beyond, indent) {
        const { ctx, bbox: { left, top, width, height } } = this.#plot;
        const ratio = this.#ratio;
        const y = Math.round(this.#y(limit)); // between pixels a thin line would be pale
        ctx.save();
        ctx.fillStyle = ctx.strokeStyle = priorityInk(priority);
        ctx.globalAlpha = 0.13;
        ctx.fillRect(left, Math.min(y, this.#y(beyond)), width, Math.abs(this.#y(beyond) - y));
        ctx.globalAlpha = 1;
        ctx.lineWidth = 2 * ratio;
        ctx.setLineDash(DASHES[priority].map((n) => n * ratio));
        ctx.beginPath();
        ctx.moveTo(left, y);
        ctx.lineTo(left + width, y);
        ctx.stroke();
        ctx.font = scaled(FONT, ratio);
        ctx.textAlign = 'left';
        // On the far side of the line, or on the near one where the far one is too narrow.
        const up = beyond > limit ? y - top > LABEL_PX * ratio : top + height - y < LABEL_PX * ratio;
        ctx.textBaseline = up ? 'bottom' : 'top';
        ctx.fillText(`${'!'.repeat(priority)} ${beyond > limit ? '>' : '<'} `
            + number(limit, decimalsOf(limit)), left + indent * ratio, y + (up ? -2 : 2) * ratio);
        ctx.restore();
    }

    #drawData() {
        const { ctx, bbox: { left, top, width, height } } = this.#plot;
        const series = this.#series();
        ctx.save();
        ctx.beginPath();
        ctx.rect(left, top, width, height);
        ctx.clip();
        if (series) {
            if (isMeasured(this.metric)) this.#drawLine(series);
            else if (this.metric.type === MetricType.EVENT) this.#drawEvents(series);
            else this.#drawBands(series);
        }
        if (!this.metric.health) drawNotes(this.#place(), this.#marks().notes);
        this.#drawCursor();
        ctx.restore();
    }

    /** Where marks are drawn. @returns {import('./stripmarks.js').Place} */
    #place() {
        const { ctx, bbox: { left, top, width, height } } = this.#plot;
        return { ctx, left, top, width, height, ratio: this.#ratio, x: (time) => this.#x(time) };
    }

    /** @param {Series} series */
    #drawLine(series) {
        const { ctx, bbox: { left, width } } = this.#plot;
        ctx.strokeStyle = ctx.fillStyle = theme.line;
        ctx.lineWidth = 2 * this.#ratio;
        ctx.lineJoin = ctx.lineCap = 'round';
        const frame = { from: this.#to - STRIP_MS, to: this.#to, left, width, thick: ctx.lineWidth,
            y: (/** @type {number} */ value) => this.#y(value) };
        const { line, bars } = this.#columns.trace(series, frame, this.metric.stale_ms);
        ctx.stroke(line);
        ctx.fill(bars);
    }

    /** @param {Series} series */
    #drawBands(series) {
        const { times, values, end } = series;
        const apart = this.metric.stale_ms || Infinity;
        let from = Math.max(series.start, series.find(this.#to - STRIP_MS) - 1);
        for (let i = from + 1; i <= end; i++) {
            const goesOn = i < end && values[i] === values[from] && times[i] - times[i - 1] <= apart;
            if (goesOn) continue;
            const until = i < end && times[i] - times[i - 1] <= apart ? times[i] : times[i - 1];
            if (!Number.isNaN(values[from])) this.#drawBand(times[from], until, values[from]);
            from = i;
        }
    }

    /** @param {number} from @param {number} until hub time @param {number} value */
    #drawBand(from, until, value) {
        const { ctx, bbox: { left: edge, top, height } } = this.#plot;
        const ratio = this.#ratio;
        const left = Math.max(edge, this.#x(from));
        const width = Math.max(ratio, this.#x(until) - left);
        const pad = BAND_PAD * ratio;
        ctx.fillStyle = theme.band[Math.round(value) % theme.band.length];
        ctx.fillRect(left, top + pad, Math.max(ratio, width - ratio), height - 2 * pad);
        ctx.font = scaled(FONT, ratio);
        const label = figure(this.metric, value);
        if (ctx.measureText(label).width > width - 12 * ratio) return;
        ctx.fillStyle = theme.ink;
        ctx.textAlign = 'left';
        ctx.textBaseline = 'middle';
        ctx.fillText(label, left + 6 * ratio, top + height / 2);
    }

    /** @param {Series} series */
    #drawEvents(series) {
        const { ctx, bbox: { top, height } } = this.#plot;
        const ratio = this.#ratio;
        ctx.fillStyle = theme.ink;
        ctx.font = scaled(FONT, ratio);
        ctx.textAlign = 'left';
        ctx.textBaseline = 'middle';
        for (let i = series.find(this.#to - STRIP_MS); i < series.end; i++) {
            if (Number.isNaN(series.values[i])) continue;
            const x = this.#x(series.times[i]);
            ctx.fillRect(x - ratio, top, 2 * ratio, height);
            ctx.fillText(figure(this.metric, series.values[i]), x + 5 * ratio, top + height / 2);
        }
    }

    #drawCursor() {
        if (this.#cursor === 0) return;
        const { ctx, bbox: { top, height } } = this.#plot;
        const ratio = this.#ratio;
        const x = this.#x(this.#cursor);
        ctx.fillStyle = theme.ink;
        ctx.fillRect(x - ratio / 2, top, ratio, height);
        const sample = isMeasured(this.metric) ? this.at(this.#cursor) : undefined;
        if (!sample || Number.isNaN(sample.value)) return;
        ctx.beginPath();
        ctx.arc(x, this.#y(sample.value), 4 * ratio, 0, 7);
        ctx.fill();
    }

    /** @param {number} time */
    #x(time) {
        const { left, width } = this.#plot.bbox;
        return left + ((time - this.#to + STRIP_MS) / STRIP_MS) * width;
    }

    /** @param {number} value */
    #y(value) {
        const { top, height } = this.#plot.bbox;
        const [low, high] = this.#bounds;
        return top + ((high - value) / (high - low)) * height;
    }
}

/** @type {number[][]} by priority, so that colour is not alone */
const DASHES = [[], [2, 4], [8, 5], []];

/** @param {number} priority */
function priorityInk(priority) {
    if (priority === Priority.HIGH) return theme.high;
    return priority === Priority.MEDIUM ? theme.medium : theme.low;
}

/** Where a strip's time axis begins and ends, in css px from its own edges. */
export const PLOT_LEFT = AXIS_PX;
export const PLOT_RIGHT = RIGHT_PX;

/** @param {string} font @param {number} ratio */
function scaled(font, ratio) {
    return font.replace(/^\d+/, (px) => String(Number(px) * ratio));
}

/** @param {number} value */
function decimalsOf(value) {
    return Math.min(3, (String(Number(value.toPrecision(6))).split('.')[1] ?? '').length);
}

/** @param {uPlot} plot @param {number[]} splits */
function minutes(plot, splits) {
    // Where the edge lies between two milliseconds, uPlot's splits may be one before their minute.
    return splits.map((ms) => new Date(Math.round(ms / MINUTE_MS) * MINUTE_MS).toTimeString().slice(0, 5));
}

/** @param {uPlot} plot @param {number[]} splits */
function none(plot, splits) {
    return splits.map(() => '');
}

/** @param {uPlot} plot @param {number[]} splits */
function numbers(plot, splits) {
    const decimals = Math.max(...splits.map((value) => decimalsOf(Number(value.toPrecision(6)))));
    return splits.map((value) => number(value, decimals));
}
