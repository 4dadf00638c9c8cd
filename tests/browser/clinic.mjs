// A clinic for the browser: a real mosquitto, the real hub and simulated devices on loopback, each
// started and ended by its process id, files in a folder that goes away with them.
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Publisher } from './mqtt.mjs';

const top = fileURLToPath(new URL('../..', import.meta.url));
const STOP_MS = 15000;
/** How long anything is waited for: what never comes, and no measure of how fast it should. */
export const PATIENCE_MS = 60000;
/** What no log may tell: who is treated in these tests, and what people come in by. */
const UNSAID = /kiefer-7|a few words that nobody guesses|#\/enrol\/|#\/token\//;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls until the condition gives something true; fails with the words of `what`. */
export async function until(what, condition, ms = PATIENCE_MS, step = 50) {
    const end = Date.now() + ms;
    for (;;) {
        const value = await condition();
        if (value) return value;
        if (Date.now() > end) throw new Error(`not within ${ms / 1000} s: ${what}`);
        await sleep(step);
    }
}

/** An assertion that holds in a moment: a page shows a little later what it was told, or asked for. */
export async function soon(assertion, ms = PATIENCE_MS) {
    for (const end = Date.now() + ms; ; await sleep(50)) {
        try {
            return await assertion();
        } catch (error) {
            if (error.code !== 'ERR_ASSERTION' || Date.now() > end) throw error;
        }
    }
}

async function freePort() {
    const server = createServer();
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    return port;
}

function answers(port) {
    return new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1');
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
            .once('close', () => socket.destroy());
        socket.once('connect', () => socket.end());
    });
}

class Program {
    output = '';

    constructor(path, args) {
        this.name = basename(path);
        // Its own process, which does not outlive this one, however that ends.
        this.process = spawn('setpriv', ['--pdeathsig', 'KILL', path, ...args],
            { stdio: ['ignore', 'pipe', 'pipe'] });
        for (const stream of [this.process.stdout, this.process.stderr])
            stream.on('data', (data) => { this.output = (this.output + data).slice(-100000); });
        this.ended = new Promise((resolve) => {
            this.process.on('exit', (code, signal) => resolve(code ?? signal));
            this.process.on('error', (error) => { this.output += error; resolve('nothing'); });
        });
    }

    get runs() {
        return this.process.pid !== undefined && this.process.exitCode === null
            && this.process.signalCode === null;
    }

    signal(name) {
        if (this.runs) this.process.kill(name);
    }

    /** Returns its exit code, or the signal that it died of. */
    async stop() {
        this.signal('SIGCONT');
        this.signal('SIGTERM');
        const late = setTimeout(() => this.signal('SIGKILL'), STOP_MS);
        const code = await this.ended;
        clearTimeout(late);
        return code;
    }
}

export class Clinic {
    /** @param {string} build the build folder @param {number} rooms
     *  @param {string} [rules] YAML; the shipped ones where not given */
    constructor(build, rooms, rules) {
        this.build = build;
        this.rooms = rooms;
        this.folder = mkdtempSync(join(tmpdir(), 'lumbar-browser.'));
        this.ring = join(existsSync('/dev/shm') ? '/dev/shm' : this.folder, `${basename(this.folder)}.ring`);
        this.rules = join(top, 'config/rules.d');
        if (rules) {
            this.rules = join(this.folder, 'rules.d');
            mkdirSync(this.rules);
            writeFileSync(join(this.rules, 'test.yaml'), rules);
        }
        this.webPort = 0;
        this.accounts = false; // people log in
    }

    get url() {
        return `http://127.0.0.1:${this.webPort}/`;
    }

