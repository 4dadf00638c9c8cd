// All alarms of the clinic: what waits first, then what somebody knows of, then what is shelved; what
// became of those before; and the load that they are.
import { shows, waits } from './alarm.js';
import { AlarmHistory } from './alarmhistory.js';
import { AlarmLoad } from './alarmload.js';
import { AlarmList } from './alarms.js';
import { html } from './html.js';
import { SuppressedList } from './suppressed.js';
import { number, words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('#live').Alarm} Alarm */

/** @param {{store: Store, deeds: import('./deeds.js').Deeds, now: number}} props */
export function AlarmScreen({ store, deeds, now }) {
    if (!store.hello) return html`<p class="empty">${words.waiting}</p>`;
    const alarms = store.allAlarms();
    return html`<div class="room">
        <h1>${words.alarms}</h1>
        <${Counts} alarms=${alarms} />
        ${alarms.length === 0 && html`<p class="calm">${words.calm}</p>`}
        <${AlarmList} store=${store} deeds=${deeds} alarms=${alarms} now=${now}
            label=${words.alarms} rooms=${true} />
        <${SuppressedList} store=${store} items=${store.suppressed.items}
            more=${store.suppressed.more} now=${now} rooms=${true} />
        <${AlarmHistory} store=${store} />
        <${AlarmLoad} store=${store} />
    </div>`;
}

/** @param {{alarms: Alarm[]}} props */
function Counts({ alarms }) {
    const waiting = alarms.filter(waits).length;
    const known = alarms.filter(shows).length - waiting;
    /** @type {[string, number][]} */
    const counts = [[words.countWaiting, waiting], [words.countKnown, known],
        [words.countShelved, alarms.length - waiting - known]];
    return html`<dl class="counts">${counts.map(([name, count]) => html`<div key=${name}>
        <dd>${number(count)}</dd><dt>${name}</dt></div>`)}</dl>`;
}
