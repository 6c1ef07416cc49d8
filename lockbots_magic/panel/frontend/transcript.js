/** List of turns with the reply in progress, and the scroll position in it. */

import { button, h, iconButton, setChildren } from "./dom.js";
import { earlierTurns, isSameTurn, putTurn } from "./turn_list.js";

const END_DISTANCE = 24; // px from the end at which the reader still follows new text
const PRELOAD_DISTANCE = "400px"; // from the oldest turn shown at which earlier ones are requested

/** The turns of a view. */
export class Transcript {
  constructor(panel) {
    this.panel = panel;
    this.name = null; // of the conversation
    this.turns = [];
    this.shown = new Map(); // id -> {turn, reply, node}
    this.inProgress = null; // {id, prompt, replaces, reply, node, seq, ...}; id is null until the kernel has begun
    this.hasEarlier = false;
    this.following = true; // whether the reader is at the end and stays there
    this.scrollTop = 0;
    this.buildElements();
    this.resized = new ResizeObserver(() => this.follow());
    this.resized.observe(this.list);
    this.resized.observe(this.log);
    this.reached = new IntersectionObserver((seen) => seen.at(-1).isIntersecting && this.requestEarlier(), {
      root: this.log, rootMargin: `${PRELOAD_DISTANCE} 0px 0px`,
    });
  }

  buildElements() {
    const { t } = this.panel;
    this.earlier = h("div", { class: "lb-earlier", hidden: true }, button(t("earlier"), () => this.requestEarlier()));
    this.list = h("div", { class: "lb-list" });
    this.cells = h("p");
    this.empty = h("div", { class: "lb-empty", hidden: true }, h("p", {}, t("empty")), h("p", {}, t("keys")), this.cells);
    this.loading = h("div", { class: "lb-loading" }, t("loading"));
    const described = { role: "log", "aria-live": "off", "aria-label": t("transcript"), tabindex: "0" };
    this.log = h("div", { class: "lb-log", ...described, scroll: () => this.onScroll() },
      this.earlier, this.loading, this.empty, this.list);
    this.toEnd = iconButton("down", t("to_end"), () => this.goToEnd(), "lb-to-end");
    this.root = h("div", { class: "lb-body" }, this.log, this.toEnd);
  }

  close() {
    this.resized.disconnect();
    this.reached.disconnect();
  }

  // Turns

  /** Show the full state. Turns loaded earlier are kept if they still come before those of the snapshot. */
  onSnapshot({ conversation, turns, more, reply }) {
    const isOther = conversation.name !== this.name;
    const kept = isOther ? [] : earlierTurns(this.turns, turns, conversation.total);
    this.name = conversation.name;
    this.following ||= isOther;
    this.loading.remove();
    this.change(() => {
      if (isOther || this.inProgress?.id) this.discardProgress(); // a prompt sent just now is not in the snapshot yet
      this.turns = [...kept, ...turns];
      this.setHasEarlier(kept.length ? this.hasEarlier : more);
      if (reply) this.begin(reply);
    });
  }

  onEarlier({ before, turns, more }) {
    this.requested = null;
    if (before !== this.turns[0]?.id) return;
    this.change(() => {
      this.turns = [...turns, ...this.turns];
      this.setHasEarlier(more);
    });
  }

  setHasEarlier(hasEarlier) {
    this.hasEarlier = hasEarlier;
    this.earlier.hidden = !hasEarlier;
    this.reached.unobserve(this.earlier); // observing it again reports at once whether it is visible
    if (hasEarlier) this.reached.observe(this.earlier);
  }

  requestEarlier() {
    const before = this.turns[0]?.id;
    if (!this.hasEarlier || !before || this.requested === before) return;
    this.requested = before;
    this.panel.connection.post({ type: "earlier", view: this.panel.connection.view, before });
  }

  /** Add a turn; see `putTurn`. */
  put(message) {
    this.turns = putTurn(this.turns, message, this.hasEarlier);
  }

  onTurn(message) {
    this.change(() => this.put(message));
  }

  // The reply in progress

