// What tests/browser holds to its words without a browser.
export { queryOf } from './archivequery.js';
export { columnsOf } from './columns.js';
export { freshnessOf } from './freshness.js';
export { HubClock } from './hubclock.js';
export { layout } from './layout.js';
export { parseRoute } from './route.js';
export { bandsOf, complainedOf, saysNothing, withBands } from './planbands.js';
export { draftOf, isReordered, minutesOf, planOf, withNewPhase, withOrder, withPhase } from './plandraft.js';
export { changedRule, changesOf, editsOf, quantity } from './ruletext.js';
export { Series } from './series.js';
export { Store } from './store.js';
export { Columns, bounds, extent } from './trace.js';
export { unitSuffix, unitSymbol } from './units.js';
export { View } from './view.js';
export { NONE, decodeFrame, decodeWatch, encodeFrame, encodeWatch, valueOf } from './wire.js';
export { number, sentence, setLanguage, span, term } from './words.js';
