// The frame around every screen: top line, banners, announcements, foot.
import { Component } from 'preact';
import { BEHIND_BROKER, BEHIND_HUB, waits } from './alarm.js';
import { Behind } from './alarms.js';
import { AlarmScreen } from './alarmscreen.js';
import { ArchiveScreen } from './archive.js';
import { ClientsScreen } from './clients.js';
import { CourseScreen } from './course.js';
import { DevicesScreen } from './devices.js';
import { html } from './html.js';
import { HubScreen } from './hub.js';
import { Glyph, Mark } from './marks.js';
import { GlassBanner, OwnScreen, TrailScreen } from './own.js';
import { PeopleScreen } from './people.js';
import { RecordScreen } from './record.js';
import { RoomScreen } from './room.js';
import { RulesScreen } from './rules.js';
import { Wall } from './wall.js';
import { clockTime, languageName, number, otherLanguage, sentence, setLanguage, span, term, words } from './words.js';

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('./link.js').Link} Link
 *  @typedef {import('./deeds.js').Deeds} Deeds
 *  @typedef {import('./treatments.js').Treatments} Treatments
 *  @typedef {import('./sound.js').Sound} Sound
 *  @typedef {import('./entrance.js').Entrance} Entrance
 *  @typedef {{entrance: Entrance, store: Store, link: Link, deeds: Deeds, sound: Sound, treatments: Treatments,
 *    route: import('./route.js').Route,
 *    refresh: () => void}} Props */

const SILENT_MS = 5000;
const SLOW_MS = 100; // a heartbeat that takes longer is worth a number
const TOP_PX = 64; // until there is one to measure
const FOOT_PX = 48;
const MARGINS_PX = 20; // of the wall in main, and a little
const CALLED_OUT = 3; // alarms that begin in the same moment
const LEAST_PX = 280; // of a chart, also in a window that is not shown yet
const BENEATH_MOST_PX = 120; // devices of no room; a long list of them goes on below the window

/** @param {Props} props */
export function App({ entrance, store, link, deeds, sound, treatments, route, refresh }) {
    const now = store.clock.now();
    const silence = link.phase === 'open' && Number.isFinite(store.heard)
        ? store.clock.local() - store.heard : 0;
    if (route.kiosk)
        return html`<${KioskWall} store=${store} link=${link} deeds=${deeds} sound=${sound} now=${now}
            silence=${silence} />`;
    return html`
        <${TopLine} store=${store} link=${link} sound=${sound} route=${route} now=${now}
            silence=${silence} />
        <${Banners} store=${store} link=${link} silence=${silence} />
        <${GlassBanner} entrance=${entrance} />
        <main>
            <${Screen} entrance=${entrance} store=${store} deeds=${deeds} treatments=${treatments} route=${route}
                now=${now} />
        </main>
        <${Announcer} store=${store} />
        <footer>
            <span>${words.foot}</span>
            <span class="end">
                ${entrance.may('lead', 'therapist') && html`
                    <a class="plain" href="#/clients">${words.clients}</a>
                    <a class="plain" href="#/sessions">${words.pastSessions}</a>`}
                <a class="plain" href="#/devices">${words.devices}</a>
                <a class="plain" href="#/rules">${words.rules}</a>
                ${entrance.may('admin', 'lead', 'auditor') && html`
                    <a class="plain" href="#/hub">${words.hub}</a>`}
                <${WhoIsIn} entrance=${entrance} />
                ${store.health && html`<${Unusable} health=${store.health} />`}
                ${store.hello && html`<span>${words.version(store.hello.version)}</span>`}
                <button class="plain" onClick=${() => {
                    setLanguage(otherLanguage());
                    refresh();
                }}>${languageName(otherLanguage())}</button>
            </span>
        </footer>`;
}

/** Whose screen it is, and the way out. @param {{entrance: Entrance}} props */
function WhoIsIn({ entrance }) {
    const { me } = entrance;
    if (me?.by !== 'login') return null;
    return html`
        ${me.role === 'admin' && html`<a class="plain" href="#/people">${words.people}</a>`}
        ${me.role === 'auditor' && html`<a class="plain" href="#/trail">${words.trail}</a>`}
        <a class="plain who" href="#/own">${words.isIn(me.name, words.roles[me.role ?? ''] ?? '')}</a>
        <button class="plain" onClick=${() => entrance.leave()}>${words.logOut}</button>`;
}

/** The wall that nobody touches: no link, no button, no list of what is not in a room.
 *  @param {Pick<Props, 'store' | 'link' | 'deeds' | 'sound'> & {now: number, silence: number}} props */
