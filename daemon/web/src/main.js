// Starts the page: hub -> store -> screen.
import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import './style.css';
import './wall.css';
import './alarms.css';
import './room.css';
import './treatment.css';
import './course.css';
import './people.css';
import './devices.css';
import './archive.css';
import { App } from './app.js';
import { Deeds } from './deeds.js';
import { Entrance } from './entrance.js';
import { html } from './html.js';
import { Kiosk } from './kiosk.js';
import { Link } from './link.js';
import { Door } from './login.js';
import { settleBeforeMoves } from './moves.js';
import { parseRoute } from './route.js';
import { Sound } from './sound.js';
import { STRIP_MS, Store } from './store.js';
import { Treatments } from './treatments.js';

const TICK_MS = 250; // ages go on at least so often, with or without the hub: what is first to be seen, too

const page = /** @type {HTMLElement} */ (document.getElementById('page'));
const store = new Store();
const deeds = new Deeds(soon);
const sound = new Sound(soon);
const treatments = new Treatments(soon);
const entrance = new Entrance(onEntrance);
const kiosk = new Kiosk();
let route = parseRoute(location.hash);
let drawing = 0;
let shown = false; // first of all: a browser takes as long to open its sound as to draw a screen

const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/live`;
const link = new Link(url, watch, onFrame, onLink);
let inBefore = ''; // who it was
settleBeforeMoves();

function watch() {
    return {
        room: store.room,
        instance: store.instance,
        cursor: store.cursor,
        backlog_s: STRIP_MS / 1000,
    };
}

/** Out: nothing of the clinic stays on the screen. Somebody else: nothing of what the one before saw. */
function onEntrance() {
    const who = entrance.me ? `${entrance.me.by} ${entrance.me.name} ${entrance.me.glass_until}` : '';
    if (entrance.out) {
        link.close();
        store.forget();
    } else if (who && who !== inBefore) {
        store.forget();
        link.open();
    }
    inBefore = entrance.out ? '' : who;
    if (store.hello || entrance.out) soon();
}

function onLink() {
    if (link.phase === 'waiting' && !entrance.out) entrance.look();
    if (store.hello) soon();
}

/** @param {import('#live').Frame} frame */
function onFrame(frame) {
    if (store.take(frame)) soon();
    // In sight it is heard with the next tick. Out of sight ticks may be a minute apart.
    if (document.hidden && (frame.alarms.length || frame.pauses)) sound.update(store);
    if (frame.glass) entrance.lookAtGlass();
    if (frame.hello) lookAtRoute();
}

/** The strips of the room in the address; of none, the wall. */
function lookAtRoute() {
    const room = (route.room !== null && store.roomNamed(route.room)?.id) || 0;
    if (room === store.room) return;
    store.look(room);
    link.look();
}

/** Draws with the next display frame, once. */
function soon() {
    drawing ||= requestAnimationFrame(draw);
}

function draw() {
    cancelAnimationFrame(drawing);
    drawing = 0;
    if (entrance.out || route.enrol || route.token) {
        render(html`<${Door} entrance=${entrance} route=${route} refresh=${soon} />`, page);
        document.title = 'Lumbar';
        return;
    }
    kiosk.update(route.kiosk, store.hello?.version);
    render(html`<${App} entrance=${entrance} store=${store} link=${link} deeds=${deeds} sound=${sound}
        treatments=${treatments} route=${route} refresh=${soon} />`, page);
    nameTab();
}

/** Which screen it is, and how many alarms wait: behind other tabs this is all that is seen of it. */
function nameTab() {
    const screen = document.querySelector('h1')?.textContent ?? '';
    const name = [store.waiting > 0 && `(${store.waiting})`, screen && `${screen} –`, 'Lumbar'].filter(Boolean).join(' ');
    if (document.title !== name) document.title = name;
}

addEventListener('hashchange', () => {
    route = parseRoute(location.hash);
    scrollTo(0, 0);
    lookAtRoute();
    soon();
});
addEventListener('resize', soon);
setInterval(() => {
    if (shown) sound.update(store);
    draw();
    shown = store.hello !== null;
}, TICK_MS);
for (const deed of ['pointerdown', 'keydown']) addEventListener(deed, () => entrance.touch(), true);
entrance.look();
