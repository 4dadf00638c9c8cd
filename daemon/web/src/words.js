// The language in use, and numbers and times as it writes them.
import { de } from './words-de.js';
import { en } from './words-en.js';

const LANGUAGES = { en, de };
const KEPT_AS = 'lumbar.language';

/** @typedef {keyof typeof LANGUAGES} Language */

/** @type {Language} */
let language = preferred();
export let words = LANGUAGES[language];

/** @type {Map<number, Intl.NumberFormat>} */
const numbers = new Map();

/** @returns {Language} */
function preferred() {
    const kept = typeof localStorage === 'undefined' ? null : localStorage.getItem(KEPT_AS);
    if (kept === 'en' || kept === 'de') return kept;
    return typeof navigator !== 'undefined' && navigator.language.startsWith('de') ? 'de' : 'en';
}

/** @returns {Language} */
export function otherLanguage() {
    return language === 'en' ? 'de' : 'en';
}

/** @param {Language} code */
export function languageName(code) {
    return LANGUAGES[code].language;
}

/** @param {Language} code */
export function setLanguage(code) {
    language = code;
    words = LANGUAGES[code];
    numbers.clear();
    localStorage.setItem(KEPT_AS, code);
    document.documentElement.lang = code;
}

/** What a plugin or a rule calls a metric, a label or a kind of device, where this language has a word
 *  for it; else as it is called. @param {string} english */
export function term(english) {
    return words.terms[english] ?? english;
}

/** @typedef {{english: RegExp, names: string[], said: string}} Pattern */

/** @type {Map<Record<string, string>, Pattern[]>} of each language */
const patterns = new Map();

/** "Low back bent {value} for {for}." as what finds it, with its values. @param {[string, string]} sentence
 *  @returns {Pattern} */
function patternOf([english, said]) {
    const names = [...english.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const parts = english.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return { english: new RegExp(`^${parts.join('(.+?)')}$`), names, said };
}

/** A figure as this language writes it: "31.5 %". @param {string} text */
function figureIn(text) {
    return text.replace(/(\d)\.(?=\d)/g, `$1${words.point}`);
}

/** What a rule says, values and all, where this language has the words of it; else as it is said.
 *  @param {string} english */
export function sentence(english) {
    const of = words.sentences;
    // The longer first: a shorter one may find its words within a value of theirs.
    if (!patterns.has(of))
        patterns.set(of, Object.entries(of).sort(([a], [b]) => b.length - a.length).map(patternOf));
    for (const { english: pattern, names, said } of patterns.get(of) ?? []) {
        const [, ...values] = pattern.exec(english) ?? [];
        if (values.length > 0)
            return said.replace(/\{(\w+)\}/g, (whole, name) => (names.includes(name)
                ? name === 'device' ? values[names.indexOf(name)] : figureIn(term(values[names.indexOf(name)]))
                : whole));
    }
    return term(english);
}

/** With exactly so many digits after the point. @param {number} value @param {number} decimals */
export function number(value, decimals = 0) {
    let format = numbers.get(decimals);
    if (!format) {
        format = new Intl.NumberFormat(words.locale,
            { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
        numbers.set(decimals, format);
    }
    // -0.04 with one digit is not minus nothing.
    const text = format.format(Number(value.toFixed(decimals)) || 0);
    return text.replace('-', '\u2212');
}

/** hh:mm:ss, as both languages write it: what Intl takes 40 ms to prepare is on every screen.
 *  @param {number} time_ms */
export function clockTime(time_ms) {
    if (!Number.isFinite(time_ms)) return '\u2013';
    const at = new Date(time_ms);
    return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

/** "26 Nov 2026". @param {number} time_ms */
export function day(time_ms) {
    return new Intl.DateTimeFormat(words.locale, { dateStyle: 'medium' }).format(time_ms);
}

/** "Nov", with its year in January. @param {number} time_ms */
export function month(time_ms) {
    const january = new Date(time_ms).getMonth() === 0;
    return new Intl.DateTimeFormat(words.locale, january ? { year: 'numeric' } : { month: 'short' })
        .format(time_ms);
}

/** "4:05". @param {number} ms */
export function minuteSecond(ms) {
    const s = Math.floor(ms / 1000);
    return `${number(Math.floor(s / 60))}:${String(s % 60).padStart(2, '0')}`;
}

/** "7 s", "12 min", "3 h". @param {number} ms */
export function span(ms) {
    const s = Math.max(0, Math.floor(ms / 1000));
    if (s < 120) return words.seconds(number(s));
    if (s < 7200) return words.minutes(number(Math.floor(s / 60)));
    return words.hours(number(Math.floor(s / 3600)));
}