function KioskWall({ store, link, deeds, sound, now, silence }) {
    return html`
        <${TopLine} store=${store} link=${link} sound=${sound} now=${now} silence=${silence} />
        <${Banners} store=${store} link=${link} silence=${silence} />
        <main><${Wall} store=${store} deeds=${deeds} now=${now} width=${innerWidth - 24}
            height=${heightOfWall()} still=${true} /></main>
        <footer><span>${words.foot}</span></footer>`;
}

/** What the top line, banners, the foot and devices of no room leave of the window, in px: where it is narrow they
 *  take more lines. Measured as it was drawn last, so nothing is laid out for it. */
function heightOfWall() {
    const [main, foot, unassigned] = ['main', 'footer', '.unassigned'].map((name) =>
        /** @type {HTMLElement | null} */ (document.querySelector(name)));
    const beneath = Math.min(unassigned?.offsetHeight ?? 0, BENEATH_MOST_PX);
    return innerHeight - (main?.offsetTop ?? TOP_PX) - MARGINS_PX - beneath - (foot?.offsetHeight ?? FOOT_PX);
}

/** What the address asks for. @param {Omit<Props, 'link' | 'sound' | 'refresh'> & {now: number}} props */
function Screen({ entrance, store, deeds, treatments, route, now }) {
    if (route.room !== null)
        return html`<${RoomScreen} store=${store} deeds=${deeds} treatments=${treatments}
            name=${route.room} now=${now} key=${route.room} />`;
    if (route.client !== null)
        return html`<${CourseScreen} store=${store} name=${route.client}
            width=${Math.max(LEAST_PX, Math.min(innerWidth - 24, 1200))}
            key=${route.client} />`;
    if (route.archive) return html`<${ArchiveScreen} store=${store} />`;
    if (route.records.length > 0)
        return html`<${RecordScreen} ids=${route.records} width=${Math.max(LEAST_PX, Math.min(innerWidth - 24, 1900))}
            key=${route.records.join('/')} />`;
    if (route.clients) return html`<${ClientsScreen} />`;
    if (route.back === 'rules') return html`<${RulesScreen} store=${store} mayChange=${entrance.may('lead', 'admin')}
            mayRead=${entrance.may('lead')} />`;
    if (route.back === 'hub')
        return html`<${HubScreen} store=${store} mayAdmin=${entrance.may('admin')} />`;
    if (route.back === 'devices') return html`<${DevicesScreen} store=${store} entrance=${entrance}
        now=${now} />`;
    if (route.people) return html`<${PeopleScreen} rooms=${store.hello?.rooms ?? []} />`;
    if (route.own) return html`<${OwnScreen} entrance=${entrance} />`;
    if (route.trail) return html`<${TrailScreen} />`;
    if (route.alarms) return html`<${AlarmScreen} store=${store} deeds=${deeds} now=${now} />`;
    return html`<${Wall} store=${store} deeds=${deeds} now=${now} width=${innerWidth - 24}
        height=${heightOfWall()} />`;
}

/** @param {Pick<Props, 'store' | 'link' | 'sound'> & {route?: Props['route'], now: number,
 *    silence: number}} props route: none, and nothing to touch, on a television */
