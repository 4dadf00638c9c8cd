// The colours of the style sheet, for canvases.

/** @typedef {{ink: string, soft: string, grid: string, line: string, band: string[],
 *    low: string, medium: string, high: string, paper: string}} Theme */

/** @type {Theme} */
export let theme = read();

/** @type {Set<() => void>} */
const listeners = new Set();

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    theme = read();
    for (const listener of listeners) listener();
});

/** @param {() => void} listener @returns {() => void} ends it */
export function onTheme(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
}

/** @returns {Theme} */
function read() {
    const style = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
    return {
        ink: colour('ink'),
        soft: colour('soft'),
        grid: colour('grid'),
        line: colour('trace'),
        band: [colour('band-0'), colour('band-1'), colour('band-2')],
        low: colour('low-ink'),
        medium: colour('medium-ink'),
        high: colour('high-ink'),
        paper: colour('card'),
    };
}
