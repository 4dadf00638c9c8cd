// YAML in one line, as rules write lists and maps: "[-10 deg, 10 deg]", "[{metric: x, above: 41 Cel}]".
// Every scalar is text. What this does not understand is left to the hub.

/** @typedef {any} Flow a string, or a list or map of them */

/** @param {string} text @returns {Flow | undefined} undefined: it is no list and no map, or is not whole */
export function readFlow(text) {
    let at = 0;
    const space = () => {
        while (text[at] === ' ') at++;
    };
    const take = (/** @type {string} */ sign) => {
        space();
        if (text[at] !== sign) return false;
        at++;
        return true;
    };
    /** @param {RegExp} end what a plain one stops at @returns {string} */
    const scalar = (end) => {
        space();
        const quoted = /^(?:"((?:[^"\\]|\\["\\])*)"|'([^']*)')/.exec(text.slice(at));
        if (quoted) {
            at += quoted[0].length;
            return quoted[1]?.replace(/\\(.)/g, '$1') ?? quoted[2];
        }
        const length = text.slice(at).search(end);
        if (length <= 0) throw new SyntaxError('no scalar');
        at += length;
        return text.slice(at - length, at).trim();
    };
    /** @param {string} close @param {() => void} one */
    const several = (close, one) => {
        while (!take(close)) {
            one();
            if (!take(',') && text[at] !== close) throw new SyntaxError('no end');
        }
    };
    /** @returns {Flow} */
    const value = () => {
        if (take('[')) {
            /** @type {Flow[]} */
            const list = [];
            several(']', () => list.push(value()));
            return list;
        }
        if (!take('{')) return scalar(/[,[\]{}]/);
        /** @type {{[key: string]: Flow}} */
        const map = {};
        several('}', () => {
            const key = scalar(/:/);
            if (!take(':')) throw new SyntaxError('no value');
            map[key] = value();
        });
        return map;
    };
    try {
        const found = /^\s*[[{]/.test(text) ? value() : undefined;
        space();
        return at === text.length ? found : undefined;
    } catch {
        return undefined;
    }
}

/** @param {Flow} value @returns {string} */
export function writeFlow(value) {
    if (Array.isArray(value)) return `[${value.map(inside).join(', ')}]`;
    if (typeof value === 'object')
        return `{${Object.entries(value).map(([key, each]) => `${key}: ${inside(each)}`).join(', ')}}`;
    return value;
}

/** @param {Flow} value */
function inside(value) {
    return typeof value === 'string' && (value === '' || /[,[\]{}:#"'\\]/.test(value))
        ? `"${value.replace(/["\\]/g, '\\$&')}"` : writeFlow(value);
}
