// The hub's clock as this page sees it: what every age is measured against.
//
// Each frame says when it was made. The one that took least on its way tells the difference of the
// two clocks best, so the largest difference of the last half to one minute is kept; older ones are
// dropped, because the clocks drift. Between frames time goes on by itself: a lost connection ages
// everything that is shown.

const WINDOW_MS = 30000;
const SLEPT_MS = 1000;

export class HubClock {
    #steady;
    #wall;
    #steadySeen;
    #wallSeen;
    #slept = 0;
    #window = -Infinity; // when the present window began
    #best = -Infinity; // hub's clock less ours: in the present window
    #before = -Infinity; // and in the one before

    /** @param {() => number} [steady] ms, never stepping back
     *  @param {() => number} [wall] ms, going on while the machine sleeps */
    constructor(steady = () => performance.now(), wall = () => Date.now()) {
        this.#steady = steady;
        this.#wall = wall;
        this.#steadySeen = steady();
        this.#wallSeen = wall();
    }

    /** Our own time in ms. The steady clock may stand still while a tablet sleeps, and a value from
     *  before must not look new when it wakes: what the wall clock is ahead by is added. */
    local() {
        const steady = this.#steady();
        const wall = this.#wall();
        const slept = wall - this.#wallSeen - (steady - this.#steadySeen);
        this.#steadySeen = steady;
        this.#wallSeen = wall;
        if (slept > SLEPT_MS) {
            this.#slept += slept;
            this.#window = -Infinity; // it may have been a step of the wall clock: measure anew
        }
        return steady + this.#slept;
    }

    /** @param {number} hub_ms when the frame that just came was made */
    hear(hub_ms) {
        const local = this.local();
        const difference = hub_ms - local;
        if (this.#window === -Infinity) {
            this.#best = this.#before = difference;
            this.#window = local;
        } else if (local - this.#window > WINDOW_MS) {
            this.#before = this.#best;
            this.#best = difference;
            this.#window = local;
        }
        if (difference > this.#best) this.#best = difference;
    }

    /** Another hub, another clock. */
    reset() {
        this.#window = -Infinity;
    }

    /** The hub's time in ms since 1970, -Infinity before the first frame. */
    now() {
        return this.local() + Math.max(this.#best, this.#before);
    }
}
