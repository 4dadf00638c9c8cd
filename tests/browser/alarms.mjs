// The life of an alarm at the screens: every button is pressed, and what it did is seen in the hub
// and at a second screen.
import assert from 'node:assert/strict';
import { text, texts } from './browser.mjs';
import { sleep, soon, until } from './clinic.mjs';
import { Wearable } from './posture.mjs';

/** One each: that latches, that grows more urgent, and a plain one. */
export const RULES = `
rules:
  - name: bent
    title: Bent
    metric: posture/trunk_inclination
    above: 20 deg
    priority: medium
    text: "Bent {value}."
    plain: "You lean forward."
    action: "Look at {device}."
  - name: far
    title: Bent far
    metric: posture/trunk_inclination
    above: 60 deg
    priority: high
    latch: true
    text: "Bent far {value}."
    action: "Ask to come up."
  - name: unseen
    title: Unseen
    metric: posture/trunk_inclination
    below: -10 deg
    priority: low
    escalate: 3 s
    text: "Bent back {value}."
`;

async function ask(clinic, query = '') {
    return (await (await fetch(`${clinic.url}api/v1/alarms${query}`)).json()).alarms;
}

/** The alarm of the rule, as the hub has it. */
export async function inHub(clinic, rule) {
    return (await ask(clinic)).find((alarm) => alarm.rule === rule);
}

/** An alarm of the room. */
export async function inRoom(clinic, room) {
    return (await ask(clinic, `?room=${room}`))[0];
}

export function told(clinic, number, deed, body = {}) {
    return fetch(`${clinic.url}api/v1/alarms/${number}/${deed}`, { method: 'POST',
        headers: { 'Content-Type': 'application/json', Origin: clinic.url.slice(0, -1) },
        body: JSON.stringify(body) });
}

/** The card of the alarm that says so; `within` it, what is asked for. */
const card = (words, within = '') => `.alarm:has(.sentence:text-is("${words}")) ${within}`;

/** What the top line says of the number of alarms, without the mark. */
const counted = (page) => page.$eval('.count', ({ lastChild }) => lastChild.textContent.trim());

/** The button is there, and the hub has answered to the last one. */
const ready = (page, button) => until(button, () => page.$(`${button}:not([aria-disabled="true"])`));

export async function testAlarms(tap, browser, clinic) {
    const wall = await browser.open(clinic.url);
    const room = await browser.open(`${clinic.url}#/room/room-1`);
    const list = await browser.open(`${clinic.url}#/alarms`);
    const wearable = new Wearable(clinic, 'p-01');
    const screens = { tap, clinic, wearable, wall: wall.page, room: room.page, list: list.page };
    try {
        await until('the wall', () => wall.page.$('.tile'));
        await testKnown(screens);
        await testShelf(screens);
        await testLoss(screens);
        await testLatch(screens);
        await testUnseen(screens);
        await testTrouble(screens);
        await testHistory(screens);
        await testLoad(screens);
        await tap.check('who does something with an alarm breaks no policy of the page', () => {
            for (const { log } of [wall, room, list])
                assert.deepEqual(log.said.filter((line) => !/status of 409/.test(line)), []);
        });
    } finally {
        wearable.silent();
        for (const { close } of [wall, room, list]) await close();
    }
}

