// Starts the page: hub -> store -> screen.
import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import './style.css';
import './wall.css';
import './alarms.css';
import './room.css';
import './treatment.css';
import './course.css';
import { App } from './app.js';
import { Deeds } from './deeds.js';
import { html } from './html.js';
import { Link } from './link.js';
import { parseRoute } from './route.js';
import { Sound } from './sound.js';
import { STRIP_MS, Store } from './store.js';
import { Treatments } from './treatments.js';

const TICK_MS = 250; // ages go on at least so often, with or without the hub

const page = /** @type {HTMLElement} */ (document.getElementById('page'));
const store = new Store();
const deeds = new Deeds(soon);
const sound = new Sound(soon);
const treatments = new Treatments(soon);
let route = parseRoute(location.hash);
let drawing = 0;

const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/live`;
const link = new Link(url, watch, onFrame, soon);

function watch() {
    return {
        room: store.room,
        instance: store.instance,
        cursor: store.cursor,
        backlog_s: STRIP_MS / 1000,
    };
}

/** @param {import('#live').Frame} frame */
function onFrame(frame) {
    if (store.take(frame)) soon();
    if (frame.alarms.length || frame.pauses) sound.update(store);
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
    render(html`<${App} store=${store} link=${link} deeds=${deeds} sound=${sound} treatments=${treatments}
        route=${route} refresh=${soon} />`, page);
}

addEventListener('hashchange', () => {
    route = parseRoute(location.hash);
    scrollTo(0, 0);
    lookAtRoute();
    soon();
});
addEventListener('resize', soon);
setInterval(() => {
    sound.update(store);
    draw();
}, TICK_MS);
link.open();
draw();
