/** The turns, and the reply under way. */

const NEAR = 24; // px from the end at which a reader still counts as being there
const AHEAD = "400px"; // from the oldest turn shown, where earlier ones are asked for

/** Whether two turns look the same; the HTML follows from the text. */
function isSame(one, other) {
  return one === other || JSON.stringify({ ...one, html: "" }) === JSON.stringify({ ...other, html: "" });
}

/** The turns, the reply under way, and where the reader is among them. */
class Transcript {
  constructor(panel) {
    const { t } = panel;
    this.panel = panel;
    this.name = null;
    this.turns = [];
    this.shown = new Map(); // by id: {turn, reply, node}
    this.growing = null; // {id, prompt, replaces, reply, node, ...}; the id is null until the kernel has begun
    this.more = false;
    this.following = true;
    this.top = 0;
    this.earlier = h("div", { class: "lb-earlier", hidden: true }, button(t("earlier"), () => this.askEarlier()));
    this.list = h("div", { class: "lb-list" });
    this.cells = h("p");
    this.empty = h("div", { class: "lb-empty", hidden: true }, h("p", {}, t("empty")), h("p", {}, t("keys")), this.cells);
    this.loading = h("div", { class: "lb-loading" }, t("loading"));
    const described = { role: "log", "aria-live": "off", "aria-label": t("turns_shown"), tabindex: "0" };
    this.log = h("div", { class: "lb-log", ...described, scroll: () => this.scrolled() },
      this.earlier, this.loading, this.empty, this.list);
    this.toEnd = iconButton("down", t("to_end"), () => this.goToEnd(), "lb-to-end");
    this.root = h("div", { class: "lb-body" }, this.log, this.toEnd);
    this.resized = new ResizeObserver(() => this.follow());
    this.resized.observe(this.list);
    this.resized.observe(this.log);
    this.reached = new IntersectionObserver((seen) => seen.at(-1).isIntersecting && this.askEarlier(), {
      root: this.log, rootMargin: `${AHEAD} 0px 0px`,
    });
  }

  close() {
    this.resized.disconnect();
    this.reached.disconnect();
  }

  /** Show how things stand; turns that were fetched earlier stay if they are still those before. */
  snapshot({ conversation, turns, more, reply }) {
    const switched = conversation.name !== this.name;
    const at = this.turns.findIndex(({ id }) => id === turns[0]?.id);
    const kept = !switched && at > 0 && at <= conversation.total - turns.length ? this.turns.slice(0, at) : [];
    this.name = conversation.name;
    this.following ||= switched;
    this.loading.remove();
    this.change(() => {
      if (switched || this.growing?.id) this.discard(); // what was sent just now is not in it yet
      this.turns = [...kept, ...turns];
      this.setMore(kept.length ? this.more : more);
      if (reply) this.begin(reply);
    });
  }

  addEarlier({ before, turns, more }) {
    this.asked = null;
    if (before !== this.turns[0]?.id) return;
    this.change(() => {
      this.turns = [...turns, ...this.turns];
      this.setMore(more);
    });
  }

  setMore(more) {
    this.more = more;
    this.earlier.hidden = !more;
    this.reached.unobserve(this.earlier); // observing anew tells at once whether it is in sight
    if (more) this.reached.observe(this.earlier);
  }

  askEarlier() {
    const before = this.turns[0]?.id;
    if (!this.more || !before || this.asked === before) return;
    this.asked = before;
    this.panel.link.post({ type: "earlier", view: this.panel.link.view, before });
  }

  begin({ id, prompt, model = "", finished = "", open = "", notice = "", seq = 0, replaces }) {
    this.change(() => {
      const before = this.growing;
      this.discard();
      const article = this.panel.articles.growing(prompt, id !== null);
      this.growing = { id, prompt, model, replaces: replaces ?? before?.replaces, ...article };
      this.frame({ finished, open, notice, seq });
    });
  }

