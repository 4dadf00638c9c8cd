// What a wearable sends, made here so that a strip's five minutes are known to the sample.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

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

function send(clinic, device, message) {
    const file = join(clinic.folder, `${device}.bin`);
    writeFileSync(file, message);
    const { status, stderr } = spawnSync('mosquitto_pub', ['-h', '127.0.0.1', '-p',
        String(clinic.brokerPort), '-q', '1', '-t', `lumbar/v1/posture/${device}/telemetry`, '-f', file]);
    if (status !== 0) throw new Error(`mosquitto_pub: ${stderr}`);
}

/** Sends the rows as a device would that had held them back, in messages of 500. */
export function sendHeldRows(clinic, device, rows) {
    for (let i = 0; i * 500 < rows.length; i++) {
        const part = rows.slice(i * 500, (i + 1) * 500);
        send(clinic, device, telemetry(i + 1, part.map(([time]) => time), part.map(([, value]) => value)));
    }
}

/** A wearable that goes on saying one trunk inclination, until it says another or falls silent. */
export class Wearable {
    #sequence = 0;
    #timer;

    constructor(clinic, device) {
        this.clinic = clinic;
        this.device = device;
    }

    says(degrees) {
        this.silent();
        const tell = () => send(this.clinic, this.device,
            telemetry(++this.#sequence, [Date.now()], [degrees]));
        tell();
        this.#timer = setInterval(tell, SAYS_EACH_MS);
    }

    silent() {
        clearInterval(this.#timer);
    }
}
