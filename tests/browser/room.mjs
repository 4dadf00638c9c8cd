// A room: strips of the last five minutes, the cursor, and how smoothly they run.
import assert from 'node:assert/strict';
import { text, texts } from './browser.mjs';
import { sleep, until } from './clinic.mjs';
import { SILENT } from './wall.mjs';
import { sendHeldRows } from './posture.mjs';

const STRIP_MS = 300000;
const DRAW_MAX_MS = 12; // of the 16.7 that a display frame has

/** Where the strip with that title has ink of its line, as shares of its width from the left. */
function inkOf(page, title) {
    return page.evaluate((wanted) => {
        const strip = Array.from(document.querySelectorAll('.strip'))
            .find((found) => found.querySelector('h3').textContent === wanted);
        const canvas = strip.querySelector('canvas');
        const context = canvas.getContext('2d');
        const ratio = canvas.width / canvas.clientWidth;
        const left = Math.round(60 * ratio);
        const width = canvas.width - left - Math.round(8 * ratio);
        const { data } = context.getImageData(left, 0, width, canvas.height);
        const ink = getComputedStyle(document.documentElement).getPropertyValue('--trace').trim();
        const [r, g, b] = [1, 3, 5].map((at) => parseInt(ink.slice(at, at + 2), 16));
        const columns = [];
        for (let x = 0; x < width; x++) {
            let found = false;
            for (let y = 0; y < canvas.height && !found; y++) {
                const at = (y * width + x) * 4;
                found = data[at + 3] > 200 && Math.abs(data[at] - r) + Math.abs(data[at + 1] - g)
                    + Math.abs(data[at + 2] - b) < 30;
            }
            if (found) columns.push(x / width);
        }
        return columns;
    }, title);
}

/** A room whose wearable had been out of reach for five minutes: 10 Hz, with a hole of 30 s. */
export async function testHistory(tap, browser, clinic) {
    const now = Date.now();
    const rows = [];
    for (let time = now - STRIP_MS + 5000; time <= now; time += 100)
        if (time < now - 180000 || time > now - 150000) rows.push([time, 10 * Math.sin(time / 5000)]);
    await sendHeldRows(clinic, 'p-01', rows);

    const { page, log, close } = await browser.open(`${clinic.url}#/room/room-1`);
    await tap.check('the last five minutes are there at once, with their gap', async () => {
        const asked = Date.now();
        const ink = await until('a strip full of five minutes', async () => {
            if (!await page.$('.strip canvas')) return null;
            const columns = await inkOf(page, 'Trunk inclination');
            return columns.length > 100 && columns[0] < 0.05 && columns.at(-1) > 0.9 && columns;
        });
        const took = Date.now() - asked;
        const share = (from, to) => ink.filter((x) => x >= from && x < to).length / ink.length / (to - from);
        for (const part of [0.05, 0.2, 0.3, 0.55, 0.7, 0.9])
            assert.ok(share(part, part + 0.05) > 0.8, `ink at ${part}: ${share(part, part + 0.05)}`);
        // The hole: 180 to 150 s ago, less what has passed since.
        const age = (Date.now() - now) / STRIP_MS;
        assert.equal(ink.filter((x) => x > 0.41 - age && x < 0.49 - age).length, 0, 'ink in the gap');
        return `${took} ms`;
    });

    await tap.check('limits are drawn with their values, and lie where the axis says', async () => {
        const limits = await page.evaluate(() => {
            const canvas = Array.from(document.querySelectorAll('.strip'))
                .find((strip) => strip.querySelector('h3').textContent === 'Trunk inclination')
                .querySelector('canvas');
            // A dashed line: a row with ink of the medium alarm's colour on much of its length.
            const ink = getComputedStyle(document.documentElement).getPropertyValue('--medium-ink').trim();
            const [r, g, b] = [1, 3, 5].map((at) => parseInt(ink.slice(at, at + 2), 16));
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            const lines = [];
            let within = false;
            for (let y = 0; y < canvas.height; y++) {
                let count = 0;
                for (let x = 0; x < canvas.width; x++) {
                    const at = (y * canvas.width + x) * 4;
                    if (data[at + 3] > 200 && Math.abs(data[at] - r)
                        + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) < 60) count++;
                }
                const line = count > canvas.width / 3;
                if (line && !within) lines.push(y);
                within = line;
            }
            return lines;
        });
        assert.equal(limits.length, 2, String(limits)); // 20 and 60 degrees, both medium
    });

    await tap.check('the times beneath strips move along with them, and never by a minute', async () => {
        const leaps = await page.evaluate((ms) => new Promise((done) => {
            const { fillText } = CanvasRenderingContext2D.prototype;
            const drawn = new Map();
            const steps = [];
            CanvasRenderingContext2D.prototype.fillText = function draw(said, x, y) {
                fillText.call(this, said, x, y);
                if (!/^\d\d:\d\d$/.test(said)) return;
                if (!drawn.has(this)) drawn.set(this, new Map());
                const known = drawn.get(this);
                if (known.has(said)) steps.push(Math.abs(known.get(said) - x));
                known.set(said, x);
            };
            setTimeout(() => {
                CanvasRenderingContext2D.prototype.fillText = fillText;
                done({ steps: steps.length, longest: Math.max(...steps) });
            }, ms);
        }), 4000);
        assert.ok(leaps.steps > 20 && leaps.longest < 5, JSON.stringify(leaps));
        return `${leaps.steps} drawings`;
    });

    await tap.check('what was not sent again is old, and said to be', async () => {
        const shown = await until('its age', async () => {
            const all = await texts(page, '.strip .age');
            return all.find((age) => /last heard|old/.test(age));
        });
        assert.ok(shown);
    });
    await tap.check('a clinic in which nothing happens is not taken for a hub that is gone', async () => {
        const seen = new Set();
        for (let i = 0; i < 28; i++) {
            for (const words of await texts(page, '.banner.bad')) seen.add(words);
            await sleep(250);
        }
        assert.deepEqual([...seen], []);
    });

    // Reading pixels, which only this test does, is what Chromium has something to say about.
    assert.deepEqual(log.said.filter((line) => !/willReadFrequently/.test(line)), []);
    await close();
}

