// Where the page is: "#/" is the wall, "#/room/<name>" a room, "#/alarms" the list of them, "#/clients"
// who is treated, "#/client/<name>" a course, "#/sessions" what is over, "#/sessions/12" one of them,
// "#/sessions/12/15" two side by side; "#/devices" and the like what their name says; "#/kiosk" is the
// wall on a television; "#/enrol/<secret>" an invitation, "#/token/<secret>" a wall that comes in by its
// token: what stands behind a # is never sent. "#/people" are accounts, "#/own" is one's own, "#/trail"
// who did what.

/** @typedef {'devices' | 'rules' | 'hub'} Back what is for who looks after the hub
 *  @typedef {{room: string | null, client: string | null, alarms: boolean, clients: boolean,
 *    people: boolean, own: boolean, trail: boolean, archive: boolean, records: number[],
 *    enrol: string | null, token: string | null, kiosk: boolean, back: Back | null}} Route */

/** @param {string} hash @returns {Route} */
export function parseRoute(hash) {
    return {
        room: named(hash, /^#\/room\/(.+)$/),
        client: named(hash, /^#\/client\/(.+)$/),
        alarms: hash === '#/alarms',
        clients: hash === '#/clients',
        people: hash === '#/people',
        own: hash === '#/own',
        trail: hash === '#/trail',
        enrol: named(hash, /^#\/enrol\/(.+)$/),
        token: named(hash, /^#\/token\/(.+)$/),
        kiosk: hash === '#/kiosk',
        back: /** @type {Back | undefined} */ (/^#\/(devices|rules|hub)$/.exec(hash)?.[1]) ?? null,
        archive: hash === '#/sessions',
        records: (/^#\/sessions\/(\d{1,15})(?:\/(\d{1,15}))?$/.exec(hash) ?? []).slice(1).filter(Boolean)
            .map(Number),
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
