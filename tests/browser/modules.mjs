// The page's modules without a browser: node modules.mjs [BUILD]
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Tap } from './tap.mjs';

const top = fileURLToPath(new URL('../..', import.meta.url));
const build = resolve(process.argv[2] ?? join(top, 'build'));
const page = await import(pathToFileURL(join(build, 'daemon/web/page/tested.mjs')));
const tap = new Tap();

const METRIC = { id: 3, kind: 1, name: 'heat', title: 'Heat', unit: 'Cel', type: 0, key: true,
    decimals: 1, stale_ms: 3000, offline_ms: 10000, min: 20, step: 0.001, max: 50, labels: [] };
const HELLO = { instance: 0xfedcba9876543210n, version: '1', clinic: 'C', metrics: [METRIC],
    rooms: [{ id: 1, name: 'a', title: 'A' }], rules: [], kinds: [{ id: 1, name: 'k', title: 'K' }] };

/** A frame with all its lists, as the decoder gives it. */
function frame(fields) {
    return page.decodeFrame(page.encodeFrame({ devices: [], alarms: [], latest: [], points: [],
        cursor: 1, hub_ms: 1000000, ...fields }));
}

function points(start_ms, dt_ms, quantised) {
    const delta = quantised.map((value, i) => value - (i > 0 ? quantised[i - 1] : 0));
    return [{ device: 1, start_ms, dt_ms, columns: [{ metric: 3, delta }] }];
}

function storeWith(...frames) {
    const store = new page.Store();
    for (const fields of [{ hello: HELLO }, ...frames]) store.take(frame(fields));
    return store;
}

function samples(series) {
    return Array.from(series.times.subarray(series.start, series.end), (time, i) =>
        [time, series.values[series.start + i]]);
}

// ---- the wire ----

await tap.check('an instance of 64 bits comes back whole in the next watch', () => {
    const store = storeWith();
    assert.equal(store.instance, HELLO.instance);
    const watch = page.decodeWatch(page.encodeWatch({ room: 2, instance: store.instance, cursor: 7 }));
    assert.equal(watch.instance, HELLO.instance);
    assert.equal(watch.cursor, 7);
});

await tap.check('a limit that was not sent is none, a limit of 0 is one', () => {
    const rules = [{ id: 1, name: 'a', metric: 3, priority: 1, limits: [{ metric: 3, above: 12.5 }] },
        { id: 2, name: 'b', metric: 3, limits: [] }];
    const store = storeWith({ hello: { ...HELLO, rules } });
    assert.deepEqual(store.limitsOf(3, 1), [{ limit: 12.5, above: true, priority: 1 }]);
    // Field 5, a double of 0, as the hub writes it: our own writer leaves such out.
    const bytes = Buffer.from('1a0f32' + '0d' + '0801' + '2003' + '290000000000000000', 'hex');
    assert.equal(page.decodeFrame(bytes).hello.rules[0].above, 0);
});

await tap.check('a strip has the limits of every condition, and those that its treatment gives', () => {
    const rules = [{ id: 0, name: 'a', metric: 3, priority: 1, limits: [{ metric: 3, above: 30 }] },
        { id: 1, name: 'b', metric: 9, priority: 3,
            limits: [{ metric: 9, above: 1 }, { metric: 3, above: 30 }, { metric: 3, below: 25 }] },
        { id: 2, name: 'c', metric: 3, priority: 2, limits: [] }];
    const session = { id: 1, room: 1, state: 2, limits: [{ rule: 2, metric: 3, above: 40 }, { rule: 7, metric: 3, above: 41 }] };
    const store = storeWith({ hello: { ...HELLO, rules } });
    const fixed = [{ limit: 30, above: true, priority: 3 }, { limit: 25, above: false, priority: 3 }];
    assert.deepEqual(store.limitsOf(3, 1), fixed); // once, with the highest priority
    assert.equal(store.limitsOf(3, 1), store.limitsOf(3, 1));
    store.take(frame({ sessions: [session] }));
    assert.deepEqual(store.limitsOf(3, 1), [...fixed, { limit: 40, above: true, priority: 2 }]);
    assert.deepEqual(store.limitsOf(3, 2), fixed); // another room has none of it
    store.take(frame({ sessions: [{ ...session, state: 4, limits: [] }] }));
    assert.deepEqual(store.limitsOf(3, 1), fixed);
});

await tap.check('a certificate that was not spoken of ends in no few days', () => {
    const store = storeWith({ health: { broker: true } });
    assert.equal(store.health.certificate_days, null);
});