async function testKnown({ tap, clinic, wearable, wall, room, list }) {
    await tap.check('an alarm says what it is, since when, what to do first, and what a client is told', async () => {
        wearable.says(25);
        for (const page of [room, list]) {
            await page.waitForSelector(card('Bent 25°.'));
            await soon(async () => assert.equal(await text(page, '.alarm .first'), 'First: Look at p-01.'));
            await soon(async () =>
                assert.equal(await text(page, '.alarm .plainly'), 'For the client: You lean forward.'));
            await soon(async () =>
                assert.match(await text(page, '.alarm .life'), /Medium alarm, clinical.*since \d\d:\d\d:\d\d, /s));
        }
        await soon(async () => assert.equal(await text(list, '.alarm .where'), 'Room 1'));
        await soon(async () => assert.equal(await counted(wall), '1 alarm waits'));
        await soon(async () => assert.equal(await room.title(), '(1) Room 1 – Lumbar')); // seen behind another tab
    });

    await tap.check('it is acknowledged on the wall, and every screen shows that', async () => {
        await soon(async () => assert.equal(await text(wall, '.tile .mark text'), '!!'));
        await wall.click('.place .ack');
        for (const page of [room, list])
            await until('acknowledged', async () => /acknowledged \d\d:\d\d:\d\d at a screen/
                .test(await text(page, '.alarm .acknowledged')));
        const alarm = await inHub(clinic, 'bent');
        assert.deepEqual([alarm.presence, alarm.acknowledged.by], ['ack', 'page']);
        await until('the wall is quiet', () => wall.$('.tile.medium.quiet .mark.quiet .tick'));
        assert.equal(await wall.$('.place .ack'), null);
        assert.match(await wall.getAttribute('.tile .mark', 'aria-label'), /Medium alarm, clinical, acknowledged/);
        await soon(async () => assert.equal(await counted(wall), 'No alarm waits'));
        await soon(async () => assert.equal(await room.title(), 'Room 1 – Lumbar'));
    });

    await tap.check('it is un-acknowledged by keyboard, and focus stays with it', async () => {
        await ready(room, card('Bent 25°.', '.unack'));
        await room.focus(card('Bent 25°.', '.unack'));
        await room.keyboard.press('Enter');
        await until('the hub knows', async () => (await inHub(clinic, 'bent')).presence === 'on');
        await until('the wall', () => wall.$('.tile.medium:not(.quiet) .mark text'));
        await until('it can be acknowledged again', () => list.$(card('Bent 25°.', '.ack')));
        await until('focus', () => room.evaluate(() => document.activeElement.closest('.alarm') !== null));
    });

    await tap.check('a finger that taps twice does one thing', async () => {
        await ready(room, card('Bent 25°.', '.ack'));
        await room.dblclick(card('Bent 25°.', '.ack'));
        await until('acknowledged', async () => (await inHub(clinic, 'bent')).presence === 'ack');
        await ready(room, card('Bent 25°.', '.unack'));
        await sleep(500);
        assert.equal((await inHub(clinic, 'bent')).presence, 'ack');
        await room.click(card('Bent 25°.', '.unack'));
        await until('it waits', async () => (await inHub(clinic, 'bent')).presence === 'on');
    });
}

async function testShelf({ tap, clinic, wall, room, list }) {
    await tap.check('it is shelved with a reason and a time, and is out of sight on the wall', async () => {
        await ready(room, card('Bent 25°.', '.shelf'));
        await room.click(card('Bent 25°.', '.shelf'));
        await room.waitForSelector('.shelve .do');
        assert.equal(await room.$eval('.shelve .do', ({ disabled }) => disabled), true, 'no reason yet');
        await room.check('text=The exercise wants it so');
        await room.check('text=30 min');
        await room.click('.shelve .do');
        const alarm = await until('the hub knows', async () => {
            const found = await inHub(clinic, 'bent');
            return found.shelved && found;
        });
        assert.deepEqual([alarm.presence, alarm.shelved.why], ['on', 'The exercise wants it so']);
        const minutes = (Date.parse(alarm.shelved.until) - Date.parse(alarm.shelved.at)) / 60000;
        assert.equal(minutes, 30);
        for (const page of [room, list])
            await until('shelved', async () => /shelved until \d\d:\d\d:\d\d, (30|29) min more: .*The exercise wants it so/
                .test(await text(page, '.alarm .shelved')));
        await until('the wall is calm', async () => !await wall.$('.tile.medium'));
        assert.equal(await wall.getAttribute('.tile .shelves', 'aria-label'), '1 alarm shelved');
        await soon(async () => assert.equal(await counted(wall), 'No alarm waits'));
    });

    await tap.check('it is taken back at another screen: then it is acknowledged', async () => {
        await list.click(card('Bent 25°.', '.unshelve'));
        const alarm = await until('the hub knows', async () => {
            const found = await inHub(clinic, 'bent');
            return !found.shelved && found;
        });
        assert.equal(alarm.presence, 'ack');
        await until('the room', () => room.$(card('Bent 25°.', '.acknowledged')));
        assert.equal(await room.$('.alarm .shelved'), null);
    });

    await tap.check('a reason of one\'s own is kept, and a shelf that is not wanted is cancelled', async () => {
        await ready(room, card('Bent 25°.', '.shelf'));
        await room.click(card('Bent 25°.', '.shelf'));
        await room.click('.shelve .plain');
        await until('it is gone', async () => !await room.$('.shelve'));
        assert.equal((await inHub(clinic, 'bent')).shelved, undefined);
        await room.click(card('Bent 25°.', '.shelf'));
        await room.check('text=Another reason');
        await room.fill('.shelve input[type="text"]', `Frau Ö. dehnt sich ${'ö'.repeat(120)}`);
        await room.check('text="5 min"');
        await room.click('.shelve .do');
        const { shelved } = await until('the hub knows', async () => {
            const found = await inHub(clinic, 'bent');
            return found.shelved && found;
        });
        assert.match(shelved.why, /^Frau Ö\. dehnt sich ö+$/);
        await ready(room, card('Bent 25°.', '.unshelve'));
        await room.click(card('Bent 25°.', '.unshelve'));
        await until('taken back', async () => !(await inHub(clinic, 'bent')).shelved);
    });
}

