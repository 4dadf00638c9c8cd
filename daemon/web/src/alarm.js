// The life of an alarm, as far as screens ask for it. Whether it stands, whether its value is known
// and whether somebody knows of it are three things; a shelf is a fourth, and a root cause that is
// told in its place a fifth.
import { AlarmPresence } from '#live';

/** @typedef {import('#live').Alarm} Alarm */

/** On or latched. @param {Alarm} alarm */
export function stands({ presence }) {
    return presence === AlarmPresence.ON;
}

/** What hides alarms and is none itself. */
export const BEHIND_BROKER = -1;
export const BEHIND_HUB = -2;

/** In sight: it stands, is not shelved and not behind its cause. @param {Alarm} alarm */
export function shows(alarm) {
    return stands(alarm) && !alarm.shelved && !alarm.behind;
}

/** Somebody is to look: it is in sight, and nobody acknowledged it. @param {Alarm} alarm */
export function waits(alarm) {
    return shows(alarm) && !alarm.acknowledged;
}

/** By rule and device, as the hub keeps them: an alarm that comes again takes its place.
 *  @param {Alarm} alarm */
export function keyOf({ rule, device }) {
    return `${rule}/${device}`;
}

/** What waits first, then what somebody knows of, then shelves; of the same the more urgent, people
 *  before equipment, then who has waited longest. @param {Alarm} a @param {Alarm} b */
export function byNeed(a, b) {
    return rank(b) - rank(a) || b.priority - a.priority || Number(a.technical) - Number(b.technical)
        || a.raised_ms - b.raised_ms || a.number - b.number;
}

/** @param {Alarm} alarm */
function rank(alarm) {
    return Number(waits(alarm)) + Number(shows(alarm));
}
