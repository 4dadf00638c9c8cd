// A measured metric's line, from its ring to paths.
//
// Stroking thousands of joints is what costs most on a screen of strips, so only what is a line is
// stroked: a column of pixels in which the values spread is a bar, as wide as the line, and filled.

/** @typedef {import('./series.js').Series} Series
 *  @typedef {{from: number, to: number, left: number, width: number, thick: number,
 *    y: (value: number) => number}} Frame time span in ms; place, and how thick the line is, in
 *    canvas pixels */

const CALM_PX = 0.5; // less of a spread than this is not seen beneath a line

/** Columns of pixels, one after the other, as lines to be stroked and bars to be filled. */
class Trace {
    line = new Path2D();
    bars = new Path2D();
    #thick;
    /** @type {'up' | 'line' | 'bar'} what the column before is part of; up: there is none */
    #before = 'up';
    #x = 0;
    #last = 0;
    #top = 0;
    #bottom = 0;

    /** @param {number} thick */
    constructor(thick) {
        this.#thick = thick;
    }

    /** The next column does not go on from this one. */
    lift() {
        this.#before = 'up';
    }

    /** @param {number} x @param {number} first @param {number} top @param {number} bottom
     *  @param {number} last all in canvas pixels */
    add(x, first, top, bottom, last) {
        const isBar = bottom - top >= CALM_PX;
        if (!isBar) first = last = (top + bottom) / 2;
        if (this.#before === 'up' ? !isBar : !this.#touches(x, top, bottom, isBar)) this.#lead(x, first);
        if (isBar)
            this.bars.rect(x - this.#thick / 2, top - this.#thick / 2, this.#thick, bottom - top + this.#thick);
        this.#before = isBar ? 'bar' : 'line';
        this.#x = x;
        this.#last = last;
        this.#top = top;
        this.#bottom = bottom;
    }

    /** Does a bar hang together with what is before it, without a line?
     *  @param {number} x @param {number} top @param {number} bottom @param {boolean} isBar */
    #touches(x, top, bottom, isBar) {
        return isBar && x - this.#x <= this.#thick && top <= this.#bottom && bottom >= this.#top;
    }

    /** A line from the column before; a sample alone is a dot. @param {number} x @param {number} y */
    #lead(x, y) {
        if (this.#before === 'up') this.line.moveTo(x, y);
        else if (this.#before === 'bar') this.line.moveTo(this.#x, this.#last);
        this.line.lineTo(x, y);
    }
}

/** A series as columns of pixels: each has lowest and highest of what falls into it, and goes on from
 *  the last one before to its first, so a thousand samples a pixel cost no more than one bar. Columns
 *  are counted from 1970, not from the edge: a peak keeps its column while it moves, and does not
 *  flicker; and what was once gone through is kept for the next drawing. The line is broken where the
 *  sensor was silent and where two samples are further apart than a value may be old. */
export class Columns {
    /** @type {number[]} times of their first samples */
    #times = [];
    /** @type {number[]} */
    #first = [];
    /** @type {number[]} */
    #low = [];
    /** @type {number[]} */
    #high = [];
    /** @type {number[]} */
    #last = [];
    /** @type {boolean[]} they do not go on from the one before */
    #broken = [];
    /** @type {Series | undefined} */
    #series;
    #changes = 0;
    #perPixel = 0;
    #next = 0; // sample, counted with those that the series has dropped
    #seen = -Infinity; // time of the sample before
    #open = NaN; // number of the column that the next sample may fall into

    /** The line of a span of time. @param {Series} series @param {Frame} frame
     *  @param {number} apart_ms 0: never too far */
    trace(series, { from, to, left, width, thick, y }, apart_ms) {
        const perPixel = (to - from) / width;
        if (series !== this.#series || series.changes !== this.#changes || perPixel !== this.#perPixel)
            this.#begin(series, perPixel);
        this.#forget(from); // first: after a while out of sight there would be room for twice as many
        this.#take(series, apart_ms);
        this.#forget(from);
        const trace = new Trace(thick);
        for (let i = 0; i < this.#times.length; i++) {
            if (this.#broken[i]) trace.lift();
            trace.add(left + (this.#times[i] - from) / perPixel, y(this.#first[i]), y(this.#high[i]),
                y(this.#low[i]), y(this.#last[i]));
        }
        return trace;
    }

    /** Anew, from the oldest sample on. @param {Series} series @param {number} perPixel ms */
    #begin(series, perPixel) {
        this.#series = series;
        this.#changes = series.changes;
        this.#perPixel = perPixel;
        this.#next = series.start + series.dropped;
        this.#seen = -Infinity;
        this.#open = NaN;
        this.#cut(this.#times.length);
    }

    /** @param {Series} series @param {number} apart_ms */
    #take({ times, values, start, end, dropped }, apart_ms) {
        for (let i = Math.max(start, this.#next - dropped); i < end; i++) {
            const time = times[i];
            const value = values[i];
            const isGone = Number.isNaN(value);
            if (isGone || (apart_ms > 0 && time - this.#seen > apart_ms)) this.#open = NaN;
            this.#seen = time;
            if (isGone) continue;
            const column = Math.floor(time / this.#perPixel);
            if (column === this.#open) this.#widen(value);
            else this.#add(time, value, Number.isNaN(this.#open));
            this.#open = column;
        }
        this.#next = end + dropped;
    }

    /** @param {number} value */
    #widen(value) {
        const i = this.#times.length - 1;
        if (value < this.#low[i]) this.#low[i] = value;
        else if (value > this.#high[i]) this.#high[i] = value;
        this.#last[i] = value;
    }

    /** @param {number} time @param {number} value @param {boolean} isBroken */
    #add(time, value, isBroken) {
        this.#times.push(time);
        for (const list of [this.#first, this.#low, this.#high, this.#last]) list.push(value);
        this.#broken.push(isBroken);
    }

    /** All but one that lie before; that one leads to the edge. @param {number} from */
    #forget(from) {
        let gone = 0;
        while (gone + 1 < this.#times.length && this.#times[gone + 1] < from) gone++;
        this.#cut(gone);
    }

    /** @param {number} count of the oldest */
    #cut(count) {
        if (count === 0) return;
        for (const list of [this.#times, this.#first, this.#low, this.#high, this.#last, this.#broken])
            list.splice(0, count);
    }
}

/** Lowest and highest value since a time; null where there is none.
 *  @param {Series} series @param {number} from @returns {[number, number] | null} */
export function extent(series, from) {
    let low = Infinity;
    let high = -Infinity;
    for (let i = series.find(from); i < series.end; i++) {
        const value = series.values[i];
        if (value < low) low = value;
        if (value > high) high = value;
    }
    return low <= high ? [low, high] : null;
}

/** Bounds for an axis that hold the values and the limits, on round numbers so that they seldom
 *  move, and wide enough that noise does not look like an event.
 *  @param {[number, number] | null} values @param {number[]} limits
 *  @param {{min: number, max: number}} sensor what it can say @returns {[number, number]} */
export function bounds(values, limits, sensor) {
    const all = [...(values ?? []), ...limits];
    if (all.length === 0) return [sensor.min, sensor.max];
    let low = Math.min(...all);
    let high = Math.max(...all);
    const least = (sensor.max - sensor.min) / 25;
    if (high - low < least) {
        const middle = (high + low) / 2;
        low = middle - least / 2;
        high = middle + least / 2;
    }
    const step = roundStep((high - low) / 4);
    low = Math.floor(low / step - 0.15) * step;
    high = Math.ceil(high / step + 0.15) * step;
    return [Math.max(low, sensor.min), Math.max(Math.min(high, sensor.max), low + step)];
}

/** 1, 2 or 5 times a power of ten, at least so large. @param {number} least */
function roundStep(least) {
    const power = 10 ** Math.floor(Math.log10(least));
    const digit = least / power;
    return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}
