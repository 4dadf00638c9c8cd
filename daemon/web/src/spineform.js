// The form of a spine from the side, from the angles that are measured of it. Forward is to the
// right, lengths are in units of about a centimetre, y grows downwards as on the screen, and the top
// of the pelvis is at 0, 0.
//
// What is drawn is a drawing: an average spine whose lumbar part takes the measured bend in equal
// parts; nothing else of it is measured.

/** @typedef {{x: number, y: number, deg: number}} Joint deg: from the vertical, forward is more */

const JOINTS = { lumbar: 5, thoracic: 12, neck: 7 };
const LENGTHS = { lumbar: 3.8, thoracic: 2.35, neck: 1.7 };
/** Tangents of an upright spine from the fifth lumbar vertebra to the first of the neck, in degrees. */
const UPRIGHT = [24, 10, -1, -9, -14, -16, -15, -13, -10, -6, -1, 4, 9, 13, 16, 19, 21, 20, 15, 9, 5, 2, 0, -2];
const RAD = Math.PI / 180;

/** The angle of the pelvis and the bend above it: of both angles where both are known, else the one
 *  that is.
 *  @param {number | null} flexion @param {number | null} inclination deg, null: not known */
export function poseOf(flexion, inclination) {
    const bend = flexion ?? 0;
    return { bend, pelvis: inclination === null ? 0 : inclination - bend };
}

/** The vertebrae from below, each at its middle. @param {{bend: number, pelvis: number}} pose
 *  @returns {Joint[]} */
export function spineOf({ bend, pelvis }) {
    const joints = [];
    let x = 0;
    let y = 0;
    for (let i = 0; i < UPRIGHT.length; i++) {
        const length = i < JOINTS.lumbar ? LENGTHS.lumbar
            : i < JOINTS.lumbar + JOINTS.thoracic ? LENGTHS.thoracic : LENGTHS.neck;
        const deg = UPRIGHT[i] + pelvis + bend * Math.min(1, (i + 1) / JOINTS.lumbar);
        const step = { x: Math.sin(deg * RAD) * length, y: -Math.cos(deg * RAD) * length };
        joints.push({ x: x + step.x / 2, y: y + step.y / 2, deg });
        x += step.x;
        y += step.y;
    }
    return joints;
}

/** A spine from behind that bends to the side: only its lumbar part. @param {number} lateral deg
 *  @returns {Joint[]} */
export function backOf(lateral) {
    const joints = [];
    let x = 0;
    let y = 0;
    for (let i = 0; i < JOINTS.lumbar + JOINTS.thoracic; i++) {
        const length = i < JOINTS.lumbar ? LENGTHS.lumbar : LENGTHS.thoracic;
        const deg = lateral * Math.min(1, (i + 1) / JOINTS.lumbar);
        const step = { x: Math.sin(deg * RAD) * length, y: -Math.cos(deg * RAD) * length };
        joints.push({ x: x + step.x / 2, y: y + step.y / 2, deg });
        x += step.x;
        y += step.y;
    }
    return joints;
}

/** A vertebra each, as one path: wider below than above. @param {Joint[]} joints */
export function vertebraePath(joints) {
    return joints.map(({ x, y, deg }, i) => {
        const half = { along: i < JOINTS.lumbar ? 1.45 : i < JOINTS.lumbar + JOINTS.thoracic ? 0.85 : 0.6,
            across: 2.6 - i * 0.055 };
        const [sin, cos] = [Math.sin(deg * RAD), Math.cos(deg * RAD)];
        const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([across, along]) => {
            const a = across * half.across;
            const b = along * half.along;
            return `${(x + a * cos + b * sin).toFixed(1)} ${(y + a * sin - b * cos).toFixed(1)}`;
        });
        return `M${corners.join('L')}z`;
    }).join('');
}

/** The trunk in front of its spine, as a line to be drawn thick. @param {Joint[]} joints */
export function trunkPath(joints) {
    return 'M' + joints.slice(0, JOINTS.lumbar + JOINTS.thoracic - 1).map(({ x, y, deg }, i) => {
        const before = 4.5 + Math.min(3, i * 0.3);
        return `${(x + Math.cos(deg * RAD) * before).toFixed(1)} ${(y + Math.sin(deg * RAD) * before).toFixed(1)}`;
    }).join('L');
}

/** Through all vertebrae. @param {Joint[]} joints */
export function linePath(joints) {
    return 'M' + joints.map(({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L');
}

/** Where the head is, above the uppermost vertebra. @param {Joint[]} joints @returns {Joint} */
export function headOf(joints) {
    const top = joints[joints.length - 1];
    const deg = top.deg * 0.8;
    return { x: top.x + Math.sin((deg + 14) * RAD) * 7.5, y: top.y - Math.cos((deg + 14) * RAD) * 7.5, deg };
}

/** A piece of a ring around 0, 0 from one angle to another. @param {number} from deg @param {number} to
 *  @param {number} inner @param {number} outer */
export function arcPath(from, to, inner, outer) {
    const point = (/** @type {number} */ deg, /** @type {number} */ radius) =>
        `${(Math.sin(deg * RAD) * radius).toFixed(1)} ${(-Math.cos(deg * RAD) * radius).toFixed(1)}`;
    const large = Math.abs(to - from) > 180 ? 1 : 0;
    return `M${point(from, inner)}L${point(from, outer)}A${outer} ${outer} 0 ${large} 1 ${point(to, outer)}`
        + `L${point(to, inner)}A${inner} ${inner} 0 ${large} 0 ${point(from, inner)}z`;
}