  /** Show a reply in progress, as far as it has arrived. */
  begin({ id, prompt, model = "", finished = "", open = "", notice = "", seq = 0, replaces }) {
    this.change(() => {
      const before = this.inProgress;
      this.discardProgress();
      const article = this.panel.renderer.renderProgress(prompt, id !== null);
      this.inProgress = { id, prompt, model, replaces: replaces ?? before?.replaces, ...article };
      this.onFrame({ finished, open, notice, seq });
    });
  }

  onFrame({ finished, open, notice, seq }) {
    const { reply, waits, notices } = this.inProgress;
    this.inProgress.seq = seq;
    this.inProgress.open = open;
    reply.grow(finished, open);
    waits.classList.toggle("lb-bare", reply.root.hasChildNodes());
    notices.replaceChildren(...(notice ? [h("div", { class: "lockbots-notice" }, this.panel.t.notice(notice))] : []));
    this.follow();
  }

  /** Turn the reply in progress into a failed turn with the text received so far. */
  abort(notice) {
    const { id, prompt, model, open, reply } = this.inProgress;
    const text = reply.root.textContent;
    this.onEnd({ turn: { id, prompt, model, text, html: "", status: "error", notices: [notice] }, same: true, rest: open });
  }

  /** Replace the reply in progress by its turn, or remove it if it has none. */
  onEnd({ turn, same, rest, stale }) {
    const { replaces, reply } = this.inProgress;
    this.change(() => {
      this.discardProgress();
      if (!turn) return;
      if (same) reply.grow(rest, "");
      else reply.show(turn.html);
      this.panel.renderer.addCodeTools(reply);
      this.shown.set(turn.id, { turn, reply, node: this.panel.renderer.renderTurn(turn, reply) });
      this.put({ turn, replaces, after: this.turns.at(-1)?.id ?? null, stale });
    });
  }

  discardProgress() {
    this.inProgress?.node.remove();
    this.inProgress = null;
  }

  // Elements

  /** Apply a change and update the elements. A reader at the end stays there; others keep their position. */
  change(action) {
    const start = this.log.getBoundingClientRect().top;
    const isVisible = (node) => !node.hidden && node.getBoundingClientRect().bottom > start;
    const first = this.following ? null : [...this.list.children].find(isVisible);
    const before = first?.getBoundingClientRect().top;
    action();
    this.update();
    if (first?.isConnected) this.log.scrollTop += first.getBoundingClientRect().top - before;
    this.follow();
  }

  /** Bring the list in line with the turns. Elements of turns that have not changed are not touched. */
  update() {
    const { inProgress } = this;
    this.shown = new Map(this.turns.map((turn) => [turn.id, this.element(turn, this.shown.get(turn.id))]));
    const nodes = [...this.shown].flatMap(([id, { node }]) => {
      node.hidden = id === inProgress?.replaces;
      return node.hidden ? [node, inProgress.node] : [node];
    });
    if (inProgress && !nodes.includes(inProgress.node)) nodes.push(inProgress.node);
    setChildren(this.list, nodes);
    this.empty.hidden = nodes.length > 0;
  }

  /** Return the element of a turn: the old one if the turn looks the same or its prompt is being edited. */
  element(turn, old) {
    if (old && (isSameTurn(turn, old.turn) || old.node.querySelector(".lb-edit"))) return old;
    const reply = old?.turn.text === turn.text ? old.reply : this.panel.renderer.renderReply(turn.html);
    return { turn, reply, node: this.panel.renderer.renderTurn(turn, reply) };
  }

  // Scrolling

  onScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.log;
    if (scrollHeight - scrollTop - clientHeight < END_DISTANCE) this.following = true;
    else if (scrollTop < this.scrollTop - 1) this.following = false; // only the reader scrolls up
    this.scrollTop = scrollTop;
    this.toEnd.hidden = this.following;
  }

  follow() {
    if (this.following) this.log.scrollTop = this.log.scrollHeight;
    this.toEnd.hidden = this.following;
  }

  goToEnd() {
    this.following = true;
    this.follow();
    this.log.focus({ preventScroll: true }); // the button that had the focus is hidden now
  }
}
