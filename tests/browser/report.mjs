// The report of a treatment: read on the screen, printed as PDF on one sheet, told in two languages;
// and the same as a FHIR bundle, held against the definitions of R4.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fhir } from 'fhir';
import { violations } from './access.mjs';
import { text, texts } from './browser.mjs';
import { until } from './clinic.mjs';
import { order } from './treatment.mjs';

/** Sheets of a PDF. @param {Buffer} pdf */
const sheetsOf = (pdf) => (pdf.toString('latin1').match(/\/Type\s*\/Page[^s]/g) ?? []).length;

/** The treatment that goes on in the room, brought to its end. */
async function endOne(clinic, room) {
    const { sessions: [{ id }] } = await (await fetch(`${clinic.url}api/v1/sessions?room=${room}`)).json();
    for (const [what, body] of [['pain', { pain: 7, when: 'during' }], ['next', {}],
        ['adverse', { text: 'Dizzy when standing up; passed after a minute.' }], ['rmdq', { score: 9 }],
        ['odi', { score: 22 }], ['end', {}], ['pain', { pain: 3, when: 'after' }]])
        assert.ok((await order(clinic, `/sessions/${id}/${what}`, body)).ok, what);
    return id;
}

export async function testReport(tap, browser, clinic, shots, room) {
    const id = await endOne(clinic, room);
    const address = `${clinic.url}api/v1/sessions/${id}/report`;

    await tap.check('the room leads to the report of what was done in it', async () => {
        const { page, close } = await browser.open(`${clinic.url}#/room/${room}`, { locale: 'de-DE' });
        const link = await page.waitForSelector('.treatment .report');
        const [report] = await Promise.all([page.context().waitForEvent('page'), link.click()]);
        await report.waitForLoadState();
        assert.equal(await text(report, 'h1'), `Behandlungsbericht ${id}`);
        await close();
    });

    await tap.check('a report asks for nothing, runs nothing and says who, what, when and how', async () => {
        const { page, log, close } = await browser.open(address, { width: 1000, height: 1400 });
        assert.deepEqual(log.said, []);
        assert.deepEqual(log.asked.filter((asked) => asked !== address && !asked.startsWith('data:')), []);
        assert.match(await text(page, '.facts'), /kiefer-7.*AB.*Room 2.*Lower back/);
        assert.match(await text(page, '.pain'), /Less pain, by as much as matters/);
        assert.equal((await texts(page, '.phases tbody tr')).length, 7);
        assert.ok((await page.$$('figure svg .m')).length >= 3, 'traces');
        assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector('svg .m')).stroke),
            'rgb(11, 85, 99)', 'its style is let in by its hash');
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
        await page.screenshot({ path: join(shots, 'report.png'), fullPage: true });
        await close();
    });

    for (const language of ['en', 'de'])
        await tap.check(`printed it is one sheet of A4 (${language})`, async () => {
            const { page, close } = await browser.open(`${address}?lang=${language}`);
            const pdf = await page.pdf({ format: 'A4', preferCSSPageSize: true, printBackground: true });
            writeFileSync(join(shots, `report-${language}.pdf`), pdf);
            assert.equal(pdf.subarray(0, 5).toString(), '%PDF-');
            assert.equal(sheetsOf(pdf), 1);
            await page.emulateMedia({ media: 'print' });
            await page.setViewportSize({ width: 703, height: 1032 }); // of A4 within its margins
            await page.screenshot({ path: join(shots, `report-print-${language}.png`), fullPage: true });
            await close();
            return `${Math.round(pdf.length / 1024)} KiB`;
        });

    await tap.check('it can be read on a phone, and by who does not see; axe-core finds nothing', async () => {
        const { page, close } = await browser.open(address, { width: 390, height: 844 });
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
        assert.deepEqual(await violations(page), []);
        await page.screenshot({ path: join(shots, 'report-phone.png'), fullPage: true });
        await close();
    });

    await tap.check('the FHIR bundle is valid R4', async () => {
        const bundle = await (await fetch(`${clinic.url}api/v1/sessions/${id}/fhir`)).json();
        const { valid, messages } = new Fhir().validate(bundle, { errorOnUnexpected: true });
        // Which codes there are is an example in R4; all else that it has to say is a fault.
        assert.deepEqual(messages.filter(({ severity, message }) => severity !== 'info'
            && !(severity === 'warning' && /^Code .* not found in value set$/.test(message))), []);
        assert.equal(valid, true);
        // The validator finds what is wrong, or it proves nothing.
        const broken = structuredClone(bundle);
        broken.entry.find(({ resource }) => resource.resourceType === 'Observation').resource.status = 'perhaps';
        delete broken.entry.find(({ resource }) => resource.resourceType === 'Procedure').resource.subject;
        assert.equal(new Fhir().validate(broken, { errorOnUnexpected: true }).valid, false);
        return `${bundle.entry.length} resources`;
    });
}