// What the hub's own test recorded, and what it says that it means.
const metrics = new Map(recorded('wall-first').wanted.hello.metrics.map((metric) => [metric.id, metric]));
for (const name of ['wall-first', 'wall-next', 'room-first', 'room-next', 'alarms', 'gap', 'sessions', 'life', 'pauses', 'calibration',
    'suppressed', 'bye'])
    await tap.check(`the recorded frame ${name} means to the page what the hub meant`, () => {
        const { bytes, wanted } = recorded(name);
        const got = page.decodeFrame(bytes);
        for (const { id, step } of got.hello?.metrics ?? []) metrics.get(id).step = step;
        same(meaning(got), wanted, name);
    });

function recorded(name) {
    const file = join(top, 'tests/frames', name);
    return { bytes: readFileSync(`${file}.bin`), wanted: JSON.parse(readFileSync(`${file}.json`, 'utf8')) };
}

/** A frame with values in their units at their times, one entry a metric, as it was recorded. */
function meaning({ latest, points, bye, ...rest }) {
    const value = (quantised, metric) => page.valueOf(quantised, metrics.get(metric));
    return {
        ...rest,
        bye: bye?.reason,
        latest: latest.flatMap(({ device, metric, value: values, age_ms }) => metric.map((id, i) =>
            ({ device, metric: id, value: value(values[i], id), age_ms: age_ms[i] }))),
        points: points.flatMap(({ device, start_ms, dt_ms, columns }) => columns.map(({ metric, delta }) => {
            let time = start_ms, quantised = 0;
            return {
                device, metric,
                time_ms: dt_ms.map((dt) => time += dt),
                value: delta.map((step) => value(quantised += step, metric)),
            };
        })),
    };
}

/** Everything that was recorded is there: enumerators by name or number, 64 bits as text, values to
 *  the four digits that were written. */
function same(got, wanted, where) {
    const words = { off: 0, on: 1, gauge: 0, counter: 1, state: 2, event: 3,
        planned: 1, running: 2, paused: 3, done: 4, aborted: 5 };
    if (wanted === null) assert.ok(Number.isNaN(got), where);
    else if (Array.isArray(wanted)) {
        assert.equal(got.length, wanted.length, where);
        wanted.forEach((value, i) => same(got[i], value, `${where}[${i}]`));
    } else if (typeof wanted === 'object')
        for (const key of Object.keys(wanted)) same(got[key], wanted[key], `${where}.${key}`);
    else if (typeof got === 'bigint') assert.equal(String(got), wanted, where);
    else if (typeof got === 'number' && typeof wanted === 'number')
        assert.ok(Math.abs(got - wanted) <= 1e-3, `${where}: ${got}, not ${wanted}`);
    else assert.equal(got, typeof got === 'number' ? words[wanted] : wanted, where);
}

// ---- values ----

await tap.check('a column of differences becomes values at their times', () => {
    const store = storeWith({ points: points(5000, [0, 20, 20], [0, 10000, 5000]) });
    const series = store.series.get(1).get(3);
    assert.deepEqual(samples(series), [[5000, 20], [5020, 30], [5040, 25]]);
    assert.deepEqual(store.values.get(1).get(3), { value: 25, time_ms: 5040 });
});

await tap.check('65535 is no value, and neither 85.5 nor 0', () => {
    const store = storeWith({ points: points(5000, [0, 20], [10000, page.NONE]) });
    assert.ok(Number.isNaN(samples(store.series.get(1).get(3))[1][1]));
    assert.ok(Number.isNaN(page.valueOf(65535, METRIC)));
});

await tap.check('a sensor that says nothing leaves its last value, which grows old', () => {
    const { NONE } = page;
    const latest = (value, age) => ({ latest: [{ device: 1, metric: [3], value: [value], age_ms: [age] }] });
    const cases = [ // what came, and what is then shown: value and time
        [[points(5000, [0, 20, 20], [10000, NONE, NONE])], [30, 5000]],
        [[points(5000, [0, 20, 20], [NONE, 10000, NONE])], [30, 5020]],
        [[points(5000, [0], [10000]), points(6000, [0, 20], [NONE, NONE])], [30, 5000]],
        [[points(5000, [0, 20], [10000, NONE]), points(4000, [0], [5000])], [30, 5000]],
        [[points(5000, [0, 20], [NONE, NONE])], undefined],
    ];
    for (const [batches, shown] of cases) {
        const store = storeWith(...batches.map((batch) => ({ points: batch })));
        const got = store.value({ id: 1 }, METRIC);
        assert.deepEqual(got && [got.value, got.time_ms], shown, JSON.stringify(batches));
    }
    // The hub's word for the same, when the page comes later, and when it has nothing to say.
    assert.deepEqual(storeWith(latest(10000, 995000)).value({ id: 1 }, METRIC), { value: 30, time_ms: 5000 });
    assert.equal(storeWith(latest(NONE, 10)).value({ id: 1 }, METRIC), undefined);
    const store = storeWith({ points: points(5000, [0, 1000], [10000, NONE]) });
    const at = (now) => page.freshnessOf(store.value({ id: 1 }, METRIC), METRIC, now);
    assert.deepEqual([6000, 7999, 8000, 15000].map(at), ['fresh', 'fresh', 'stale', 'offline']);
});

