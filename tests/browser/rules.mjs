// Rules changed at the page: a limit in its form, tried on a recorded session, applied, undone; and the
// text of it all, for who writes rules.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unreached, violations } from './access.mjs';
import { text, texts } from './browser.mjs';
import { soon, sleep, until } from './clinic.mjs';
import { inspect } from './inspect.mjs';
import { Wearable } from './posture.mjs';
import { faults, SIZES } from './screens.mjs';

export const CHANGE_RULES = `
rules:
  - name: bent
    title: Bent forward
    metric: trunk_inclination
    above: 35 deg
    clear: 30 deg
    priority: medium
    text: "Bent {value}."
    action: "Ask to sit up."
  - name: tilted
    title: Tilted
    metric: trunk_inclination
    outside: [-20 deg, 60 deg]
    for: 5 s
    clear_for: 2 s
    priority: low
    text: "Tilted {value} for {for}."
  - name: over-plan
    title: Over the plan
    metric: trunk_inclination
    above: limit(trunk_inclination)
    priority: high
    text: "{value}, and the plan says {limit}."
  - name: twisted
    title: Twisted and bent
    all:
      - {metric: lumbar_rotation, outside: [-10 deg, 10 deg], deadband: 2 deg}
      - not: {metric: trunk_inclination, below: 20 deg, clear: 22 deg}
    for: 2 s
    priority: low
    text: "Twisted {value} for {for}."
  - name: near-end
    title: Near the end
    metric: lumbar_flexion
    above: 80 % of own_range(lumbar_flexion)
    priority: low
    text: "Near the end of the own range."
  - name: beyond-own
    title: Beyond the own range
    metric: lumbar_lateral_flexion
    outside: own_range(lumbar_lateral_flexion)
    priority: low
    text: "Beyond the own range."
  - name: planned
    title: Beyond plan or range
    any:
      - {metric: trunk_inclination, above: limit(trunk_inclination)}
      - {metric: lumbar_flexion, above: 60 deg, clear: 55 deg}
      - {metric: lumbar_lateral_flexion, outside: own_range(lumbar_lateral_flexion)}
    for: 3 s
    clear_for: 4 s
    priority: low
    text: "Beyond plan or range for {for}."
`;

async function ask(clinic, method, path, body = {}) {
    const answer = await fetch(`${clinic.url}api/v1/${path}`, { method,
        headers: { 'Content-Type': 'application/json', Origin: clinic.url.slice(0, -1) },
        ...(method !== 'GET' && { body: JSON.stringify(body) }) });
    const said = await answer.json();
    assert.ok(answer.ok, `${path}: ${JSON.stringify(said)}`);
    return said;
}

/** A session in which somebody bends to 40 degrees twice, and to 50 once. */
async function treat(clinic) {
    const wearable = new Wearable(clinic, 'p-01');
    const says = async (degrees) => {
        wearable.says(degrees);
        await until(`it says ${degrees}`, async () => {
            const { values } = await ask(clinic, 'GET', 'devices/posture/p-01').catch(() => ({ values: [] }));
            return JSON.stringify(values).includes(`"value":${degrees}`);
        });
    };
    try {
        await says(5);
        const { id } = await ask(clinic, 'POST', 'sessions', { room: 'room-1', therapist: 'AB' });
        await ask(clinic, 'POST', `sessions/${id}/start`);
        for (const degrees of [5, 40, 5, 50, 5, 40, 5]) await says(degrees);
        await ask(clinic, 'POST', `sessions/${id}/end`);
    } finally {
        wearable.silent();
    }
    await until('its recording is whole', async () => (await ask(clinic, 'POST', 'rules/try', { text: '' })).now === 3);
}

/** Another figure in a field, as one types it. */
async function fill(page, label, figure) {
    await page.fill(`.rule-form label:has-text("${label}") input`, figure);
    await page.keyboard.press('Tab');
}

async function slide(page) {
    await page.focus('.rule-bar .slide input');
    await page.keyboard.press('End');
}

function above(clinic) {
    return ask(clinic, 'GET', 'rules').then(({ rules }) => rules.find(({ name }) => name === 'bent').written.now.above);
}

