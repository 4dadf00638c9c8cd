// A screen that is open, looked at from every side: axe-core in light and dark, the keyboard, and each
// width, with a picture of it.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { unreached, violations } from './access.mjs';
import { settled } from './browser.mjs';
import { SIZES, faults } from './screens.mjs';

/** @param tap @param page on the screen @param {string} name of it @param {string} shots the folder of
 *  pictures */
export async function inspect(tap, page, name, shots) {
    mkdirSync(shots, { recursive: true });
    await tap.check(`axe-core finds nothing on the ${name}, and no bad contrast in the dark`, async () => {
        assert.deepEqual(await violations(page), []);
        await page.emulateMedia({ colorScheme: 'dark' });
        assert.deepEqual(await violations(page, ['color-contrast']), []);
    });
    await tap.check(`all of the ${name} is reached by keyboard, and shows where one is`, async () => {
        const { count, wrong } = await unreached(page);
        assert.ok(count > 0, 'something to operate');
        assert.deepEqual(wrong, []);
        return `${count} to operate`;
    });
    await tap.check(`the ${name} fits a television, a tablet and a phone`, async () => {
        for (const [size, [width, height]] of Object.entries(SIZES))
            for (const colorScheme of ['light', 'dark']) {
                await page.setViewportSize({ width, height });
                await page.emulateMedia({ colorScheme });
                await settled(page);
                await page.screenshot({ path: join(shots, `${name}-${size}-${colorScheme}.png`) });
                assert.deepEqual(await faults(page), [], `${size}, ${colorScheme}`);
            }
    });
    await page.setViewportSize({ width: 1180, height: 820 });
    await page.emulateMedia({ colorScheme: 'light' });
}
