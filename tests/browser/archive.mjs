// Sessions that are over: found again among sixty, their charts zoomed and moved, two side by side.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { violations } from './access.mjs';
import { text, texts } from './browser.mjs';
import { sleep, soon, until } from './clinic.mjs';
import { SIZES, faults } from './screens.mjs';
import { openOne, order } from './treatment.mjs';

const OLD = 60; // more than a page
const PAGE = 50;
const TREATED_MS = 6000;

/** Rows as the hub writes them: a session a week, of a client who comes again. */
const ROWS = `
import json, sqlite3, sys, time
DAY, now = 86400000, int(time.time() * 1000)
with sqlite3.connect(sys.argv[1]) as db:
    db.execute("UPDATE session SET id = 500 WHERE id = 1")
    for table in ("session_device", "session_phase", "session_note"):
        db.execute(f"UPDATE {table} SET session = 500 WHERE session = 1")
    for week in range(${OLD}):
        at = now - (${OLD} - week) * 7 * DAY
        db.execute("INSERT INTO session VALUES (?, 1, NULL, ?, 'AB', 'done', NULL, ?, ?, ?, 6, 4, NULL, NULL,"
                   " NULL, ?)", (100 + week, f"room-{1 + week % 2}", at, at, at + 1800000, json.dumps({})))
`;

/** What the page asks of the history of one value next, as ms. */
async function asks(page, work, metric = 'trunk_inclination') {
    const [request] = await Promise.all([page.waitForRequest((one) => one.url().includes('/history?')
        && one.url().includes(metric)), work()]);
    const query = new URL(request.url()).searchParams;
    return { from: Date.parse(query.get('from')), to: Date.parse(query.get('to')), points: Number(query.get('points')) };
}

async function treat(clinic) {
    clinic.startDevices();
    await openOne(clinic, 'room-1');
    await sleep(TREATED_MS);
    for (const [what, body] of [['end', {}], ['pain', { pain: 3, when: 'after' }]])
        assert.ok((await order(clinic, `/sessions/1/${what}`, body)).ok, what);
    await clinic.devices.stop();
    await clinic.stopHub();
    const { status, stderr } = spawnSync('/usr/bin/python3', ['-c', ROWS, join(clinic.folder, 'history.db')]);
    assert.equal(status, 0, String(stderr));
    await clinic.startHub();
}