await tap.check('an older value never replaces a newer one', () => {
    const latest = (age, value) => ({ latest: [{ device: 1, metric: [3], value: [value], age_ms: [age] }] });
    const store = storeWith(latest(100, 1000), latest(5000, 2000));
    assert.equal(store.values.get(1).get(3).value, 21);
});

await tap.check('another run of the hub clears what the old numbers meant', () => {
    const store = storeWith({ points: points(5000, [0], [1]), devices: [{ id: 1, kind: 1, room: 1 }] },
        { hello: { ...HELLO, instance: 5n }, cursor: 9 });
    assert.equal(store.values.size + store.series.size + store.devices.size, 0);
});

await tap.check('the same run of the hub keeps the strips, and alarms come anew', () => {
    const alarm = { rule: 1, device: 1, presence: 1, priority: 2, number: 1 };
    const store = storeWith({ points: points(5000, [0], [1]), alarms: [alarm] }, { hello: HELLO });
    assert.equal(store.series.size, 1);
    assert.equal(store.alarms.size, 0);
});

await tap.check('the worst alarm is first: priority, then people, then who waited longest', () => {
    const alarm = (number, priority, technical, raised_ms) =>
        ({ rule: number, device: 1, presence: 1, number, priority, technical, raised_ms });
    const store = storeWith({ devices: [{ id: 1, kind: 1, room: 1 }], alarms: [alarm(1, 1, false, 5),
        alarm(2, 2, true, 1), alarm(3, 2, false, 9), alarm(4, 2, false, 7), alarm(5, 3, true, 9)] });
    assert.deepEqual(store.alarmsIn(1).map(({ number }) => number), [5, 4, 3, 2, 1]);
    store.take(frame({ alarms: [{ ...alarm(5, 3, true, 9), presence: 0 }] }));
    assert.equal(store.alarmsIn(1)[0].number, 4);
});

await tap.check('what waits comes before what somebody knows of, a shelf last', () => {
    const alarm = (number, more) => ({ rule: number, device: 1, presence: 1, number, priority: 2,
        raised_ms: number, ...more });
    const hand = { at_ms: 5, by: 'Ana', why: '' };
    const shelf = { shelved: { ...hand, until_ms: 99 } };
    const store = storeWith({ devices: [{ id: 1, kind: 1, room: 1 }], alarms: [
        alarm(1, { priority: 3, acknowledged: hand }), alarm(2, { priority: 3, ...shelf }),
        alarm(3, { priority: 1 }), alarm(4, {}), alarm(5, { presence: 0, ...shelf }),
        alarm(6, { presence: 0 }), alarm(7, { acknowledged: hand, ...shelf })] });
    const numbers = (alarms) => alarms.map(({ number }) => number);
    assert.deepEqual(numbers(store.alarmsIn(1)), [4, 3, 1, 2, 5, 7]);
    assert.deepEqual(numbers(store.allAlarms()), [4, 3, 1, 2, 5, 7]);
    assert.deepEqual([store.waiting, store.worstIn(1).number, store.worstIn(2)], [2, 4, undefined]);
    store.take(frame({ alarms: [3, 4, 1].map((number) => alarm(number, { presence: 0 })) }));
    assert.deepEqual([store.waiting, store.worstIn(1)], [0, undefined], 'shelves are out of sight');
    store.take(frame({ devices: [{ id: 1, kind: 1, room: 2 }] }));
    assert.deepEqual([store.alarmsIn(1).length, store.alarmsIn(2).length], [0, 3], 'it moved');
});

