// The wall on a television: nobody touches it, so it looks after itself. The screen stays awake, what
// stands still is moved a little so that nothing burns in, a page that fails is loaded anew, and so
// is one whose hub has become another version.
const SHIFT_EACH_MS = 60000;
const SHIFT_PX = 4;
const AGAIN_MS = 15000; // a page that fails at once is not loaded without end

/** The corners and edges of a small square, one after the other. */
const SHIFTS = [[0, 0], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1], [0, -1], [1, -1]];

export class Kiosk {
    #on = false;
    #version = '';
    #step = 0;
    #timer = 0;
    #reload = 0;
    /** @type {WakeLockSentinel | null} */
    #lock = null;

    constructor() {
        for (const failure of ['error', 'unhandledrejection'])
            addEventListener(failure, () => this.#on && this.#anew());
        document.addEventListener('visibilitychange', () => this.#wake());
    }

    /** To be called as the address and the hub change. @param {boolean} on
     *  @param {string | undefined} version of the hub, once it is known */
    update(on, version) {
        if (on !== this.#on) this.#turn(on);
        if (!version) return;
        if (this.#on && this.#version && version !== this.#version) this.#anew();
        this.#version = version;
    }

    /** @param {boolean} on */
    #turn(on) {
        this.#on = on;
        document.documentElement.classList.toggle('kiosk', on);
        clearInterval(this.#timer);
        this.#step = -1;
        this.#shift();
        if (on) this.#timer = window.setInterval(() => this.#shift(), SHIFT_EACH_MS);
        this.#wake();
    }

    #shift() {
        this.#step = (this.#step + 1) % SHIFTS.length;
        const [x, y] = SHIFTS[this.#step];
        document.documentElement.style.setProperty('--shift', `${x * SHIFT_PX}px ${y * SHIFT_PX}px`);
    }

    /** Browsers let go of it when the page is out of sight, and give it on safe addresses only. */
    async #wake() {
        if (!this.#on) {
            this.#lock?.release();
            this.#lock = null;
        } else if (document.visibilityState === 'visible' && navigator.wakeLock)
            this.#lock = await navigator.wakeLock.request('screen').catch(() => null);
    }

    #anew() {
        this.#reload ||= window.setTimeout(() => location.reload(), AGAIN_MS);
    }
}
