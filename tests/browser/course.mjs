// The course of a client: a year that was made up in the hub's own tables, on one screen.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { text, texts } from './browser.mjs';
import { until } from './clinic.mjs';
import { SIZES, faults } from './screens.mjs';
import { order } from './treatment.mjs';

const SESSIONS = 46;

/** Rows as the hub writes them: a session a week, pain that falls slowly, three tests of a range. */
const ROWS = `
import json, sqlite3, sys, time
DAY, now = 86400000, int(time.time() * 1000)
with sqlite3.connect(sys.argv[1]) as db:
    for week in range(${SESSIONS}):
        at, minutes = now - (330 - 7 * week) * DAY, 14 + week * 7 % 11
        body = {"plan": {"title": "Lower back"}, "doses":
                {"lower_back_left": [minutes * 30000, minutes * 30000 * (30 + week * 5 % 17)],
                 "lower_back_right": [minutes * 30000, minutes * 30000 * 38.0]}}
        before = max(1, 7 - week // 9 + week % 3 - 1)
        db.execute("INSERT INTO session VALUES (?, 1, NULL, 'room-1', 'AB', 'done', NULL, ?, ?, ?, ?, ?, ?, ?,"
                   " NULL, ?)", (100 + week, at, at, at + 1800000, before, max(0, before - 2),
                                 14 - week // 6 if week % 6 == 0 else None, None, json.dumps(body)))
    for number, (ago, best) in enumerate([(320, 41.0), (210, 52.0), (90, 49.0), (8, 60.0)]):
        db.execute("INSERT INTO calibration VALUES (?, 1, NULL, 'range', 'posture/p-01', 'lumbar_flexion',"
                   " ?, ?, ?)", (900 + number, now - ago * DAY, now, json.dumps(
                       {"direction": 1, "best": best, "mean": best - 2, "spread": 2, "peaks": [best] * 3})))
`;

export async function testCourse(tap, browser, clinic, shots) {
    mkdirSync(shots, { recursive: true });
    assert.ok((await order(clinic, '/clients', { name: 'kiefer-7' })).ok);
    await clinic.stopHub();
    const { status, stderr } = spawnSync('/usr/bin/python3', ['-c', ROWS, join(clinic.folder, 'history.db')]);
    assert.equal(status, 0, String(stderr));
    await clinic.startHub();

    await tap.check('from any screen it is two steps to a client\'s course', async () => {
        const { page, log, close } = await browser.open(clinic.url);
        await page.click('footer a');
        await page.waitForSelector('.clients a');
        await page.fill('.search input', 'nobody');
        await until('none', async () => (await page.$$('.clients a')).length === 0);
        await page.fill('.search input', 'Kief');
        await page.click('.clients a');
        await until('the course', async () => (await text(page, 'h1')) === 'Course of kiefer-7');
        assert.deepEqual(log.said, []);
        await close();
    });

    await tap.check('what may be said comes first, in the language of the page', async () => {
        const { page, close } = await browser.open(`${clinic.url}#/client/kiefer-7`);
        await page.waitForSelector('.told li');
        const said = await texts(page, '.told b');
        assert.deepEqual(said, ['Pain before a treatment: less, by as much as matters to people.',
            'Roland-Morris (RMDQ): less, by as much as matters to people.',
            'Range of motion, Lumbar flexion +: more, beyond measurement error.']);
        assert.match((await texts(page, '.told li'))[2], /41° \(.*\), 60° \(.*\)/);
        assert.equal((await page.$$('.sessions tbody tr')).length, SESSIONS);
        assert.equal((await page.$$('.charts figure')).length, 3);
        assert.equal((await page.$$('.charts .bar')).length, SESSIONS);
        assert.equal((await page.$$('.charts .before')).length, SESSIONS + 4);
        assert.equal((await page.$$('.charts .error')).length, 2, 'the error of the measurement is drawn');
        await page.click('footer button');
        await until('German', async () => (await texts(page, '.told b'))[2]
            === 'Bewegungsumfang, Beugung der LWS +: mehr, über den Messfehler hinaus.');
        await close();
    });

    for (const [name, [width, height]] of Object.entries(SIZES))
        for (const scheme of ['light', 'dark'])
            await tap.check(`a course fits a ${name} (${scheme})`, async () => {
                const { page, close } = await browser.open(`${clinic.url}#/client/kiefer-7`,
                    { width, height, scheme });
                await page.waitForSelector('.charts .bar');
                await page.screenshot({ path: join(shots, `course-${name}-${scheme}.png`) });
                assert.deepEqual(await faults(page), []);
                await close();
            });

    await tap.check('who is not known has no course', async () => {
        const { page, close } = await browser.open(`${clinic.url}#/client/nobody`);
        await until('it is said', async () => /There is no client 'nobody'/.test(await text(page, '.empty')));
        await close();
    });
}
