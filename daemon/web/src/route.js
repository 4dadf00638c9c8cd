// Where the page is: "#/" is the wall, "#/room/<name>" a room, "#/alarms" the list of them, "#/clients"
// who is treated, "#/client/<name>" a course.

/** @typedef {{room: string | null, client: string | null, alarms: boolean, clients: boolean}} Route */

/** @param {string} hash @returns {Route} */
export function parseRoute(hash) {
    return {
        room: named(hash, /^#\/room\/(.+)$/),
        client: named(hash, /^#\/client\/(.+)$/),
        alarms: hash === '#/alarms',
        clients: hash === '#/clients',
    };
}

/** @param {string} hash @param {RegExp} pattern */
function named(hash, pattern) {
    const found = pattern.exec(hash);
    try {
        return found ? decodeURIComponent(found[1]) : null;
    } catch {
        return null; // a broken % in an address typed by hand
    }
}