await tap.check('a value is fresh, stale, then offline at the times its metric declares', () => {
    const at = (now) => page.freshnessOf({ value: 1, time_ms: 1000 }, METRIC, now);
    assert.deepEqual([3999, 4000, 10999, 11000].map(at), ['fresh', 'stale', 'stale', 'offline']);
    assert.equal(page.freshnessOf(undefined, METRIC, 1), 'never');
    assert.equal(page.freshnessOf({ value: 1, time_ms: 0 }, { ...METRIC, stale_ms: 0, offline_ms: 0 }, 1e9),
        'fresh'); // an event
});

// ---- series ----

await tap.check('a ring keeps the last five minutes at 50 Hz through many turns', () => {
    const series = new page.Series(300000);
    for (let i = 0; i < 200000; i++) series.push(i * 20, i);
    const oldest = series.times[series.start];
    assert.ok(series.times[series.end - 1] - oldest >= 300000);
    assert.ok(series.times.length <= 65536, `${series.times.length} places`);
    for (let i = series.start + 1; i < series.end; i++)
        assert.equal(series.times[i] - series.times[i - 1], 20);
});

await tap.check('a ring that cannot grow any more gives up its oldest', () => {
    const series = new page.Series(300000);
    for (let i = 0; i < 400000; i++) series.push(i / 10, i);
    assert.ok(series.times.length <= 1 << 17);
    assert.equal(series.values[series.end - 1], 399999);
});

await tap.check('late samples are put where they belong, repeated ones replace', () => {
    const series = new page.Series(300000);
    for (const [time, value] of [[10, 1], [30, 3], [20, 2], [30, 4], [5, 0]]) series.push(time, value);
    assert.deepEqual(samples(series), [[5, 0], [10, 1], [20, 2], [30, 4]]);
});

await tap.check('a gap told by the hub ends the line', () => {
    const store = storeWith({ points: points(5000, [0], [1]) },
        { gap: { from_ms: 5000, to_ms: 9000 }, points: points(9000, [0], [2]) });
    const values = samples(store.series.get(1).get(3)).map(([, value]) => value);
    assert.equal(values.length, 3);
    assert.ok(Number.isNaN(values[1]));
});

// ---- the line of a strip ----

/** What a path is made of, as texts. */
class Path {
    steps = [];

    moveTo(x, y) { this.steps.push(`to ${x} ${y}`); }

    lineTo(x, y) { this.steps.push(`line ${x} ${y}`); }

    rect(x, y, width, height) { this.steps.push(`bar ${x} ${y} ${width} ${height}`); }
}

/** Ten columns of 100 ms up to a time, values from 100 at the top to 0, a line of 2 px. */
function stepsOf(columns, series, to = 1000, apart_ms = 1000) {
    globalThis.Path2D = Path;
    const { line, bars } = columns.trace(series,
        { from: to - 1000, to, left: 0, width: 10, thick: 2, y: (value) => 100 - value }, apart_ms);
    return [...line.steps, ...bars.steps];
}

function traced(pairs, apart_ms) {
    const series = new page.Series(300000);
    for (const [time, value] of pairs) series.push(time, value);
    return stepsOf(new page.Columns(), series, 1000, apart_ms);
}

for (const [sentence, pairs, steps, apart_ms] of [
    ['calm values are a line', [[0, 10], [100, 10], [200, 12]], ['to 0 90', 'line 0 90', 'line 1 90', 'line 2 88']],
    ['what spreads within a column is a bar from lowest to highest, with half a line around it',
        [[0, 50], [30, 70], [60, 20], [90, 40]], ['bar -1 29 2 52']],
    ['bars that overlap need no line between them', [[0, 50], [50, 70], [100, 60], [150, 80]],
        ['bar -1 29 2 22', 'bar 0 19 2 22']],
    ['bars that do not are joined by one from the last value to the first', [[0, 50], [50, 60], [100, 80], [150, 90]],
        ['to 0 40', 'line 1 20', 'bar -1 39 2 12', 'bar 0 9 2 12']],
    ['a line goes on from a bar, and a bar from a line', [[0, 50], [100, 50], [150, 60], [200, 55]],
        ['to 0 50', 'line 0 50', 'to 1 40', 'line 2 45', 'bar 0 39 2 12']],
    ['a bar that is far from the one before is joined to it', [[0, 50], [50, 70], [500, 60], [550, 80]],
        ['to 0 30', 'line 5 40', 'bar -1 29 2 22', 'bar 4 19 2 22']],
    ['silence of the sensor breaks the line', [[0, 10], [50, NaN], [100, 20]],
        ['to 0 90', 'line 0 90', 'to 1 80', 'line 1 80']],
    ['and so does too long a time without a sample', [[0, 10], [900, 20]],
        ['to 0 90', 'line 0 90', 'to 9 80', 'line 9 80'], 500],
])
    await tap.check(sentence, () => assert.deepEqual(traced(pairs, apart_ms), steps));