/** Readings of the strips on screen as they stand; the others are read in turn, a few at a time. */
async function readings(page) {
    return page.$$eval('.strip .age', (ages) => ages.filter((age) => {
        const { top, bottom } = age.getBoundingClientRect();
        return top >= 0 && bottom <= innerHeight;
    }).map(({ textContent }) => textContent).filter(Boolean));
}

export async function testRoom(tap, browser, clinic) {
    const { page, log, close } = await browser.open(clinic.url);
    await until('a tile', () => page.$('.tile'));

    await tap.check('a tile opens its room by keyboard', async () => {
        const wanted = await page.$eval('.tile h2', ({ textContent }) => textContent);
        await page.focus('.tile');
        await page.keyboard.press('Enter');
        await until('the room', async () => await text(page, '.room h1') === wanted);
        await until('its strips', async () => (await page.$$('.strip canvas')).length > 10);
    });

    await tap.check('every metric of the room\'s devices has a strip', async () => {
        await page.goto(`${clinic.url}#/room/room-1`);
        const titles = await until('strips', async () => {
            const found = await texts(page, '.strip h3');
            return found.length >= 28 && found;
        });
        for (const title of ['Trunk inclination', 'Skin temperature', 'Battery', 'Posture'])
            assert.ok(titles.includes(title), title);
        return `${titles.length} strips`;
    });

    await tap.check('the cursor reads all strips at one time', async () => {
        await until('one time', async () => { // two where they are drawn as a second ends
            // Again each time: what comes above the strips moves them away from under the mouse.
            const box = await (await page.$('.strip.key .plot')).boundingBox();
            await page.mouse.move(box.x + box.width - 40, box.y + box.height / 2);
            await sleep(300);
            const all = await readings(page);
            return all.length > 1 && all.every((age) => / ago$/.test(age))
                && new Set(all.map((age) => age.slice(0, 8))).size <= 2;
        });
        await page.mouse.move(2, 2);
        await until('the present', async () => (await readings(page)).some((age) => age === 'now'));
    });

    await tap.check('the cursor moves by arrow keys and goes with Escape', async () => {
        await page.focus('.devices');
        for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowLeft');
        await until('5 s ago', async () => (await readings(page)).every((age) => /[45] s ago$/.test(age)));
        await page.keyboard.press('Escape');
        await until('the present', async () => (await readings(page)).some((age) => age === 'now'));
    });

    await tap.check('who looks at one room sees that another one needs someone', async () => {
        await until('it', async () => (await texts(page, '.elsewhere a'))
            .some((name) => name.includes(`Room ${SILENT}`)));
    });

    await tap.check(`drawing the strips takes at most ${DRAW_MAX_MS} ms of a frame`, async () => {
        await sleep(1000);
        const session = await page.context().newCDPSession(page);
        await session.send('Performance.enable');
        const spent = async () => (await session.send('Performance.getMetrics')).metrics
            .find(({ name }) => name === 'ScriptDuration').value * 1000;
        const before = await spent();
        const { frames, ms } = await page.evaluate(() => new Promise((resolve) => {
            const start = performance.now();
            let frames = 0;
            const next = (now) => {
                frames++;
                if (now - start < 3000) requestAnimationFrame(next);
                else resolve({ frames, ms: now - start });
            };
            requestAnimationFrame(next);
        }));
        const each = (await spent() - before) / frames;
        assert.ok(each <= DRAW_MAX_MS, `${each.toFixed(1)} ms`);
        return `${each.toFixed(1)} ms, ${(frames / ms * 1000).toFixed(0)} frames a second `
            + 'without a graphics processor';
    });

    await tap.check('the room complains of nothing', () => assert.deepEqual(log.said, []));
    await close();
}
