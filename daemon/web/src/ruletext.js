// What a clinic changes of its rules (lumbar-rules(5), CHANGES), as the hub reads it in the text: a map
// for each rule. The hub writes in that text as well; the page knows no YAML.

/** @typedef {Record<string, any>} RuleMap a rule's, or what is changed of one: words as they stand, lists and
 *    maps of them
 *  @typedef {(string | number)[]} Path to a value in a rule's map
 *  @typedef {{path: Path, value: any}} Edit value: null takes it out */

/** What is changed of a rule, key by key. @param {RuleMap[]} rules @param {string} name @returns {RuleMap} */
export function changesOf(rules, name) {
    const { name: _, ...changes } = rules.find((rule) => rule.name === name) ?? {};
    return changes;
}

/** As it would be with these changes: one that is empty takes away. @param {RuleMap} base
 *  @param {RuleMap} changes @returns {RuleMap} */
export function changedRule(base, changes) {
    return Object.fromEntries(Object.entries({ ...base, ...changes }).filter(([, value]) => value !== ''));
}

/** With another value at its end. @param {any} value @param {Path} path @param {string} end @returns {any} */
export function withValue(value, path, end) {
    if (path.length === 0) return end;
    const [key, ...rest] = path;
    const inner = withValue(value?.[key], rest, end);
    return Array.isArray(value) ? value.map((each, i) => (i === key ? inner : each)) : { ...value, [key]: inner };
}

/** What is to be written that these values are so: what is as in the other files is taken out, what
 *  stands in the text already is changed where it stands.
 *  @param {RuleMap} base of the other files @param {RuleMap} changes @param {{path: Path, value: string}[]} values
 *  @param {(key: string, value: any) => boolean} [isNone] is that as if it were not said?
 *  @returns {Edit[]} */
export function editsOf(base, changes, values, isNone = () => false) {
    const next = values.reduce((rule, { path, value }) => withValue(rule, path, value), changedRule(base, changes));
    const keys = [...new Set(values.map(({ path }) => String(path[0])))];
    return keys.flatMap((key) => {
        if (base[key] === undefined ? isNone(key, next[key]) : isSame(base[key], next[key]))
            return [{ path: [key], value: null }];
        return key in changes && changes[key] !== '' ? values.filter(({ path }) => path[0] === key)
            : [{ path: [key], value: next[key] }];
    });
}

/** @param {any} a @param {any} b @returns {boolean} */
function isSame(a, b) {
    if (typeof a !== 'object' || typeof b !== 'object') return a === b;
    const keys = Object.keys(a);
    return Array.isArray(a) === Array.isArray(b) && keys.length === Object.keys(b).length
        && keys.every((key) => key in b && isSame(a[key], b[key]));
}

/** "45 deg" as a number and its unit, which may be a share: "80 % of own_range(...)"; null: it is no
 *  number. @param {unknown} scalar @returns {{figure: string, unit: string} | null} */
export function quantity(scalar) {
    const found = typeof scalar === 'string'
        ? /^(-?\d+(?:\.\d+)?)\s*(\S*|% of (?:own_range|limit)\([^()]*\))$/.exec(scalar.trim()) : null;
    return found && { figure: found[1], unit: found[2] };
}
