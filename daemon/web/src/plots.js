// uPlot, made ready with the first chart: the formats of dates and numbers that it prepares take a browser
// longer than all else that this page does before it shows a value.

/** @type {typeof import('uplot')} */
export let Plot;
/** @type {Promise<void> | undefined} */
let loading;

/** Does it as soon as there is a Plot: at once, where there is one. @param {() => void} deed */
export function withPlots(deed) {
    if (Plot) {
        deed();
        return;
    }
    loading ??= import('uplot').then(({ default: found }) => { Plot = found; });
    loading.then(deed);
}