  frame({ finished, open, notice, seq }) {
    const { reply, waits, notices } = this.growing;
    this.growing.seq = seq; // how many frames are in it
    this.growing.open = open;
    reply.grow(finished, open);
    waits.classList.toggle("lb-bare", reply.body.hasChildNodes());
    notices.replaceChildren(...(notice ? [h("div", { class: "lockbots-notice" }, this.panel.t.notice(notice))] : []));
    this.follow();
  }

  /** The reply under way will not go on: keep what has come, and say why. */
  breakOff(notice) {
    const { id, prompt, model, open, reply } = this.growing;
    const text = reply.body.textContent;
    this.end({ turn: { id, prompt, model, text, html: "", status: "error", notices: [notice] }, same: true, rest: open });
  }

  /** The reply under way has ended as a turn, or as none. */
  end({ turn, same, rest, stale }) {
    const { replaces, reply } = this.growing;
    this.change(() => {
      this.discard();
      if (!turn) return;
      if (same) reply.grow(rest, "");
      else reply.show(turn.html);
      this.panel.articles.dress(reply);
      this.shown.set(turn.id, { turn, reply, node: this.panel.articles.whole(turn, reply) });
      this.put({ turn, replaces, after: this.turns.at(-1)?.id ?? null, stale });
    });
  }

  /** Take in a turn, in the place of another one or after one; null is before all. */
  put({ turn, replaces, after, stale = [] }) {
    const turns = this.turns.map((one) => (stale.includes(one.id) ? { ...one, stale: true } : one));
    const old = turns.findIndex(({ id }) => id === replaces || id === turn.id);
    const behind = turns.findIndex(({ id }) => id === after);
    if (old >= 0) turns.splice(old, 1, turn);
    else if (behind >= 0 || (after === null && !this.more)) turns.splice(behind + 1, 0, turn);
    this.turns = turns;
  }

  discard() {
    this.growing?.node.remove();
    this.growing = null;
  }

  /** Change what is shown; a reader who follows the end goes on doing so, another one keeps the place. */
  change(act) {
    const start = this.log.getBoundingClientRect().top;
    const inSight = (node) => !node.hidden && node.getBoundingClientRect().bottom > start;
    const first = this.following ? null : [...this.list.children].find(inSight);
    const before = first?.getBoundingClientRect().top;
    act();
    this.arrange();
    if (first?.isConnected) this.log.scrollTop += first.getBoundingClientRect().top - before;
    this.follow();
  }

  /** Bring the list in line with the turns, touching none that is shown as it is. */
  arrange() {
    const { growing } = this;
    this.shown = new Map(this.turns.map((turn) => [turn.id, this.entry(turn, this.shown.get(turn.id))]));
    const nodes = [...this.shown].flatMap(([id, { node }]) => {
      node.hidden = id === growing?.replaces;
      return node.hidden ? [node, growing.node] : [node];
    });
    if (growing && !nodes.includes(growing.node)) nodes.push(growing.node);
    const wanted = new Set(nodes);
    for (const node of [...this.list.children]) if (!wanted.has(node)) node.remove();
    nodes.forEach((node, n) => node === this.list.children[n] || this.list.insertBefore(node, this.list.children[n] ?? null));
    this.empty.hidden = nodes.length > 0;
  }

  /** What a turn is shown in: as before if nothing has changed, or while its prompt is being edited. */
  entry(turn, old) {
    if (old && (isSame(turn, old.turn) || old.node.querySelector(".lb-edit"))) return old;
    const reply = old?.turn.text === turn.text ? old.reply : this.panel.articles.reply(turn.html);
    return { turn, reply, node: this.panel.articles.whole(turn, reply) };
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.log;
    if (scrollHeight - scrollTop - clientHeight < NEAR) this.following = true;
    else if (scrollTop < this.top - 1) this.following = false; // text that grows below moves nothing upwards
    this.top = scrollTop;
    this.toEnd.hidden = this.following;
  }

  follow() {
    if (this.following) this.log.scrollTop = this.log.scrollHeight;
    this.toEnd.hidden = this.following;
  }

  goToEnd() {
    this.following = true;
    this.follow();
    this.log.focus({ preventScroll: true }); // the button is gone
  }
}
