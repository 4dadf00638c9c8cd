// Alarms as a room and the list of all show them: what each says, where it is in its life, and what
// can be done with it.
import { Component } from 'preact';
import { keyOf, stands, waits } from './alarm.js';
import { html } from './html.js';
import { Mark, kindWords, priorityName } from './marks.js';
import { ShelveForm } from './shelve.js';
import { Slide } from './slide.js';
import { unitSuffix } from './units.js';
import { figure } from './value.js';
import { clockTime, number, sentence, span, term, words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('./deeds.js').Deeds} Deeds
 *  @typedef {import('#live').Alarm} Alarm
 *  @typedef {import('#live').Hand} Hand */

export const PAGE = 25; // cards at a time: more than anybody reads, less than what is slow to draw
const HELD_MS = 3000; // after a touch nothing moves under the finger

/** @typedef {{store: Store, deeds: Deeds, alarms: Alarm[], now: number, label: string,
 *    rooms?: boolean}} ListProps rooms: each says where it is */

/** @extends {Component<ListProps, {most: number}>} */
export class AlarmList extends Component {
    state = { most: PAGE };
    /** @type {Alarm[]} as they were last in order */
    #shown = [];
    #heldUntil = 0;

    /** In the order of need; while somebody touches them, in the order that they had.
     *  @returns {Alarm[]} */
    #ordered() {
        const { alarms } = this.props;
        if (performance.now() >= this.#heldUntil) return alarms;
        const known = new Map(alarms.map((alarm) => [keyOf(alarm), alarm]));
        const had = this.#shown.map((alarm) => known.get(keyOf(alarm)) ?? over(alarm));
        const before = new Set(this.#shown.map(keyOf));
        return [...had, ...alarms.filter((alarm) => !before.has(keyOf(alarm)))];
    }

    #hold() {
        this.#heldUntil = performance.now() + HELD_MS;
    }

    render() {
        const { store, deeds, now, label, rooms } = this.props;
        this.#shown = this.#ordered();
        const more = this.#shown.length - this.state.most;
        return html`<ul class="alarms" aria-label=${label} onPointerDown=${() => this.#hold()}
                onKeyDown=${() => this.#hold()}>
            ${this.#shown.slice(0, this.state.most).map((alarm) => html`<${AlarmCard}
                key=${keyOf(alarm)} store=${store} deeds=${deeds} alarm=${alarm} now=${now}
                room=${rooms ? store.roomOf(alarm) : undefined} />`)}
        </ul>
        ${more > 0 && html`<p class="more">
            <span>${words.notShown(number(more))}</span>
            <button onClick=${() => this.setState({ most: this.state.most + PAGE })}>
                ${words.showMore(number(Math.min(PAGE, more)))}</button>
        </p>`}`;
    }
}

/** What is over while the list is held stays in its place. @param {Alarm} alarm @returns {Alarm} */
function over(alarm) {
    return { ...alarm, presence: 0, shelved: undefined, acknowledged: undefined };
}

/** @typedef {{store: Store, deeds: Deeds, alarm: Alarm, now: number,
 *    room?: import('#live').Room}} CardProps */

/** @extends {Component<CardProps, {shelving: boolean}>} */
class AlarmCard extends Component {
    state = { shelving: false };
    /** @type {HTMLElement | null} */
    #card = null;
    #refocus = false;

    /** The button that was pressed may be gone: focus stays with its alarm. */
    componentDidUpdate() {
        if (!this.#refocus || document.activeElement !== document.body) return;
        this.#refocus = false;
        this.#card?.focus();
    }

    /** @param {import('./deeds.js').Deed} deed @param {{why?: string, seconds?: number}} [more] */
    #do(deed, more) {
        this.#refocus = this.#card?.contains(document.activeElement) ?? false;
        this.setState({ shelving: false });
        this.props.deeds.do(this.props.alarm, deed, more);
    }

