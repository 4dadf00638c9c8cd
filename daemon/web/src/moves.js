// Elements that change places keep their focus, for Preact moves them by moveBefore where there is one.
// Chromium (seen in 156) forgets then which styles had to be worked out again: a tile that became high
// and first at once stayed yellow, a value that is stale looked fresh. So styles are settled before.

export function settleBeforeMoves() {
    // The type check knows of no moveBefore yet.
    const element = /** @type {{moveBefore?: (node: Node, before: Node | null) => void}} */ (Element.prototype);
    const move = element.moveBefore;
    if (!move) return;
    element.moveBefore = function settled(node, before) {
        document.getAnimations(); // settles all styles, and lays nothing out
        move.call(this, node, before);
    };
}
