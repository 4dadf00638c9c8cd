// TypeScript declarations of what `pbf` generates from a schema, for the type check.

const NUMBERS = /^(u?int32|u?int64|sint32|sint64|fixed32|sfixed32|float)$/;

/** @param {any} proto a schema as protocol-buffers-schema parses it */
export function declareTypes(proto) {
    return proto.enums.map(declareEnum).join('')
        + proto.messages.map((/** @type {any} */ message) => declareMessage(message, '')).join('');
}

/** @param {any} message @param {string} outer the name of the message that it stands in */
function declareMessage(message, outer) {
    const name = outer + message.name;
    const inner = new Map([...message.messages, ...message.enums].map((type) => [type.name, name]));
    const fields = message.fields.map((/** @type {any} */ field) =>
        `    ${field.name}${isMessage(field) && !field.repeated ? '?' : ''}: `
        + `${typeOf(field, inner)}${field.repeated ? '[]' : ''};\n`);
    return `export interface ${name} {\n${fields.join('')}}\n`
        + `export function read${name}(pbf: unknown, end?: number): ${name};\n`
        + `export function write${name}(obj: Partial<${name}>, pbf: unknown): void;\n`
        + message.enums.map((/** @type {any} */ type) => declareEnum(type, name)).join('')
        + message.messages.map((/** @type {any} */ type) => declareMessage(type, name)).join('');
}

/** @param {any} type @param {string | number} outer */
function declareEnum(type, outer) {
    const name = (typeof outer === 'string' ? outer : '') + type.name;
    const values = Object.entries(type.values).map(([key, { value }]) => `    ${key}: ${value};\n`);
    return `export const ${name}: {\n${values.join('')}};\n`
        + `export type ${name} = (typeof ${name})[keyof typeof ${name}];\n`;
}

/** @param {any} field @param {Map<string, string>} inner */
function typeOf(field, inner) {
    if (NUMBERS.test(field.type)) return 'number';
    if (field.type === 'fixed64') return 'bigint';
    if (field.type === 'double') return 'number | null';
    if (field.type === 'bool') return 'boolean';
    if (field.type === 'string') return 'string';
    return (inner.get(field.type) ?? '') + field.type;
}

/** Enums have a default, messages may be missing. @param {any} field */
function isMessage(field) {
    return /^[A-Z]/.test(field.type) && !['Type', 'Role', 'Presence', 'Priority'].includes(field.type);
}
