// Builds the page: `node build.mjs OUT` bundles it into OUT, with page.c for the program.
//
//   --modules DIR   node_modules to take (default: beside this file)
//   --types         only what the type check needs: the decoder and its types
//
// OUT then also serves as a --web-root, and OUT/tested.mjs is what the tests take of it.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';

import { declareTypes } from './declare.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options, positionals } = parseArgs({
    allowPositionals: true,
    options: { modules: { type: 'string' }, types: { type: 'boolean' } },
});
if (positionals.length !== 1) throw new Error('usage: node build.mjs [--modules DIR] [--types] OUT');
const out = resolve(positionals[0]);
const modules = resolve(options.modules ?? join(here, 'node_modules'));
const from = createRequire(join(modules, 'here.js'));
const load = (/** @type {string} */ name) => import(pathToFileURL(from.resolve(name)).href);

mkdirSync(out, { recursive: true });
await writeDecoder();
if (!options.types) {
    await bundle();
    writeProgram(await reportStyle());
}

/** The reader and writer of live.proto: plain functions, so that the page needs no eval. */
async function writeDecoder() {
    const { compileRaw } = await load('pbf/compile');
    const { default: schema } = await load('protocol-buffers-schema');
    const proto = schema.parse(readFileSync(join(here, '../../proto/live.proto')));
    missingDoubles(proto.messages);
    writeFileSync(join(out, 'live.js'), compileRaw(proto));
    writeFileSync(join(out, 'live.d.ts'), declareTypes(proto));
}

/** A double that was not sent is null, not 0: a rule without a limit is no limit of 0.
 *  @param {any[]} messages as protocol-buffers-schema parses them */
function missingDoubles(messages) {
    for (const message of messages) {
        for (const field of message.fields)
            if (field.type === 'double' || field.name === 'certificate_days')
                field.options.default = 'nan';
        missingDoubles(message.messages);
    }
}

async function bundle() {
    const { build } = await load('esbuild');
    const common = {
        bundle: true,
        format: 'esm',
        target: ['chrome100', 'firefox100', 'safari15.4'],
        nodePaths: [modules],
        plugins: [{ name: 'live', setup: useDecoder }],
        logLevel: 'warning',
    };
    await build({
        ...common,
        entryPoints: { app: join(here, 'src/main.js') },
        minify: true,
        legalComments: 'eof',
        outdir: out,
    });
    await build({
        ...common,
        entryPoints: { tested: join(here, 'src/tested.js') },
        outdir: out,
        outExtension: { '.js': '.mjs' },
    });
    for (const name of ['index.html', 'icon.svg'])
        writeFileSync(join(out, name), readFileSync(join(here, name)));
}

/** @param {import('esbuild').PluginBuild} build */
function useDecoder(build) {
    build.onResolve({ filter: /^#live$/ }, () => ({ path: join(out, 'live.js') }));
}

/** The style of a report, as small as it can be, and the policy that allows this one and no other. */
async function reportStyle() {
    const { transform } = await load('esbuild');
    const { code } = await transform(readFileSync(join(here, 'src/report.css'), 'utf8'),
        { loader: 'css', minify: true });
    const style = code.trim();
    const hash = createHash('sha256').update(style).digest('base64');
    const policy = `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; `
        + "form-action 'none'";
    return `const char page_report_style[] = ${cString(style)};\n`
        + `const char page_report_policy[] = ${cString(policy)};\n`;
}

/** In pieces that a compiler takes. @param {string} text */
function cString(text) {
    return (text.match(/.{1,100}/g) ?? ['']).map((piece) => `\n    ${JSON.stringify(piece)}`).join('');
}

/** page.c: the table of page.h, with an ETag that changes with the bytes and nothing else; and what
 *  reports are made with. @param {string} report */
function writeProgram(report) {
    const files = [
        ['/', 'index.html', 'text/html; charset=utf-8'],
        ['/app.js', 'app.js', 'text/javascript; charset=utf-8'],
        ['/app.css', 'app.css', 'text/css; charset=utf-8'],
        ['/icon.svg', 'icon.svg', 'image/svg+xml'],
    ];
    let arrays = '';
    let rows = '';
    let transfer = 0;
    files.forEach(([path, name, type], i) => {
        const plain = readFileSync(join(out, name));
        const gzip = gzipSync(plain, { level: 9 });
        const etag = createHash('sha256').update(plain).digest('hex').slice(0, 32);
        transfer += gzip.length;
        arrays += cArray(`plain_${i}`, plain) + cArray(`gzip_${i}`, gzip);
        rows += `    {"${path}", "${type}", "\\"${etag}\\"", plain_${i}, gzip_${i}, `
            + `sizeof plain_${i}, sizeof gzip_${i}},\n`;
    });
    writeFileSync(join(out, 'page.c'), '/* Made by build.mjs. */\n#include "web/page.h"\n\n' + arrays
        + `const struct page_file page_files[] = {\n${rows}    {0},\n};\n\n${report}`);
    console.log(`page: ${(transfer / 1024).toFixed(1)} KiB gzipped in ${files.length} files`);
}

/** @param {string} name @param {Buffer} bytes */
function cArray(name, bytes) {
    const lines = [];
    for (let i = 0; i < bytes.length; i += 24) lines.push(bytes.subarray(i, i + 24).join(','));
    return `static const uint8_t ${name}[] = {\n${lines.join(',\n')}};\n`;
}