    async startBroker() {
        this.brokerPort ??= await freePort();
        const place = join(this.folder, 'broker');
        mkdirSync(place, { recursive: true });
        // mosquitto gives up its rights when root starts it.
        chmodSync(place, 0o777);
        chmodSync(this.folder, 0o755);
        const file = join(this.folder, 'mosquitto.conf');
        writeFileSync(file, readFileSync(join(top, 'config/mosquitto.conf'), 'utf8')
            + `allow_anonymous true\nlistener ${this.brokerPort} 127.0.0.1\n`
            + `persistence_location ${place}/\n`);
        const path = ['/usr/sbin/mosquitto', '/usr/bin/mosquitto', '/usr/local/sbin/mosquitto']
            .find(existsSync);
        if (!path) throw new Error('mosquitto is not installed');
        this.broker = new Program(path, ['-c', file]);
        await this.comesUp(this.broker, () => answers(this.brokerPort));
    }

    writeConfiguration() {
        const rooms = Array.from({ length: this.rooms }, (_, i) => {
            const two = String(i + 1).padStart(2, '0');
            return `  - name: room-${i + 1}\n    title: Room ${i + 1}\n`
                + `    devices: [posture/p-${two}, massage/m-${two}]\n`;
        });
        cpSync(join(top, 'config/plans.d'), join(this.folder, 'plans.d'), { recursive: true });
        const file = join(this.folder, 'lumbard.yaml');
        writeFileSync(file, `clinic: Test clinic
accounts: ${this.accounts}
broker:
  host: 127.0.0.1
  port: ${this.brokerPort}
web:
  port: ${this.webPort}
api:
  socket: ${join(this.folder, 'ctl')}
spool:
  ring: ${this.ring}
  copy: ${join(this.folder, 'spool')}
quarantine:
  file: ${join(this.folder, 'quarantine')}
recorder:
  folder: ${join(this.folder, 'recordings')}
history:
  file: ${join(this.folder, 'history.db')}
plugins:
  folder: ${join(this.build, 'plugins')}
rules:
  folder: ${this.rules}
  changes: ${join(this.folder, 'page.yaml')}
rooms:
${rooms.join('')}`);
        return file;
    }

    /** On a free port at first, on the same one ever after. */
    async startHub(...args) {
        const path = join(this.build, 'daemon/lumbard');
        this.hub = new Program(path, ['--config', this.writeConfiguration(), ...args]);
        const port = /listening on http:\/\/127\.0\.0\.1:(\d+)\//;
        await this.comesUp(this.hub, () => port.test(this.hub.output)
            && /broker connected/.test(this.hub.output));
        this.webPort = Number(port.exec(this.hub.output)[1]);
    }

    /** Devices of `rooms` rooms (the configured ones where not given), with faults. */
    startDevices({ rooms = this.rooms, faults = [], more = [] } = {}) {
        this.devices = new Program(join(this.build, 'tests/sim/lumbar-sim'), ['--host', '127.0.0.1',
            '--port', String(this.brokerPort), '--rooms', String(rooms), '--seed', '1', ...more,
            ...faults.flatMap((fault) => ['--fault', fault])]);
    }

    /** A connection to the broker that all made-up devices share. */
    publisher() {
        this.connected ??= new Publisher().open(this.brokerPort, 'made-up-devices');
        return this.connected;
    }

    async comesUp(program, condition) {
        await until(`${program.name} is up`, () => {
            if (!program.runs) throw new Error(`${program.name} ended: ${program.output}`);
            return condition();
        });
    }

    /** A hub that ends with its loop empty, and no sanitizer's complaint, ends with 0. */
    async stopHub() {
        const code = await this.hub?.stop() ?? 0;
        if (code !== 0) throw new Error(`the hub ended with ${code}: ${this.hub.output.slice(-4000)}`);
        const told = UNSAID.exec(this.hub?.output ?? '');
        if (told) throw new Error(`the hub's log tells of ${told[0]}`);
    }

    async stop() {
        await this.devices?.stop();
        (await this.connected)?.close();
        try {
            await this.stopHub();
        } finally {
            await this.broker?.stop();
            rmSync(this.folder, { recursive: true, force: true });
            rmSync(this.ring, { force: true });
        }
    }
}
