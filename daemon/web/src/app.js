// The frame around every screen: top line, banners, announcements, foot.
import { Component } from 'preact';
import { html } from './html.js';
import { RoomScreen } from './room.js';
import { Wall } from './wall.js';
import { clockTime, languageName, number, otherLanguage, setLanguage, span, words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('./link.js').Link} Link
 *  @typedef {{store: Store, link: Link, route: import('./route.js').Route,
 *    refresh: () => void}} Props */

const SILENT_MS = 5000;
const SLOW_MS = 100; // a heartbeat that takes longer is worth a number
const CHROME_PX = 132; // top line, margins and foot, around the wall
const UNASSIGNED_PX = 36; // a line beneath it, where there are such devices

/** @param {Props} props */
export function App({ store, link, route, refresh }) {
    const now = store.clock.now();
    const silence = link.phase === 'open' && Number.isFinite(store.heard)
        ? store.clock.local() - store.heard : 0;
    const height = innerHeight - CHROME_PX - (store.devicesIn(0).length > 0 ? UNASSIGNED_PX : 0);
    return html`
        <${TopLine} store=${store} link=${link} route=${route} now=${now} silence=${silence} />
        <${Banners} store=${store} link=${link} silence=${silence} />
        <main>
            ${route.room === null
                ? html`<${Wall} store=${store} now=${now} width=${innerWidth - 24}
                    height=${height} />`
                : html`<${RoomScreen} store=${store} name=${route.room} now=${now}
                    key=${route.room} />`}
        </main>
        <${Announcer} store=${store} />
        <footer>
            <span>${words.foot}</span>
            <span class="end">
                ${store.hello && html`<span>${words.version(store.hello.version)}</span>`}
                <button class="plain" onClick=${() => {
                    setLanguage(otherLanguage());
                    refresh();
                }}>${languageName(otherLanguage())}</button>
            </span>
        </footer>`;
}

/** @param {Pick<Props, 'store' | 'link' | 'route'> & {now: number, silence: number}} props */
function TopLine({ store, link, route, now, silence }) {
    const { health, hello } = store;
    const live = link.phase === 'open' && silence < SILENT_MS;
    const phase = silence >= SILENT_MS ? words.silent
        : { open: words.connected, connecting: words.connecting, waiting: words.disconnected }[link.phase];
    return html`<header class="top">
        ${route.room !== null && html`<a class="back" href="#/">
            <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M15 4l-8 8 8 8" /></svg>
            ${words.allRooms}</a>`}
        <b class="clinic">${hello?.clinic || 'Lumbar'}</b>
        <span class="states">
            ${health && html`
                <${State} good=${health.broker} live=${live} text=${brokerWords(health)} />
                <${State} good=${health.disk} live=${live}
                    text=${health.disk ? words.diskUp : words.diskDown} />`}
            <${State} good=${live} live=${true} text=${phase} />
        </span>
        <time class="clock">${clockTime(now)}</time>
    </header>`;
}

/** @param {import('#live').Health} health */
function brokerWords({ broker, heartbeat_ms }) {
    if (!broker) return words.brokerDown;
    return heartbeat_ms < SLOW_MS ? words.brokerUp : words.brokerSlow(number(heartbeat_ms));
}

/** Good is a tick, bad a cross, not known a question mark: never by colour alone.
 *  @param {{good: boolean, live: boolean, text: string}} props */
function State({ good, live, text }) {
    const kind = !live ? 'unknown' : good ? 'good' : 'bad';
    return html`<span class=${`state ${kind}`}>
        <i aria-hidden="true">${{ unknown: '?', good: '✓', bad: '✕' }[kind]}</i>${text}</span>`;
}

/** @param {Pick<Props, 'store' | 'link'> & {silence: number}} props */
function Banners({ store, link, silence }) {
    const { health } = store;
    const live = link.phase === 'open';
    const lost = !live && (link.phase === 'waiting' || Number.isFinite(store.heard));
    return html`<div class="banners" role="status">
        ${lost && html`<${HubGone} store=${store} link=${link} />`}
        ${live && silence >= SILENT_MS && html`<p class="banner bad">
            <b>${words.hubSilent(span(silence))}</b> ${words.nothingIsNew}</p>`}
        ${live && health && !health.broker && html`<p class="banner bad">
            <b>${words.brokerGone}</b> ${words.nothingIsNew}</p>`}
        ${live && health && !health.disk && html`<p class="banner bad">${words.diskGone}</p>`}
        ${live && health && health.dropped > 0 && html`<p class="banner odd">
            ${words.dropped(number(health.dropped))}</p>`}
    </div>`;
}

/** @param {Pick<Props, 'store' | 'link'>} props */
function HubGone({ store, link }) {
    const heard = store.clock.now() - (store.clock.local() - store.heard);
    const wait = Math.ceil((link.retryAt - performance.now()) / 1000);
    return html`<p class="banner bad">
        <b>${Number.isFinite(heard) ? words.hubGone(clockTime(heard)) : words.hubGoneNow}</b>
        ${store.bye && html` ${words.hubSaid(store.bye)}`}
        ${' '}${words.nothingIsNew}
        ${' '}${link.phase === 'waiting' ? words.retryIn(number(Math.max(1, wait))) : words.retrying}
        <button onClick=${() => link.open()}>${words.retryNow}</button>
    </p>`;
}

/** Says new alarms to those who listen to the page, each once.
 *  @extends {Component<{store: Store}>} */
class Announcer extends Component {
    /** @type {Set<number> | null} */
    #known = null;
    #text = '';

    render() {
        const { store } = this.props;
        const standing = [...store.alarms.values()];
        const fresh = standing.filter(({ number }) => this.#known && !this.#known.has(number));
        // What stood before the page was opened is on it; only what begins is called out.
        if (store.hello) this.#known = new Set(standing.map(({ number }) => number));
        if (fresh.length > 0) this.#text = fresh.map((alarm) => sentence(store, alarm)).join(' ');
        return html`<p class="unseen" aria-live="assertive">${this.#text}</p>`;
    }
}

/** @param {Store} store @param {import('#live').Alarm} alarm */
function sentence(store, alarm) {
    const room = store.hello?.rooms.find(({ id }) => id === store.devices.get(alarm.device)?.room);
    const action = store.rules.get(alarm.rule)?.action;
    return [room?.title, alarm.text, action].filter(Boolean).join(' ');
}
