// The life of an alarm, as far as screens ask for it. Whether it stands, whether its value is known
// and whether somebody knows of it are three things; a shelf is a fourth.
import { AlarmPresence } from '#live';

/** @typedef {import('#live').Alarm} Alarm */

/** On or latched. @param {Alarm} alarm */
export function stands({ presence }) {
    return presence === AlarmPresence.ON;
}

/** Somebody is to look: it stands, nobody acknowledged it and nobody put it out of sight.
 *  @param {Alarm} alarm */
export function waits(alarm) {
    return stands(alarm) && !alarm.acknowledged && !alarm.shelved;
}

/** In sight: it stands and is not shelved. @param {Alarm} alarm */
export function shows(alarm) {
    return stands(alarm) && !alarm.shelved;
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
