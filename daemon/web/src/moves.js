// Preact moves elements that change places by moveBefore where there is one, so that they keep the
// focus. Chromium (seen in 156) forgets then which styles had to be worked out again: a tile that became
// high and first at once stayed yellow, a value that is stale looked fresh. So only what has the focus
// is moved, with all styles settled before; what has not is inserted, which costs its own styles alone.

export function settleBeforeMoves() {
    // The type check knows of no moveBefore yet.
    const element = /** @type {{moveBefore?: (node: Node, before: Node | null) => void}} */ (Element.prototype);
    const move = element.moveBefore;
    if (!move) return;
    element.moveBefore = function settled(node, before) {
        const place = /** @type {Node} */ (/** @type {unknown} */ (this));
        if (!node.contains(document.activeElement)) {
            place.insertBefore(node, before);
            return;
        }
        document.getAnimations(); // settles all styles, and lays nothing out
        move.call(this, node, before);
    };
}
