// What a rule would tell if it were armed: at the screens without a call, and an alarm as soon as it
// is.
import assert from 'node:assert/strict';
import { text, texts } from './browser.mjs';
import { soon, until } from './clinic.mjs';
import { Wearable } from './posture.mjs';

export const ARMED_RULES = `
rules:
  - name: bent
    title: Bent
    metric: posture/trunk_inclination
    above: 20 deg
    armed: session
    priority: medium
    text: "Bent {value}."
`;

function post(clinic, path, body = {}) {
    return fetch(`${clinic.url}api/v1/${path}`, { method: 'POST',
        headers: { 'Content-Type': 'application/json', Origin: clinic.url.slice(0, -1) },
        body: JSON.stringify(body) });
}

export async function testArming(tap, browser, clinic) {
    const wearable = new Wearable(clinic, 'p-01');
    const { page: wall, close } = await browser.open(clinic.url);
    const { page: room, close: closeRoom } = await browser.open(`${clinic.url}#/room/room-1`);
    const { page: list, close: closeList } = await browser.open(`${clinic.url}#/alarms`);
    const waiting = () => wall.$eval('.count', ({ lastChild }) => lastChild.textContent.trim());
    wearable.says(30);
    let session;
    try {
        await tap.check('what is not armed is shown with a dotted mark, and is no alarm', async () => {
            for (const page of [room, list])
                await until('it is shown', async () =>
                    (await texts(page, '.suppressed .sentence'))[0] === 'Bent 30°.');
            await soon(async () =>
                assert.match(await text(room, '.suppressed li'), /no alarm outside of treatments, since/));
            await soon(async () => assert.match(await text(list, '.suppressed li'), /^\S/));
            const mark = await room.$('.suppressed .mark');
            assert.equal(await mark.getAttribute('aria-label'), 'Medium alarm, clinical, not told now');
            const dots = await room.$eval('.suppressed .shape path', (path) =>
                getComputedStyle(path).strokeDasharray);
            assert.notEqual(dots, 'none');
            await soon(async () => assert.equal(await waiting(), 'No alarm waits'));
            await soon(async () => assert.deepEqual(await texts(room, '.alarm .sentence'), []));
        });

        await tap.check('when a treatment begins it is an alarm, and suppressed no more', async () => {
            session = (await (await post(clinic, 'sessions', { room: 'room-1', therapist: 'AB' })).json()).id;
            assert.equal((await post(clinic, `sessions/${session}/start`)).status, 200);
            await until('it is an alarm', async () => (await texts(room, '.alarm .sentence'))[0] === 'Bent 30°.');
            await until('it is not suppressed', async () => !await room.$('.suppressed'));
            await soon(async () => assert.equal(await waiting(), '1 alarm waits'));
        });

        await tap.check('when it ends it is suppressed again, until it is over', async () => {
            assert.equal((await post(clinic, `sessions/${session}/end`)).status, 200);
            await until('it is shown', async () => (await texts(room, '.suppressed .sentence'))[0] === 'Bent 30°.');
            await until('nothing waits', async () => await waiting() === 'No alarm waits');
            wearable.says(5);
            await until('it is over', async () => !await room.$('.suppressed') && !await list.$('.suppressed'));
        });
    } finally {
        wearable.silent();
        await Promise.all([close(), closeRoom(), closeList()]);
    }
}
