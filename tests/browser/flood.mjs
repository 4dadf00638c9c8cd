// A thousand alarms at once at the screens: all counted, the most urgent first, a page at a time, and
// the page goes on answering.
import assert from 'node:assert/strict';
import { text, texts } from './browser.mjs';
import { soon, until } from './clinic.mjs';
import { sendRows } from './posture.mjs';

export const FLOOD_ROOMS = 100;
const EACH = 10;
const ALL = FLOOD_ROOMS * EACH;
const PAGE = 25;
const SAY_EACH_MS = 1500; // else their signals are lost, and that is an alarm of its own

/** All of them about one value: a message raises ten. */
export const FLOOD_RULES = `rules:\n${Array.from({ length: EACH }, (_, i) => `  - name: bent-${i}
    title: Bent ${i}
    metric: posture/trunk_inclination
    above: ${20 + i} deg
    priority: ${['low', 'medium', 'high'][i % 3]}
    text: "{device} is bent {value}, more than {limit}."
    action: "Look at {device}."
`).join('')}`;

const names = Array.from({ length: FLOOD_ROOMS }, (_, i) => `p-${String(i + 1).padStart(2, '0')}`);

async function standing(clinic) {
    return (await (await fetch(`${clinic.url}api/v1/alarms?limit=1`)).json()).standing;
}

/** How much of a second the page computes. */
async function busy(page) {
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    const spent = async () => (await session.send('Performance.getMetrics')).metrics
        .find(({ name }) => name === 'TaskDuration').value;
    const before = await spent();
    const began = Date.now();
    await page.waitForTimeout(3000);
    return (await spent() - before) / ((Date.now() - began) / 1000);
}

export async function testFlood(tap, browser, clinic) {
    const wall = await browser.open(clinic.url);
    const list = await browser.open(`${clinic.url}#/alarms`);
    const room = await browser.open(`${clinic.url}#/room/room-7`);
    await until('the wall', async () => (await wall.page.$$('.tile')).length === FLOOD_ROOMS);

    let degrees = 60;
    const say = () => Promise.all(names.map((name) => sendRows(clinic, name, [[Date.now(), degrees]])));
    let saying;

    await tap.check(`${ALL} alarms at once are all counted on every screen, and said to be a flood`, async () => {
        await say();
        saying = setInterval(say, SAY_EACH_MS);
        await until('the hub has them', async () => await standing(clinic) === ALL);
        for (const { page } of [wall, list, room]) {
            await until('the count', async () => / alarms wait$/.test((await text(page, '.count')).trim())
                && (await text(page, '.count')).includes('1,000'));
            await until('the flood', async () => /Alarm flood: 1,000 alarms began within ten minutes/
                .test(await text(page, '.banner.odd')));
        }
        await soon(async () => assert.equal(await text(list.page, '.counts dd'), '1,000'));
    });

    await tap.check('each room shows its own, the worst on its tile', async () => {
        assert.equal((await wall.page.$$('.tile.high')).length, FLOOD_ROOMS);
        assert.equal((await texts(room.page, '.alarm .sentence')).length, EACH);
        const others = await texts(room.page, '.elsewhere a');
        assert.deepEqual([others.length, others.at(-1)], [6, '94 more rooms']);
        await soon(async () => assert.match(await text(room.page, '.alarm .sentence'), /^p-07 is bent 60°/));
    });

    await tap.check('the list shows the most urgent, and the others a page at a time', async () => {
        const shown = async () => (await list.page.$$('.alarm')).length;
        assert.equal(await shown(), PAGE);
        assert.equal((await list.page.$$('.alarm.high')).length, PAGE);
        await soon(async () =>
            assert.equal(await text(list.page, '.more span'), '975 more, less urgent than these.'));
        await list.page.click('.more button');
        await until('more of them', async () => await shown() === 2 * PAGE);
        await soon(async () =>
            assert.equal(await text(list.page, '.more span'), '950 more, less urgent than these.'));
    });

    await tap.check('an alarm among a thousand is acknowledged, and that is seen at once', async () => {
        const before = Date.now();
        await list.page.click('.alarm .ack');
        await until('acknowledged', () => list.page.$('.alarm.quiet .acknowledged'));
        const took = Date.now() - before;
        await until('the others know', async () => (await text(wall.page, '.count')).includes('999'));
        return `${took} ms`;
    });

    await tap.check('the page has time left, and a click on it is answered', async () => {
        const shares = [];
        for (const { page } of [wall, list, room]) shares.push(await busy(page));
        for (const share of shares) assert.ok(share < 0.9, `busy for ${share} of the time`);
        await room.page.click('.alarm .ack');
        await until('acknowledged in the room', () => room.page.$('.alarm.quiet .acknowledged'));
        await until('the others know', async () => (await text(wall.page, '.count')).includes('998'));
        return shares.map((share) => `${(100 * share).toFixed(0)} %`).join(', ')
            + ' of a core for wall, list and room';
    });

    await tap.check('who comes now sees them all, and the announcer does not read them out', async () => {
        const { page, close } = await browser.open(clinic.url);
        await until('the count', async () => (await text(page, '.count')).includes('998'));
        await soon(async () => assert.equal(await text(page, '[aria-live="assertive"]'), ''));
        assert.ok((await text(wall.page, '[aria-live="assertive"]')).length < 500);
        await close();
    });

    await tap.check('they are over, and the screens are calm again', async () => {
        clearInterval(saying);
        degrees = 0;
        await say();
        await until('the hub is calm', async () => await standing(clinic) === 0);
        await until('the wall', async () => !await wall.page.$('.tile.high'));
        await until('the list', async () => (await text(list.page, '.calm')) === 'No alarm');
        for (const { log } of [wall, list, room]) assert.deepEqual(log.said, []);
    });
    for (const { close } of [wall, list, room]) await close();
}
