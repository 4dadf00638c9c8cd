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

/** The line of a span of time: one column of pixels shows lowest and highest of what falls into it,
 *  and goes on from the last one before to its first, so a thousand samples a pixel cost no more than
 *  one bar. Columns are counted from 1970, not from the edge: a peak keeps its column while it moves,
 *  and does not flicker. The line is broken where the sensor was silent and where two samples are
 *  further apart than a value may be old.
 *  @param {Series} series @param {Frame} frame @param {number} apart_ms 0: never too far */
export function traceOf(series, { from, to, left, width, thick, y }, apart_ms) {
    const trace = new Trace(thick);
    const { times, values, end } = series;
    const perPixel = (to - from) / width;
    const x = (/** @type {number} */ time) => left + (time - from) / perPixel;
    let column = -1;
    let last = -Infinity; // time of the sample before
    let first = 0, low = 0, high = 0, value = 0, at = 0;

    const flush = () => {
        if (column >= 0) trace.add(at, y(first), y(high), y(low), y(value));
        column = -1;
    };

    for (let i = Math.max(series.start, series.find(from) - 1); i < end; i++) {
        const time = times[i];
        if (Number.isNaN(values[i]) || (apart_ms > 0 && time - last > apart_ms)) {
            flush();
            trace.lift();
        }
        last = time;
        if (Number.isNaN(values[i])) continue;
        const here = Math.floor(time / perPixel);
        if (here !== column) {
            flush();
            column = here;
            first = low = high = values[i];
            at = x(time);
        }
        value = values[i];
        if (value < low) low = value;
        else if (value > high) high = value;
    }
    flush();
    return trace;
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
