// Who is in: the door before the page, an invitation, what each role is shown, broken glass, and out.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { text, texts } from './browser.mjs';
import { sleep, soon, until } from './clinic.mjs';
import { inspect } from './inspect.mjs';
import { faults } from './screens.mjs';

const PASSWORD = 'a few words that nobody guesses';
// What a browser says of a 401 by itself, and of a form that has no box for a name.
const EXPECTED = /401|403|Password forms should have/;

export async function testAccounts(tap, browser, clinic, shots) {
    const links = {};

    await tap.check('the first administrator comes in by the link of lumbarctl setup', async () => {
        const { page, log, close } = await browser.open(clinic.url);
        await until('the door', async () => /lumbarctl setup/.test(await text(page, '.door')));
        assert.deepEqual(await faults(page), []);
        await page.screenshot({ path: join(shots, 'door-first.png') });
        await takeUp(page, linkOf(clinic, 'setup'));
        await until('the wall', () => page.$('.tile'));
        assert.equal(new URL(page.url()).hash, '#/', 'no secret stays in the address');
        await soon(async () => assert.match(await text(page, 'footer'), /admin \(administrator\)/));
        assert.equal(await page.$('footer a[href="#/clients"]'), null, 'nothing of clients');

        await page.click('footer a[href="#/people"]');
        for (const [name, role] of [['anna', 'therapist'], ['lena', 'lead']]) {
            const form = await until('the form', () => page.$('.people form'));
            await (await form.$('input[name="name"]')).fill(name);
            await (await form.$(`input[value="${role}"]`)).evaluate((box) => box.click());
            await (await form.$('button.do')).click();
            links[name] = await until(`a link for ${name}`, async () => {
                const link = await text(page, '.people code');
                return link.includes('#/enrol/') && (await texts(page, '.people .row b')).includes(name)
                    && link !== links.anna && link;
            });
        }
        await page.click('.people .row:has-text("anna")');
        await page.click('.people .deeds button:has-text("Room 2")');
        await until('her room', async () => /room-2/.test(await text(page, '.people ul')));
        await page.click('#token-rooms + .deeds button:has-text("Room 1")');
        const form = (await page.$$('.people form'))[1];
        await (await form.$('input[name="name"]')).fill('corridor');
        await (await form.$('button.do')).click();
        await until('a wall of one room', async () =>
            /corridor.*room-1/s.test((await texts(page, '.people ul')).join(' ')));
        assert.deepEqual(await faults(page), []);
        await page.click('footer button:has-text("Log out")');
        await until('the door', () => page.$('.door'));
        assert.equal(await page.$('.tile'), null, 'nothing of the clinic stays');
        const said = log.said.filter((line) => !EXPECTED.test(line));
        assert.deepEqual(said, []);
        await close();
    });

    await tap.check('a therapist is shown the rooms that are theirs, and a lead is told of broken glass', async () => {
        const anna = await browser.open(clinic.url);
        await takeUp(anna.page, links.anna);
        await until('a tile', () => anna.page.$('.tile'));
        await soon(async () => assert.deepEqual(await texts(anna.page, '.tile h2'), ['Room 2']));
        const lena = await browser.open(clinic.url);
        await takeUp(lena.page, links.lena);
        await until('all tiles', async () => (await lena.page.$$('.tile')).length === 2);

        for (const { page } of [anna, lena]) {
            await page.click('footer a[href="#/rules"]');
            await until('the rules', () => page.$('.rule-list li'));
        }
        await until('what a lead may change', () => lena.page.$('.rule-list .change'));
        assert.equal(await anna.page.$('.rules .change, .rules textarea'), null, 'a therapist may change rules');

        await anna.page.click('footer a[href="#/own"]');
        await anna.page.fill('input[name="why"]', 'Ben is ill, his client waits');
        // Seen by lena's page itself, so that no look at it from here is in the time.
        await lena.page.evaluate(() => {
            const look = () => {
                const said = [...document.querySelectorAll('.banner')].map((e) => e.textContent).join(' ');
                if (/anna has broken the glass.*Ben is ill/s.test(said))
                    globalThis.toldAt ??= Date.now();
            };
            new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
        });
        await anna.page.evaluate(() => document.addEventListener('click', () => { globalThis.brokenAt ??= Date.now(); }, true));
        await anna.page.click('form:has(input[name="why"]) button.do');
        // At once, by a frame: the page asks for nothing by itself.
        await until('the lead is told', () => lena.page.evaluate(() => globalThis.toldAt));
        const took = await lena.page.evaluate(() => globalThis.toldAt) - await anna.page.evaluate(() => globalThis.brokenAt);
        assert.ok(took >= 0 && took < 1000, `the lead's page said it after ${took} ms`);
        await until('what she is told', async () => /until/.test(await text(anna.page, '.people .banner')));
        assert.deepEqual(await faults(anna.page), []);
        await anna.page.goto(clinic.url);
        await until('all rooms', async () => (await anna.page.$$('.tile')).length === 2);
        await lena.page.click('.banner button:has-text("Seen")');
        await until('it is seen', async () => !(await texts(lena.page, '.banner')).join(' ').includes('glass'));
        await anna.close();
        await lena.close();
    });

    await tap.check('a name and a password let in, and wrong ones do not', async () => {
        const { page, close } = await browser.open(clinic.url);
        await until('the door', () => page.$('.door input[name="name"]'));
        for (const [password, wanted] of [['wrong', /wrong/], [PASSWORD, null]]) {
            await page.fill('input[name="name"]', 'lena');
            await page.fill('input[name="password"]', password);
            await page.click('.door button.do');
            if (wanted) await until('a complaint', async () => wanted.test(await text(page, '.complaint')));
        }
        await until('in', () => page.$('.tile'));
        // Logged out elsewhere, this screen goes, too.
        assert.equal(ctl(clinic, 'users', 'logout', 'lena').status, 0);
        await until('the door', () => page.$('.door'));
        await close();
    });
    await tap.check('a therapist tailors the plan of a client, and the trail says who did', async () => {
        const { page, close } = await at(browser, clinic, linkOf(clinic, 'users', 'add', 'paul', '--role', 'therapist'),
            '#/clients', '.clients');
        await page.evaluate(() => fetch('/api/v1/clients', { method: 'POST', body: JSON.stringify({ name: 'kiefer-7' }),
            headers: { 'Content-Type': 'application/json' } }));
        await page.goto(`${clinic.url}#/client/kiefer-7`);
        await page.click('.templates button:has-text("Lower back")');
        await page.click('.client-plan .change');
        await page.fill('.client-plan label:has-text("Goal 1") input', 'Tie both shoes');
        await page.keyboard.press('Tab');
        await page.click('.keep');
        await soon(async () => assert.match(await text(page, '.client-plan .goals'), /^Tie both shoes/));
        const { stdout } = ctl(clinic, 'audit', 'list');
        assert.match(stdout, /paul.*PUT \/clients.*plan lower-back: other goals/);
        await close();
    });
    await tap.check('who tries rules while others do waits, or is told when to try again', () =>
        tryAtOnce(browser, clinic));
    await inspectAll(tap, browser, clinic, shots);
}

