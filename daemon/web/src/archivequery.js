// What the list of past sessions asks the hub for.

/** @typedef {{room: string, client: string, from: string, to: string}} Wanted days as '2026-10-25', ''
 *    for any */

/** Days are those of this screen's clock: a day has 23 or 25 hours where the clock is set.
 *  @param {Wanted} wanted @param {number | null} before */
export function queryOf({ room, client, from, to }, before) {
    const query = new URLSearchParams();
    if (room) query.set('room', room);
    if (client) query.set('client', client);
    if (from) query.set('from', new Date(`${from}T00:00`).toISOString());
    if (to) {
        const end = new Date(`${to}T00:00`);
        end.setDate(end.getDate() + 1);
        query.set('to', end.toISOString());
    }
    if (before !== null) query.set('before', String(before));
    return query.toString();
}
