// As much of MQTT 3.1.1 as a device needs to be heard: CONNECT, and PUBLISH with QoS 1.
import { once } from 'node:events';
import { connect } from 'node:net';

const CONNECT = 0x10;
const CONNACK = 2;
const PUBLISH_QOS1 = 0x32;
const PUBACK = 4;

const short = (value) => Buffer.from([value >> 8, value & 255]);
const string = (text) => Buffer.concat([short(Buffer.byteLength(text)), Buffer.from(text)]);

function packet(kind, body) {
    const length = [];
    for (let rest = body.length; ; rest >>= 7) {
        length.push((rest & 127) | (rest > 127 ? 128 : 0));
        if (rest <= 127) break;
    }
    return Buffer.concat([Buffer.from([kind, ...length]), body]);
}

export class Publisher {
    #socket;
    #rest = Buffer.alloc(0);
    #packets = 0;
    /** @type {Map<number, () => void>} what waits for its answer, by the number of the packet */
    #waiting = new Map();

    async open(port, name) {
        this.#socket = connect(port, '127.0.0.1');
        await once(this.#socket, 'connect');
        this.#socket.on('data', (data) => this.#take(data));
        this.#socket.on('error', () => {}); // a broker that is stopped may reset it
        const greeted = this.#answer(0);
        this.#socket.write(packet(CONNECT, Buffer.concat([string('MQTT'), Buffer.from([4, 2, 0, 0]),
            string(name)])));
        await greeted;
        return this;
    }

    /** Until the broker has it. */
    publish(topic, payload) {
        const number = this.#packets = this.#packets % 65535 + 1;
        const acknowledged = this.#answer(number);
        this.#socket.write(packet(PUBLISH_QOS1, Buffer.concat([string(topic), short(number), payload])));
        return acknowledged;
    }

    close() {
        this.#socket.destroy();
    }

    #answer(number) {
        return new Promise((resolve) => { this.#waiting.set(number, resolve); });
    }

    /** Answers of four bytes are all that comes. */
    #take(data) {
        this.#rest = Buffer.concat([this.#rest, data]);
        for (; this.#rest.length >= 4; this.#rest = this.#rest.subarray(4)) {
            const kind = this.#rest[0] >> 4;
            if (kind !== CONNACK && kind !== PUBACK) throw new Error(`the broker sent ${this.#rest.toString('hex')}`);
            const number = kind === CONNACK ? 0 : this.#rest.readUInt16BE(2);
            this.#waiting.get(number)?.();
            this.#waiting.delete(number);
        }
    }
}