export async function testArchive(tap, browser, clinic, shots) {
    mkdirSync(shots, { recursive: true });
    await treat(clinic);

    await tap.check('what is over is found by page, room and day', async () => {
        const { page, log, close } = await browser.open(clinic.url);
        const rows = async () => (await page.$$('.sessions tbody tr')).length;
        await page.click('footer a[href="#/sessions"]');
        await until('a page of them', async () => await rows() === PAGE);
        assert.match((await texts(page, '.sessions tbody tr'))[0], /kiefer-7/, 'the newest is the first');
        await page.click('.archive > button');
        await until('all of them', async () => await rows() === OLD + 1);
        await page.selectOption('.filters select >> nth=0', 'room-2');
        await until('those of one room', async () => await rows() === OLD / 2);
        await page.selectOption('.filters select >> nth=0', '');
        const day = new Date(Date.now() - 14 * 86400000);
        const local = [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((n) => String(n).padStart(2, '0'));
        await page.fill('.filters input >> nth=0', local.join('-'));
        await page.fill('.filters input >> nth=1', local.join('-'));
        await until('that of one day', async () => await rows() === 1);
        await page.fill('.filters input >> nth=0', '');
        await page.fill('.filters input >> nth=1', '2001-01-01');
        await until('none, and why', async () => /No session like this/.test(await text(page, '.empty')));
        assert.deepEqual(log.said, []);
        await close();
    });

    await tap.check('a chart is as fine as the screen, and zoomed by wheel, key, button and finger', async () => {
        const { page, log, close } = await browser.open(`${clinic.url}#/sessions`);
        await page.waitForSelector('.sessions tbody a');
        const whole = await asks(page, () => page.click('.sessions tbody a >> nth=0'));
        assert.ok(Math.abs(whole.points - (1180 - 24)) < 3, `${whole.points}`);
        await until('values', async () => (await texts(page, '.history output')).some((said) => /lowest .* highest/.test(said)));
        assert.ok((await page.$$('.history')).length >= 2);
        await soon(async () => assert.match(await text(page, '.pane header'), /Session 500: kiefer-7.*Pain: 6 → 3/s));
        assert.ok((await texts(page, '.said li')).some((said) => said.includes('Left side tender')));

        const wide = ({ from, to }) => to - from;
        const box = await (await page.$('.history .u-over')).boundingBox();
        await page.mouse.move(box.x + box.width / 4, box.y + box.height / 2);
        const near = await asks(page, () => page.mouse.wheel(0, -300));
        assert.ok(wide(near) < wide(whole) && near.from > whole.from, 'nearer, around the pointer');
        const moved = await asks(page, async () => {
            await page.mouse.down();
            await page.mouse.move(box.x + box.width / 4 - 200, box.y + box.height / 2, { steps: 4 });
            await page.mouse.up();
        });
        assert.ok(moved.from > near.from && Math.abs(wide(moved) - wide(near)) < 50, 'later, as wide');
        await page.focus('.record [role="group"]');
        assert.deepEqual(wide(await asks(page, () => page.keyboard.press('Home'))), wide(whole));
        assert.ok(wide(await asks(page, () => page.keyboard.press('+'))) < wide(whole));
        assert.ok((await asks(page, () => page.keyboard.press('ArrowLeft'))).from < whole.from + wide(whole) / 4);
        await asks(page, () => page.click('.tools button:text("Whole session")'));
        assert.ok(wide(await asks(page, () => page.click('.tools [aria-label="Zoom out"]'))) > wide(whole));
        const charts = (await page.$$('.history')).length;
        await asks(page, () => page.selectOption('.chosen select', 'lumbar_flexion'), 'lumbar_flexion');
        await until('another chart', async () => (await page.$$('.history')).length === charts + 1);
        await page.click('.chosen button >> nth=0');
        await until('one is gone', async () => (await page.$$('.history')).length < charts + 1);
        assert.deepEqual(log.said, []);
        await close();
    });

    await tap.check('the morning after, pain and a note are told, with who said it', async () => {
        const { page, log, close } = await browser.open(`${clinic.url}#/sessions/159`);
        await page.waitForSelector('.amend');
        await page.click('.amend button:text-is("Pain after")');
        await page.fill('.amend input', '2');
        await page.click('.amend button[type="submit"]');
        await until('it is told', async () => /Pain: 6 → 2/.test(await text(page, '.pane header')));
        await page.click('.amend button:text-is("Note")');
        await page.fill('.amend input', 'Slept well.');
        await page.keyboard.press('Enter');
        await until('it is noted', async () => (await texts(page, '.said li')).some((said) => /Slept well/.test(said)));
        assert.match((await texts(page, '.changes li')).join('|'), /at a screen: Pain after 2\|.*at a screen: Note Slept well/s);
        assert.deepEqual(log.said, []);
        await close();
    });

    await tap.check('two are seen side by side, from their starts, in the language of the page', async () => {
        const { page, close } = await browser.open(`${clinic.url}#/sessions`, { width: 1600, locale: 'de-DE' });
        await page.waitForSelector('.sessions tbody input');
        await page.check('.sessions tbody input >> nth=0');
        await page.check('.sessions tbody input >> nth=1');
        await page.click('.archive a:text("nebeneinander")');
        await until('both', async () => (await page.$$('.beside .pane')).length === 2);
        const heads = await texts(page, '.pane h1');
        assert.deepEqual(heads.map((said) => said.split(':')[0]), ['Sitzung 159', 'Sitzung 500']);
        const [left, right] = await Promise.all((await page.$$('.pane')).map((pane) => pane.boundingBox()));
        assert.ok(right.x >= left.x + left.width && right.y === left.y);
        await close();
    });

    await tap.check('what is not there is said', async () => {
        const { page, close } = await browser.open(`${clinic.url}#/sessions/77777`);
        await until('it is said', async () => /There is no session 77777/.test(await text(page, '.empty')));
        await close();
    });

    for (const [name, [width, height]] of Object.entries(SIZES))
        for (const scheme of ['light', 'dark'])
            for (const [screen, address, sign] of [['archive', '#/sessions', '.sessions tbody tr'],
                ['record', '#/sessions/500', '.history canvas'], ['compare', '#/sessions/159/500', '.pane + .pane']])
                await tap.check(`the ${screen} fits a ${name} (${scheme})`, async () => {
                    const { page, close } = await browser.open(clinic.url + address, { width, height, scheme });
                    await page.waitForSelector(sign);
                    await sleep(400);
                    await page.screenshot({ path: join(shots, `${screen}-${name}-${scheme}.png`) });
                    assert.deepEqual(await faults(page), []);
                    if (name === 'tablet') assert.deepEqual(await violations(page), []);
                    await close();
                });
}
