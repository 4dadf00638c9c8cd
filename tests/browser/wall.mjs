// The wall, with the devices of a clinic and their faults.
import assert from 'node:assert/strict';
import { text, texts } from './browser.mjs';
import { soon, until } from './clinic.mjs';

const TRANSFER_MAX = 150 * 1024;
const PAINT_MAX_MS = 500;
export const SILENT = 5; // the room whose wearable falls silent

/** The tile of a room. */
const tile = (n) => `.tile[href="#/room/room-${n}"]`;

/** The figures of a tile by the names of their metrics, as they are shown. */
function cells(page, n) {
    return page.evaluate((found) => Object.fromEntries(Array.from(
        document.querySelectorAll(`${found} .value`), (cell) => [
            cell.querySelector('.name').textContent, {
                freshness: cell.classList[1],
                figure: cell.querySelector('.reading').textContent,
                unit: cell.querySelector('.unit').textContent,
                age: cell.querySelector('.age').textContent,
                hatched: getComputedStyle(cell.querySelector('.reading')).backgroundImage !== 'none',
            }])), tile(n));
}

/** After how many ms the page shows a value, or, without one to look for, has drawn anything. */
function shownAfter(page, selector) {
    return page.evaluate((found) => new Promise((resolve) => {
        const look = () => (!found || /\d/.test(document.querySelector(found)?.textContent ?? '')
            ? requestAnimationFrame(() => resolve(performance.now())) : requestAnimationFrame(look));
        look();
    }), selector);
}

/** After how many ms a value is on the screen: for who comes for the first time, in a browser that has to
 *  begin a process for the page, and for who loads it again. `empty`: a picture of the hub's, for the first
 *  time. Of five, the best: what is measured is the page, not what else the machine was doing. */
export async function firstValue(browser, clinic) {
    const best = { first: Infinity, again: Infinity, empty: Infinity };
    const note = (name, ms) => { best[name] = Math.min(best[name], ms); };
    for (let i = 0; i < 5; i++) {
        const { page, close } = await browser.open(clinic.url);
        note('first', await shownAfter(page, '.tile .reading'));
        await page.reload();
        note('again', await shownAfter(page, '.tile .reading'));
        await close();
        const empty = await browser.open(`${clinic.url}icon.svg`);
        note('empty', await shownAfter(empty.page, ''));
        await empty.close();
    }
    return best;
}

