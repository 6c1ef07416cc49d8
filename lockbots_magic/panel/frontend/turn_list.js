/** Pure functions on the turns that a view shows, and on the order of messages about a reply. */

/** Whether two versions of a turn look the same; the HTML follows from the text. */
export function isSameTurn(one, other) {
  return one === other || JSON.stringify({ ...one, html: "" }) === JSON.stringify({ ...other, html: "" });
}

/**
 * Add a turn to a list.
 * @param {Object[]} turns - Turns in order; not changed.
 * @param {Object} message
 * @param {Object} message.turn - The turn. One with the same id is replaced.
 * @param {string} [message.replaces] - Id of the turn that it replaces.
 * @param {?string} [message.after] - Id of the turn that it follows; null if it is the first.
 * @param {string[]} [message.stale] - Ids of turns that have become outdated.
 * @param {boolean} hasEarlier - Whether there are turns before the list; a turn among those is not added.
 * @returns {Object[]}
 */
export function putTurn(turns, { turn, replaces, after, stale = [] }, hasEarlier) {
  const result = turns.map((one) => (stale.includes(one.id) ? { ...one, stale: true } : one));
  const old = result.findIndex(({ id }) => id === replaces || id === turn.id);
  const before = result.findIndex(({ id }) => id === after);
  if (old >= 0) result.splice(old, 1, turn);
  else if (before >= 0 || (after === null && !hasEarlier)) result.splice(before + 1, 0, turn);
  return result;
}

/**
 * Return the turns loaded earlier that a snapshot leaves valid: those before its first turn.
 * @param {Object[]} shown - The turns shown so far.
 * @param {Object[]} turns - The last turns of the conversation.
 * @param {number} total - Number of turns of the conversation.
 */
export function earlierTurns(shown, turns, total) {
  const start = shown.findIndex(({ id }) => id === turns[0]?.id);
  return start > 0 && start <= total - turns.length ? shown.slice(0, start) : [];
}

/**
 * Compare a `frame` or `end` message with the reply in progress.
 * @param {{id: string, seq: number}} message
 * @param {?{id: ?string, seq: number}} reply - The reply shown in progress.
 * @param {boolean} isWhole - Whether the message holds the whole reply, so that earlier frames don't matter.
 * @returns {"next"|"gap"|"repeated"} "gap": messages before it were lost.
 */
export function compareSequence({ id, seq }, reply, isWhole = false) {
  const known = id === reply?.id ? reply.seq : -1;
  if (known >= 0 && (seq === known + 1 || (isWhole && seq > known))) return "next";
  return seq > known + 1 ? "gap" : "repeated";
}
