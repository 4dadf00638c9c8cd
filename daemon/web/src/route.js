// Where the page is: "#/" is the wall, "#/room/<name>" a room.

/** @typedef {{room: string | null}} Route */

/** @param {string} hash @returns {Route} */
export function parseRoute(hash) {
    const found = /^#\/room\/(.+)$/.exec(hash);
    try {
        return { room: found ? decodeURIComponent(found[1]) : null };
    } catch {
        return { room: null }; // a broken % in an address typed by hand
    }
}
