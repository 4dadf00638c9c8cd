// Every screen in every size: nothing sideways, nothing too small to touch, colours that can be
// read. And the pictures.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { text, texts } from './browser.mjs';
import { inRoom, told } from './alarms.mjs';
import { sleep, soon, until } from './clinic.mjs';
import { openOne } from './treatment.mjs';
import { SILENT } from './wall.mjs';

/** Zoomed: 1280 px at 400 % (WCAG 2.1, 1.4.10). */
export const SIZES = { zoomed: [320, 640], phone: [390, 844], small: [1024, 768], tablet: [1180, 820],
    upright: [820, 1180], tv: [1920, 1080] };
const TOUCH_MIN = 48;
const TOP_MAX = 72; // one line, where there is no phone's width
const TEXT_MIN = 14;
/** Other words are of another width, another scheme has other colours; both at once prove no more. */
const WIDEST = ['light', 'de-DE'];
const LOOKS = [['light', 'en-GB'], ['dark', 'en-GB'], WIDEST];

/** Width beyond the window, height beyond it of a wall that fits, a top line that breaks, what is too small
 *  to touch or to read, names that are not whole. */
export function faults(page) {
    return page.evaluate(([least, top, text]) => {
        const high = innerWidth > 600 ? document.querySelector('.top')?.getBoundingClientRect().height ?? 0 : 0;
        const tiny = Array.from(document.querySelectorAll('main *')).filter((element) => !element.closest('svg')
            && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
            && parseFloat(getComputedStyle(element).fontSize) < text).map((element) => `tiny: ${element.textContent}`);
        const cut = Array.from(document.querySelectorAll('main h1, main h2, main h3'))
            .filter((name) => name.scrollWidth > name.clientWidth).map((name) => `cut: ${name.textContent}`);
        const wide = document.documentElement.scrollWidth - innerWidth;
        const deep = document.querySelector('.wall.fits') ? document.documentElement.scrollHeight - innerHeight : 0;
        const small = Array.from(document.querySelectorAll('a, button, label, input[type="text"]'))
            .filter((element) => element.getBoundingClientRect().height < least)
            .map((element) => element.textContent);
        return [...(wide > 0 ? [`${wide} px too wide`] : []), ...(deep > 0 ? [`${deep} px too deep`] : []),
            ...(high > top ? [`a top line of ${high} px`] : []),
            ...small, ...tiny, ...cut];
    }, [TOUCH_MIN, TOP_MAX, TEXT_MIN]);
}

