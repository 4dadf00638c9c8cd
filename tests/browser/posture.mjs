// What a wearable sends, made here so that a strip's five minutes are known to the sample.

const SAYS_EACH_MS = 500;

function varint(value) {
    const bytes = [];
    for (let rest = BigInt(value); ; rest >>= 7n) {
        bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
        if (rest <= 127n) return Buffer.from(bytes);
    }
}

const zigzag = (value) => (value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value));
const field = (number, value) => Buffer.concat([varint(number << 3), varint(value)]);
const packed = (number, values) => {
    const body = Buffer.concat(values.map(varint));
    return Buffer.concat([varint(number << 3 | 2), varint(body.length), body]);
};

/** proto/posture.proto: rows of trunk inclination in degrees, times in ms. */
function telemetry(sequence, times, inclination) {
    const boot = Buffer.alloc(9, 7);
    boot[0] = 1 << 3 | 1;
    return Buffer.concat([boot, field(2, sequence), field(4, zigzag(Date.now())), field(5, 1),
        field(6, zigzag(times[0])),
        packed(7, times.map((time, i) => (i > 0 ? time - times[i - 1] : 0))),
        packed(10, inclination.map((value) => zigzag(Math.round(value * 100))))]);
}

/** @type {Map<string, number>} by clinic and device */
const sequences = new Map();

/** Sends rows [time, degrees] in one message, as a device that was on all the time; until the broker
 *  has it. */
export async function sendRows(clinic, device, rows) {
    const key = `${clinic.folder}/${device}`;
    const sequence = (sequences.get(key) ?? 0) + 1;
    sequences.set(key, sequence);
    const publisher = await clinic.publisher();
    await publisher.publish(`lumbar/v1/posture/${device}/telemetry`,
        telemetry(sequence, rows.map(([time]) => time), rows.map(([, value]) => value)));
}

/** Sends the rows as a device would that had held them back, in messages of 500. */
export async function sendHeldRows(clinic, device, rows) {
    for (let i = 0; i * 500 < rows.length; i++)
        await sendRows(clinic, device, rows.slice(i * 500, (i + 1) * 500));
}

/** A wearable that goes on saying one trunk inclination, until it says another or falls silent. */
export class Wearable {
    #timer;

    /** @param {number} rows values in each message */
    constructor(clinic, device, rows = 1) {
        this.clinic = clinic;
        this.device = device;
        this.rows = rows;
    }

    says(degrees) {
        this.silent();
        const tell = () => {
            const now = Date.now();
            sendRows(this.clinic, this.device, Array.from({ length: this.rows }, (_, i) =>
                [now - Math.round((this.rows - 1 - i) * SAYS_EACH_MS / this.rows), degrees]));
        };
        tell();
        this.#timer = setInterval(tell, SAYS_EACH_MS);
    }

    silent() {
        clearInterval(this.#timer);
    }
}