await tap.check('however many samples, a column costs one bar', () => {
    const many = Array.from({ length: 50000 }, (_, i) => [i / 50, i % 2 === 0 ? 20 : 60]);
    assert.equal(traced(many).length, 10);
});

await tap.check('columns that are kept show the same as those that are made anew', () => {
    const series = new page.Series(5000);
    const kept = new page.Columns();
    const noise = (i) => ((i * 7919) % 83) + (i % 3 === 0 ? 0.25 : 0);
    for (let i = 0; i < 9000; i++) {
        if (i % 600 === 599) series.cut();
        if (i % 700 === 699) series.push(i * 5 - 12, 90); // late
        if (i % 800 < 60) continue; // a hole
        series.push(i * 5, i % 90 === 0 ? NaN : noise(i));
        if (i % 13 > 0 || i < 300) continue;
        assert.deepEqual(stepsOf(kept, series, i * 5, 200), stepsOf(new page.Columns(), series, i * 5, 200), `at ${i}`);
    }
    assert.ok(series.dropped > 0 && series.changes > 0);
});

// ---- the clock ----

function clocks() {
    const time = { steady: 0, wall: 1e12 };
    return { time, clock: new page.HubClock(() => time.steady, () => time.wall),
        pass(ms) { time.steady += ms; time.wall += ms; } };
}

await tap.check('the frame that was least delayed sets the clock', () => {
    const { clock, pass } = clocks();
    clock.hear(5000 - 80); // 80 ms on its way
    pass(1000);
    clock.hear(6000 - 5);
    pass(1000);
    clock.hear(7000 - 300);
    assert.equal(clock.now(), 6995);
});

await tap.check('time goes on without frames', () => {
    const { clock, pass } = clocks();
    clock.hear(5000);
    pass(60000);
    assert.equal(clock.now(), 65000);
});

await tap.check('a clock that drifts is followed within a minute', () => {
    const { clock, pass } = clocks();
    for (let s = 0; s <= 70; s++) {
        clock.hear(s < 2 ? s * 1000 + 500 : s * 1000); // ours was slow by half a second, then not
        pass(1000);
    }
    assert.equal(clock.now(), 71000);
});

await tap.check('a tablet that slept shows nothing old as new', () => {
    const { clock, time } = clocks();
    clock.hear(5000);
    time.wall += 3600000; // the steady clock stood still
    assert.equal(clock.now(), 3605000);
    clock.hear(3605100);
    assert.equal(clock.now(), 3605100);
});

await tap.check('a step of the wall clock is forgotten with the next frame', () => {
    const { clock, time, pass } = clocks();
    clock.hear(5000);
    time.wall += 3600000;
    pass(10);
    clock.now();
    clock.hear(5010);
    assert.equal(clock.now(), 5010);
});

// ---- the screen ----

await tap.check('forty tiles fit a television, twelve a tablet, six of them large', () => {
    for (const [count, width, height, density, columns, fits] of [
        [6, 1896, 948, 'roomy', 3, true],
        [40, 1896, 948, 'dense', 8, true],
        [12, 1156, 688, 'dense', 4, true],
        [6, 1156, 688, 'normal', 3, true],
        [4, 366, 712, 'dense', 1, true],
        [40, 366, 712, 'dense', 1, false],
        [1, 300, 200, 'dense', 1, true],
        [1, 100, 100, 'dense', 1, false],
        [0, 1896, 948, 'roomy', 1, true],
    ])
        assert.deepEqual(page.layout(count, width, height), { density, columns: columns, fits },
            `${count} on ${width} x ${height}`);
});

await tap.check('an axis holds values and limits on round numbers and ignores noise', () => {
    const sensor = { min: -40, max: 100 };
    for (const [values, limits, low, high] of [[[3, 22], [45], 0, 60], [null, [], -40, 100],
        [[10, 10.1], [], 5, 15], [[-40, 100], [], -40, 100]]) {
        const [from, to] = page.bounds(values, limits, sensor);
        assert.ok(from >= low - 1e-9 && to <= high + 1e-9, `${values} ${limits}: ${from}..${to}`);
        for (const value of [...(values ?? []), ...limits]) assert.ok(from <= value && value <= to);
    }
});

