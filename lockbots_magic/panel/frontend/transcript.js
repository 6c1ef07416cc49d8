/** List of turns with the reply in progress, and the scroll position in it. */

import { button, h, iconButton, setChildren } from "./dom.js";
import { earlierTurns, isSameTurn, putTurn } from "./turn_list.js";

const END_DISTANCE = 24; // px from the end at which the reader still follows new text
const POINTER_ENDS = ["pointerup", "pointercancel"];
const PRELOAD_DISTANCE = "400px"; // from the oldest turn shown at which earlier ones are requested

/** The turns of a view. */
export class Transcript {
  constructor(panel) {
    this.panel = panel;
    this.name = null; // of the conversation
    this.turns = [];
    this.shown = new Map(); // id -> article
    this.inProgress = null; // {id, prompt, replaces, from, article, seq, ...}; id is null until the kernel has begun
    this.hasEarlier = false;
    this.following = true; // whether the reader is at the end and stays there
    this.target = null; // {name, id} of the turn to go to, once it is shown
    this.isHeld = false;
    this.scrollTop = 0; // at the last scroll event
    this.end = 0; // highest scroll position then
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
    this.suggestions = h("div", { class: "lb-suggestions" });
    this.empty = h("div", { class: "lb-empty", hidden: true },
      h("p", {}, t("empty")), this.suggestions, h("p", {}, t("keys")), this.cells);
    this.loading = h("div", { class: "lb-loading" }, t("loading"));
    const described = { role: "log", "aria-live": "off", "aria-label": t("transcript"), tabindex: "0" };
    this.log = h("div", { class: "lb-log", ...described, scroll: () => this.onScroll(), pointerdown: this.onPointer },
      this.earlier, this.loading, this.empty, this.list);
    this.toEnd = iconButton("down", t("to_end"), () => this.goToEnd(), "lb-to-end");
    this.root = h("div", { class: "lb-body" }, this.log, this.toEnd);
  }

  /** Offer prompts to begin with: the texts `key_1` to `key_3`. One that is chosen is put into the box, not sent. */
  suggest(key) {
    if (key === this.suggested) return; // a button may have the focus
    this.suggested = key;
    const { panel } = this;
    const offer = (text) => button(text, () => (panel.composer.setText(text), panel.composer.area.focus()));
    this.suggestions.replaceChildren(...[1, 2, 3].map((n) => offer(panel.t(`${key}_${n}`))));
  }

  open() {
    for (const name of POINTER_ENDS) addEventListener(name, this.onPointer);
  }

