// The page in Debian's Chromium, before a real broker, the real hub and simulated devices.
//
//   node run.mjs [BUILD [SHOTS [PART]]]
//
// BUILD is a build folder (default: build), SHOTS where pictures go (default: shots beside this), PART
// one of the parts below (default: all).
// Exit code 77: skipped, and it says why.
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const build = resolve(process.argv[2] ?? join(here, '../../build'));
const shots = resolve(process.argv[3] ?? join(here, 'shots'));

if (!['axe-core', 'playwright-core', 'fhir'].every((name) => existsSync(join(here, 'node_modules', name)))) {
    console.log(`skipped: what the tests are made with is not installed; npm ci in ${here} does it`);
    process.exit(77);
}
const { Browser, CHROMIUM } = await import('./browser.mjs');
if (!Browser.installed()) {
    console.log(`skipped: there is no ${CHROMIUM}; apt-get install chromium`);
    process.exit(77);
}
const { Clinic } = await import('./clinic.mjs');
const { Tap } = await import('./tap.mjs');
const { testAccess } = await import('./access.mjs');
const { testAccounts } = await import('./accounts.mjs');
const { RULES, testAlarms } = await import('./alarms.mjs');
const { ARMED_RULES, testArming } = await import('./arming.mjs');
const { CAUSE_RULES, testCauses } = await import('./causes.mjs');
const { testArchive } = await import('./archive.mjs');
const { ROOM_SCREEN, WALL_SCREEN, testDay } = await import('./day.mjs');
const { testDevices } = await import('./devices.mjs');
const { testCourse } = await import('./course.mjs');
const { FLOOD_ROOMS, FLOOD_RULES, testFlood } = await import('./flood.mjs');
const { LIMIT_RULES, testLimits } = await import('./limits.mjs');
const { SOUND_RULES, testSound } = await import('./sound.mjs');
const { testHistory, testRoom } = await import('./room.mjs');
const { testGarbled, testLoss } = await import('./loss.mjs');
const { CHANGE_RULES, testRules } = await import('./rules.mjs');
const { testPlans } = await import('./plans.mjs');
const { testReport } = await import('./report.mjs');
const { testMotion, testScreens } = await import('./screens.mjs');
const { testTreatment } = await import('./treatment.mjs');
const { SILENT, testWall } = await import('./wall.mjs');
const wire = await import(pathToFileURL(join(build, 'daemon/web/page/tested.mjs')));

const ROOMS = 6;
const tap = new Tap();
const browser = new Browser();
const clinics = [];
// Interrupted, it leaves no process and no file behind either.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => finish().finally(() => process.exit(1)));

async function finish() {
    await browser.stop().catch(() => {});
    const ends = await Promise.allSettled(clinics.splice(0).map((clinic) => clinic.stop()));
    const bad = ends.find((end) => end.status === 'rejected');
    if (bad) throw bad.reason;
}

async function clinicOf(rooms, rules, { accounts = false } = {}) {
    const clinic = new Clinic(build, rooms, rules);
    clinic.accounts = accounts;
    clinics.push(clinic);
    await clinic.startBroker();
    mkdirSync(join(clinic.folder, 'state')); // where it keeps what it came up with
    await clinic.startHub('--state', join(clinic.folder, 'state'));
    return clinic;
}

/** Rooms of which one has a sensor that falls silent, one a device too hot, one a battery that is low. */
async function faultyClinic() {
    const clinic = await clinicOf(ROOMS);
    clinic.startDevices({ rooms: ROOMS + 1, faults: [`${SILENT}:posture:silence@12`,
        '2:massage:overheat@2', '6:posture:battery=5@1'] });
    return clinic;
}

/** Each part has clinics of its own, and can run beside the others. */
const parts = {
    async accounts() {
        mkdirSync(shots, { recursive: true });
        const clinic = await clinicOf(2, undefined, { accounts: true });
        clinic.startDevices();
        await testAccounts(tap, browser, clinic, shots);
    },
    async history() {
        await testHistory(tap, browser, await clinicOf(1));
    },
    async alarms() {
        await testAlarms(tap, browser, await clinicOf(1, RULES));
    },
    async arming() {
        await testArming(tap, browser, await clinicOf(1, ARMED_RULES));
    },
    async limits() {
        await testLimits(tap, browser, await clinicOf(1, LIMIT_RULES));
    },
    async rules() {
        await testRules(tap, browser, await clinicOf(1, CHANGE_RULES), shots);
    },
    async plans() {
        await testPlans(tap, browser, await clinicOf(1), shots);
    },
    async causes() {
        await testCauses(tap, browser, await clinicOf(1, 'rules: []\n'));
    },
    async flood() {
        await testFlood(tap, browser, await clinicOf(FLOOD_ROOMS, FLOOD_RULES));
    },
    async sound() {
        await testSound(tap, browser, await clinicOf(1, SOUND_RULES));
    },
    async treatment() {
        await testTreatment(tap, browser, await clinicOf(2));
    },
    async garbled() {
        await testGarbled(tap, browser, await clinicOf(2), wire.decodeWatch);
    },
    async archive() {
        await testArchive(tap, browser, await clinicOf(2), shots);
    },
    async devices() {
        const clinic = await clinicOf(2);
        clinic.startDevices();
        await testDevices(tap, browser, clinic, shots);
    },
    async day() {
        const clinic = await clinicOf(ROOMS);
        clinic.startDevices();
        await testDay(tap, browser, wire, { name: 'a room and the wall in turns', url: clinic.url,
            screens: [ROOM_SCREEN, WALL_SCREEN], hours: 0.25, record_ms: 4000 });
    },
    async course() {
        await testCourse(tap, browser, await clinicOf(1), shots);
    },
    async rooms() {
        const clinic = await faultyClinic();
        await testWall(tap, browser, clinic);
        await testRoom(tap, browser, clinic);
        await testMotion(tap, browser, clinic);
    },
    async screens() {
        const clinic = await faultyClinic();
        await testScreens(tap, browser, clinic, shots);
        await testAccess(tap, browser, clinic);
        await testReport(tap, browser, clinic, shots, 'room-2');
    },
    async loss() {
        const clinic = await clinicOf(ROOMS);
        clinic.startDevices({ rooms: ROOMS });
        await testLoss(tap, browser, clinic, wire.decodeWatch);
    },
};

const wanted = process.argv[4] ? [process.argv[4]] : Object.keys(parts);
try {
    await browser.start();
    for (const part of wanted) await parts[part]();
} catch (error) {
    await tap.check('the test runs to its end', () => { throw error; });
    for (const clinic of clinics) console.log(clinic.hub?.output.slice(-4000) ?? '');
} finally {
    await tap.check('every hub ends with an empty loop', finish);
}
process.exitCode = tap.end();
