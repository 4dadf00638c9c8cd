// The course of a client: what may be said of it first, then a year on one screen, then each session.
import { Component } from 'preact';
import { recordAddress } from './archive.js';
import { askHub, complaintOf, isDone } from './ask.js';
import { ClientPlans } from './clientplan.js';
import { CourseChart } from './coursechart.js';
import { html } from './html.js';
import { ReportLink } from './treatment.js';
import { unitSuffix } from './units.js';
import { day, number, term, words } from './words.js';

/** @typedef {{time_ms: number, mean: number | null, sum: number | null}} Dose
 *  @typedef {{id: number, state: string, opened: string, plan: string | null,
 *    pain: {before: number | null, after: number | null}, rmdq: number | null, odi: number | null,
 *    adverse: boolean, dose: Dose}} CourseSession
 *  @typedef {{at: string, metric: string, title: string, side: 'low' | 'high', best: number,
 *    spread: number | null}} CourseRange
 *  @typedef {{what: string, metric: string | null, side: string | null, values: number, verdict: string,
 *    first: {at: string, value: number}, last: {at: string, value: number},
 *    words: Record<string, string>}} Told
 *  @typedef {{client: string, from: string, to: string, more: boolean, unit: string | null, told: Told[],
 *    sessions: CourseSession[], ranges: CourseRange[]}} Course as the API says it */

/** @extends {Component<{store: import('./store.js').Store, name: string, width: number},
 *    {course: Course | null, complaint: string}>} */
export class CourseScreen extends Component {
    /** @type {{course: Course | null, complaint: string}} */
    state = { course: null, complaint: '' };

    async componentDidMount() {
        const answer = await askHub('GET', `/clients/${encodeURIComponent(this.props.name)}/course`);
        this.setState({ course: isDone(answer) ? answer.said : null, complaint: complaintOf(answer) });
    }

    render() {
        const { course, complaint } = this.state;
        if (complaint) return html`<p class="empty" role="alert">${complaint}</p>`;
        if (!course) return html`<p class="empty">${words.waiting}</p>`;
        return html`<div class="room course">
            <h1>${words.courseOf(course.client)}</h1>
            ${course.sessions.length === 0 && html`<p class="empty">${words.noCourse}</p>`}
            <${ToldList} told=${course.told} />
            ${course.sessions.length > 0 && html`<${CourseChart} course=${course} width=${this.props.width} />`}
            <${Sessions} course=${course} />
            <p class="hint">${words.courseHint}</p>
            <${ClientPlans} store=${this.props.store} client=${course.client} />
        </div>`;
    }
}

/** @param {{told: Told[]}} props */
function ToldList({ told }) {
    return html`<ul class="told">${told.map((one, i) => html`<li key=${i}>
        <b>${one.words[words.code]}</b>
        ${one.values > 1 && html` <span>${words.firstThenLast(figure(one, one.first.value),
            day(Date.parse(one.first.at)), figure(one, one.last.value), day(Date.parse(one.last.at)))}</span>`}
    </li>`)}</ul>`;
}

/** @param {Told} told @param {number} value */
function figure(told, value) {
    return told.what === 'range' ? `${number(value)}°` : number(value);
}

/** The newest first. @param {{course: Course}} props */
function Sessions({ course }) {
    if (course.sessions.length === 0) return null;
    const score = (/** @type {number | null} */ value) => (value === null ? '–' : number(value));
    return html`<div class="scroll"><table class="sessions">
        <thead><tr><th>${words.date}</th><th>${words.plan}</th><th>${words.painChange}</th><th>RMDQ</th>
            <th>ODI</th><th>${words.doseShort}</th><th>${words.report}</th></tr></thead>
        <tbody>${[...course.sessions].reverse().map(({ id, opened, plan, pain, rmdq, odi, dose, state, adverse }) =>
            html`<tr key=${id}>
                <td><a class="report" href=${recordAddress(id)}>${day(Date.parse(opened))}</a></td>
                <td>${term(plan ?? '–')}${state === 'aborted' && html`<br /><b>${words.aborted}</b>`}
                    ${adverse && html`<br /><b>${words.adverseShort}</b>`}</td>
                <td>${score(pain.before)} → ${score(pain.after)}</td>
                <td>${score(rmdq)}</td><td>${score(odi)}</td>
                <td>${words.minutes(number(dose.time_ms / 60000))}${dose.sum !== null
                    && html`<br /><small>${number(dose.sum)}${unitSuffix(course.unit ?? '')}·min</small>`}</td>
                <td><${ReportLink} id=${id} /></td>
            </tr>`)}</tbody>
    </table></div>`;
}