async function testLoss({ tap, clinic, wearable, wall, room, list }) {
    await tap.check('who acknowledges a lost signal acknowledges not what is behind it', async () => {
        await ready(room, card('Bent 25°.', '.unack'));
        await room.click(card('Bent 25°.', '.unack'));
        wearable.silent();
        await until('lost', async () => /value not known for \d+ s/
            .test(await text(room, '.alarm .unknown')));
        await soon(async () => assert.match(await text(wall, '.worst .where'), /value not known for/));
        await ready(list, card('Bent 25°.', '.ack'));
        await list.click(card('Bent 25°.', '.ack'));
        await until('it is said', async () => /the loss of its signal acknowledged .*; not what is behind it/
            .test(await text(room, '.alarm .acknowledged')));
        assert.equal((await inHub(clinic, 'bent')).state, 'lost-ack');
        wearable.says(25);
        await until('it waits again', () => room.$(card('Bent 25°.', '.ack')));
        assert.equal((await inHub(clinic, 'bent')).state, 'on');
        assert.equal(await room.$('.alarm .unknown'), null);
    });
}

async function testLatch({ tap, clinic, wearable, wall, room, list }) {
    await tap.check('what is over and latched says so, and stays until it is reset', async () => {
        wearable.says(70);
        await room.waitForSelector(card('Bent far 70°.'));
        // Who has just touched the list sees it first when nothing can move under the finger any more.
        await soon(async () => assert.equal((await texts(room, '.alarm .sentence'))[0], 'Bent far 70°.', 'the worst first'));
        await until('the wall', () => wall.$('.tile.high .mark text'));
        wearable.says(5);
        await until('latched', async () => (await text(room, '.alarm .latched')) === 'over, kept until it is reset');
        await soon(async () => assert.deepEqual(await texts(room, '.alarm .sentence'), ['Bent far 70°.']));
        assert.ok(await wall.$('.tile.high .mark .pin'));
        assert.equal((await inHub(clinic, 'far')).presence, 'latched');
    });

    await tap.check('half a slide resets nothing; a whole one does, and cannot be undone', async () => {
        const { x, y, width, height } = await (await room.$('.slide input')).boundingBox();
        const slide = async (share) => {
            await room.mouse.move(x + 22, y + height / 2);
            await room.mouse.down();
            await room.mouse.move(x + 22 + share * (width - 44), y + height / 2, { steps: 8 });
            await room.mouse.up();
        };
        await slide(0.5);
        await sleep(500);
        assert.equal((await inHub(clinic, 'far')).presence, 'latched');
        assert.equal(await room.$eval('.slide input', ({ value }) => value), '0');
        await slide(1);
        await until('the hub knows', async () => await inHub(clinic, 'far') === undefined);
        for (const page of [list, wall])
            await until('it is gone', async () => !await page.$('.alarm, .tile.high'));
    });

    await tap.check('the slide works by keyboard', async () => {
        wearable.says(70);
        await list.waitForSelector(card('Bent far 70°.'));
        wearable.says(5);
        await list.waitForSelector('.slide input');
        await list.focus('.slide input');
        await list.keyboard.press('End');
        await until('the hub knows', async () => await inHub(clinic, 'far') === undefined);
    });
}

async function testUnseen({ tap, clinic, wearable, wall, room }) {
    await tap.check('what nobody acknowledges grows more urgent, and is called out again', async () => {
        wearable.says(-20);
        await until('low', () => wall.$('.tile.low'));
        await until('medium', () => wall.$('.tile.medium'));
        await soon(async () =>
            assert.equal(await text(room, '.alarm .escalated'), 'told again: nobody acknowledged it'));
        await soon(async () =>
            assert.match(await text(room, '[aria-live="assertive"]'), /^Room 1 Bent back \u221220°\.|^Room 1 Bent back -20°\./));
        assert.equal((await inHub(clinic, 'unseen')).priority, 'medium');
    });
}

