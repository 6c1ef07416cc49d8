/**
 * Morphing: make nodes like others and touch only what differs. A selection in what stays the same survives, and so do
 * scroll positions and listeners.
 */

/**
 * Make the children of an element like `nodes`.
 * @param {Element} parent
 * @param {Node[]} nodes - Used up: some of them move into `parent`.
 * @param {number} first - Index of the first child that may change.
 */
export function morphChildren(parent, nodes, first = 0) {
  nodes.forEach((node, index) => {
    const old = parent.childNodes[first + index];
    if (!old) parent.append(node);
    else if (!morph(old, node)) old.replaceWith(node);
  });
  while (parent.childNodes.length > first + nodes.length) parent.lastChild.remove();
}

/** Make a node like another one of its kind; returns false if they differ in kind or attributes. */
function morph(old, node) {
  if (old.formula !== undefined) return old.formula === node.textContent && node.matches?.(".mathjax_process") === true;
  if (old.isEqualNode(node)) return true;
  if (old.nodeType === Node.TEXT_NODE && node.nodeType === Node.TEXT_NODE) return changeText(old, node.data);
  if (!old.cloneNode(false).isEqualNode(node.cloneNode(false))) return false;
  morphChildren(old, [...node.childNodes]);
  return true;
}

/** Change a text after what it has in common with the new one. */
function changeText(node, text) {
  const { data } = node;
  let common = 0;
  while (common < data.length && data[common] === text[common]) common += 1;
  node.replaceData(common, data.length - common, text.slice(common));
  return true;
}
