// Root causes at the screens: what is behind one is counted there, can be read there, and waits for
// nobody until it is in sight again.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inHub } from './alarms.mjs';
import { text, texts } from './browser.mjs';
import { soon, until } from './clinic.mjs';
import { Wearable } from './posture.mjs';

const CAUSE_RULES = `
rules:
  - name: gone
    title: Nothing heard
    metric: posture/trunk_inclination
    absent: 4 s
    priority: medium
    inhibits: device
    text: "Nothing from {device}."
  - name: unsaid
    title: No posture
    metric: posture/posture
    absent: 4 s
    priority: low
    text: "{device} says no posture."
`;

/** In a clinic that has no rules yet. */
export async function testCauses(tap, browser, clinic) {
    const wearable = new Wearable(clinic, 'p-01');
    const { page: wall, close } = await browser.open(clinic.url);
    const { page: room, close: closeRoom } = await browser.open(`${clinic.url}#/room/room-1`);
    const waiting = () => wall.$eval('.count', ({ lastChild }) => lastChild.textContent.trim());
    wearable.says(5);
    try {
        await tap.check('a hub that has just begun blames no device yet, and says so', async () => {
            // Begun anew before pages that are there, for they may be slower to come than it to settle.
            await clinic.stopHub();
            writeFileSync(join(clinic.rules, 'test.yaml'), CAUSE_RULES);
            await clinic.startHub();
            await until('the banner', async () => (await texts(wall, '.banner')).some((said) =>
                /The hub, or its broker, was away/.test(said)));
            await until('it is behind that', async () => (await texts(wall, '.banner .behind summary'))
                .includes('1 alarm is behind it, and back when it ends'));
            await soon(async () => assert.equal(await waiting(), 'No alarm waits'));
            await until('it is blamed', async () => await waiting() === '1 alarm waits');
            await until('the hub has settled', async () => !await wall.$('.banner'));
            await soon(async () => assert.equal(await text(wall, '.tile .sentence'), 'p-01 says no posture.'));
        });

        await tap.check('a silent device is one alarm, which says how many are behind it', async () => {
            wearable.silent();
            await until('it is', async () => await text(wall, '.tile .sentence') === 'Nothing from p-01.');
            await until('one is behind it', async () => /1 alarm is behind it/.test(await text(wall, '.tile .where')));
            await soon(async () => assert.equal(await waiting(), '1 alarm waits'));
            await until('so in the room', async () =>
                (await texts(room, '.alarm .sentence')).join() === 'Nothing from p-01.');
            assert.equal(await room.isVisible('.alarm .behind li'), false);
            await room.click('.alarm .behind summary');
            await soon(async () => assert.match(await text(room, '.alarm .behind li'), /p-01 says no posture\./));
        });

        await tap.check('who acknowledges it acknowledges nothing behind it', async () => {
            await room.click('.alarm .ack');
            await until('the hub knows', async () => (await inHub(clinic, 'gone')).presence === 'ack');
            assert.equal((await inHub(clinic, 'unsaid')).presence, 'on');
            await until('nothing waits', async () => await waiting() === 'No alarm waits');
            wearable.says(5);
            await until('it is in sight', async () => await text(wall, '.tile .sentence') === 'p-01 says no posture.');
            await soon(async () => assert.equal(await waiting(), '1 alarm waits'));
        });

        await tap.check('a broker that is gone is told, and not what comes of it', async () => {
            await clinic.broker.stop();
            await until('it is behind that', async () => (await texts(wall, '.banner .behind summary'))
                .includes('1 alarm is behind it, and back when it ends'));
            await soon(async () => assert.match(await text(wall, '.banner.bad'), /MQTT broker does not answer/));
            await soon(async () => assert.equal(await text(wall, '.tile .sentence'), 'p-01 says no posture.'));
            await soon(async () => assert.equal(await waiting(), '1 alarm waits'));
        });
    } finally {
        wearable.silent();
        await close();
        await closeRoom();
    }
}
