// The page's decoder and store: frames of the hub, garbled. Whatever comes, the decoder gives a
// frame or an error, in bounded time; the store takes what it gives; and with the next good hello
// the page is what it was.
//
//   node fuzz_page.mjs BUILD CORPUS [--seconds N] [--seed N]
//
// Seeds are the recorded frames (tests/frames) and the corpus, which is also tried as it is. Without
// --seconds it tries a fixed number of changes from a fixed seed, so that every run tries the same.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROUNDS = 20000;
const SLOW_MS = 1000; // for one frame; a good one takes less than 1 ms
const MOST_BYTES = 65536; // of a frame
const FOUND = 'found-by-fuzz_page.bin';

const top = fileURLToPath(new URL('../..', import.meta.url));
const [build, corpus, ...options] = process.argv.slice(2);
const page = await import(pathToFileURL(join(resolve(build), 'daemon/web/page/tested.mjs')));

function option(name, fallback) {
    const at = options.indexOf(name);
    return at < 0 ? fallback : Number(options[at + 1]);
}

function filesIn(folder, end) {
    return readdirSync(folder).filter((name) => name.endsWith(end)).sort()
        .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
}

/** Numbers from 0 to 1 that are the same for the same seed. */
function random(seed) {
    return () => {
        seed = (seed + 0x6d2b79f5) | 0;
        let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
}

const chance = random(option('--seed', 1));
const upTo = (count) => Math.floor(chance() * count);
const SPECIAL = [0, 1, 0x7f, 0x80, 0xff];

const CHANGES = [
    (bytes) => { bytes[upTo(bytes.length)] ^= 1 << upTo(8); return bytes; },
    (bytes) => { bytes[upTo(bytes.length)] = SPECIAL[upTo(SPECIAL.length)]; return bytes; },
    (bytes) => { bytes[upTo(bytes.length)] = upTo(256); return bytes; },
    (bytes) => bytes.subarray(0, upTo(bytes.length)),
    (bytes) => { // a piece of it is gone
        const at = upTo(bytes.length);
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + upTo(16))]);
    },
    (bytes) => { // or is there once more, elsewhere
        const from = upTo(bytes.length), at = upTo(bytes.length);
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, from + upTo(200)),
            bytes.subarray(at)]);
    },
    (bytes, other) => { // the head of one, the tail of another
        return Buffer.concat([bytes.subarray(0, upTo(bytes.length)),
            other.subarray(upTo(other.length))]);
    },
    (bytes) => { // a number without an end
        const at = upTo(bytes.length);
        return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(1 + upTo(12), 0xff),
            bytes.subarray(at)]);
    },
];

const frames = filesIn(join(top, 'tests/frames'), '.bin');
const seeds = [...frames, ...filesIn(corpus, '')];
const first = frames.find(({ name }) => name === 'wall-first.bin').bytes;
const room = frames.find(({ name }) => name === 'room-first.bin').bytes;

/** What the screens ask of it. */
function look(store) {
    for (const { id, name } of store.hello?.rooms ?? []) {
        store.roomNamed(name);
        store.alarmsIn(id);
        store.worstIn(id);
        store.sessionIn(id);
        for (const device of store.devicesIn(id)) {
            store.heardOf(device);
            store.anglesOf(device);
            for (const metric of store.metricsOf(device)) store.value(device, metric);
        }
    }
    store.allAlarms();
}

const healthy = new page.Store();
healthy.take(page.decodeFrame(first));

/** True: it was taken for a frame. */
function attempt(bytes) {
    const store = new page.Store();
    store.take(page.decodeFrame(first));
    const began = performance.now();
    let frame;
    try {
        frame = page.decodeFrame(bytes);
    } catch (error) {
        assert.ok(error instanceof Error);
    }
    if (frame) {
        store.take(frame);
        look(store);
    }
    assert.ok(performance.now() - began < SLOW_MS, 'it takes too long');
    // The next good frames make it well: by another run's number, as after a restart of the hub.
    store.instance = 0n;
    store.take(page.decodeFrame(first));
    store.take(page.decodeFrame(room));
    look(store);
    assert.deepEqual([...store.metrics.keys()], [...healthy.metrics.keys()]);
    assert.deepEqual([...store.devices.keys()].sort(), [...healthy.devices.keys()].sort());
    return frame !== undefined;
}

function tried(bytes, name) {
    try {
        return attempt(bytes);
    } catch (error) {
        writeFileSync(FOUND, bytes);
        console.error(`${name} fails; it is kept in ${FOUND}, for ${corpus}`);
        throw error;
    }
}

let count = 0, taken = 0;
for (const { name, bytes } of seeds) taken += tried(bytes, name);
count += seeds.length;
const seconds = option('--seconds', 0), began = performance.now();
while (seconds > 0 ? performance.now() - began < seconds * 1000 : count < ROUNDS) {
    let { name, bytes } = seeds[upTo(seeds.length)];
    bytes = Buffer.from(bytes);
    for (let left = 1 + upTo(6); left > 0 && bytes.length > 0 && bytes.length < MOST_BYTES; left--)
        bytes = CHANGES[upTo(CHANGES.length)](bytes, seeds[upTo(seeds.length)].bytes);
    taken += tried(bytes, `a change of ${name}`);
    count++;
}
assert.ok(taken > count / 20 && taken < count, `${taken} of ${count} taken: it changes nothing`);
console.log(`${count} frames, ${taken} of them taken`);