    render() {
        const { store, deeds, alarm, now, room } = this.props;
        const complaint = deeds.complaint(alarm);
        return html`<li class=${`alarm ${priorityName(alarm.priority)} ${waits(alarm) ? '' : 'quiet'}`}
                tabindex="-1" aria-busy=${deeds.awaits(alarm)}
                ref=${(/** @type {HTMLElement | null} */ card) => { this.#card = card; }}>
            <${Mark} alarm=${alarm} />
            <div class="said">
                ${room && html`<a class="where" href=${`#/room/${encodeURIComponent(room.name)}`}>
                    ${room.title || room.name}</a>`}
                <p class="sentence">${sentence(alarm.text)}</p>
                ${alarm.action && html`<p class="first"><b>${words.first}</b> ${term(alarm.action)}</p>`}
                ${alarm.plain && html`<p class="plainly"><b>${words.forClient}</b> ${term(alarm.plain)}</p>`}
                <${Life} store=${store} alarm=${alarm} now=${now} />
                ${alarm.hides > 0 && html`<${Behind} store=${store} now=${now}
                    alarms=${store.alarmsBehind(alarm.number)} />`}
                ${deeds.awaits(alarm) && html`<p class="telling">${words.telling}</p>`}
                <p class="complaint" role="alert">${complaint}</p>
            </div>
            ${this.state.shelving
                ? html`<${ShelveForm} onCancel=${() => this.setState({ shelving: false })}
                    onShelve=${(/** @type {string} */ why, /** @type {number} */ seconds) =>
                        this.#do('shelve', { why, seconds })} />`
                : this.#deeds()}
        </li>`;
    }

    /** What may be done now: what is needed most first, what takes back last. */
    #deeds() {
        const { alarm, deeds } = this.props;
        const asked = deeds.awaits(alarm);
        const button = (/** @type {import('./deeds.js').Deed} */ deed, /** @type {string} */ text,
            /** @type {string} */ kind = '') => html`<button key=${deed} class=${`${deed} ${kind}`}
                aria-disabled=${asked} onClick=${() => this.#do(deed)}>${text}</button>`;
        return html`<div class="deeds">
            ${waits(alarm) && button('ack', words.acknowledge, 'do')}
            ${alarm.latched && html`<${Slide} key="reset" text=${words.reset}
                onDone=${() => this.#do('reset')} />`}
            ${alarm.shelved ? button('unshelve', words.unshelve)
                : stands(alarm) && html`<button key="shelve" class="shelf" aria-disabled=${asked}
                    onClick=${() => this.setState({ shelving: !asked })}>${words.shelving}</button>`}
            ${alarm.acknowledged && button('unack', words.unacknowledge)}
        </div>`;
    }
}

/** What a cause hides: how many, and which where somebody asks. Nobody has to do anything about
 *  them. @param {{store: Store, alarms: Alarm[], now: number}} props */
export function Behind({ store, alarms, now }) {
    if (alarms.length === 0) return null;
    return html`<details class="behind">
        <summary>${words.behindIt(alarms.length, number(alarms.length))}</summary>
        <ul>${alarms.slice(0, PAGE).map((alarm) => html`<li key=${keyOf(alarm)}>
            <b>${store.roomOf(alarm)?.title}</b> ${sentence(alarm.text)}
            ${' '}<${Life} store=${store} alarm=${alarm} now=${now} />
        </li>`)}</ul>
        ${alarms.length > PAGE && html`<p>${words.notShown(number(alarms.length - PAGE))}</p>`}
    </details>`;
}

/** The worst value since it was raised, with its unit. @param {Store} store @param {Alarm} alarm */
function worstOf(store, alarm) {
    const metric = store.metrics.get(store.rules.get(alarm.rule)?.metric ?? -1);
    return metric ? figure(metric, alarm.worst?.value ?? NaN) + unitSuffix(metric.unit) : '';
}

/** Where an alarm is in its life, in words.
 *  @param {{store: Store, alarm: Alarm, now: number}} props */
function Life({ store, alarm, now }) {
    const { unknown_ms, acknowledged, shelved, escalated, worst } = alarm;
    return html`<ul class="life">
        <li>${kindWords(alarm)}</li>
        <li>${!stands(alarm) && !shelved ? words.alarmOver
            : words.since(clockTime(alarm.raised_ms), span(now - alarm.raised_ms))}</li>
        ${worst && html`<li class="worst">
            ${words.atWorst(worstOf(store, alarm))}</li>`}
        ${alarm.latched && html`<li class="latched">${words.latched}</li>`}
        ${unknown_ms > 0 && html`<li class="unknown">${words.unknownFor(span(now - unknown_ms))}</li>`}
        ${escalated > 0 && html`<li class="escalated">${words.escalated}</li>`}
        ${acknowledged && html`<li class="acknowledged">
            ${(alarm.of_loss ? words.lossKnown : words.known)(handWords(acknowledged))}</li>`}
        ${shelved && html`<li class="shelved">${words.shelvedUntil(clockTime(shelved.until_ms),
            span(shelved.until_ms - now), handWords(shelved))}
            ${!stands(alarm) && ` ${words.shelvedCalm}`}</li>`}
    </ul>`;
}

/** "14:03:10 Ana, on my way". @param {Hand} hand */
function handWords({ at_ms, by, why }) {
    const who = { page: words.byPage, lumbarctl: words.byCommand }[by] ?? by;
    return [`${clockTime(at_ms)} ${who}`, why].filter(Boolean).join(', ');
}
