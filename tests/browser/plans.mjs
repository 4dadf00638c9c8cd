// A client's plan, on the screen of their course: its limits, goals and phases read, changed with what they
// were, refused where the hub does not take them, and in force from the next treatment on.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { violations } from './access.mjs';
import { text, texts } from './browser.mjs';
import { soon, until } from './clinic.mjs';
import { inspect } from './inspect.mjs';

async function ask(clinic, method, path, body, headers = {}) {
    const answer = await fetch(`${clinic.url}api/v1/${path}`, { method,
        headers: { 'Content-Type': 'application/json', Origin: clinic.url.slice(0, -1), ...headers },
        ...(body && { body: JSON.stringify(body) }) });
    const said = await answer.json();
    assert.ok(answer.ok, `${path}: ${JSON.stringify(said)}`);
    return said;
}

/** The limit of a metric in a plan, or in the session of one. */
function limitOf(limits, metric) {
    return limits.find((limit) => limit.metric.endsWith(metric));
}

export async function testPlans(tap, browser, clinic, shots) {
    await ask(clinic, 'POST', 'clients', { name: 'kiefer-7' });
    const { page, log, close } = await browser.open(`${clinic.url}#/client/kiefer-7`);
    const plan = () => ask(clinic, 'GET', 'clients/kiefer-7/plans/lower-back');
    const band = (title) => `.band:has(legend:text-is("${title}"))`;
    const fill = async (title, label, figure) => {
        await page.fill(`${band(title)} label:has-text("${label}") input`, figure);
        await page.keyboard.press('Tab');
    };
    const open = () => page.click('button[aria-label="Change plan: Lower back"]');
    const trail = async () => (await ask(clinic, 'GET', 'audit')).lines.filter(({ what }) => what.startsWith('PUT /clients'));

    await tap.check('who has no plan gets a copy of a template', async () => {
        await until('the templates', () => page.$('.templates button'));
        assert.match(await text(page, '.templates'), /No plan is tailored to this client yet/);
        await page.click('.templates button:has-text("Lower back")');
        await until('the plan', () => page.$('.client-plan'));
        const said = await texts(page, '.client-plan .bands li');
        assert.equal(said[0].replace(/\s+/g, ' '), 'Lumbar flexion, all phases: above 45°; 80 % of the own range, where it was measured');
        assert.ok(said.some((line) => /^Skin temperature, Warm-up:\s+above 41 °C$/.test(line.replace(/\u202f/g, ' '))), said.join('\n'));
        assert.doesNotMatch(await text(page, '.templates'), /Lower back/);
        assert.equal(await text(page, '.client-plans > .complaint'), '');
    });

    let before;
    await tap.check('a limit is changed with its unit, and what it was is said', async () => {
        before = await ask(clinic, 'POST', 'sessions', { room: 'room-1', therapist: 'AB', client: 'kiefer-7', plan: 'lower-back' });
        await open();
        assert.equal(await page.$eval('.keep', (button) => button.disabled), true);
        await fill('Lumbar flexion, all phases', 'Limit, above', '40');
        await soon(async () => assert.equal(await page.textContent(`${band('Lumbar flexion, all phases')} .was`).then((said) => said.trim()), 'before: 45°'));
        assert.ok((await texts(page, '.client-plan .hint')).some((hint) => /from the next treatment that is opened/.test(hint)));
    });

    await inspect(tap, page, 'plans', shots);

    await tap.check('what the sensor cannot say is refused with one error, where it stands, and nothing is kept', async () => {
        await fill('Skin temperature, Warm-up', 'Limit, above', '410');
        await page.click('.keep');
        await soon(async () => assert.match(await page.textContent(`${band('Skin temperature, Warm-up')} .complaint`),
            /Not done\. The hub says: skin_temperature is 20\.\.50 Cel, never '410 Cel'/));
        assert.equal((await texts(page, '.client-plans .complaint')).filter((complaint) => complaint !== '').length, 1);
        assert.deepEqual(limitOf((await plan()).limits, 'lumbar_flexion'), { metric: 'lumbar_flexion', above: '45 deg', own: '80 %' });
        await fill('Skin temperature, Warm-up', 'Limit, above', '41');
        await soon(async () => assert.equal((await texts(page, '.client-plans .complaint')).join(''), ''));
    });

    await tap.check('a limit is added, another one taken out, and all of it is kept and in the trail', async () => {
        await page.selectOption('.new-band label:has-text("Another limit") select', { label: 'Trunk inclination' });
        await page.selectOption('.new-band select >> nth=1', { label: 'Exercise' });
        await page.click('.new-band button');
        await fill('Trunk inclination, Exercise', 'Limit, above', '30');
        await fill('Trunk inclination, Exercise', 'Limit, below', '-10');
        await fill('Skin temperature, Warm-up', 'Limit, above', '');
        await page.click('.keep');
        await soon(async () => assert.match(await text(page, '.client-plans .calm'),
            /^Kept, and in the trail.*from the next treatment that is opened/));
        assert.deepEqual((await texts(page, '.client-plans .changed li')).map((line) => line.replace(/\u202f/g, ' ')), [
            'Lumbar flexion, all phases: Limit, above 45° → 40°', 'Skin temperature, Warm-up: Limit, above 41 °C → none',
            'Trunk inclination, Exercise: Limit, below none → −10°', 'Trunk inclination, Exercise: Limit, above none → 30°']);
        const { limits, phases } = await plan();
        assert.deepEqual(limitOf(limits, 'lumbar_flexion'), { metric: 'lumbar_flexion', above: '40 deg', own: '80 %' });
        assert.deepEqual(phases[0].limits, []);
        assert.deepEqual(phases.at(-1).limits, [{ metric: 'trunk_inclination', outside: ['-10 deg', '30 deg'] }]);
        const { why, about } = (await trail()).at(-1);
        assert.deepEqual([why, about], ['plan lower-back: lumbar_flexion: above 40 deg, 80 % of the own range, '
            + 'was above 45 deg, 80 % of the own range; trunk_inclination in Exercise: below -10 deg, above 30 deg, was none; '
            + 'skin_temperature in Warm-up: none, was above 41 Cel', 'client 1']);
        assert.doesNotMatch(why, /kiefer/);
        await page.locator('.client-plans').screenshot({ path: join(shots, 'plans-kept.png') });
    });

    await tap.check('goals and phases are changed, in another order, and it is said what is other', async () => {
        const phase = (place, title) => `.band:has(legend:text-is("${place}. ${title}"))`;
        const type = async (place, label, said) => {
            await page.fill(`${place} label:has-text("${label}") input`, said);
            await page.keyboard.press('Tab');
        };
        const names = async () => (await texts(page, '.client-plan .band legend')).filter((legend) => /^\d/.test(legend));
        await open();
        assert.deepEqual(await names(), ['1. Warm-up', '2. Heat', '3. Massage, lower back', '4. Massage, glutes',
            '5. Massage, hips', '6. Stretching', '7. Exercise']);
        await type('.client-plan', 'Goal 1', 'Sit for an hour');
        await type(phase(2, 'Heat'), 'Time', '12.5');
        await page.focus('button[aria-label="Later: Stretching"]'); // one that can be later once only
        await page.keyboard.press('Enter');
        await soon(async () => assert.equal(
            await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Earlier: Stretching'));
        await page.click('button[aria-label="Take out: Massage, glutes"]');
        await page.selectOption('.new-phase select', { label: 'Rest' });
        await page.click('.new-phase button');
        await type(phase(7, 'Rest'), 'Name', 'Lie still');
        await page.click(`${phase(7, 'Lie still')} .choice >> nth=0`);
        assert.deepEqual(await names(), ['1. Warm-up', '2. Heat', '3. Massage, lower back', '4. Massage, hips', '5. Exercise',
            '6. Stretching', '7. Lie still']);
        await page.click('.keep');
        await soon(async () => assert.match(await text(page, '.client-plans .calm'), /^Kept, and in the trail/));
        const region = (await plan()).phases[6].regions[0];
        assert.deepEqual((await texts(page, '.client-plans .changed li')).map((line) => line.replace(/\u202f/g, ' ')), [
            'Goal: Pain lower by 2 of 10, or by 30 % → none', 'Goal: none → Sit for an hour',
            'Massage, glutes, 5 min, glute left, glute right → none', 'Heat, 8 min, lower back left, lower back right → Heat, 12.5 min, lower back left, lower back right',
            `none → Lie still, 5 min, ${region.replaceAll('_', ' ')}`,
            'In this order: Warm-up, Heat, Massage, lower back, Massage, hips, Exercise, Stretching, Lie still']);
        const { goals, phases } = await plan();
        assert.equal(goals[0], 'Sit for an hour');
        assert.deepEqual(phases.map(({ title, time }) => `${title} ${parseInt(time, 10) / 60000}`), ['Warm-up 5', 'Heat 12.5', 'Massage, lower back 6',
            'Massage, hips 4', 'Exercise 10', 'Stretching 5', 'Lie still 5']);
        assert.deepEqual(limitOf(phases[4].limits, 'trunk_inclination').outside, ['-10 deg', '30 deg'], 'its limits went with it');
        assert.equal((await trail()).at(-1).why, 'plan lower-back: skin_temperature in Massage, '
            + 'glutes: none, was above 41 Cel; Heat: 12.5 min, was 8 min; Lie still: 5 min, was none; '
            + 'Massage, glutes: taken out; other order of phases; other goals');
    });

    await tap.check('a phase that cannot be is refused where it stands', async () => {
        await open();
        await page.fill('.band:has(legend:text-is("1. Warm-up")) label:has-text("Time") input', '0');
        await page.keyboard.press('Tab');
        await page.click('.keep');
        await soon(async () => assert.match(await page.textContent('.band:has(legend:text-is("1. Warm-up")) .complaint'),
            /^Not done\. The hub says: .*'0 ms'/));
        await page.click('.client-plan button:has-text("Discard")');
    });

    await tap.check('a treatment that is open goes on with its limits; the next one has the new ones', async () => {
        const flexion = async (id) => limitOf((await ask(clinic, 'GET', `sessions/${id}`)).bands, 'lumbar_flexion').high;
        assert.equal(await flexion(before.id), 45);
        await ask(clinic, 'POST', `sessions/${before.id}/abort`, { reason: 'for the test' });
        const next = await ask(clinic, 'POST', 'sessions', { room: 'room-1', therapist: 'AB', client: 'kiefer-7', plan: 'lower-back' });
        assert.equal(await flexion(next.id), 40);
    });

    await tap.check('what somebody else changed meanwhile is not overwritten', async () => {
        await open();
        await fill('Lumbar flexion, all phases', 'Limit, above', '50');
        await ask(clinic, 'PUT', 'clients/kiefer-7/plans/lower-back', { phases: [], limits: [{ metric: 'lumbar_flexion', above: '35 deg' }] },
            { 'If-Match': '*' });
        await page.click('.keep');
        await soon(async () => assert.match(await text(page, '.client-plans > .complaint'), /somebody changed this plan meanwhile/));
        assert.equal((await plan()).limits[0].above, '35 deg');
        await page.click('.client-plan button:has-text("Discard")');
        await soon(async () => assert.match((await texts(page, '.client-plan .bands li')).join(), /above 35°/));
    });

    await tap.check('and in German', async () => {
        const german = await browser.open(`${clinic.url}#/client/kiefer-7`, { locale: 'de-DE' });
        await until('the plan', () => german.page.$('.client-plan .bands li'));
        assert.match(await text(german.page, '.client-plan .bands li'), /^Beugung der LWS, alle Phasen:\s+über 35°$/);
        await german.page.click('.client-plan .change');
        assert.deepEqual(await violations(german.page), []);
        await german.close();
    });
    await tap.check('a plan is taken away by a slide, and the template counts again', async () => {
        await page.click('.client-plan .change');
        await page.focus('.client-plan .slide input');
        await page.keyboard.press('End');
        await soon(async () => assert.match(await text(page, '.client-plans .changed'), /^lower-back: taken away$/));
        await until('it is gone', async () => !await page.$('.client-plan'));
        await until('the templates', () => page.$('.templates button:has-text("Lower back")'));
        assert.deepEqual((await ask(clinic, 'GET', 'clients/kiefer-7')).plans, []);
    });
    assert.deepEqual(log.said.filter((line) => !/4\d\d \(/.test(line)), []);
    await close();
}
