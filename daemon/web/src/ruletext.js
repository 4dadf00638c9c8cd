// What a clinic changes of its rules, as the text that the hub keeps (lumbar-rules(5), CHANGES): the
// block of one rule in it is read and written, a line for each key; whatever else stands there stays as
// it is. What this does not understand is left to the hub, which checks all of it.

import { readFlow } from './flow.js';

const HEAD = '# What this clinic changes of its rules: see lumbar-rules(5), CHANGES.';

/** @typedef {{from: number, to: number, indent: string}} Block its lines, and what is before its keys */

/** A scalar as a word: without a comment behind it, and without quotes. @param {string} text */
function plain(text) {
    const quoted = /^(["'])(.*?)\1\s*(?:#.*)?$/.exec(text.trim());
    return quoted ? quoted[2] : text.replace(/(^|\s)#.*$/, '').trim();
}

/** @param {string[]} lines @param {string} name @returns {Block | null} */
function blockOf(lines, name) {
    const from = lines.findIndex((line) => {
        const found = /^\s*- +name:\s*(.*)$/.exec(line);
        return found !== null && plain(found[1]) === name;
    });
    if (from < 0) return null;
    const indent = ' '.repeat(lines[from].indexOf('name:'));
    let to = from + 1;
    while (to < lines.length && (lines[to].trim() === '' || lines[to].startsWith(indent))) to++;
    while (to > from + 1 && lines[to - 1].trim() === '') to--;
    return { from, to, indent };
}

/** Where a key of a block begins, and where the next one does. @param {string[]} lines
 *  @param {Block} block @param {string} key @returns {[number, number] | null} */
function linesOf(lines, { from, to, indent }, key) {
    const begins = (/** @type {string} */ line) => line.startsWith(indent) && /^\w/.test(line.slice(indent.length));
    let at = from + 1;
    while (at < to && !(begins(lines[at]) && lines[at].startsWith(`${indent}${key}:`))) at++;
    if (at === to) return null;
    let end = at + 1;
    while (end < to && !begins(lines[end])) end++;
    return [at, end];
}

/** What is changed of a rule, key by key; null where that is written in a way that only a person
 *  reads. @param {string} text @param {string} name @returns {Record<string, string> | null} */
export function changesOf(text, name) {
    const lines = text.split('\n');
    const block = blockOf(lines, name);
    if (!block) return isNamed(text, name) ? null : {};
    /** @type {Record<string, string>} */
    const changes = {};
    for (const line of lines.slice(block.from + 1, block.to)) {
        const found = line.startsWith(block.indent) ? /^(\w+):(?:\s+(.*))?$/.exec(line.slice(block.indent.length)) : null;
        if (found) changes[found[1]] = plain(found[2] ?? '');
    }
    return changes;
}

/** @param {string} text @param {string} name */
function isNamed(text, name) {
    return text.split('\n').some((line) => !/^\s*#/.test(line)
        && new RegExp(`\\bname:\\s*["']?${name}["']?\\s*(?:[,}#]|$)`).test(line));
}

/** The text with another value of a key of this rule; null: as it is in the other files again. What is
 *  no change any more is taken out. Null where it cannot be written.
 *  @param {string} text @param {string} name @param {string} key @param {string | null} value
 *  @returns {string | null} */
export function withChange(text, name, key, value) {
    if (changesOf(text, name) === null) return null;
    const lines = text.split('\n');
    if (!blockOf(lines, name) && (value === null || !addBlock(lines, name)))
        return value === null ? text : null;
    const block = /** @type {Block} */ (blockOf(lines, name));
    const [at, end] = linesOf(lines, block, key) ?? [block.to, block.to];
    lines.splice(at, end - at, ...(value === null ? [] : [`${block.indent}${key}: ${value}`]));
    if (Object.keys(changesOf(lines.join('\n'), name) ?? {}).length === 0) dropBlock(lines, name);
    return lines.join('\n');
}

/** Behind all others. False: there is no list that it could stand in. @param {string[]} lines
 *  @param {string} name */
function addBlock(lines, name) {
    const said = lines.filter((line) => line.trim() !== '');
    const list = lines.findIndex((line) => /^rules:\s*(\[\])?\s*(#.*)?$/.test(line));
    if (list < 0 && said.some((line) => !/^\s*#/.test(line))) return false;
    if (list < 0) lines.splice(0, lines.length, ...(said.length > 0 ? said : [HEAD]), 'rules:');
    else lines[list] = lines[list].replace(/\s*\[\]/, '');
    const other = lines.find((line) => /^\s*- /.test(line));
    const dash = other ? /** @type {RegExpExecArray} */ (/^\s*/.exec(other))[0] : '  ';
    while (lines.at(-1) === '') lines.pop();
    lines.push(`${dash}- name: ${name}`, '');
    return true;
}

/** With it, the list where it was the last one. @param {string[]} lines @param {string} name */
function dropBlock(lines, name) {
    const block = blockOf(lines, name);
    if (block) lines.splice(block.from, block.to - block.from);
    if (lines.some((line) => /^\s*- /.test(line))) return;
    const list = lines.findIndex((line) => /^rules:\s*$/.test(line));
    if (list >= 0) lines[list] = 'rules: []';
}

/** "45 deg" as a number and its unit, which may be a share: "80 % of own_range(...)"; null: it is no
 *  number. @param {unknown} scalar @returns {{figure: string, unit: string} | null} */
export function quantity(scalar) {
    const found = typeof scalar === 'string'
        ? /^(-?\d+(?:\.\d+)?)\s*(\S*|% of (?:own_range|limit)\([^()]*\))$/.exec(scalar.trim()) : null;
    return found && { figure: found[1], unit: found[2] };
}

/** A list that was written in one line, or is one already. @param {unknown} value @returns {unknown[]} */
export function listOf(value) {
    const read = typeof value === 'string' ? readFlow(value) : value;
    return Array.isArray(read) ? read : [];
}
