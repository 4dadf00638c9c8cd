// A measured metric's line, from its ring to a path.

/** @typedef {import('./series.js').Series} Series
 *  @typedef {{from: number, to: number, left: number, width: number,
 *    y: (value: number) => number}} Frame time span in ms, place in canvas pixels */

/** The line of a span of time: one column of pixels shows first, lowest, highest and last of what
 *  falls into it, so a thousand samples a pixel cost no more than four. Columns are counted from
 *  1970, not from the edge: a peak keeps its column while it moves, and does not flicker. The line
 *  is broken where the sensor was silent and where two samples are further apart than a value may
 *  be old.
 *  @param {Series} series @param {Frame} frame @param {number} apart_ms 0: never too far */
export function tracePath(series, { from, to, left, width, y }, apart_ms) {
    const path = new Path2D();
    const { times, values, end } = series;
    const perPixel = (to - from) / width;
    const x = (/** @type {number} */ time) => left + (time - from) / perPixel;
    let down = false; // the pen
    let column = -1;
    let last = -Infinity; // time of the sample before
    let first = 0, low = 0, high = 0, value = 0, at = 0;

    const flush = () => {
        if (column < 0) return;
        if (down) path.lineTo(at, y(first));
        else {
            path.moveTo(at, y(first));
            path.lineTo(at, y(first)); // a sample alone is a dot
        }
        if (low < first || high > first) {
            path.lineTo(at, y(low));
            path.lineTo(at, y(high));
            path.lineTo(at, y(value));
        }
        down = true;
        column = -1;
    };

    for (let i = Math.max(series.start, series.find(from) - 1); i < end; i++) {
        const time = times[i];
        if (Number.isNaN(values[i]) || (apart_ms > 0 && time - last > apart_ms)) {
            flush();
            down = false;
        }
        last = time;
        if (Number.isNaN(values[i])) continue;
        value = values[i];
        const here = Math.floor(time / perPixel);
        if (here !== column) {
            flush();
            column = here;
            first = low = high = value;
            at = x(time);
        } else if (value < low) low = value;
        else if (value > high) high = value;
    }
    flush();
    return path;
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
