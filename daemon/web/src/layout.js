// How many tiles side by side, and how much each can show.

/** How much a tile can show, by what is left for it. Widths and heights in px. */
const DENSITIES = [
    { name: 'roomy', width: 560, height: 440 },
    { name: 'normal', width: 364, height: 320 },
    { name: 'dense', width: 224, height: 168 },
];

/** Columns and density for so many tiles: the roomiest that needs no scrolling; where even dense
 *  tiles do not all fit, they scroll downwards, never sideways.
 *  @param {number} count @param {number} width @param {number} height */
export function layout(count, width, height) {
    for (const density of DENSITIES) {
        const columns = Math.max(1, Math.floor(width / density.width));
        const rows = Math.floor(height / density.height);
        if (columns * rows >= count)
            return { density: density.name, columns: fewest(count, columns), fits: true };
    }
    const columns = Math.max(1, Math.floor(width / DENSITIES[2].width));
    return { density: 'dense', columns, fits: false };
}

/** As few columns as give the same number of rows. @param {number} count @param {number} most */
function fewest(count, most) {
    const rows = Math.max(1, Math.ceil(count / most));
    return Math.max(1, Math.ceil(count / rows));
}
