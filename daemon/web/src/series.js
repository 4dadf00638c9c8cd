// The samples of one device and metric in time order, for a strip.
//
// Two typed arrays that are written from the front; what is older than the strip is given up by
// moving the rest to the front when the end is reached. So the samples always lie in one piece, a
// view of them costs nothing, and a sample costs a few stores. Memory follows the rate: the arrays
// double when the strip's span does not leave half of them free.

const FIRST_CAPACITY = 1024;
const CAPACITY_MAX = 1 << 17; // 300 s at more than 400 Hz

export class Series {
    times = new Float64Array(FIRST_CAPACITY); // hub time, ms
    values = new Float32Array(FIRST_CAPACITY); // NaN: the sensor had nothing to say
    start = 0;
    end = 0;
    dropped = 0; // places at the front that were given up, in all: start + dropped never goes back
    changes = 0; // of what was not at the end
    #span;

    /** @param {number} span_ms how far back it has to reach */
    constructor(span_ms) {
        this.#span = span_ms;
    }

    /** @param {number} time @param {number} value */
    push(time, value) {
        if (this.end === this.times.length) this.#makeRoom();
        let at = this.end;
        // Held back by the device or sent again: it belongs further left.
        while (at > this.start && this.times[at - 1] >= time) at--;
        if (at < this.end) this.changes++;
        if (at < this.end && this.times[at] === time) {
            this.values[at] = value;
            return;
        }
        if (at < this.end) {
            this.times.copyWithin(at + 1, at, this.end);
            this.values.copyWithin(at + 1, at, this.end);
        }
        this.times[at] = time;
        this.values[at] = value;
        this.end++;
    }

    /** Ends the line here: what comes next does not belong to what was. */
    cut() {
        if (this.end > this.start && !Number.isNaN(this.values[this.end - 1]))
            this.push(this.times[this.end - 1] + 1, NaN);
    }

    /** Index of the first sample at or after the time. @param {number} time */
    find(time) {
        let low = this.start;
        let high = this.end;
        while (low < high) {
            const middle = (low + high) >> 1;
            if (this.times[middle] < time) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    #makeRoom() {
        this.start = this.find(this.times[this.end - 1] - this.#span);
        const kept = this.end - this.start;
        const capacity = this.times.length;
        if (kept > capacity / 2 && capacity < CAPACITY_MAX) this.#move(capacity * 2);
        else this.#move(capacity, kept === capacity ? capacity / 2 : this.start);
    }

    /** @param {number} capacity @param {number} [from] the first sample that stays */
    #move(capacity, from = this.start) {
        const times = capacity === this.times.length ? this.times : new Float64Array(capacity);
        const values = capacity === this.values.length ? this.values : new Float32Array(capacity);
        times.set(this.times.subarray(from, this.end));
        values.set(this.values.subarray(from, this.end));
        this.dropped += from;
        this.end -= from;
        this.start = 0;
        this.times = times;
        this.values = values;
    }
}
