// The limits in a room's strips: of every condition of every rule, and those that a treatment's plan
// and its client's own range give, which come and go with it.
import assert from 'node:assert/strict';
import { until } from './clinic.mjs';
import { Wearable } from './posture.mjs';

export const LIMIT_RULES = `
rules:
  - name: bent
    title: Bent
    metric: trunk_inclination
    above: 35.5 deg
    priority: medium
    text: "Bent {value}."
  - name: crooked
    title: Crooked
    all:
      - {metric: posture, is: upright}
      - {metric: trunk_inclination, below: -12 deg}
    priority: low
    text: "Crooked {value}."
  - name: over-plan
    title: Over the plan
    metric: trunk_inclination
    above: limit(trunk_inclination)
    priority: high
    text: "{value}, and the plan says {limit}."
  - name: near-own
    title: Near the end
    metric: lumbar_flexion
    outside: 80 % of own_range(lumbar_flexion)
    priority: low
    text: "{value} of {limit}."
`;

const PLAN = { phases: [
    { kind: 'massage', time: '5 min', limits: [{ metric: 'trunk_inclination', above: '25 deg' }] },
    { kind: 'stretching', time: '5 min', limits: [{ metric: 'trunk_inclination', above: '30 deg' }] }] };
const OWN = [{ metric: 'lumbar_flexion', low: '-20 deg', high: '50 deg',
    measured: new Date().toISOString().slice(0, 10) }];

async function ask(clinic, method, path, body = {}) {
    const answer = await fetch(`${clinic.url}api/v1/${path}`, { method,
        headers: { 'Content-Type': 'application/json', Origin: clinic.url.slice(0, -1) },
        body: JSON.stringify(body) });
    const said = await answer.json();
    assert.ok(answer.ok, `${path}: ${JSON.stringify(said)}`);
    return said;
}

/** The limits that a strip draws, as they are written at their lines: "!! > 20". */
function drawn(page, title) {
    return page.evaluate(async (wanted) => {
        const strip = Array.from(document.querySelectorAll('.strip'))
            .find((found) => found.querySelector('h3').textContent === wanted);
        strip.scrollIntoView(); // those out of sight are drawn more rarely
        const context = strip.querySelector('canvas').getContext('2d');
        const frame = () => new Promise((resolve) => { requestAnimationFrame(resolve); });
        const said = new Set();
        await frame();
        await frame();
        context.fillText = (words, ...place) => {
            if (/^!+ [<>] /.test(words)) said.add(words);
            CanvasRenderingContext2D.prototype.fillText.call(context, words, ...place);
        };
        for (let i = 0; i < 6; i++) await frame();
        delete context.fillText;
        return [...said].sort();
    }, title);
}

export async function testLimits(tap, browser, clinic) {
    const wearable = new Wearable(clinic, 'p-01');
    const { page, close } = await browser.open(`${clinic.url}#/room/room-1`);
    const shows = async (title, wanted) => {
        let seen;
        await until(`the limits of ${title}`, async () => {
            seen = await drawn(page, title);
            return seen.length === wanted.length && seen.every((words, i) => words === wanted[i]);
        }).catch((error) => { throw new Error(`${error.message}: ${seen}, not ${wanted}`); });
    };
    const fixed = ['! < −12', '!! > 35.5'];
    wearable.says(5);
    try {
        await until('a strip', () => page.$('.strip canvas'));
        await tap.check('limits of further conditions are drawn, with their values', async () => {
            await shows('Trunk inclination', fixed);
            await shows('Lumbar flexion', []);
        });

        let path;
        await tap.check('a treatment brings the limits of its plan and of its client', async () => {
            await ask(clinic, 'POST', 'clients', { name: 'kiefer-7', own: OWN });
            await ask(clinic, 'PUT', 'clients/kiefer-7/plans/own', PLAN);
            const { id } = await ask(clinic, 'POST', 'sessions',
                { room: 'room-1', therapist: 'AB', client: 'kiefer-7', plan: 'own' });
            path = `sessions/${id}`;
            await shows('Trunk inclination', fixed); // it is open, and not begun
            await ask(clinic, 'POST', `${path}/start`);
            await shows('Trunk inclination', [...fixed, '!!! > 25']);
            await shows('Lumbar flexion', ['! < −16', '! > 40']);
        });

        await tap.check('another phase has other limits, and who comes later sees them', async () => {
            await ask(clinic, 'POST', `${path}/next`);
            await shows('Trunk inclination', [...fixed, '!!! > 30']);
            await page.reload();
            await until('a strip', () => page.$('.strip canvas'));
            await shows('Trunk inclination', [...fixed, '!!! > 30']);
        });

        await tap.check('with the treatment they are gone', async () => {
            await ask(clinic, 'POST', `${path}/end`);
            await shows('Trunk inclination', fixed);
            await shows('Lumbar flexion', []);
        });
    } finally {
        wearable.silent();
        await close();
    }
}