/** @param {import('./tap.mjs').Tap} tap */
export async function testWall(tap, browser, clinic) {
    const { page, log, close } = await browser.open(clinic.url);
    await until('a value on the wall', () => text(page, '.tile .reading'));

    await tap.check('the wall shows every room of the configuration', async () => {
        assert.deepEqual((await texts(page, '.tile h2')).sort(),
            Array.from({ length: clinic.rooms }, (_, i) => `Room ${i + 1}`));
    });

    await tap.check('key values have number, unit and age, and change', async () => {
        const before = await until('three figures', async () => {
            const shown = await cells(page, 1);
            return Object.values(shown).filter(({ unit }) => unit).length >= 3 && shown;
        });
        for (const [name, { figure, unit, age, freshness }] of Object.entries(before)) {
            if (unit) assert.match(figure, /^\u2212?[\d,]+(\.\d+)?$/, name);
            assert.ok(age && freshness === 'fresh', `${name}: ${age}`);
        }
        await until('another value', async () => {
            const shown = await cells(page, 1);
            return Object.keys(before).some((name) => shown[name].figure !== before[name].figure);
        });
    });

    await tap.check('devices of no room are listed as such', async () => {
        const list = await until('the list', async () => {
            const found = await texts(page, '.unassigned li b');
            return found.length === 2 && found;
        });
        const name = String(clinic.rooms + 1).padStart(2, '0');
        assert.deepEqual(list.sort(), [`massage/m-${name}`, `posture/p-${name}`]);
    });

    await tap.check('a device that falls silent is hatched with its age, then a dash', async () => {
        const stale = await until('stale', async () => {
            const { 'Trunk inclination': shown } = await cells(page, SILENT);
            return shown.freshness === 'stale' && shown;
        });
        assert.ok(stale.hatched);
        assert.match(stale.age, /^\d+ s old$/);
        const offline = await until('offline', async () => {
            const { 'Trunk inclination': shown } = await cells(page, SILENT);
            return shown.freshness === 'offline' && shown;
        });
        assert.deepEqual([offline.figure, offline.unit, offline.hatched], ['\u2013', '', false]);
        assert.match(offline.age, /^last heard \d\d:\d\d:\d\d$/);
    });

    await tap.check('an alarm shows mark, sentence and the first thing to do, its room first', async () => {
        await until('a technical alarm in its room', () => page.$(`${tile(SILENT)} .mark .plug`));
        await soon(async () => assert.equal(await text(page, `${tile(SILENT)} .mark text`), '!!'));
        assert.ok(await page.$(`${tile(SILENT)}.medium`), 'the colour');
        assert.match(await page.getAttribute(`${tile(SILENT)} .mark`, 'aria-label'), /Medium alarm, technical/);
        await soon(async () => assert.match(await text(page, `${tile(SILENT)} .sentence`), /p-05/));
        await soon(async () => assert.match(await text(page, `${tile(SILENT)} .first`), /^First: \S/));
        const order = await page.$$eval('.tile', (tiles) =>
            tiles.map(({ className }) => /high|medium|low|$/.exec(className)[0]));
        const rank = order.map((name) => ['', 'low', 'medium', 'high'].indexOf(name));
        assert.deepEqual(rank, [...rank].sort((a, b) => b - a));
    });

    await tap.check('a tile that becomes urgent, and first by that, is in the colours of it', async () => {
        // Chromium forgets a change of classes where the element is moved at once: as Preact moves tiles.
        assert.deepEqual(await page.evaluate(() => {
            const wall = document.body.appendChild(document.createElement('div'));
            const place = '<div class="place low"><a class="tile low"><p class="worst">.</p></a></div>';
            wall.innerHTML = place.repeat(4) + place.replaceAll('low', 'high');
            const colours = Array.from(wall.querySelectorAll('.worst'), (bar) => getComputedStyle(bar));
            const [low, high] = [colours[0].backgroundColor, colours[4].backgroundColor];
            wall.children[3].className = 'place high';
            wall.children[3].firstChild.className = 'tile high';
            if (wall.moveBefore) wall.moveBefore(wall.children[3], wall.firstChild);
            const shown = [low !== high, colours[3].backgroundColor === high];
            wall.remove();
            return shown;
        }), [true, true]);
    });

    await tap.check('a long sentence cuts no figure of the smallest tile that fits', async () => {
        const small = await browser.open(clinic.url, { width: 724, height: 560 });
        await until('the sentence', async () => await text(small.page, `${tile(SILENT)} .sentence`));
        const cut = await small.page.evaluate((found) => {
            const shown = document.querySelector(found);
            shown.querySelector('.sentence').firstChild.data = 'Longer than anybody reads. '.repeat(9);
            const { right, bottom } = shown.getBoundingClientRect();
            return Array.from(shown.querySelectorAll('.figures > .value > .reading, .figures > .value > .side > *'))
                .filter((figure) => figure.getBoundingClientRect().right > right
                    || figure.getBoundingClientRect().bottom > bottom).map((figure) => figure.textContent);
        }, tile(SILENT));
        assert.deepEqual([await small.page.$('.wall.fits.dense') !== null, cut], [true, []]);
        await small.close();
    });

    await tap.check('who reads an alarm on a tablet of 1024 px can acknowledge it there', async () => {
        const tablet = await browser.open(clinic.url, { width: 1024, height: 768 });
        await until('the button', () => tablet.page.$(`.place:has(${tile(SILENT)}) .ack`));
        await tablet.close();
    });

    await tap.check('a device whose battery is below what a rule asks for shows it on its tile', async () => {
        await until('a battery', () => page.$(`${tile(6)} .troubles [aria-label*="Battery 5"]`));
        assert.equal(await page.$(`${tile(1)} .troubles [aria-label*="Battery"]`), null);
    });

    await tap.check('an alarm that begins is said to who listens to the page', async () => {
        // The medium and the low alarm began after this page was opened.
        await soon(async () => assert.match(await text(page, '[aria-live="assertive"]'), /^Room \d .+\. .+/));
    });

    await tap.check('nothing but the hub is asked, and nothing is complained of', async () => {
        assert.deepEqual(log.said, []);
        for (const url of log.asked)
            assert.match(url, new RegExp(`^(http|ws)://127\\.0\\.0\\.1:${clinic.webPort}/`));
    });

    await tap.check(`the page is at most ${TRANSFER_MAX / 1024} KiB on the wire`, () => {
        assert.ok(log.bytes > 1000 && log.bytes <= TRANSFER_MAX, `${log.bytes} bytes`);
        return `${(log.bytes / 1024).toFixed(1)} KiB`;
    });
    await close();

    await tap.check(`a value is on the screen soon after the page was asked for (aim ${PAINT_MAX_MS} ms)`, async () => {
        const { first, again } = await firstValue(browser, clinic);
        // Told, not asserted: this machine is shared, and a figure belongs to a bench.
        assert.ok(Number.isFinite(first + again), 'a value is never on the screen');
        return `${first.toFixed(0)} ms, and ${again.toFixed(0)} ms when it is loaded again`;
    });
}
