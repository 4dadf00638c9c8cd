// Limits on strips: which of them belong on one.

/** @typedef {{limit: number, above: boolean, priority: number}} Limit beyond it is above, or below */

/** Each once, with the highest priority that it has.
 *  @param {number} metric @param {Map<number, import('#live').Rule>} rules
 *  @param {import('#live').Session | undefined} session of the room @returns {Limit[]} */
export function limitsOf(metric, rules, session) {
    /** @type {Map<string, Limit>} */
    const limits = new Map();
    /** @param {import('#live').Limit} said @param {import('#live').Rule | undefined} rule */
    const take = (said, rule) => {
        const limit = said.above ?? said.below;
        if (said.metric !== metric || limit === null || !rule) return;
        const above = said.above !== null;
        const key = `${above ? '>' : '<'}${limit}`;
        if ((limits.get(key)?.priority ?? 0) < rule.priority)
            limits.set(key, { limit, above, priority: rule.priority });
    };
    for (const rule of rules.values())
        for (const said of rule.limits) take(said, rule);
    for (const said of session?.limits ?? []) take(said, rules.get(said.rule));
    return [...limits.values()];
}
