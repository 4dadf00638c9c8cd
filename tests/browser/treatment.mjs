// A treatment at the screen, from its opening to the pain afterwards: every button is pressed, and
// what it did is seen in the hub and at a second screen.
import assert from 'node:assert/strict';
import { text, texts } from './browser.mjs';
import { sleep, soon, until } from './clinic.mjs';
import { Wearable } from './posture.mjs';

async function ask(clinic, path) {
    return (await fetch(`${clinic.url}api/v1${path}`)).json();
}

export function order(clinic, path, body = {}) {
    return fetch(`${clinic.url}api/v1${path}`, { method: 'POST',
        headers: { 'Content-Type': 'application/json', Origin: clinic.url.slice(0, -1) },
        body: JSON.stringify(body) });
}

/** One that stands in the middle of its second phase, for pictures. */
export async function openOne(clinic, room) {
    for (const [path, body] of [['/clients', { name: 'kiefer-7' }],
        ['/sessions', { room, therapist: 'AB', client: 'kiefer-7', plan: 'lower-back' }]])
        assert.ok((await order(clinic, path, body)).ok, path);
    const { sessions: [{ id }] } = await ask(clinic, `/sessions?room=${room}`);
    for (const [what, body] of [['pain', { pain: 6, when: 'before' }], ['start', {}], ['marker', {}],
        ['note', { text: 'Left side tender, eased after two minutes of warmth.' }], ['next', {}]])
        assert.ok((await order(clinic, `/sessions/${id}/${what}`, body)).ok, what);
}

/** The hub's session, once the condition holds for it. */
const inHub = (clinic, id, what, condition) => until(what, async () => {
    const session = await ask(clinic, `/sessions/${id}`);
    return condition(session) && session;
});

/** The button is there, and the hub has answered to the last order. */
async function press(page, button) {
    const selector = `.treatment ${button}:not([aria-disabled="true"])`;
    await page.waitForSelector(selector);
    await page.click(selector);
}

async function pain(page, label, n) {
    await page.waitForSelector(`.scale:has(legend:text("${label}"))`);
    await page.click(`.scale:has(legend:text("${label}")) button:text-is("${n}")`);
}

/** Moves the handle of the slide from one end to the other. */
async function slide(page) {
    const input = await page.waitForSelector('.treatment .slide input');
    await input.scrollIntoViewIfNeeded();
    const { x, y, width, height } = await input.boundingBox();
    await page.mouse.move(x + 22, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width - 22, y + height / 2, { steps: 8 });
    await page.mouse.up();
}

export async function testTreatment(tap, browser, clinic) {
    const room = await browser.open(`${clinic.url}#/room/room-1`);
    const other = await browser.open(`${clinic.url}#/room/room-1`, { locale: 'de-DE' });
    const wearable = new Wearable(clinic, 'p-01', 5);
    const screens = { tap, clinic, wearable, page: room.page, other: other.page };
    try {
        wearable.says(3);
        await testOpening(screens);
        await testLeading(screens);
        await testCalibration(screens);
        await testRefusal(screens, browser);
        await testEnd(screens);
        await tap.check('who leads a treatment breaks no policy of the page', () => {
            for (const { log } of [room, other])
                assert.deepEqual(log.said.filter((line) => !/status of 409|willReadFrequently/.test(line)), []);
        });
    } finally {
        wearable.silent();
        for (const { close } of [room, other]) await close();
    }
}

async function testOpening({ tap, clinic, page, other }) {
    await tap.check('a treatment is opened for a client who was not known, by a plan', async () => {
        await press(page, '.open');
        await page.waitForSelector('.opening .do');
        assert.equal(await page.$eval('.opening .do', ({ disabled }) => disabled), true, 'nobody leads it');
        await page.fill('[name="client"]', 'kiefer-7');
        await until('a hint', async () => /made known/.test(await text(page, '.opening')));
        await page.check('.choice:has-text("Lower back")');
        await page.fill('[name="therapist"]', 'Dr. Longname');
        await until('as much as the hub keeps', async () =>
            await page.inputValue('[name="therapist"]') === 'Dr. Long');
        await page.fill('[name="therapist"]', 'AB');
        await page.click('.opening .do');
        for (const screen of [page, other])
            await until('it is shown', async () => (await text(screen, '.phase-clock .client')) === 'kiefer-7');
        const session = await inHub(clinic, 1, 'a session', ({ state }) => state === 'planned');
        assert.deepEqual([session.client, session.plan, session.therapist], ['kiefer-7', 'lower-back', 'AB']);
        assert.deepEqual((await ask(clinic, '/clients')).clients.map(({ name }) => name), ['kiefer-7']);
        await until('its phases', async () => (await texts(page, '.phases li')).length === 7);
    });

    await tap.check('pain before it is one tap on eleven numbers', async () => {
        await until('the numbers', async () => (await page.$$('.scale button')).length === 11);
        await pain(page, 'Pain before', 6);
        await inHub(clinic, 1, 'pain', (session) => session.pain.before === 6);
        await until('it is marked', async () => (await text(other, '.scale [aria-pressed="true"]')) === '6');
    });
}

