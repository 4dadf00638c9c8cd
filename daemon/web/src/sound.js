// Alarms that can be heard: tones by priority, of the most urgent alarm that calls.
//
// An alarm calls while it waits for somebody and its room has neither its sound nor its alarms
// paused. It is heard when it begins, or grows more urgent, and again while it waits. Browsers are
// silent until somebody has touched the page: then this one says so, instead of seeming to sound.
import { Priority } from '#live';
import { waits } from './alarm.js';

const KEPT_AS = 'lumbar.sound';
const AUDIO_HZ = 440;
const TONE_S = 0.15;
const GAP_S = 0.1;
const REST_S = 0.5; // between two bursts
const LOUD = 0.3;

/** As on wards (CLINIC.md says which): tones in a burst, bursts, ms until it is heard again. */
const CALLS = {
    [Priority.HIGH]: { tones: 5, bursts: 2, again: 10000, pitch: 1.5 },
    [Priority.MEDIUM]: { tones: 3, bursts: 1, again: 25000, pitch: 1.25 },
    [Priority.LOW]: { tones: 1, bursts: 1, again: Infinity, pitch: 1 },
};

/** @typedef {import('./store.js').Store} Store
 *  @typedef {import('#live').Alarm} Alarm
 *  @typedef {'on' | 'off' | 'silent'} SoundState silent: the browser does not let it sound */

export class Sound {
    #wanted = localStorage.getItem(KEPT_AS) !== 'off';
    /** @type {AudioContext | null} */
    #context = null;
    /** @type {Map<number, number>} by number of an alarm that calls, its priority */
    #heard = new Map();
    #nextAt = Infinity; // performance.now() when the same is heard again
    #changed;

    /** @param {() => void} changed it may sound now, or not any more */
    constructor(changed) {
        this.#changed = changed;
        for (const touch of ['pointerdown', 'keydown']) addEventListener(touch, () => this.#wake());
    }

    /** @returns {SoundState} */
    get state() {
        if (!this.#wanted) return 'off';
        return this.#context?.state === 'running' ? 'on' : 'silent';
    }

    /** On or off on this screen, for good. @param {boolean} wanted */
    want(wanted) {
        this.#wanted = wanted;
        localStorage.setItem(KEPT_AS, wanted ? 'on' : 'off');
        if (wanted) this.#wake();
        else this.#context?.suspend();
        this.#changed();
    }

    /** To be called now and then: what begins to call is heard. @param {Store} store */
    update(store) {
        if (!this.#context && this.#wanted && store.hello) this.#open();
        const calling = store.allAlarms().filter((alarm) => waits(alarm) && !store.isSilent(alarm));
        const fresh = calling.some(({ number, priority }) => (this.#heard.get(number) ?? 0) < priority);
        this.#heard = new Map(calling.map(({ number, priority }) => [number, priority]));
        const priority = Math.max(0, ...calling.map((alarm) => alarm.priority));
        if (priority === Priority.NONE) this.#nextAt = Infinity;
        else if (fresh || performance.now() >= this.#nextAt) this.#call(CALLS[/** @type {1} */ (priority)]);
    }

    /** @param {{tones: number, bursts: number, again: number, pitch: number}} call */
    #call({ tones, bursts, again, pitch }) {
        this.#nextAt = performance.now() + again;
        if (this.state !== 'on' || !this.#context) return;
        let at = this.#context.currentTime;
        for (let burst = 0; burst < bursts; burst++, at += REST_S)
            for (let tone = 0; tone < tones; tone++, at += TONE_S + GAP_S)
                this.#tone(this.#context, at, AUDIO_HZ * pitch);
    }

    /** @param {AudioContext} context @param {number} at @param {number} hertz */
    #tone(context, at, hertz) {
        const tone = new OscillatorNode(context, { type: 'triangle', frequency: hertz });
        const gain = new GainNode(context, { gain: 0 });
        gain.gain.setValueAtTime(0, at);
        gain.gain.linearRampToValueAtTime(LOUD, at + 0.02);
        gain.gain.setValueAtTime(LOUD, at + TONE_S - 0.02);
        gain.gain.linearRampToValueAtTime(0, at + TONE_S);
        tone.connect(gain).connect(context.destination);
        tone.start(at);
        tone.stop(at + TONE_S);
    }

    #open() {
        this.#context = new AudioContext();
        this.#context.onstatechange = () => this.#changed();
    }

    #wake() {
        if (!this.#wanted || this.state === 'on') return;
        if (!this.#context) this.#open();
        this.#context?.resume();
    }
}