/** The hub tries one at a time and lets one more wait. The first one's process stands still here, so
 *  that the others come while it is at it. */
async function tryAtOnce(browser, clinic) {
    const [mara, nils, olga] = await Promise.all(['mara', 'nils', 'olga'].map((name) => at(browser, clinic,
        linkOf(clinic, 'users', 'add', name, '--role', 'lead'), '#/rules', '.rule-list .change')));
    for (const { page } of [mara, nils, olga]) {
        await page.click('.rule-list .change');
        await page.click('.rule-form .choice:has-text("off")');
        await until('the bar', () => page.$('.rule-bar .try'));
    }
    const said = ({ page }) => text(page, '.rule-bar [role="status"]');
    const tries = ({ page }) => page.click('.rule-bar .try');
    const first = await until('a trial that stands still', () => stoppedTrial(mara.page, clinic));
    try {
        await tries(nils);
        await soon(async () => assert.match(await said(nils), /^Trying: recorded sessions are gone through again/));
        assert.equal(tryingOf(clinic), first, 'two try at a time');
        await tries(olga);
        await soon(async () => assert.match(await text(olga.page, '.complaint'),
            /^Others try rules just now: try again in 15\s?s\.$/));
        assert.equal(await olga.page.getAttribute('.rule-bar .try', 'aria-disabled'), 'false');
        assert.match(await said(nils), /^Trying/);
    } finally {
        process.kill(first, 'SIGCONT');
    }
    const verdict = /^No recorded session is over yet/;
    await soon(async () => assert.match(await said(nils), verdict));
    for (const who of [mara, olga]) {
        await tries(who);
        await soon(async () => assert.match(await said(who), verdict));
    }
    assert.equal(await text(olga.page, '.complaint'), '');
    for (const { close } of [mara, nils, olga]) await close();
}