/** Contrast of two colours of the style sheet. WCAG 2.1, relative luminance. */
function contrasts(page, pairs) {
    return page.evaluate((wanted) => {
        const style = getComputedStyle(document.documentElement);
        const luminance = (name) => {
            const hex = style.getPropertyValue(`--${name}`).trim();
            const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
                .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        return wanted.map(([ink, paper]) => {
            const [a, b] = [luminance(ink), luminance(paper)].sort((x, y) => y - x);
            return [`${ink} on ${paper}`, (a + 0.05) / (b + 0.05)];
        });
    }, pairs);
}

const TEXT_PAIRS = [['ink', 'card'], ['ink', 'paper'], ['soft', 'card'], ['soft', 'paper'],
    ['on-high', 'high'], ['on-medium', 'medium'], ['on-low', 'low'], ['ink', 'low-wash'],
    ['ink', 'medium-wash'], ['ink', 'high-wash'], ['soft', 'low-wash'], ['soft', 'medium-wash'],
    ['soft', 'high-wash'], ['high-ink', 'card'], ['medium-ink', 'card'], ['low-ink', 'card'],
    ['ink', 'band-0'], ['ink', 'band-1'], ['ink', 'band-2']];
const MARK_PAIRS = [['high', 'high-wash'], ['low', 'low-wash'], ['trace', 'card'], ['high', 'card'],
    ['low', 'card']];

export async function testScreens(tap, browser, clinic, shots) {
    mkdirSync(shots, { recursive: true });
    await known(clinic);
    await openOne(clinic, 'room-2');
    // Each in a window of its own, so they need not wait for each other.
    for (const [name, [width, height]] of Object.entries(SIZES))
        await Promise.all((['small', 'zoomed'].includes(name) ? [WIDEST] : LOOKS).map(([scheme, locale]) =>
            testScreen(tap, browser, clinic, shots, { name, width, height, scheme, locale })));

    await tap.check('the page speaks the browser\'s language, or the other one for good', async () => {
        const { page, close } = await browser.open(clinic.url, { locale: 'de-AT' });
        await until('a tile', () => page.$('.tile'));
        await soon(async () => assert.match(await text(page, 'footer'), /Schutzabschaltungen/));
        await page.click('footer button');
        await until('English', async () => /cut-outs remain the protection/.test(await text(page, 'footer')));
        await page.reload();
        await until('still English', async () => /cut-outs/.test(await text(page, 'footer')));
        await close();
    });

    await tap.check('rules that are alike, and that nobody can change, stand in one place', async () => {
        const { page, close } = await browser.open(`${clinic.url}#/rules`);
        await until('what can be changed', () => page.$('.rule-list .change'));
        await soon(async () => assert.equal((await texts(page, '.rule-list h2'))
            .filter((title) => title === 'Signal lost under an alarm').length, 1));
        assert.ok((await page.$$('.rule-list details li')).length > 3);
        await close();
    });
}

/** While the alarm of the overheated device is high: it cools down. */
export async function testMotion(tap, browser, clinic) {
    await tap.check('nothing flashes where motion is unwelcome', async () => {
        const { page, close } = await browser.open(clinic.url, { motion: 'reduce' });
        await until('a high alarm', () => page.$('.mark.high'));
        assert.equal(await page.$eval('.mark.high svg', (mark) => getComputedStyle(mark).animationName), 'none');
        await close();
    });
}

/** One alarm that somebody knows of, and one that is shelved: they look different. */
async function known(clinic) {
    const lost = await until('a lost signal', () => inRoom(clinic, `room-${SILENT}`));
    const battery = await until('a low battery', () => inRoom(clinic, 'room-6'));
    assert.equal((await told(clinic, lost.number, 'ack', { by: 'Ana', why: 'on my way' })).status, 200);
    assert.equal((await told(clinic, battery.number, 'shelve',
        { by: 'Ben', why: 'it is being charged', seconds: 1800 })).status, 200);
}

async function testScreen(tap, browser, clinic, shots, { name, width, height, scheme, locale }) {
    const { page, close } = await browser.open(clinic.url, { width, height, scheme, locale });
    const picture = (screen) => (locale === 'en-GB'
        ? page.screenshot({ path: join(shots, `${screen}-${name}-${scheme}.png`) }) : null);
    for (const [screen, address, sign] of [['wall', '#/', '.value.fresh'],
        ['room', '#/room/room-2', '.value.fresh'], ['alarms', '#/alarms', '.alarm'],
        ['clients', '#/clients', '.clients a'], ['devices', '#/devices', '.device-row'],
        ['rules', '#/rules', '.rule-list li'], ['hub', '#/hub', '.hub-parts'],
        ['kiosk', '#/kiosk', '.value.fresh']])
        await tap.check(`the ${screen} fits a ${name} (${scheme}, ${locale})`, async () => {
            await page.goto(clinic.url + address);
            await until('what it shows', () => page.$(sign));
            await sleep(600);
            await picture(screen);
            assert.deepEqual(await faults(page), []);
        });
    await tap.check(`a treatment is opened on a ${name} (${scheme}, ${locale})`, async () => {
        await page.goto(`${clinic.url}#/room/room-3`);
        await page.click('.treatment .open');
        await until('the plans', async () => (await page.$$('.opening .choice')).length === 3);
        await picture('opening');
        assert.deepEqual(await faults(page), []);
    });
    if (name === 'tablet' && locale === 'en-GB')
        await tap.check(`texts and marks can be read (${scheme})`, async () => {
            for (const [pair, ratio] of await contrasts(page, TEXT_PAIRS)) assert.ok(ratio >= 4.5, `${pair}: ${ratio}`);
            for (const [pair, ratio] of await contrasts(page, MARK_PAIRS)) assert.ok(ratio >= 3, `${pair}: ${ratio}`);
        });
    await close();
}