await tap.check('units are written as people write them', () => {
    for (const [ucum, suffix] of [['Cel', '\u202f°C'], ['deg', '°'], ['deg/s', '°/s'], ['1', ''],
        ['kPa', '\u202fkPa'], ['dB{mW}', '\u202fdBm'], ['%', '\u202f%'], ['{beats}/min', '\u202fbeats/min']])
        assert.equal(page.unitSuffix(ucum), suffix, ucum);
});

await tap.check('numbers have their decimals, a true minus, and never minus nothing', () => {
    for (const [value, decimals, text] of [[-12.34, 1, '\u221212.3'], [-0.04, 1, '0.0'], [7, 0, '7'],
        [1234.5, 1, '1,234.5']])
        assert.equal(page.number(value, decimals), text);
    assert.deepEqual([0, 119999, 120000, 7200000].map(page.span), ['0 s', '119 s', '2 min', '2 h']);
});

await tap.check('an address that makes no sense is the wall', () => {
    for (const [hash, room] of [['', null], ['#/', null], ['#/room/a%20b', 'a b'], ['#/room/%', null]])
        assert.equal(page.parseRoute(hash).room, room, hash);
});

// ---- sessions that are over ----

await tap.check('a day is one of this screen\'s clock, of 23 or 25 hours where it is set', () => {
    process.env.TZ = 'Europe/Berlin';
    const HOUR = 3600000;
    for (const [day, hours, from] of [['2026-03-28', 24, '2026-03-27T23:00:00.000Z'],
        ['2026-03-29', 23, '2026-03-28T23:00:00.000Z'], ['2026-07-01', 24, '2026-06-30T22:00:00.000Z'],
        ['2026-10-25', 25, '2026-10-24T22:00:00.000Z']]) {
        const query = new URLSearchParams(page.queryOf({ room: '', client: '', from: day, to: day }, null));
        assert.equal(query.get('from'), from, day);
        assert.equal(Date.parse(query.get('to')) - Date.parse(from), hours * HOUR, day);
    }
    assert.equal(page.queryOf({ room: 'a', client: 'k 7', from: '', to: '' }, 12), 'room=a&client=k+7&before=12');
});

await tap.check('a gap in the history is a gap in the chart', () => {
    const at = (/** @type {number} */ s) => new Date(s * 1000).toISOString();
    const bucket = (s, mean) => ({ at: at(s), count: 1, min: mean - 1, mean, max: mean + 1 });
    assert.deepEqual(page.columnsOf({ step_ms: 1000, buckets: [bucket(10, 5), bucket(11, 6), bucket(20, 7)],
        gaps: [{ from: at(12), to: at(20) }] }),
    [[10500, 11500, 12000, 20500], [4, 5, null, 6], [5, 6, null, 7], [6, 7, null, 8]]);
});

await tap.check('what is seen is zoomed around a place, moved, and never narrower than a moment', () => {
    const view = new page.View([0, 100000], () => {});
    view.zoom(2, 0.25);
    assert.deepEqual(view.span, [12500, 62500]);
    view.pan(0.5);
    assert.deepEqual(view.span, [37500, 87500]);
    view.zoom(1e9);
    assert.equal(view.span[1] - view.span[0], 2000);
    view.whole();
    assert.deepEqual(view.span, [0, 100000]);
    view.zoom(1e-9);
    assert.equal(view.span[1] - view.span[0], 400 * 86400000);
});

// ---- changes of rules ----

