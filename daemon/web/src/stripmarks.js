// What was done in the treatment, across all strips: phases as bands, markers and notes as lines.
import { theme } from './theme.js';
import { term } from './words.js';

/** @typedef {{from: number, to: number, title: string}} PhaseMark hub time; to Infinity: not over
 *  @typedef {{at: number, flag: boolean}} NoteMark flag: a marker, set in the moment
 *  @typedef {{phases: PhaseMark[], notes: NoteMark[]}} Marks
 *  @typedef {{ctx: CanvasRenderingContext2D, left: number, top: number, width: number,
 *    height: number, ratio: number, x: (time: number) => number}} Place */

/** @type {Marks} */
export const NO_MARKS = { phases: [], notes: [] };

const TITLE_FONT_PX = 14;
const FLAG_PX = 8;

/** @param {import('./treatments.js').Detail | null} detail @returns {Marks} */
export function marksOf(detail) {
    if (!detail) return NO_MARKS;
    return {
        phases: detail.phases.filter(({ began }) => began).map(({ began, ended, title }) => ({
            from: Date.parse(began ?? ''), to: ended ? Date.parse(ended) : Infinity, title: term(title) })),
        notes: detail.notes.map(({ at, kind }) => ({ at: Date.parse(at), flag: kind === 'marker' })),
    };
}

/** Behind the data: every other phase is shaded, each begins with a line and, where there is room,
 *  its title. @param {Place} place @param {PhaseMark[]} phases @param {boolean} titled */
export function drawPhases({ ctx, left, top, width, height, ratio, x }, phases, titled) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    ctx.font = `${TITLE_FONT_PX * ratio}px system-ui, sans-serif`;
    ctx.textBaseline = 'top';
    phases.forEach(({ from, to, title }, i) => {
        const begin = Math.max(left, x(from));
        const end = Math.min(left + width, to === Infinity ? left + width : x(to));
        if (end <= left || begin >= left + width) return;
        ctx.fillStyle = theme.grid;
        ctx.globalAlpha = i % 2 === 0 ? 0.5 : 0;
        ctx.fillRect(begin, top, end - begin, height);
        ctx.globalAlpha = 1;
        ctx.fillStyle = theme.soft;
        if (x(from) >= left) ctx.fillRect(begin, top, ratio, height);
        if (titled && ctx.measureText(title).width < end - begin - 12 * ratio)
            ctx.fillText(title, begin + 6 * ratio, top + 2 * ratio);
    });
    ctx.restore();
}

/** In front of it: a dashed line a note, with a flag where it was set in the moment.
 *  @param {Place} place @param {NoteMark[]} notes */
export function drawNotes({ ctx, left, top, width, height, ratio, x }, notes) {
    ctx.save();
    ctx.fillStyle = ctx.strokeStyle = theme.ink;
    ctx.lineWidth = ratio;
    ctx.setLineDash([4 * ratio, 3 * ratio]);
    for (const { at, flag } of notes) {
        const from = x(at);
        if (from < left || from > left + width) continue;
        ctx.beginPath();
        ctx.moveTo(from, top);
        ctx.lineTo(from, top + height);
        ctx.stroke();
        if (!flag) continue;
        ctx.beginPath();
        ctx.moveTo(from, top);
        ctx.lineTo(from + FLAG_PX * ratio, top + FLAG_PX / 2 * ratio);
        ctx.lineTo(from, top + FLAG_PX * ratio);
        ctx.fill();
    }
    ctx.restore();
}