  close() {
    for (const name of POINTER_ENDS) removeEventListener(name, this.onPointer);
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
      if (turns.some(({ id }) => id === this.inProgress?.id)) this.keepProgress(this.inProgress.id);
      else if (isOther || (this.inProgress?.id ?? reply?.id) !== reply?.id) this.discardProgress();
      this.turns = [...kept, ...turns];
      this.setHasEarlier(kept.length ? this.hasEarlier : more);
      if (reply) this.begin({ ...reply, from: null }); // the page that sent the prompt may have been reloaded
    });
    this.showTarget();
  }

  onEarlier({ before, turns, more }) {
    this.requested = null;
    if (before !== this.turns[0]?.id) return;
    this.change(() => {
      this.turns = [...turns, ...this.turns];
      this.setHasEarlier(more);
    });
    this.showTarget();
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

  /** Show a reply in progress, as far as it has arrived. A prompt that was just sent becomes the prompt of the reply. */
  begin({ id, prompt, model = "", finished = "", open = "", notice = "", seq = 0, replaces, from }) {
    this.change(() => {
      if (this.inProgress?.id && this.inProgress.id !== id) this.discardProgress();
      const { article } = this.inProgress ?? { article: this.panel.renderer.createArticle(prompt) };
      this.inProgress = { id, prompt, model, replaces, from, article };
      this.panel.renderer.showProgress(article, prompt, id !== null);
      article.reply.finishedNodes = 0;
      this.onFrame({ finished, open, notice, seq });
    });
  }

  onFrame({ finished, open, notice, seq }) {
    const { reply, waits, notices } = this.inProgress.article;
    this.inProgress.seq = seq;
    this.inProgress.open = open;
    reply.grow(finished, open);
    waits.classList.toggle("lb-bare", reply.root.hasChildNodes());
    notices.replaceChildren(...(notice ? [h("div", { class: "lockbots-notice" }, this.panel.t.notice(notice))] : []));
    this.follow();
  }

  /** Ask about a tool call of the reply in progress, or take the question away. */
  onApproval({ id, reply, question, is_open: isOpen }) {
    if (this.inProgress?.id !== reply) return;
    const { node, notices, questions } = this.inProgress.article;
    questions.get(id)?.remove();
    questions.set(id, isOpen ? this.panel.renderer.question(id, question) : null);
    if (isOpen) node.insertBefore(questions.get(id), notices);
    this.follow();
  }

  /** Turn the reply in progress into a failed turn with the text received so far; it may turn out to be going on. */
  abort(notice) {
    const { id, prompt, model, open, article } = this.inProgress;
    const text = article.reply.root.textContent;
    const turn = { id, prompt, model, text, html: "", status: "error", notices: [notice], isAborted: true };
    this.onEnd({ turn, same: true, rest: open });
  }

  /** Replace the reply in progress by its turn, or remove it if it has none. */
  onEnd({ turn, same, rest, stale }) {
    const { replaces, article } = this.inProgress;
    this.change(() => {
      if (!turn) return this.discardProgress();
      if (same) article.reply.grow(rest, "");
      else article.reply.show(turn.html);
      this.panel.renderer.showTurn(article, turn);
      this.keepProgress(turn.id);
      this.put({ turn, replaces, after: this.turns.at(-1)?.id ?? null, stale });
    });
  }

  /** Keep the article of the reply in progress for the turn that it has become: the reader's place is in it. */
  keepProgress(id) {
    this.shown.set(id, this.inProgress.article);
    this.inProgress = null;
  }

  discardProgress() {
    this.inProgress?.article.node.remove();
    this.inProgress = null;
  }

  /** Whether a turn is shown as the kernel has sent it. */
  isShown(id) {
    return this.turns.some((turn) => turn.id === id && !turn.isAborted);
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
    this.shown = new Map(this.turns.map((turn) => [turn.id, this.article(turn, this.shown.get(turn.id))]));
    const nodes = [...this.shown].flatMap(([id, { node }]) => {
      node.hidden = id === inProgress?.replaces;
      return node.hidden ? [node, inProgress.article.node] : [node];
    });
    const current = inProgress?.article.node;
    if (current && !nodes.includes(current)) nodes.push(current);
    setChildren(this.list, nodes);
    this.empty.hidden = nodes.length > 0;
  }

  /** Return the article of a turn: the old one as it is if the turn looks the same or its prompt is being edited. */
  article(turn, old) {
    if (old?.turn && (isSameTurn(turn, old.turn) || old.node.querySelector(".lb-edit"))) return old;
    const article = old ?? this.panel.renderer.createArticle(turn.prompt);
    if (article.turn?.text !== turn.text) article.reply.show(turn.html);
    this.panel.renderer.showTurn(article, turn);
    return article;
  }

  // Scrolling

  /** Follow new text once the reader has come to the end, and no more once the reader has gone up. */
  onScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.log;
    const end = scrollHeight - clientHeight;
    const isUp = scrollTop < this.scrollTop - 1;
    if (isUp) this.following &&= end < this.end; // else the text has become shorter, and the browser has scrolled
    else if (end - scrollTop < END_DISTANCE) this.following = true;
    Object.assign(this, { scrollTop, end });
    this.toEnd.hidden = this.following;
  }

  follow() {
    if (this.following && !this.isHeld) this.log.scrollTop = this.log.scrollHeight;
    this.toEnd.hidden = this.following;
  }

  /** Keep the text still while a pointer is pressed: the reader selects some of it. */
  onPointer = ({ type }) => {
    this.isHeld = type === "pointerdown";
    this.follow();
  };

  /** Go to a turn of a conversation, as soon as it is shown. */
  goTo(name, id) {
    this.target = { name, id };
    this.showTarget();
  }

  /** Scroll to the turn to go to and focus it, so that it is read aloud; earlier turns are requested until it is there. */
  showTarget() {
    if (this.target?.name !== this.name) return;
    const article = this.shown.get(this.target.id);
    if (!article && this.hasEarlier) return this.requestEarlier();
    this.target = null;
    if (!article) return;
    this.following = false;
    article.node.setAttribute("tabindex", "-1");
    article.node.scrollIntoView({ block: "start" });
    article.node.focus({ preventScroll: true });
  }

  goToEnd() {
    this.following = true;
    this.follow();
    this.log.focus({ preventScroll: true }); // the button that had the focus is hidden now
  }
}
