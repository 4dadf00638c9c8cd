// Where the page is: "#/" is the wall, "#/room/<name>" a room, "#/alarms" the list of them.

/** @typedef {{room: string | null, alarms: boolean}} Route */

/** @param {string} hash @returns {Route} */
export function parseRoute(hash) {
    const found = /^#\/room\/(.+)$/.exec(hash);
    try {
        return { room: found ? decodeURIComponent(found[1]) : null, alarms: hash === '#/alarms' };
    } catch {
        return { room: null, alarms: false }; // a broken % in an address typed by hand
    }
}