export async function testRules(tap, browser, clinic, shots) {
    await treat(clinic);
    const { page, log, close } = await browser.open(`${clinic.url}#/rules`);
    const open = (title) => page.click(`button[aria-label="Change: ${title}"]`);
    await until('the rules', () => page.$('.rule-list .change'));

    await tap.check('another limit, tried on a recorded session, says how many alarms it would be', async () => {
        await open('Bent forward');
        await fill(page, 'Limit, above', '45');
        await soon(async () => assert.match(await text(page, '.changed'),
            /Changed here: Limit, above 35° → 45°; Over again at 30° → 40°/));
        assert.equal(await page.$('.rule-bar .slide'), null, 'it can be applied before it was tried');
        await page.click('.rule-bar .try');
        await soon(async () => assert.equal(await text(page, '.rule-bar .verdict'), '2 alarms fewer'));
        assert.match(await text(page, '.by-rule'), /Bent forward 3 now, 1 then: 2 alarms fewer/);
        assert.equal(await above(clinic), '35 deg'); // nothing is changed yet
    });

    await tap.check('what is changed after it was tried is to be tried again', async () => {
        await fill(page, 'Limit, above', '46');
        await until('the button', () => page.$('.rule-bar .try'));
        assert.equal(await page.$('.rule-bar .slide'), null);
        assert.equal(await page.$('.rule-bar .verdict'), null);
        await page.click('.rule-bar .try');
        await until('the slide', () => page.$('.rule-bar .slide'));
    });

    await inspect(tap, page, 'rules-change', shots);

    await tap.check('a slide applies it, and it counts at once', async () => {
        await slide(page);
        await soon(async () => assert.match(await text(page, '.calm'), /^Applied/));
        assert.equal(await above(clinic), '46 deg');
        assert.equal(await page.$('.rule-bar'), null);
        await soon(async () => assert.match(await text(page, '.rule-list'), /Trunk inclination above 46°/));
        assert.match(readFileSync(join(clinic.folder, 'page.yaml'), 'utf8'),
            /rules:\n {2}- name: bent\n {4}above: 46 deg\n {4}clear: 41 deg\n$/);
    });

    await tap.check('it is undone by one touch', async () => {
        await page.click('.undo');
        await soon(async () => assert.match(await text(page, '.calm'), /^Undone/));
        assert.equal(await above(clinic), '35 deg');
    });

    await tap.check('a rule that is off is shown as that, and comes back', async () => {
        await open('Tilted');
        await page.click('.rule-form .choice:has-text("off")');
        await page.click('.rule-bar .try');
        await soon(async () => assert.equal(await text(page, '.rule-bar .verdict'), 'The same alarms as now'));
        await slide(page);
        await soon(async () => assert.match(await text(page, '.rule-list li.off'), /Tilted is off: it raises no alarm/));
        await page.click('.rule-list li.off .change');
        await page.click('.rule-form .choice:has-text("on")');
        await until('the bar', () => page.$('.rule-bar'));
        await page.click('.rule-bar .discard');
        await until('no bar', async () => !await page.$('.rule-bar'));
        assert.equal((await page.$$('.rule-list li.off')).length, 1); // it was discarded
        await page.click('.undo');
        await until('all rules', async () => !await page.$('.rule-list li.off'));
    });

    await tap.check('a pair of limits, delays and urgency are changed in their form', async () => {
        await open('Tilted');
        await fill(page, 'Limit, below', '-25');
        await fill(page, 'Holds for', '8');
        await page.click('.rule-form .choice:has-text("Medium")');
        await page.click('.rule-text summary');
        await soon(async () => assert.match(await page.inputValue('.rule-text textarea'),
            /- name: tilted\n {4}outside: \[-25 deg, 60 deg\]\n {4}for: 8 s\n {4}priority: medium\n/));
        await fill(page, 'Holds for', '5');
        await soon(async () => assert.doesNotMatch(await page.inputValue('.rule-text textarea'), /for:/));
        await page.click('.rule-form .choice:has-text("stays until it is reset")');
        await soon(async () => assert.match(await text(page, '.changed'), /When it is over: stays until it is reset/));
        assert.match(await page.inputValue('.rule-text textarea'), /- name: tilted\n(?: {4}.*\n)* {4}latch: true\n/);
        await page.click('.rule-form .choice:has-text("ends by itself")');
        await soon(async () => assert.doesNotMatch(await page.inputValue('.rule-text textarea'), /latch/));
        await page.click('.rule-form button:has-text("as it was installed")');
        await until('nothing is changed', async () => !await page.$('.changed'));
        await open('Bent forward'); // which has no delay yet
        await fill(page, 'Holds for', '3');
        await soon(async () => assert.match(await text(page, '.changed'), /Holds for none → 3.s/));
        await fill(page, 'Holds for', '0');
        await until('nothing is changed', async () => !await page.$('.changed'));
        await open('Over the plan');
        assert.match(await text(page, '.rule-form .hint'), /client’s plan: change it there, under Clients/);
        await open('Beyond the own range');
        assert.match(await text(page, '.rule-form .hint'), /client’s own range/);
    });

    await tap.check('each part of a condition has its limits in the form', async () => {
        await open('Twisted and bent');
        await fill(page, 'Lumbar rotation: Limit, above', '12');
        await fill(page, 'Unless Trunk inclination: Limit, below', '25');
        await soon(async () => assert.match(await text(page, '.changed'),
            /Lumbar rotation: Limit, above 10 → 12\s+°; Unless Trunk inclination: Limit, below 20 → 25\s+°; .*Over again at 22 → 27/));
        await page.screenshot({ path: join(shots, 'rules-parts.png') });
        await open('Near the end');
        await fill(page, 'Limit, above', '75');
        const written = () => page.inputValue('.rule-text textarea'); // by the hub, which may take its time
        await soon(async () => assert.match(await written(), /above: 75 % of own_range\(lumbar_flexion\)/));
        assert.match(await written(), new RegExp('- name: twisted\n {4}all: '
            + '\\[{metric: lumbar_rotation, outside: \\[-10 deg, 12 deg\\], deadband: 2 deg}, '
            + '{not: {metric: trunk_inclination, below: 25 deg, clear: 27 deg}}\\]\n'));
        await page.click('.rule-bar .try'); // the hub reads it as it was meant
        await soon(async () => assert.match(await text(page, '.rule-bar .verdict'), /./));
        assert.equal(await text(page, '.complaint'), '');
        await page.click('.rule-bar .discard');
        await until('nothing is changed', async () => !await page.$('.changed'));
        await page.click('.rule-text summary'); // it was folded in
    });

    await tap.check('a limit of the plan or the own range is said to come from there, beside those that change here', async () => {
        await open('Beyond plan or range');
        const given = () => texts(page, '.rule-form .given *');
        assert.deepEqual(await given(), ['Trunk inclination: Limit, above', 'from the client’s plan',
            'Lumbar lateral flexion: Limits', 'from the client’s own range']);
        assert.deepEqual(await texts(page, '.rule-form .hint'), ['A limit is that of the client’s plan: change it there, under Clients.',
            'A limit is the client’s own range: another range test changes it.']);
        assert.deepEqual(await texts(page, '.rule-form .figures label > span:first-child'), ['Holds for', 'Over for',
            'Not acknowledged, told again after', 'Acknowledged, told again after', 'Lumbar flexion: Limit, above',
            'Lumbar flexion: Over again at']);
        await fill(page, 'Lumbar flexion: Limit, above', '50');
        await soon(async () => assert.match(await text(page, '.changed'), /Limit, above 60 → 50\s+°; .*Over again at 55 → 45/));
        await page.click('.rule-bar .try');
        await until('the verdict', () => page.$('.rule-bar .verdict'));
        assert.equal(await text(page, '.complaint'), '');
        assert.equal((await given()).length, 4); // they went along as they were
        assert.deepEqual(await violations(page), []);
        assert.deepEqual((await unreached(page)).wrong, []);
        for (const [name, [width, height]] of Object.entries(SIZES)) {
            await page.setViewportSize({ width, height });
            await sleep(100);
            assert.deepEqual(await faults(page), [], name);
            await page.locator('.rule-list li.open').screenshot({ path: join(shots, `rules-given-${name}.png`) });
        }
        await page.setViewportSize({ width: 1180, height: 820 });
        await page.click('.rule-bar .discard');
        await until('nothing is changed', async () => !await page.$('.changed'));
        await page.click('.rule-text summary'); // it was folded in
    });

    await tap.check('and in German', async () => {
        const german = await browser.open(`${clinic.url}#/rules`, { locale: 'de-DE' });
        const change = 'button[aria-label="Ändern: Beyond plan or range"]';
        await until('the rules', () => german.page.$(change));
        await german.page.focus(change);
        await german.page.keyboard.press('Enter');
        await until('the form', () => german.page.$('.rule-form .given'));
        assert.deepEqual((await texts(german.page, '.rule-form .given *')).slice(0, 2),
            ['Rumpfneigung: Grenze, über', 'aus dem Plan der Person']);
        assert.deepEqual(await texts(german.page, '.rule-form .hint'), ['Eine Grenze ist die im Plan der Person: bitte dort ändern, unter Klienten.',
            'Eine Grenze ist die eigene Beweglichkeit der Person: ein neuer Test ändert sie.']);
        assert.deepEqual(await violations(german.page), []);
        await german.close();
    });

    await tap.check('a mistake in the text is told with its line, and changes nothing', async () => {
        await page.fill('.rule-text textarea', 'rules:\n  - name: bent\n    above: 45 Cel\n');
        await page.click('.rule-bar .try');
        await soon(async () => assert.match(await text(page, '.complaint'),
            /page\.yaml:3:12: trunk_inclination is measured in deg/));
        await open('Bent forward');
        assert.equal(await text(page, '.rule-form .complaint'), ''); // YAML it is: a limit is changed in the form
        await page.fill('.rule-text textarea', 'rules:\n  - {name: bent, above: 45 deg\n');
        await soon(async () => assert.match(await text(page, '.rule-form .complaint'),
            /page\.yaml:3:1: did not find expected .* Change it in the text of all changes/));
        await page.click('.rule-form .to-text');
        assert.equal(await page.evaluate(() => document.activeElement.tagName), 'TEXTAREA');
        await page.fill('.rule-text textarea', 'rules:\n  - {name: bent, above: 45 deg}\n');
        await soon(async () => assert.equal(await text(page, '.rule-form .complaint'), ''));
        await page.click('.rule-bar .try');
        await soon(async () => assert.equal(await text(page, '.rule-bar .verdict'), '2 alarms fewer'));
    });

    await tap.check('what was written by hand, in whatever style, is changed in the form where it stands', async () => {
        const byHand = [
            '# what we agreed on 😀',
            'rules:',
            '- name: "bent"   # the back',
            '  text: >-',
            '    Bent {value}',
            '    # and more.',
            '',
            '  # ours',
            '  above: "50 deg" # far',
            '  action: \'Stop #1, then',
            '    sit up.\' # said',
            '- {name: tilted, # both ways',
            '   outside: [ -25 deg, # back',
            '     65 deg ],',
            '   for: 6 s}',
            '- name: twisted',
            '  all:',
            '    - metric: lumbar_rotation   # left and right',
            '      outside: [-10 deg, 10 deg]',
            '      deadband: 2 deg',
            '    - not: {metric: trunk_inclination,',
            '            below: 20 deg, clear: 22 deg}',
            ''].join('\n');
        const area = '.rule-text textarea';
        let wanted = byHand;
        const changes = async (old, then) => {
            assert.ok(wanted.includes(old), old);
            wanted = wanted.replace(old, then);
            await soon(async () => assert.equal(await page.inputValue(area), wanted));
        };
        await page.fill(area, byHand);
        await soon(async () => assert.match((await texts(page, '.changed')).join(), /Text for the therapist .* → Bent {value} # and more\./));
        assert.equal(await page.inputValue('.rule-form label:has-text("Text for the therapist") input'), 'Bent {value} # and more.');
        assert.equal(await page.inputValue('.rule-form label:has-text("First thing to do") input'), 'Stop #1, then sit up.');
        await fill(page, 'Limit, above', '52'); // and, as it was over again at 30, at 32
        await changes('"50 deg" # far\n  action: \'Stop #1, then\n    sit up.\' # said\n',
            '52 deg # far\n  action: \'Stop #1, then\n    sit up.\' # said\n  clear: 32 deg\n');
        await fill(page, 'First thing to do', 'Sit up: #2.');
        await changes('\'Stop #1, then\n    sit up.\' # said', '"Sit up: #2." # said');
        await fill(page, 'Text for the therapist', 'Bent "{value}".');
        await changes('>-\n    Bent {value}\n    # and more.\n', '"Bent \\"{value}\\"."\n');
        await page.screenshot({ path: join(shots, 'rules-by-hand.png') });
        await open('Tilted');
        await fill(page, 'Limit, above', '70');
        await changes('65 deg ]', '70 deg ]');
        await fill(page, 'Holds for', '5'); // as it was installed
        await changes('70 deg ],\n   for: 6 s}', '70 deg ]}');
        await open('Twisted and bent');
        await fill(page, 'Lumbar rotation: Limit, above', '12');
        await changes('[-10 deg, 10 deg]', '[-10 deg, 12 deg]');
        await fill(page, 'Unless Trunk inclination: Limit, below', '25');
        await changes('below: 20 deg, clear: 22 deg', 'below: 25 deg, clear: 27 deg');
        assert.deepEqual(await violations(page), []);
        await page.click('.rule-bar .try'); // the hub reads it as it was meant
        await until('the verdict', () => page.$('.rule-bar .verdict'));
        assert.equal(await text(page, '.complaint'), '');
        await page.click('.rule-form .installed');
        await soon(async () => assert.doesNotMatch(await page.inputValue(area), /twisted/));
    });

    await tap.check('a rule of the clinic\'s own has its form; what only a person changes is said there', async () => {
        const own = 'rules:\n- name: ours\n  metric: trunk_inclination\n  above: 70 deg # ours\n  priority: low\n  text: >-\n    Far\n    over.\n';
        const before = await fetch(`${clinic.url}api/v1/rules/changes`);
        await fetch(`${clinic.url}api/v1/rules/changes`, { method: 'PUT', body: JSON.stringify({ text: own }), headers: {
            'Content-Type': 'application/json', 'If-Match': before.headers.get('ETag'), Origin: clinic.url.slice(0, -1) } });
        await page.click('.rule-bar .discard');
        await until('it', () => page.$('button[aria-label="Change: ours"]'));
        await open('ours');
        await page.click('.rule-form .to-text');
        await fill(page, 'Limit, above', '72');
        await soon(async () => assert.equal(await page.inputValue('.rule-text textarea'), own.replace('70 deg', '72 deg')));
        assert.equal(await page.$('.rule-form .choice:has-text("off")'), null); // it is in no other file
        const odd = own + '- ? name\n  : bent\n  ? above\n  : 50 deg\n  ? for\n  : 4 s\n';
        await page.fill('.rule-text textarea', odd);
        await open('Bent forward');
        await until('it is read', async () => (await texts(page, '.changed')).join().includes('4'));
        await fill(page, 'Holds for', '0');
        await soon(async () => assert.match(await text(page, '.rule-form .complaint'),
            /rule 'bent' is written in a way that only a person changes\. Change it in the text of all changes/i));
        assert.equal(await page.inputValue('.rule-text textarea'), odd);
        await page.fill('.rule-text textarea', own.replace('70 deg', '71 deg'));
        await page.click('.rule-bar .try');
        await until('the slide', () => page.$('.rule-bar .slide'));
    });

    await tap.check('what somebody else changed meanwhile is not overwritten', async () => {
        const changes = await fetch(`${clinic.url}api/v1/rules/changes`);
        await fetch(`${clinic.url}api/v1/rules/changes`, { method: 'PUT', body: JSON.stringify({
            text: 'rules: [{name: bent, above: 36 deg}]' }), headers: { 'Content-Type': 'application/json',
            'If-Match': changes.headers.get('ETag'), Origin: clinic.url.slice(0, -1) } });
        await slide(page);
        await soon(async () => assert.match(await text(page, '.complaint'), /changed meanwhile/));
        assert.equal(await above(clinic), '36 deg');
    });
    assert.deepEqual(log.said.filter((line) => !/4\d\d \(/.test(line)), []);
    await close();
}