async function testLeading({ tap, clinic, page, other }) {
    await tap.check('it is started, paused, led on, and every screen follows', async () => {
        await press(page, '.start');
        await inHub(clinic, 1, 'running', ({ state }) => state === 'running');
        await until('the first phase', async () => /Aufwärmen/.test(await text(other, '.phases .now')));
        await press(page, '.pause');
        await until('paused', async () => /unterbrochen/.test(await text(other, '.phase-clock')));
        await press(other, '.resume');
        await inHub(clinic, 1, 'running again', ({ state }) => state === 'running');
    });

    await tap.check('a finger that taps twice leads one phase on', async () => {
        await page.waitForSelector('.treatment .next:not([aria-disabled="true"])');
        await page.dblclick('.treatment .next');
        await inHub(clinic, 1, 'the second phase', ({ phase }) => phase === 2);
        await page.waitForSelector('.treatment .next:not([aria-disabled="true"])');
        await sleep(500);
        assert.equal((await ask(clinic, '/sessions/1')).phase, 2);
        await until('one is done', async () => (await texts(page, '.phases .done')).length === 1);
    });

    await tap.check('markers and notes are kept with their time, and lie on the strips', async () => {
        await sleep(4000); // away from the line where the phase began
        const before = await linesOn(page, 'Trunk inclination');
        await press(page, '.marker');
        await inHub(clinic, 1, 'a marker', ({ notes }) => notes.length === 1 && notes[0].kind === 'marker');
        await press(page, '.note');
        await page.fill('.form [name="text"]', 'Left side tender.');
        await page.click('.form .do');
        const { notes } = await inHub(clinic, 1, 'a note', (session) => session.notes.length === 2);
        assert.equal(notes[1].text, 'Left side tender.');
        await until('both, the newest first', async () => {
            const said = await texts(other, '.notes li');
            return said.length === 2 && /^\d\d:\d\d:\d\dLeft side tender\.$/.test(said[0]);
        });
        await until('a line on the strip', async () => await linesOn(page, 'Trunk inclination') > before);
    });

    await tap.check('more pain than before says: stop and ask', async () => {
        await pain(page, 'Pain now', 8);
        for (const [screen, words] of [[page, 'stop and ask'], [other, 'anhalten und fragen']])
            await until('it is said', async () => (await text(screen, '.stop')).includes(words));
    });

    await tap.check('scores and an adverse event are kept', async () => {
        await press(page, '.scores');
        await page.fill('[name="rmdq"]', '9');
        await page.fill('[name="odi"]', '22');
        await page.click('.form .do');
        await inHub(clinic, 1, 'scores', ({ rmdq, odi }) => rmdq === 9 && odi === 22);
        await press(page, '.adverse');
        await page.fill('.form [name="text"]', 'Dizzy when standing up.');
        await page.click('.form .do');
        await inHub(clinic, 1, 'an event', ({ adverse }) => adverse === 'Dizzy when standing up.');
        await until('it is said', async () => /adverse event was noted/.test(await text(page, '.phase-clock')));
    });
}

/** Lines from top to bottom of the strip, as notes have them. */
function linesOn(page, title) {
    return page.evaluate((wanted) => {
        const canvas = Array.from(document.querySelectorAll('.strip'))
            .find((strip) => strip.querySelector('h3').textContent === wanted).querySelector('canvas');
        const { width, height } = canvas;
        const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
        let columns = 0;
        let within = false;
        for (let x = 0; x < width; x++) {
            let count = 0;
            for (let y = 0; y < height; y++) {
                const at = (y * width + x) * 4;
                // Between two pixels a thin line is half as dark.
                if (data[at + 3] > 90 && data[at] + data[at + 1] + data[at + 2] < 420) count++;
            }
            const line = count > height / 4;
            if (line && !within) columns++;
            within = line;
        }
        return columns;
    }, title);
}