await tap.check('what is changed of a rule is written where it stands, and taken out where it is nothing new', () => {
    const { changedRule, changesOf, editsOf } = page;
    const base = { name: 'bent', above: '45 deg', text: 'a', outside: ['1 deg', '2 deg'],
        all: [{ metric: 'a', above: '4 Cel' }, { not: { metric: 'b', below: '2 deg' } }] };
    const all = (above) => [{ metric: 'a', above }, base.all[1]];
    const to = (path, value) => ({ path, value });
    for (const [what, changes, values, edits] of [
        ['new', {}, [to(['above'], '50 deg')], [to(['above'], '50 deg')]],
        ['another', { above: '50 deg' }, [to(['above'], '55 deg')], [to(['above'], '55 deg')]],
        ['as it was', { above: '50 deg' }, [to(['above'], '45 deg')], [to(['above'], null)]],
        ['a part, of what is not in the text', {}, [to(['all', 0, 'above'], '5 Cel')], [to(['all'], all('5 Cel'))]],
        ['a part, where it stands', { all: all('5 Cel') }, [to(['all', 0, 'above'], '6 Cel')], [to(['all', 0, 'above'], '6 Cel')]],
        ['a part, as it was', { all: all('5 Cel') }, [to(['all', 0, 'above'], '4 Cel')], [to(['all'], null)]],
        ['two of a pair', { outside: ['1 deg', '3 deg'] }, [to(['outside', 0], '0 deg'), to(['outside', 1], '4 deg')],
            [to(['outside', 0], '0 deg'), to(['outside', 1], '4 deg')]],
        ['two keys', { above: '50 deg' }, [to(['above'], '45 deg'), to(['clear'], '40 deg')],
            [to(['above'], null), to(['clear'], '40 deg')]],
        ['what was taken away', { outside: '' }, [to(['outside'], '5 deg')], [to(['outside'], '5 deg')]],
        ['none, of what there is', {}, [to(['text'], '')], [to(['text'], '')]],
        ['none, of what there is not', { for: '5 s' }, [to(['for'], '0 s')], [to(['for'], null)]],
    ]) assert.deepEqual(editsOf(base, changes, values, (key, value) => value === '0 s'), edits, what);
    assert.deepEqual(changesOf([{ name: 'hot' }, { name: 'bent', above: '50 deg', for: '' }], 'bent'), { above: '50 deg', for: '' });
    assert.deepEqual(changesOf([], 'bent'), {});
    assert.deepEqual(changedRule(base, { text: '', above: '50 deg' }), { name: 'bent', above: '50 deg', outside: base.outside, all: base.all });
});

await tap.check('a limit is a figure with its unit, or a share of what comes from elsewhere', () => {
    for (const [text, found] of [['45 deg', ['45', 'deg']], ['-12.5', ['-12.5', '']], ['2 Cel/min', ['2', 'Cel/min']],
        ['80 % of own_range(a)', ['80', '% of own_range(a)']], ['80 % of limit(a)', ['80', '% of limit(a)']],
        ['limit(a)', null], ['metric(a) - 2 Cel', null], ['80 % of limit(a) - 2 Cel', null], ['', null]])
        assert.deepEqual(page.quantity(text), found && { figure: found[0], unit: found[1] }, text);
});

await tap.check('the limits of a plan are a list that a form changes, and a plan again', () => {
    const { bandsOf, complainedOf, withBands } = page;
    const phase = { kind: 'heat', title: 'Heat', time: '5 min', regions: ['hip'] };
    const plan = { name: 'own', title: 'Own', client: 'A-17', goals: ['x'], regions: [], time_s: 300,
        limits: [{ metric: 'a', above: '45 deg', own: '80 %' }, { metric: 'b', regions: ['hip'], outside: ['-1.5 deg', '2 deg'] },
            { metric: 'c', own: '70 %' }], targets: [{ metric: 'a', least: '3 deg' }],
        phases: [{ ...phase, limits: [], targets: [] }, { ...phase, title: 'More', limits: [{ metric: 'd', below: '5' }],
            targets: [{ metric: 'a', between: ['1 deg', '2 deg'] }, { metric: 'd', most: '7' }] }] };
    const unitOf = (metric) => (metric === 'd' ? '' : 'deg');
    const { name, client, time_s, ...kept } = plan;
    const bands = bandsOf(plan);
    assert.deepEqual(withBands(plan, bands, unitOf), kept);
    assert.deepEqual(bands.map(({ low, high, own }) => [low, high, own].join()),
        [',45,80', '-1.5,2,', ',,70', '3,,', '5,,', '1,2,', ',7,']);
    const set = (i, more) => bands.map((band, at) => (at === i ? { ...band, ...more } : band));
    const first = (list) => withBands(plan, list, unitOf).limits[0];
    assert.deepEqual(first(set(0, { high: '40' })), { metric: 'a', above: '40 deg', own: '80 %' });
    assert.deepEqual(first(set(0, { low: '-5', own: '' })), { metric: 'a', outside: ['-5 deg', '45 deg'] });
    assert.deepEqual(first(set(0, { high: '', own: '' })), kept.limits[1]); // nothing is left of it
    const more = [...bands, { ...bands[4], metric: 'a', phase: 0, low: '', high: '9' }];
    assert.deepEqual(withBands(plan, more, unitOf).phases[0].limits, [{ metric: 'a', above: '9 deg' }]);
    assert.deepEqual(complainedOf('limits[1].outside: b is -9..9 deg', bands), { band: bands[1], phase: -1, words: 'b is -9..9 deg' });
    assert.deepEqual(complainedOf('phases[1].targets[1]: no', bands), { band: bands[6], phase: -1, words: 'no' });
    assert.deepEqual(complainedOf('There is no such thing.', bands), { band: undefined, phase: -1, words: 'There is no such thing.' });
    assert.deepEqual(complainedOf('phases[2].time: no', bands), { band: undefined, phase: 2, words: 'no' });
});

