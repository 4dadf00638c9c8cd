// UCUM, as metrics name their units, to what people read. By unit only: the page knows no metric.

/** @type {Record<string, string>} */
const SYMBOLS = {
    1: '',
    Cel: '°C',
    deg: '°',
    'deg/s': '°/s',
    'm/s2': 'm/s²',
    m2: 'm²',
    'dB{mW}': 'dBm',
    'dB[mW]': 'dBm',
    'mm[Hg]': 'mmHg',
    Ohm: 'Ω',
    uA: 'µA',
    uS: 'µS',
    us: 'µs',
};

/** What UCUM writes in braces is for people and counts nothing. @param {string} ucum */
export function unitSymbol(ucum) {
    return SYMBOLS[ucum] ?? ucum.replace(/\{(.*?)\}/g, ' $1').trim();
}

/** The symbol with the space that belongs before it: 43 °C, but 43°. @param {string} ucum */
export function unitSuffix(ucum) {
    const symbol = unitSymbol(ucum);
    return symbol === '' || symbol.startsWith('°') && symbol !== '°C' ? symbol : '\u202f' + symbol;
}