function TopLine({ store, link, sound, route, now, silence }) {
    const { health, hello } = store;
    const live = link.phase === 'open' && silence < SILENT_MS;
    const phase = silence >= SILENT_MS ? words.silent
        : { open: words.connected, connecting: words.connecting, waiting: words.disconnected }[link.phase];
    return html`<header class="top">
        ${route && !isWall(route) && html`<a class="back" href="#/">
            <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M15 4l-8 8 8 8" /></svg>
            ${words.allRooms}</a>`}
        ${!route || isWall(route) ? html`<h1 class="clinic">${hello?.clinic || 'Lumbar'}</h1>`
            : html`<b class="clinic">${hello?.clinic || 'Lumbar'}</b>`}
        ${hello && html`<${AlarmCount} store=${store} still=${!route} />`}
        ${route && html`<${SoundSwitch} sound=${sound} />`}
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

/** What the hub could not use of what came, for who looks after it.
 *  @param {{health: import('#live').Health}} props */
function Unusable({ health }) {
    const { refused, quarantined, oversize } = health;
    if (refused + quarantined + oversize === 0) return null;
    return html`<span>${words.unusable(number(refused), number(quarantined), number(oversize))}
    </span>`;
}

/** @param {import('./route.js').Route} route */
function isWall({ room, client, alarms, clients, back, people, own, trail, archive, records }) {
    return room === null && client === null && back === null && !alarms && !clients && !people && !own
        && !trail && !archive && records.length === 0;
}

/** How many alarms need somebody, on every screen; the way to the list of all.
 *  @param {{store: Store, still: boolean}} props */
function AlarmCount({ store, still }) {
    const worst = store.allAlarms()[0];
    const said = html`${worst && waits(worst) && html`<${Mark} alarm=${worst} />`}
        ${words.waitingAlarms(store.waiting, number(store.waiting))}`;
    return still ? html`<span class="count">${said}</span>`
        : html`<a class="count" href="#/alarms">${said}</a>`;
}

/** Whether this screen is heard, and to change that. @param {{sound: Sound}} props */
function SoundSwitch({ sound }) {
    const { state } = sound;
    const text = { on: words.soundOn, off: words.soundOff, silent: words.soundSilent }[state];
    return html`<button class=${`sound ${state}`} aria-pressed=${state === 'on'}
        onClick=${() => sound.want(state !== 'on')}>
        <${Glyph} name=${state === 'on' ? 'bell' : 'mute'} />${text}</button>`;
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
        ${live && html`<${Blamed} store=${store} />`}
        ${live && health && !health.disk && html`<p class="banner bad">${words.diskGone}</p>`}
        ${live && health?.config_old && html`<p class="banner odd">${words.configOld}</p>`}
        ${live && health?.history_damaged && html`<p class="banner bad">
            <b>${words.historyDamaged}</b>
            ${' '}${health.history_rebuilding ? words.historyRebuilding : words.historyRebuilt}</p>`}
        ${live && health?.clock_unset && html`<p class="banner bad">${words.clockUnset}</p>`}
        ${live && health && health.clock_off_ms !== 0 && html`<p class="banner odd">
            ${words.clockOff(span(Math.abs(health.clock_off_ms)))}</p>`}
        ${live && health && health.certificate_days !== null && html`<p class="banner odd">
            ${words.certificateEnds(health.certificate_days)}</p>`}
        ${live && health?.flood && html`<p class="banner odd">
            <b>${words.flood(number(health.alarms_begun))}</b>
            ${' '}${words.floodOrder(number(store.waiting))}</p>`}
        ${live && health && health.alarms_lost > 0 && html`<p class="banner bad">
            ${words.alarmsLost(number(health.alarms_lost))}</p>`}
        ${live && health && health.dropped > 0 && html`<p class="banner odd">
            ${words.dropped(number(health.dropped))}</p>`}
    </div>`;
}

/** Alarms of lost signals that are no fault of their devices. @param {{store: Store}} props */
function Blamed({ store }) {
    const alarms = [...store.alarmsBehind(BEHIND_BROKER), ...store.alarmsBehind(BEHIND_HUB)];
    return alarms.length > 0 && html`<div class="banner">
        ${store.health?.settling && store.health.broker && html`<p>${words.settling}</p>`}
        <${Behind} store=${store} alarms=${alarms} now=${store.clock.now()} /></div>`;
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

/** Says to those who listen to the page what begins to wait for somebody, and what became more
 *  urgent, each once.
 *  @extends {Component<{store: Store}>} */
class Announcer extends Component {
    /** @type {Map<number, number> | null} by number of the alarm, its priority */
    #known = null;
    #text = '';

    render() {
        const { store } = this.props;
        if (!store.partial) this.#take(store);
        return html`<p class="unseen" aria-live="assertive">${this.#text}</p>`;
    }

    /** What stood before the page was opened is on it; only what begins is called out.
     *  @param {Store} store */
    #take(store) {
        const waiting = store.allAlarms().filter(waits);
        const fresh = waiting.filter(({ number, priority }) =>
            this.#known && (this.#known.get(number) ?? 0) < priority);
        this.#known = new Map(waiting.map(({ number, priority }) => [number, priority]));
        if (fresh.length > 0) this.#text = callOut(store, fresh);
    }
}

/** The most urgent, and how many more: nobody listens to a thousand sentences.
 *  @param {Store} store @param {import('#live').Alarm[]} alarms */
function callOut(store, alarms) {
    const said = alarms.slice(0, CALLED_OUT).map((alarm) =>
        [store.roomOf(alarm)?.title, sentence(alarm.text), term(alarm.action)].filter(Boolean).join(' '));
    const more = alarms.length - said.length;
    return [...said, more > 0 && words.moreAlarms(more)].filter(Boolean).join(' ');
}