await tap.check('phases of a plan change places, go and come, and their limits go with them', () => {
    const { draftOf, isReordered, minutesOf, planOf, withNewPhase, withOrder, withPhase } = page;
    const phase = (title, ...limits) => ({ kind: 'heat', title, time: '90000 ms', regions: [], limits, targets: [] });
    const limit = (metric) => ({ metric, above: '4 deg' });
    const plan = { name: 'own', title: 'Own', client: 'A-17', goals: ['x', 'y'], regions: [], time_s: 270, limits: [limit('all')],
        targets: [], phases: [phase('a', limit('of-a')), phase('b'), phase('c', limit('of-c'))] };
    const sent = (draft) => planOf(plan, draft, () => 'deg');
    const draft = draftOf(plan);
    const { name, client, time_s, ...kept } = plan;
    assert.deepEqual(sent(draft), kept);
    const moved = withOrder(draft, [2, 0, 1]);
    assert.deepEqual(sent(moved).phases, [plan.phases[2], plan.phases[0], plan.phases[1]]);
    assert.deepEqual([isReordered(plan, draft), isReordered(plan, moved)], [false, true]);
    const fewer = withOrder(moved, [0, 2]);
    assert.deepEqual(sent(fewer).phases, [plan.phases[2], plan.phases[1]]);
    assert.equal(fewer.bands.length, 2);
    const more = withPhase(withNewPhase(fewer, 'rest'), 2, { time: '60000 ms' });
    assert.deepEqual(sent(more).phases[2], { kind: 'rest', title: 'Rest', time: '60000 ms', regions: [], limits: [], targets: [] });
    assert.equal(minutesOf(draft.phases[0]), '1.5');
    assert.deepEqual(sent({ ...draft, goals: ['', 'y', 'z'] }).goals, ['y', 'z']);
});

await tap.check('a limit is a number and its unit, or none', () => {
    const { quantity } = page;
    assert.deepEqual(quantity('-85 dB{mW}'), { figure: '-85', unit: 'dB{mW}' });
    assert.deepEqual(quantity('0'), { figure: '0', unit: '' });
    assert.deepEqual(quantity('80 % of own_range(a)'), { figure: '80', unit: '% of own_range(a)' });
    for (const other of ['own_range(a)', 'limit(a)', 'off', undefined, ['1 deg']])
        assert.equal(quantity(other), null);
});

/** What the shipped rules and plans say: titles, sentences, what to do. */
function shipped() {
    const folders = ['config/rules.d', 'config/plans.d'].map((name) => join(top, name));
    const files = folders.flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith('.yaml'))
        .map((name) => readFileSync(join(folder, name), 'utf8')));
    return files.flatMap((text) => [...text.matchAll(/^ *(?:- )?(?:title|text|plain|action): (.+)$/gm)])
        .map(([, said]) => (said.startsWith('"') ? JSON.parse(said) : said));
}

await tap.check('what the shipped rules and plans say is said in German, values and all', () => {
    const all = shipped();
    assert.ok(all.length > 150, String(all.length));
    const { sentence, setLanguage, term } = page;
    assert.equal(sentence('Low back bent 31.5° for 5 s.'), 'Low back bent 31.5° for 5 s.');
    Object.assign(globalThis, { localStorage: { setItem() {} }, document: { documentElement: {} } });
    setLanguage('de');
    // The same word in both languages.
    const same = new Set(['Massage']);
    assert.deepEqual(all.filter((said) => sentence(said) === said && !same.has(said)), []);
    for (const said of all)
        assert.deepEqual(sentence(said).match(/\{\w+\}/g)?.sort(), said.match(/\{\w+\}/g)?.sort(), said);
    assert.equal(sentence('Low back bent 31.5° for 1.5 s.'), 'LWS 1,5 s lang um 31,5° gebeugt.');
    assert.equal(sentence('Low back bent 31° for 5 s, over 80.5° of the own range.'),
        'LWS 5 s lang um 31° gebeugt, über 80,5° des eigenen Umfangs.');
    assert.equal(sentence('p-1.2 is not worn.'), 'p-1.2 wird nicht getragen.');
    assert.equal(sentence('Our own words, 3.5 of them.'), 'Our own words, 3.5 of them.');
    assert.equal(term('Skin hot'), 'Haut heiß');
    setLanguage('en');
});

process.exitCode = tap.end();
