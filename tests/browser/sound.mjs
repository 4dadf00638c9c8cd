// What is heard: tones by priority, pauses of sound and of alarms, and a browser that must be silent.
// Tones are counted where the page hands them to the browser.
import assert from 'node:assert/strict';
import { inHub } from './alarms.mjs';
import { text } from './browser.mjs';
import { sleep, until } from './clinic.mjs';
import { Wearable } from './posture.mjs';

export const SOUND_RULES = `
rules:
  - {name: low, title: L, metric: posture/trunk_inclination, above: 20 deg, priority: low, text: "Low."}
  - {name: medium, title: M, metric: posture/trunk_inclination, above: 40 deg, priority: medium,
     text: "Medium."}
  - {name: high, title: H, metric: posture/trunk_inclination, above: 60 deg, priority: high,
     text: "High."}
`;

async function paused(clinic) {
    return (await (await fetch(`${clinic.url}api/v1/rooms`)).json()).rooms[0].paused;
}

/** Counts the tones of a page from now on. `opened` resolves when it has asked for sound: whoever asks
 *  the page anything before that has touched it, as the browser sees it, and it need not be silent. */
async function listen(page) {
    let says;
    const opened = new Promise((resolve) => { says = resolve; });
    await page.exposeFunction('saysOpened', says);
    await page.addInitScript(() => {
        const RealContext = window.AudioContext;
        window.AudioContext = class extends RealContext {
            constructor() {
                super();
                window.saysOpened();
            }
        };
        window.tones = [];
        const Real = window.OscillatorNode;
        window.OscillatorNode = class extends Real {
            start(...when) {
                window.tones.push(this.frequency.value);
                super.start(...when);
            }
        };
    });
    return { opened };
}

const heard = (page) => page.evaluate(() => window.tones.splice(0).length);

export async function testSound(tap, browser, clinic) {
    const wearable = new Wearable(clinic, 'p-01');
    const { page, log, close } = await browser.open('about:blank');
    const other = await browser.open(`${clinic.url}#/room/room-1`);
    const { opened } = await listen(page);
    await page.goto(`${clinic.url}#/room/room-1`);
    wearable.says(5);
    try {
        await tap.check('a browser that must be silent says so, and sounds when it is touched', async () => {
            await opened;
            await until('it says so', async () => /No sound until touched/
                .test(await text(page, '.sound.silent')));
            wearable.says(30);
            await until('an alarm', () => page.$('.alarm.low'));
            assert.equal(await heard(page), 0);
            await page.click('h1');
            await until('it may sound', async () => await text(page, '.sound.on') === 'Sound on');
            wearable.says(5);
            await until('calm', () => page.$('.calm'));
        });

        await tap.check('each priority has its tones: one, three, five twice', async () => {
            for (const [degrees, tones] of [[30, 1], [50, 3], [70, 10]]) {
                wearable.says(degrees);
                await until(`${tones} tones`, async () => await page.evaluate(() => window.tones.length) >= tones);
                await sleep(300);
                assert.equal(await heard(page), tones);
            }
        });

        await tap.check('who waits is heard again, who is acknowledged is not', async () => {
            await until('again', async () => await heard(page) === 10, 15000, 500);
            for (const rule of ['low', 'medium', 'high']) {
                const { number } = await inHub(clinic, rule);
                await fetch(`${clinic.url}api/v1/alarms/${number}/ack`, { method: 'POST', body: '{}',
                    headers: { 'Content-Type': 'application/json' } });
            }
            await until('all are known', async () => (await page.$$('.alarm.quiet')).length === 3);
            await heard(page);
            await sleep(11000);
            assert.equal(await heard(page), 0);
            wearable.says(5);
            await until('calm', () => page.$('.calm'));
        });

        await tap.check('the sound of a room is paused on every screen, and told with what is left', async () => {
            wearable.says(70);
            await until('it sounds', async () => await heard(page) > 0);
            await page.click('.pause.audio');
            await until('the hub knows', async () => (await paused(clinic)).audio);
            for (const screen of [page, other.page])
                await until('it is told', async () => /Sound paused, 1\d\d s more, until \d\d:\d\d:\d\d/
                    .test(await text(screen, '.is-paused.audio')));
            await heard(page);
            await sleep(11000);
            assert.equal(await heard(page), 0, 'it is heard');
            assert.ok(await page.$('.alarm.high:not(.quiet)'), 'it waits all the same');
        });

        await tap.check('an alarm that begins ends the silence', async () => {
            wearable.says(5);
            await until('calm', async () => await text(page, '.calm') === 'No alarm');
            assert.ok((await paused(clinic)).audio);
            wearable.says(30);
            await until('it is heard', async () => await heard(page) === 1);
            assert.equal((await paused(clinic)).audio, undefined);
            await until('the button is back', () => other.page.$('.pause.audio'));
        });

        await tap.check('paused alarms are shown, flash not and are not heard, whatever begins', async () => {
            await other.page.click('.pause.alarm');
            await until('it is told', async () => /Alarms paused, 1\d\d s more, .* this room calls nobody/
                .test(await text(page, '.is-paused.alarm')));
            await heard(page);
            wearable.says(70);
            await until('they are shown', () => page.$('.alarm.high'));
            await sleep(1000);
            assert.equal(await heard(page), 0);
            assert.equal(await page.$eval('.alarm.high .shape',
                (mark) => getComputedStyle(mark).animationName), 'none');
            await page.goto(`${clinic.url}#/`);
            await until('the tile says so', async () => /1\d\d s|119 s|2 min/.test(await text(page, '.tile .paused.halt')));
            await other.page.click('.resume.alarm');
            await until('it calls', async () => await heard(page) === 10);
        });

        await tap.check('a screen can be silent for good, and says that it is', async () => {
            await page.click('.sound');
            await until('it says so', async () => await text(page, '.sound.off') === 'Sound off here');
            wearable.says(5);
            await until('calm', async () => !await page.$('.tile.high'));
            await heard(page);
            await page.reload();
            await until('still', async () => await text(page, '.sound.off') === 'Sound off here');
            wearable.says(70);
            await until('an alarm', () => page.$('.tile.high'));
            await sleep(500);
            assert.equal(await heard(page), 0);
            await page.click('.sound');
            await until('on', () => page.$('.sound.on'));
            assert.deepEqual(log.said.filter((line) => !/AudioContext was not allowed/.test(line)), []);
        });
    } finally {
        wearable.silent();
        await close();
        await other.close();
    }
}
