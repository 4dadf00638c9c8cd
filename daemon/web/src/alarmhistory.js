// What became of alarms: raised, told again, acknowledged by whom, shelved, ended. Asked for as somebody
// looks: it is long, and calm people look at what is now.
import { Component } from 'preact';
import { askHub, complaintOf, isDone } from './ask.js';
import { Choice } from './choice.js';
import { html } from './html.js';
import { unitSuffix } from './units.js';
import { clockTime, day, number, span, term, words } from './words.js';

const HOUR_MS = 3600000;
const SPANS_H = [8, 24, 168];
const PAGE = 25;

/** @typedef {import('./store.js').Store} Store
 *  @typedef {{at: string, what: string, by?: string, why?: string}} Transition
 *  @typedef {{number: number, rule: string, room: string | null, device: string, metric: string,
 *    unit: string, priority: 'low' | 'medium' | 'high', kind: string, state: string,
 *    escalated: number, raised: string, ended: string | null, value?: number, worst?: number,
 *    transitions: Transition[]}} Past as the API says it
 *  @typedef {{hours: number, room: string, rule: string, list: Past[] | null, next: number | null,
 *    complaint: string}} State */

/** @extends {Component<{store: Store}, State>} */
export class AlarmHistory extends Component {
    /** @type {State} */
    state = { hours: SPANS_H[0], room: '', rule: '', list: null, next: null, complaint: '' };
    #asked = 0;

    componentDidMount() {
        this.#ask(null);
    }

    /** @param {number | null} before where the next page begins; null: from the newest */
    async #ask(before) {
        const { hours, room, rule } = this.state;
        const asked = ++this.#asked;
        const query = new URLSearchParams({ limit: String(PAGE),
            from: new Date(this.props.store.clock.now() - hours * HOUR_MS).toISOString() });
        if (room) query.set('room', room);
        if (rule) query.set('rule', rule);
        if (before !== null) query.set('before', String(before));
        const answer = await askHub('GET', `/alarms/history?${query}`);
        if (asked !== this.#asked) return; // something else was chosen meanwhile
        const complaint = complaintOf(answer);
        if (!isDone(answer)) return void this.setState({ complaint });
        const had = before === null ? [] : this.state.list ?? [];
        this.setState({ list: [...had, ...answer.said.alarms], next: answer.said.next, complaint });
    }

    /** @param {Partial<State>} chosen */
    #choose(chosen) {
        this.setState({ ...chosen, list: null, next: null, complaint: '' }, () => this.#ask(null));
    }

    render() {
        const { store } = this.props;
        const { hours, room, rule, list, next, complaint } = this.state;
        return html`<section class="pasts" aria-label=${words.alarmHistory}>
            <h2>${words.alarmHistory}</h2>
            <div class="choices">${SPANS_H.map((of) => html`<${Choice} key=${of} name="history"
                text=${of < 48 ? words.hours(number(of)) : words.days(number(of / 24))}
                chosen=${of === hours} onChoose=${() => this.#choose({ hours: of })} />`)}
                <${Pick} label=${words.whichRoom} all=${words.allRooms} chosen=${room}
                    options=${(store.hello?.rooms ?? []).map(({ name, title }) => [name, title || name])}
                    onPick=${(/** @type {string} */ name) => this.#choose({ room: name })} />
                <${Pick} label=${words.rule} all=${words.allRules} chosen=${rule}
                    options=${[...store.rules.values()].map(({ name, title }) => [name, title || name])}
                    onPick=${(/** @type {string} */ name) => this.#choose({ rule: name })} />
                <button class="again" onClick=${() => this.#choose({})}>${words.askAgain}</button>
            </div>
            ${complaint && html`<p class="complaint" role="alert">${complaint}</p>`}
            ${list?.length === 0 && html`<p>${words.noPasts}</p>`}
            <ul>${list?.map((past) => html`<${Row} key=${past.number} store=${store} past=${past} />`)}</ul>
            ${next !== null && html`<p class="more">
                <button onClick=${() => this.#ask(next)}>${words.showMore(number(PAGE))}</button></p>`}
        </section>`;
    }
}

/** @param {{label: string, all: string, chosen: string, options: [string, string][],
 *    onPick: (name: string) => void}} props */
function Pick({ label, all, chosen, options, onPick }) {
    return html`<label class="pick"><span>${label}</span>
        <select value=${chosen} onChange=${(/** @type {Event} */ event) =>
            onPick(/** @type {HTMLSelectElement} */ (event.target).value)}>
            <option value="">${all}</option>
            ${options.map(([name, title]) => html`<option key=${name} value=${name}>${title}</option>`)}
        </select></label>`;
}

const MARKS = { low: '!', medium: '!!', high: '!!!' };

/** @param {{store: Store, past: Past}} props */
function Row({ store, past }) {
    const { priority, raised, ended, value, worst, unit } = past;
    const from = Date.parse(raised);
    const title = term([...store.rules.values()].find(({ name }) => name === past.rule)?.title ?? past.rule);
    const room = store.hello?.rooms.find(({ name }) => name === past.room)?.title ?? past.room;
    const amount = (/** @type {number} */ of) => number(of, of % 1 === 0 ? 0 : 1) + unitSuffix(unit);
    return html`<li class=${`past ${priority}`}>
        <p><b class="marks">${MARKS[priority]}</b> <b>${title}</b> ${room ?? words.noRoom}
            ${value !== undefined && ` · ${amount(value)}`}
            ${worst !== undefined && worst !== value && ` · ${words.atWorst(amount(worst))}`}</p>
        <p class="when">${day(from)} ${clockTime(from)} ·${' '}
            ${ended ? words.lasted(span(Date.parse(ended) - from)) : words.stillStands}</p>
        ${past.transitions.length > 1 && html`<ol class="deeds-done">
            ${past.transitions.slice(1).map((done, i) => html`<li key=${i}>${deedWords(done)}</li>`)}</ol>`}
    </li>`;
}

/** "14:03:10 acknowledged, Ana, on my way". @param {Transition} done */
function deedWords({ at, what, by, why }) {
    const who = by && ({ page: words.byPage, lumbarctl: words.byCommand }[by] ?? by);
    const deeds = /** @type {Record<string, string>} */ (words.deedsDone);
    return [`${clockTime(Date.parse(at))} ${deeds[what] ?? what}`, who, why].filter(Boolean).join(', ');
}