async function testLoad({ tap, clinic, list }) {
    await tap.check('the list says how many came, how they were answered, and which rule is noisiest', async () => {
        // An alarm that ends between the two askings is in one of them only: they are asked again.
        const load = await soon(async () => {
            const told = await (await fetch(`${clinic.url}api/v1/alarms/load`)).json();
            assert.ok(told.alarms >= 5 && told.ended > 0, JSON.stringify(told));
            await list.reload();
            await until('the load', () => list.$('.load .counts'));
            const figures = await texts(list, '.load .counts dd');
            assert.equal(figures[0], String(told.alarms));
            assert.equal(figures[4], `${Math.round((100 * told.ended_unacknowledged) / told.ended)}\u202f%`);
            const titles = { bent: 'Bent', far: 'Bent far', unseen: 'Unseen' };
            assert.deepEqual(await texts(list, '.load tbody td:first-child'),
                told.worst_rules.map(({ rule }) => titles[rule] ?? 'Signal lost under an alarm'));
            return told;
        });
        await soon(async () =>
            assert.match(await text(list, '.load'), /No flood: never more than 10 alarms in ten minutes/));
        await list.check('.load >> text=7 days');
        await until('of a week', async () => (await texts(list, '.load .counts dd'))[0] === String(load.alarms));
    });
}

async function testHistory({ tap, clinic, list }) {
    await tap.check('the list says what became of alarms, by whom, by room and by rule', async () => {
        const { alarms } = await (await fetch(`${clinic.url}api/v1/alarms/history?rule=far`)).json();
        assert.ok(alarms.length > 0, 'far was raised');
        await list.click('.pasts .again'); // it was asked for when nothing had happened yet
        await until('the history', () => list.$('.pasts .past'));
        await list.selectOption('.pasts label:has-text("Rule") select', 'far');
        await until('of one rule', async () => (await texts(list, '.past')).length === alarms.length);
        const [past] = await texts(list, '.past');
        assert.match(past, /^!!!? Bent far Room 1/);
        const acked = alarms[0].transitions.some(({ what }) => what === 'acknowledged');
        assert.equal(/acknowledged/.test(past), acked, past);
        await list.selectOption('.pasts label:has-text("Rule") select', 'bent');
        await until('of another', async () => /^!!? Bent Room 1/.test((await texts(list, '.past'))[0] ?? ''));
        await list.selectOption('.pasts label:has-text("Room") select', 'room-1');
        await until('of its room', async () => /^!!? Bent Room 1/.test((await texts(list, '.past'))[0] ?? ''));
    });
}

async function testTrouble({ tap, clinic, wearable, room }) {
    await tap.check('until the hub answers the screen says that it is being told', async () => {
        const { number } = await inHub(clinic, 'unseen');
        await ready(room, '.alarm .ack');
        clinic.hub.signal('SIGSTOP');
        try {
            await room.click('.alarm .ack');
            await until('it is said', async () => (await text(room, '.alarm .telling')) === 'The hub is being told …');
            assert.equal(await room.getAttribute('.alarm .ack', 'aria-disabled'), 'true');
            assert.equal(await room.getAttribute('.alarm', 'aria-busy'), 'true');
        } finally {
            clinic.hub.signal('SIGCONT');
        }
        await until('it is done', async () => (await inHub(clinic, 'unseen')).presence === 'ack');
        await until('nothing is being told', async () => !await room.$('.alarm .telling'));
        assert.equal((await told(clinic, number, 'unack')).status, 200);
    });

    await tap.check('a deed that comes too late says so and changes nothing', async () => {
        const { number } = await inHub(clinic, 'unseen');
        await ready(room, '.alarm .ack');
        await room.evaluate((of) => {
            fetch(`/api/v1/alarms/${of}/ack`, { method: 'POST', headers: { 'Content-Type': 'application/json' },
                body: '{"by":"Ana"}' });
            document.querySelector('.alarm .ack').click();
        }, number);
        await until('a complaint', async () => /Not done: the alarm is not as it was any more/
            .test(await text(room, '.alarm .complaint')));
        assert.equal((await inHub(clinic, 'unseen')).acknowledged.by, 'Ana');
        wearable.says(5);
        await until('calm', () => room.$('.calm'));
    });
}
