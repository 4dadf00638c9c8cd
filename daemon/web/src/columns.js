// History as a chart draws it.

/** @typedef {{at: string, count: number, min: number, mean: number, max: number}} Bucket
 *  @typedef {{step_ms: number, buckets: Bucket[], gaps: {from: string, to: string}[]}} History
 *  @typedef {[number[], (number | null)[], (number | null)[], (number | null)[]]} Columns time, low,
 *    mean, high */

/** What the hub tells, as uPlot wants it: a gap is a time without a value. @param {History} history
 *  @returns {Columns} */
export function columnsOf({ step_ms, buckets, gaps }) {
    const points = buckets.map(({ at, min, mean, max }) => ({ at: Date.parse(at) + step_ms / 2, min, mean, max }));
    const holes = gaps.map(({ from }) => ({ at: Date.parse(from), min: null, mean: null, max: null }));
    const all = [...points, ...holes].sort((a, b) => a.at - b.at);
    return [all.map(({ at }) => at), all.map(({ min }) => min), all.map(({ mean }) => mean),
        all.map(({ max }) => max)];
}
