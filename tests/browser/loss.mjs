// What is seen when the hub, its broker or the path is gone, and when they are back.
import assert from 'node:assert/strict';
import { text, texts } from './browser.mjs';
import { sleep, until } from './clinic.mjs';

const fresh = async (page) => (await page.$$('.tile .value.fresh')).length;

export async function testLoss(tap, browser, clinic, decodeWatch) {
    const { page, log, close } = await browser.open(clinic.url);
    await until('fresh values', async () => await fresh(page) > 10);

    await tap.check('a broker that is gone is said on top of every screen', async () => {
        await clinic.broker.stop();
        await until('the banner', async () => /broker/i.test(await text(page, '.banner.bad')));
        await until('the state', async () => (await texts(page, '.state.bad')).some((state) => /No broker/.test(state)));
        await clinic.startBroker();
        await until('no banner', async () => !await page.$('.banner.bad'));
        await until('fresh values', async () => await fresh(page) > 10);
    });

    await tap.check('a hub that hangs ages everything, and is resumed where it was', async () => {
        await page.goto(`${clinic.url}#/room/room-1`);
        await until('strips', async () => (await texts(page, '.strip .age')).includes('now'));
        const before = log.watches.length;
        clinic.hub.signal('SIGSTOP');
        try {
            await until('silence', async () => /said nothing/.test(await text(page, '.banner.bad')));
            await until('stale', async () => (await page.$$('.strip .value.stale')).length > 3);
            await until('another try', async () => /No connection/.test(await text(page, '.banner.bad')));
        } finally {
            clinic.hub.signal('SIGCONT');
        }
        await until('no banner', async () => !await page.$('.banner.bad'));
        await until('fresh strips', async () => (await texts(page, '.strip .age')).includes('now'));
        const watch = decodeWatch(log.watches.at(-1));
        assert.ok(log.watches.length > before);
        assert.ok(watch.cursor > 0 && watch.instance !== 0n && watch.room === 1, JSON.stringify(watch, (_, value) => String(value)));
    });

    await tap.check('a hub that stops says why; values age, then have no number', async () => {
        await page.goto(clinic.url);
        await until('fresh values', async () => await fresh(page) > 10);
        await page.evaluate(() => { window.stays = true; });
        await clinic.stopHub();
        const banner = await until('the banner', () => text(page, '.banner.bad'));
        assert.match(banner, /No connection to the hub since \d\d:\d\d:\d\d\. It said: \S/);
        await until('nothing fresh but what comes seldom', async () => await fresh(page) < 10);
        await until('dashes', async () => (await page.$$('.tile .value.offline')).length > 10);
        assert.deepEqual((await texts(page, '.tile .value.offline .reading')).filter((shown) => shown !== '\u2013'), []);
    });

    await tap.check('a hub that is back is taken up by the same page', async () => {
        await clinic.startHub();
        await until('no banner', async () => !await page.$('.banner.bad'));
        await until('fresh values', async () => await fresh(page) > 10);
        assert.equal(await page.evaluate(() => window.stays), true);
    });

    await tap.check('a page whose hub is gone complains of the connection only', () => {
        const of = /WebSocket connection to .* failed|net::ERR_CONNECTION_(REFUSED|RESET|CLOSED)/;
        assert.deepEqual(log.said.filter((line) => !of.test(line)), []);
    });
    await close();
    await sleep(500);
}

/** A way that garbles one frame. */
export async function testGarbled(tap, browser, clinic, decodeWatch) {
    clinic.startDevices({ rooms: 2 });
    await tap.check('a frame that cannot be read is asked for once more, where the page was', async () => {
        const { page, log, close } = await browser.open(clinic.url);
        await page.addInitScript(() => {
            const { set } = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'onmessage');
            const garbage = { data: new Uint8Array([0xff, 0xff, 0x1a]).buffer };
            let frames = 0;
            Object.defineProperty(WebSocket.prototype, 'onmessage', {
                set(take) {
                    set.call(this, take && ((event) => take(++frames === 20 ? garbage : event)));
                },
            });
        });
        await until('the first watch', () => log.watches.length > 0);
        await page.reload();
        await until('the complaint', () => log.said.some((line) => /cannot be read/.test(line)));
        await until('a third watch, behind those of both loads', () => log.watches.length > 2);
        assert.notEqual(decodeWatch(log.watches.at(-1)).instance, 0n, 'the same hub, from where it was');
        await until('fresh values', async () => await fresh(page) > 2 && !await page.$('.banner.bad'));
        await close();
    });
}
