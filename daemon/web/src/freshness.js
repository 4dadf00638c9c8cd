// How a value may be shown: by its age against what its metric promises, never by the last frame.

/** @typedef {{value: number, time_ms: number}} Value of one device and metric, never NaN
 *  @typedef {'fresh' | 'stale' | 'offline' | 'never'} Freshness */

/** @param {Value | undefined} value @param {import('#live').Metric} metric
 *  @param {number} now_ms the hub's time @returns {Freshness} */
export function freshnessOf(value, metric, now_ms) {
    if (!value) return 'never';
    const age = now_ms - value.time_ms;
    if (metric.offline_ms > 0 && age >= metric.offline_ms) return 'offline';
    if (metric.stale_ms > 0 && age >= metric.stale_ms) return 'stale';
    return 'fresh';
}