async function testCalibration({ tap, clinic, wearable, page, other }) {
    await tap.check('a neutral posture is taken, and angles are told from it', async () => {
        await until('none', async () => /No neutral posture/.test(await text(page, '.calibration')));
        await page.click('.calibration .neutral');
        await until('stand still', async () => /Still stehen: \d s/.test(await text(other, '.calibration .now')));
        await until('it is taken', async () => /Angles from the neutral posture of \d\d:\d\d:\d\d/
            .test(await text(page, '.calibration')));
        const reading = () => page.evaluate(() => Array.from(document.querySelectorAll('.strip'))
            .find((strip) => strip.querySelector('h3').textContent === 'Trunk inclination')
            .querySelector('.reading').textContent);
        await until('zero', async () => await reading() === '0.0°');
    });

    await tap.check('who moves is told that it was not taken, and why', async () => {
        await page.click('.calibration .neutral');
        await until('stand still', () => page.$('.calibration .now'));
        await sleep(1500); // some of the posture before it
        wearable.says(9);
        await until('why', async () => /Not taken: it moved by 6\.0 deg; 2 deg is still\./
            .test(await text(page, '.calibration')));
        await soon(async () =>
            assert.match(await text(page, '.calibration'), /Angles from the neutral posture/, 'the one before holds'));
        wearable.says(3);
    });

    await tap.check('a neutral posture is discarded, and taken again', async () => {
        await page.click('.calibration .forget');
        await until('none', async () => /No neutral posture/.test(await text(page, '.calibration')));
        await page.click('.calibration .neutral');
        await until('it is taken', async () => /Angles from the neutral posture of \d\d:\d\d:\d\d/
            .test(await text(page, '.calibration')));
    });

    await tap.check('repetitions of a range are counted as they are done, and told with their spread', async () => {
        await page.click('.calibration .range');
        await page.click('.calibration button:text-is("Trunk inclination")');
        await until('none yet', async () => /0 of 3 repetitions/.test(await text(page, '.calibration .now')));
        await sleep(1200); // it begins where the client stands
        for (const [i, far] of [53, 63, 58].entries()) {
            wearable.says(far);
            await sleep(1200);
            wearable.says(3);
            const counted = i < 2 ? new RegExp(`${i + 1} von 3`) : /am weitesten/;
            await until('it is counted', async () => counted.test(await text(other, '.calibration')));
        }
        await soon(async () =>
            assert.match(await text(page, '.calibration'), /Trunk inclination: best 60°, mean 55°, spread 5° of 3/));
        const { own } = await ask(clinic, '/clients/kiefer-7');
        assert.deepEqual([own[0].metric, own[0].high], ['trunk_inclination', '60 deg']);
    });
}

async function testRefusal({ tap, clinic }, browser) {
    await tap.check('what the hub refuses is said in its words, and nothing is opened', async () => {
        const { page, close } = await browser.open(`${clinic.url}#/room/room-2`);
        await press(page, '.open');
        await page.fill('[name="client"]', 'kiefer-7');
        await page.fill('[name="therapist"]', 'CD');
        await page.click('.opening .do');
        await until('why', async () => /The hub says: Client 'kiefer-7' is in session 1, which is running\./
            .test(await text(page, '.treatment .complaint')));
        assert.deepEqual((await ask(clinic, '/sessions?room=room-2')).sessions, []);

        await page.fill('[name="client"]', '');
        await page.click('.opening .do');
        await inHub(clinic, 2, 'one without a client', ({ state }) => state === 'planned');
        await press(page, '.name');
        await page.fill('[name="client"]', 'nobody');
        await page.click('.form .do');
        await until('why', async () => /There is no client 'nobody'/.test(await text(page, '.treatment .complaint')));
        await page.click('.form .plain');
        await press(page, '.abort');
        assert.equal(await page.$eval('.form .do', ({ disabled }) => disabled), true, 'a reason is needed');
        await page.fill('[name="reason"]', 'Client unwell.');
        await page.click('.form .do');
        await inHub(clinic, 2, 'aborted', ({ state, reason }) => state === 'aborted' && reason === 'Client unwell.');
        await until('it is said', async () => /Treatment aborted .*Client unwell\./.test(await text(page, '.treatment .over')));
        await close();
    });
}

async function testEnd({ tap, clinic, page, other }) {
    await tap.check('a slide ends it, and pain afterwards is asked', async () => {
        await slide(page);
        await inHub(clinic, 1, 'done', ({ state }) => state === 'done');
        await until('it is said', async () => /Behandlung beendet \d\d:\d\d:\d\d/.test(await text(other, '.treatment')));
        await pain(page, 'Pain after', 3);
        await inHub(clinic, 1, 'pain', (session) => session.pain.after === 3);
        await until('no zero any more', async () => /No neutral posture.*its session is over/s
            .test(await text(page, '.calibration')));
        assert.ok(await page.$('.treatment .open'), 'the next can be opened');
    });
}
