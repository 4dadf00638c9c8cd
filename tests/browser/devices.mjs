// Devices: put into another room, while a treatment is under way there.
import assert from 'node:assert/strict';
import { text, texts } from './browser.mjs';
import { until } from './clinic.mjs';
import { inspect } from './inspect.mjs';
import { order } from './treatment.mjs';

const WEARABLE = '.device-row:has(h2:has-text("p-01"))';

export async function testDevices(tap, browser, clinic, shots) {
    const { page, log, close } = await browser.open(`${clinic.url}#/devices`);
    const { page: wall, close: closeWall } = await browser.open(clinic.url);
    const where = () => page.locator(`${WEARABLE} .where, ${WEARABLE} .device-head > b`).innerText();
    await until('the devices', async () => (await page.$$('.device-row')).length === 4);

    await tap.check('a device is put into another room by keyboard, and is told what a treatment loses', async () => {
        const opened = await (await order(clinic, '/sessions', { room: 'room-1', therapist: 'AB' })).json();
        assert.ok((await order(clinic, `/sessions/${opened.id}/start`)).ok);
        await page.focus(`${WEARABLE} .another`);
        await page.keyboard.press('Enter');
        await until('the form', () => page.$('.placing select'));
        await page.selectOption('.placing select', 'room-2');
        await until('what it means', async () =>
            /under way in Room 1: it goes on without this device/.test((await texts(page, '.placing p')).join()));
        await inspect(tap, page, 'placing', shots);
        await page.focus('.placing .do');
        await page.keyboard.press('Enter');
        await until('it is there', async () => await where() === 'Room 2');
        await until('the form is gone', async () => !await page.$('.placing'));
        const { devices } = await (await fetch(`${clinic.url}api/v1/sessions/${opened.id}`)).json();
        const [stay] = devices.filter(({ device }) => device === 'posture/p-01');
        assert.ok(stay.to, 'its part in the treatment has ended');
        const place = await (await fetch(`${clinic.url}api/v1/devices/posture/p-01/room`)).json();
        assert.deepEqual([place.room, place.configured, place.by], ['room-2', 'room-1', 'page']);
    });

    await tap.check('who looked at what is not so any more is told, and overwrites nothing', async () => {
        await page.click(`${WEARABLE} .another`);
        await page.selectOption('.placing select', 'room-1');
        // The frames that would tell are late.
        await page.route('**/room', async (route) => {
            const answer = await route.fetch();
            const said = await answer.json();
            await route.fulfill({ response: answer, json: { ...said, room: null } });
        });
        await page.click('.placing .do');
        await until('a complaint', async () =>
            /Somebody has just moved it/.test(await text(page, '.placing .complaint')));
        await page.unroute('**/room');
        assert.equal((await (await fetch(`${clinic.url}api/v1/devices/posture/p-01/room`)).json()).room, 'room-2');
        await page.click('.placing .plain');
    });

    await tap.check('which one it is: the device is asked, and the page says what to look for', async () => {
        await page.focus(`${WEARABLE} .identify`);
        await page.keyboard.press('Enter');
        await until('the device does', () => /p-01 shows itself for 10 s/.test(clinic.devices.output));
        await until('the page says so', async () => /asked to show itself/.test(await text(page, '.showing')));
        assert.equal(await page.locator(`${WEARABLE} .showing`).count(), 1);
        assert.equal((await page.$$('.showing')).length, 1);
        await inspect(tap, page, 'identify', shots);
        await until('it is over', async () => !await page.$('.showing'));
    });

    await tap.check('one that cannot be asked is said to be', async () => {
        await page.route('**/identify', (route) => route.fulfill({ status: 409, json: {
            type: 'about:blank', title: 'Conflict', status: 409, detail: 'p-01 is offline: it does not hear.' } }));
        await page.click(`${WEARABLE} .identify`);
        await until('a complaint', async () => /p-01 is offline/.test(await text(page, '.device-row .complaint')));
        assert.ok(!await page.$('.showing'));
        await page.unroute('**/identify');
    });

    await tap.check('out of any room it is listed as such on the wall, and finds back', async () => {
        await page.click(`${WEARABLE} .another`);
        await page.click('.placing .do');
        await until('it is in none', async () => await where() === 'Not assigned to a room');
        await until('the wall says so', async () => (await text(wall, '.unassigned')).includes('posture/p-01'));
        await page.click(`${WEARABLE} .another`);
        assert.ok(await page.$('.placing .do:disabled'), 'a room is to be chosen');
        await page.selectOption('.placing select', 'room-1');
        await page.click('.placing .do');
        await until('it is back', async () => await where() === 'Room 1');
        await until('the wall forgets it', async () => !await wall.$('.unassigned'));
        assert.deepEqual(log.said.filter((line) => !/status of 409/.test(line)), []);
    });
    await close();
    await closeWall();
}