/** Rules are tried from this page, and the process that does it stands still; null: it was over before it was seen.
 *  @returns {Promise<number | null>} its id */
async function stoppedTrial(page, clinic) {
    let over = false;
    page.evaluate(() => fetch('/api/v1/rules/try', { method: 'POST', body: '{"text":""}',
        headers: { 'Content-Type': 'application/json' } })).finally(() => { over = true; });
    while (!over) {
        const found = tryingOf(clinic);
        if (found && stops(found)) {
            await sleep(100);
            if (tryingOf(clinic) === found) return found;
        }
        await sleep(0);
    }
    return null;
}

/** Is there still a process to stop? @param {number} pid */
function stops(pid) {
    try {
        return process.kill(pid, 'SIGSTOP');
    } catch {
        return false;
    }
}

/** The hub's process that tries rules, where there is one. */
function tryingOf(clinic) {
    const hub = `/proc/${clinic.hub.process.pid}/task`;
    return readdirSync(hub).flatMap((thread) => readFileSync(join(hub, thread, 'children'), 'utf8').split(' '))
        .filter(Boolean).map(Number).find((pid) => {
            try {
                return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes('--try');
            } catch {
                return false; // it has just ended
            }
        });
}

/** Somebody who has just come in, on a screen of theirs. */
async function at(browser, clinic, link, address, sign) {
    const { page, close } = await browser.open(clinic.url);
    await takeUp(page, link);
    await until('in', () => page.$('.tile, footer .who'));
    await page.goto(clinic.url + address);
    await until(sign, () => page.$(sign));
    return { page, close };
}

/** What nobody sees who has not logged in, or who need not. */
async function inspectAll(tap, browser, clinic, shots) {
    const links = Object.fromEntries([['vera', 'admin'], ['tom', 'therapist'], ['ida', 'auditor']]
        .map(([name, role]) => [name, linkOf(clinic, 'users', 'add', name, '--role', role)]));
    const door = await browser.open(clinic.url);
    await until('the door', () => door.page.$('.door input[name="name"]'));
    await inspect(tap, door.page, 'door', shots);
    await door.page.goto(links.vera);
    await until('the invitation', () => door.page.$('input[name="again"]'));
    await inspect(tap, door.page, 'invitation', shots);
    await door.close();

    const vera = await at(browser, clinic, links.vera, '#/people', '.people .row');
    await vera.page.click('.people .row:has-text("anna")');
    await until('what becomes of her', () => vera.page.$('.people li .slide'));
    await inspect(tap, vera.page, 'people', shots);
    await tap.check('a token is taken back by a slide', async () => {
        const tokens = async () => (await texts(vera.page, '.people ul')).join(' ');
        assert.match(await tokens(), /corridor/);
        await vera.page.focus('.people li:has-text("corridor") .slide input');
        await vera.page.keyboard.press('End');
        await soon(async () => assert.doesNotMatch(await tokens(), /corridor/));
        assert.equal(await text(vera.page, '.people .complaint'), '');
    });
    await vera.close();
    const tom = await at(browser, clinic, links.tom, '#/own', 'input[name="why"]');
    await tom.page.click('button:has-text("one-time codes")');
    await until('the secret', () => tom.page.$('input[name="code"]'));
    await inspect(tap, tom.page, 'own', shots);
    await tom.close();
    const ida = await at(browser, clinic, links.ida, '#/trail', '.trail li');
    await inspect(tap, ida.page, 'trail', shots);
    await ida.close();
}

function ctl(clinic, ...words) {
    return spawnSync(join(clinic.build, 'daemon/lumbarctl'),
        [...words, '--socket', join(clinic.folder, 'ctl')], { encoding: 'utf8', timeout: 30000 });
}

function linkOf(clinic, ...words) {
    const { stdout, stderr } = ctl(clinic, ...words);
    const link = /http\S+#\/enrol\/\S+/.exec(stdout);
    assert.ok(link, stderr);
    return link[0];
}

async function takeUp(page, link) {
    await page.goto(link);
    await until('the invitation', () => page.$('input[name="again"]'));
    await page.fill('input[name="password"]', PASSWORD);
    await page.fill('input[name="again"]', PASSWORD);
    await page.click('.door button.do');
}
