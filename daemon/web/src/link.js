// The connection to the hub: a WebSocket that comes back by itself and goes on where it was.
import { decodeFrame, encodeWatch } from './wire.js';

const PROTOCOL = 'lumbar.live.v1';
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
const SILENCE_MS = 12000; // a path can be gone without a word: then it is made anew

/** @typedef {'connecting' | 'open' | 'waiting'} Phase */

export class Link {
    /** @type {Phase} */
    phase = 'connecting';
    retryAt = 0; // performance.now() of the next try, while waiting
    #url;
    #watch;
    #onFrame;
    #onChange;
    #wait = FIRST_WAIT_MS;
    /** @type {WebSocket | undefined} */
    #socket;
    #retry = 0;
    #silence = 0;

    /** @param {string} url
     *  @param {() => Partial<import('#live').Watch>} watch what to look at, asked when needed
     *  @param {(frame: import('#live').Frame) => void} onFrame
     *  @param {() => void} onChange the phase is another one */
    constructor(url, watch, onFrame, onChange) {
        this.#url = url;
        this.#watch = watch;
        this.#onFrame = onFrame;
        this.#onChange = onChange;
    }

    /** Connects now, whatever was being waited for. */
    open() {
        clearTimeout(this.#retry);
        this.#abandon();
        const socket = new WebSocket(this.#url, PROTOCOL);
        socket.binaryType = 'arraybuffer';
        socket.onopen = () => {
            this.#to('open');
            this.look();
        };
        socket.onmessage = ({ data }) => this.#take(data);
        socket.onclose = () => this.#lost();
        this.#socket = socket;
        this.#listen();
        this.#to('connecting');
    }

    /** Until it is opened again. */
    close() {
        clearTimeout(this.#retry);
        clearTimeout(this.#silence);
        this.#abandon();
        this.#to('waiting');
    }

    /** Tells the hub what is looked at. */
    look() {
        if (this.#socket?.readyState === WebSocket.OPEN)
            this.#socket.send(encodeWatch(this.#watch()));
    }

    /** @param {ArrayBuffer} data */
    #take(data) {
        let frame;
        try {
            frame = decodeFrame(data);
        } catch (error) {
            // What it said is lost, and would be missed for ever: it is asked for once more.
            console.warn('a frame that cannot be read', error);
            this.#lost();
            return;
        }
        this.#wait = FIRST_WAIT_MS; // only a hub that speaks is one that works
        this.#listen();
        this.#onFrame(frame);
    }

    #listen() {
        clearTimeout(this.#silence);
        this.#silence = window.setTimeout(() => this.#lost(), SILENCE_MS);
    }

    #lost() {
        clearTimeout(this.#silence);
        clearTimeout(this.#retry);
        this.#abandon();
        // Fifty screens must not come back in the same moment.
        const wait = this.#wait * (0.75 + Math.random() / 2);
        this.#wait = Math.min(LONGEST_WAIT_MS, this.#wait * 2);
        this.retryAt = performance.now() + wait;
        this.#retry = window.setTimeout(() => this.open(), wait);
        this.#to('waiting');
    }

    #abandon() {
        if (!this.#socket) return;
        this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
        this.#socket.close();
        this.#socket = undefined;
    }

    /** @param {Phase} phase */
    #to(phase) {
        this.phase = phase;
        this.#onChange();
    }
}
