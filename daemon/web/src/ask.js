// A question to the hub's JSON API, or an order.
import { words } from './words.js';

const ANSWER_MS = 10000;
const CREATES = ['/clients', '/sessions', '/users', '/tokens'];

/** @typedef {'GET' | 'POST' | 'PUT' | 'DELETE'} Method
 *  @typedef {{status: number, said: any, tag: string, again_s: number}} Answer status 0: none came; tag: of
 *    the version, '' where the answer says none; again_s: not to be asked again before, 0: nothing is
 *    said of it */

/** What creates something says a key: asked again because the way there broke, the hub gives what the
 *  first question has made.
 *  @param {Method} method @param {string} path below /api/v1 @param {object} [body]
 *  @param {string} [tag] of the version that an edit changes
 *  @param {number} [patience_ms] until the answer
 *  @returns {Promise<Answer>} */
export async function askHub(method, path, body, tag, patience_ms = ANSWER_MS) {
    if (method !== 'POST' || !CREATES.includes(path))
        return ask(method, path, body, tag ? { 'If-Match': tag } : {}, patience_ms);
    const key = { 'Idempotency-Key': crypto.randomUUID() };
    const answer = await ask(method, path, body, key, patience_ms);
    return answer.status === 0 ? ask(method, path, body, key, patience_ms) : answer;
}

/** @param {Method} method @param {string} path @param {object | undefined} body
 *  @param {Record<string, string>} more headers @param {number} patience_ms @returns {Promise<Answer>} */
async function ask(method, path, body, more, patience_ms) {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), patience_ms);
    try {
        const answer = await fetch(`/api/v1${path}`, {
            method,
            // Whatever changes something says it, with a body or without: no form of another site can.
            headers: { ...more, ...(method !== 'GET' && { 'Content-Type': 'application/json' }) },
            body: body && JSON.stringify(body),
            signal: late.signal,
        });
        return { status: answer.status, said: await answer.json(), tag: answer.headers.get('ETag') ?? '',
            again_s: Number(answer.headers.get('Retry-After')) };
    } catch {
        return { status: 0, said: null, tag: '', again_s: 0 };
    } finally {
        clearTimeout(timer);
    }
}

/** Was it done, whatever became of it on the disk? @param {Answer} answer */
export function isDone({ status }) {
    return status >= 200 && status < 300;
}

/** Why an order was not done or is not kept, as the hub says it; '' where all is well.
 *  @param {Answer} answer */
export function complaintOf({ status, said }) {
    if (status === 0) return words.noAnswer;
    if (status < 200 || status >= 300) return words.hubRefused(said?.detail ?? String(status));
    return said?.stored === false ? words.notStored : '';
}
