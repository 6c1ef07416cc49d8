/**
 * The front end of the chat panel, an anywidget module. State travels as custom messages, which host.py tells of.
 *
 * Of what they bring, `html`, `finished`, `open` and `rest` are HTML that the kernel has sanitised. All else is text.
 */

const PATIENCE = 5000; // ms after which a kernel that has said nothing is told to be silent
const LAST_TRY = 60000; // ms from one hello to the next, after which no more is sent: each will be answered in the end
const REMARK = 8000; // ms that a remark stays
const ANNOUNCED = 200; // characters of a reply that a screen reader is given
const NOTES = 3; // remarks that stand there at once, besides errors
const SETTLING = 300; // ms in which a page that knows the output below the panel by its name has updated it
const ENDED = ["restarting", "autorestarting", "terminating", "dead"]; // states in which a kernel has lost what it knew

export default {
  render({ model, el }) {
    const panel = new Panel(model);
    el.append(panel.root);
    panel.open();
    return () => panel.close();
  },
};

/** One view of the panel. */
class Panel {
  constructor(model) {
    this.model = model;
    this.t = translator(model.get("texts"));
    this.view = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    this.manager = model.widget_manager;
    this.typesetter = this.manager?._rendermime?.latexTypesetter; // that of ipywidgets' HTMLMath
    this.timers = new Set();
    this.transcript = new Transcript(this);
    this.settings = new Settings(this);
    this.usage = h("span", { class: "lb-usage" });
    this.composer = new Composer(this, this.settings.toggle, this.usage);
    this.status = h("div", { class: "lb-hidden", role: "status" });
    this.remarks = h("div");
    const bar = (kind) => h("div", { class: `lb-bar lb-${kind}`, hidden: true });
    [this.sure, this.link, this.credential, this.unrestored] = ["error", "error", "warning", "warning"].map(bar);
    this.root = h("div", {
      class: "lockbots lockbots-panel mathjax_ignore tex2jax_ignore", role: "region", "aria-label": this.t("panel"),
      lang: this.t.language, "data-lm-suppress-shortcuts": true, keydown: (event) => this.pressed(event),
    }, this.head(), this.transcript.root, this.settings.root, this.sure, this.unrestored, this.remarks, this.link,
    this.credential, this.composer.root, this.status);
  }

  head() {
    const { t } = this;
    const item = (key, act) => button(t(key), () => ((this.menu.open = false), act()));
    const exports_ = ["md", "html", "ipynb", "json"].map((format) =>
      item(`export_${format}`, () => this.post({ type: "export", format })));
    this.menu = h("details", {},
      h("summary", { class: "lb-icon", title: t("more"), "aria-label": t("more") }, icon("more")),
      h("div", { class: "lb-menu" }, ...exports_, item("clear", () => this.askToClear())));
    this.names = h("select", { "aria-label": t("conversation"), change: () => this.post({ type: "switch", name: this.names.value }) });
    const add = () => (this.post({ type: "new" }), this.composer.area.focus());
    return h("div", { class: "lb-head" }, this.names, iconButton("add", t("new"), add), this.menu);
  }

  open() {
    this.model.on("msg:custom", this.received);
    this.model.on("comm_live_update", this.linkChanged);
    this.session = this.manager?.context?.sessionContext;
    this.session?.statusChanged.connect(this.kernelChanged);
    this.session?.kernelChanged.connect(this.kernelChanged);
    document.addEventListener("pointerdown", this.clicked);
    this.later(this.hello, 0); // by then it is in the page, which shows whether there is a kernel
  }

  close() {
    this.model.off("msg:custom", this.received);
    this.model.off("comm_live_update", this.linkChanged);
    this.session?.statusChanged.disconnect(this.kernelChanged);
    this.session?.kernelChanged.disconnect(this.kernelChanged);
    document.removeEventListener("pointerdown", this.clicked);
    this.timers.forEach(clearTimeout);
    this.transcript.close();
    this.root.remove();
  }

  later(act, ms) {
    const timer = setTimeout(() => (this.timers.delete(timer), act()), ms);
    this.timers.add(timer);
    return timer;
  }

  // The link to the kernel

  /** Send to the kernel, and watch whether it says anything; false if there is none. */
  post(message) {
    if (this.isLost || this.root.closest(".jupyter-widgets-disconnected")) return this.lost();
    try {
      this.model.send(message);
    } catch {
      return this.lost(); // the comm is closed
    }
    this.silence ??= this.later(() => this.silent(), PATIENCE);
    return true;
  }

  /** Ask how things stand; what is sent before the front end has a subshell of the kernel waits for the cells. */
  hello = (_, wait = 1000) => {
    clearTimeout(this.greeting);
    const again = this.post({ type: "hello", view: this.view }) && wait < LAST_TRY;
    if (again) this.greeting = this.later(() => this.hello(null, 2 * wait), wait);
  };

  silent() {
    const text = this.manager?.kernel?.status === "busy" ? "kernel_busy" : "kernel_silent";
    this.showLink(this.t(text), button(this.t("try_again"), this.hello));
  }

  linkChanged = () => {
    this.isLost = false; // else hello finds out
    this.hello();
  };

  /** The kernel that the panel belongs to may have ended: by a restart, by a crash, by hand. */
  kernelChanged = ({ session }, change) => {
    const isAnother = Boolean(change?.oldValue) && change.oldValue !== change.newValue;
    if (isAnother || !session?.kernel || ENDED.includes(session.kernel.status)) this.lost();
  };

  /** Nobody will answer any more, unless something comes after all. */
  lost() {
    this.isLost = true;
    clearTimeout(this.silence);
    this.silence = undefined;
    if (this.transcript.growing?.id) this.transcript.breakOff(this.t("broken_off"));
    this.takeBack();
    this.showBusy("");
    this.showLink(this.t("kernel_gone"));
    return false;
  }

  showLink(text, ...actions) {
    if (this.link.hidden) this.announce(text);
    this.transcript.loading.remove();
    this.link.replaceChildren(h("span", {}, text), ...actions);
    this.link.hidden = false;
  }

  received = (message) => {
    clearTimeout(this.silence);
    this.silence = undefined;
    this.isLost = false;
    this.away(this.link, () => (this.link.hidden = true));
    if (!message.view || message.view === this.view) this.handlers[message.type]?.(message);
  };

  handlers = {
    snapshot: (message) => {
      clearTimeout(this.greeting);
      this.missed = null;
      this.transcript.snapshot(message);
      this.showNames(message.conversation);
      this.showSettings(message.settings);
      this.showBusy(message.busy);
    },
    earlier: (message) => this.transcript.addEarlier(message),
    turn: (message) => this.transcript.change(() => this.transcript.put(message)),
    begin: ({ reply, replaces }) => {
      this.transcript.begin({ ...reply, replaces });
      this.showBusy("here");
    },
    frame: (message) => this.isNext(message) && this.transcript.frame(message),
    end: (message) => this.isNext(message, !message.same) && this.ended(message),
    settings: (message) => this.showSettings(message),
    models: (message) => this.settings.listed(message),
    usage: (message) => this.showUsage(message),
    busy: ({ busy }) => {
      if (!busy && this.transcript.growing?.id) this.hello(); // its end was missed
      this.showBusy(busy);
    },
    names: (message) => this.showNames(message),
    told: ({ text, kind, key, values, refused, prompt, credential }) => {
      if (refused) this.takeBack(prompt);
      if (credential && !this.credential.hidden) this.announce(this.credential.textContent); // told there already
      else this.remark(key ? this.t(key, values) : this.t.notice(text), kind);
    },
    saved: (message) => {
      clearTimeout(this.settling);
      this.settling = this.later(() => this.checkSaved(message), SETTLING);
    },
    transcript: ({ widget, data, metadata }) => {
      const output = { output_type: "display_data", data, metadata };
      for (const [outputs, place] of transcriptsOf(this.manager, widget)) outputs.set(place, output);
    },
  };

  /** See that the notebook will be saved with what was said: a page that was loaded anew does not update that itself. */
  checkSaved({ widget, state }) {
    const isOld = ([outputs, place]) => outputs.get(place).metadata[STATE] !== state;
    if (transcriptsOf(this.manager, widget).some(isOld)) this.post({ type: "transcript", view: this.view });
  }

  /** Whether a message goes on with the reply that is shown. Of one that was missed, or of a gap, the kernel is asked. */
  isNext({ id, n }, isWhole = false) {
    const { growing } = this.transcript;
    const known = id === growing?.id ? growing.n : -1;
    if (known >= 0 && (n === known + 1 || (isWhole && n > known))) return true;
    if (n > known + 1 && id !== this.missed && !this.transcript.shown.has(id)) {
      this.missed = id; // asked for once
      this.hello();
    }
    return false;
  }

  ended(message) {
    const { prompt } = this.transcript.growing;
    const { turn, text } = message;
    this.transcript.end(message);
    this.showBusy("");
    if (turn) this.announce([this.t("reply"), turn.text.slice(0, ANNOUNCED), ...turn.notices.map(this.t.notice)].join(" "));
    else this.composer.giveBack(prompt);
    if (turn?.status === "complete") this.forgetErrors();
    if (!turn && text) this.remark(this.t.notice(text), "error");
  }

  // What is asked of the model

  /** Send what makes a reply, and show its prompt at once; false if a reply is on its way. */
  ask(message) {
    const { transcript, composer } = this;
    if (composer.busy) {
      this.remark(this.t(`busy_${composer.busy}`), "note", "lb-of-busy");
      return false;
    }
    const prompt = message.prompt ?? transcript.turns.find(({ id }) => id === message.turn).prompt;
    this.remarks.replaceChildren();
    transcript.following ||= !message.turn;
    transcript.begin({ id: null, prompt, replaces: message.turn });
    this.showBusy("here");
    if (!this.settings.root.hidden) this.settings.open(false);
    composer.area.focus();
    return this.post({ ...message, view: this.view });
  }

  stop() {
    const unheard = !this.transcript.growing?.id && !this.link.hidden;
    if (unheard) this.takeBack();
    else this.post({ type: "stop" });
  }

  /** Take back what was sent and refused, or never arrived. */
  takeBack(refused) {
    const { growing } = this.transcript;
    if (!growing || growing.id) return;
    this.transcript.end({ turn: null });
    this.composer.giveBack(refused ?? (growing.replaces ? "" : growing.prompt));
    this.showBusy("");
  }

  /** Show which conversations there are; one that was deleted has no name by which it could be chosen. */
  showNames({ name, names, deleted, cells, unrestored }) {
    const marked = (one) => (one === cells && names.length > 1 ? this.t("name_of_cells", { name: one }) : one);
    const all = names.map((one) => [one, marked(one)]);
    if (deleted) all.unshift(["", this.t("deleted_name", { name })]);
    offer(this.names, all, deleted ? "" : name);
    const hint = cells === name && !deleted ? "cells_here" : "cells_elsewhere";
    this.transcript.cells.textContent = cells ? this.t(hint, { name: cells }) : "";
    this.showUnrestored(unrestored);
  }

  /** Tell of turns that the saved notebook has and the kernel has not. */
  showUnrestored(count) {
    const bar = this.unrestored;
    if (this.missing === count) return; // it may have been dismissed
    const restore = "%lockbots restore";
    const dismiss = iconButton("close", this.t("dismiss"), () => this.away(bar, () => (bar.hidden = true)));
    const text = this.t.count("unrestored", count);
    this.missing = count;
    bar.replaceChildren(h("span", {}, text), h("code", {}, restore), this.codeTools(restore), dismiss);
    this.away(bar, () => (bar.hidden = !count));
    if (count) this.announce(`${text} ${restore}`);
  }

  showBusy(busy) {
    this.composer.show(this.transcript.growing ? "here" : busy);
    if (!this.composer.busy) this.forget(".lb-of-busy");
    this.root.classList.toggle("lb-busy", Boolean(this.composer.busy));
  }

  askToClear() {
    const { t, sure, menu } = this;
    const keep = () => ((sure.hidden = true), menu.firstChild.focus());
    const no = button(t("clear_no"), keep);
    const { name } = this.transcript; // another conversation may be shown by the time it is said
    const yes = button(t("clear_yes"), () => (keep(), this.post({ type: "clear", name })), { class: "lb-danger" });
    sure.replaceChildren(h("span", {}, t("clear_sure", { name })), no, yes);
    sure.hidden = false;
    no.focus();
  }

  // What is shown

  reply(html) {
    const reply = new Reply(this.typesetter);
    reply.show(html);
    this.dress(reply);
    return reply;
  }

  /** Give each block of code its buttons. */
  dress(reply) {
    for (const pre of reply.body.querySelectorAll("pre")) {
      const code = pre.textContent.replace(/\n$/, "");
      if (!code) continue;
      const box = h("div", { class: "lb-code" });
      pre.replaceWith(box);
      box.append(pre, this.codeTools(code));
    }
  }

  codeTools(code) {
    return h("div", { class: "lb-tools" },
      iconButton("copy", this.t("copy_code"), (event) => this.copy(code, event.currentTarget)),
      iconButton("insert", this.t("insert"), (event) => this.insert(code, event.currentTarget)));
  }

  article(turn, reply) {
    const notices = turn.notices.map((notice) => h("div", { class: "lockbots-notice" }, this.t.notice(notice)));
    return h("article", { class: `lb-turn lb-${turn.status}` }, this.promptRow(turn.prompt, turn),
      h("span", { class: "lb-hidden" }, this.t("reply")), reply.body,
      h("div", { class: "lb-notices" }, ...notices), this.foot(turn));
  }

  promptRow(prompt, turn = null) {
    const text = h("div", { class: "lb-prompt", dir: "auto" }, prompt);
    const edit = turn && iconButton("edit", this.t("edit"), () => this.edit(turn, row));
    const row = h("div", { class: "lb-you" }, h("span", { class: "lb-hidden" }, this.t("you")), text, edit);
    return row;
  }

  foot({ id, text, model, usage, stale, cell, started }) {
    const { t } = this;
    const tokens = usage && (usage.prompt ?? 0) + (usage.completion ?? 0);
    const at = started ? new Date(started * 1000).toLocaleString(t.language) : "";
    return h("div", { class: "lb-foot" },
      stale ? h("span", { class: "lb-mark", title: t("stale_hint") }, t("stale")) : null,
      cell ? h("span", { class: "lb-mark" }, t("cell")) : null,
      text ? iconButton("copy", t("copy"), (event) => this.copy(text, event.currentTarget)) : null,
      iconButton("again", t("regenerate"), () => this.ask({ type: "regenerate", turn: id }), "lb-again"),
      h("span", { class: "lb-by", title: at }, [model, tokens && t.count("tokens", tokens)].filter(Boolean).join(" · ")));
  }

  edit(turn, row) {
    const area = h("textarea", { "aria-label": this.t("edit"), rows: "1", dir: "auto", input: () => fitHeight(area) });
    const done = () => (form.remove(), (row.hidden = false));
    const cancel = () => (done(), row.lastChild.focus());
    const send = () => area.value.trim() && this.ask({ type: "edit", turn: turn.id, prompt: area.value }) && done();
    const keydown = (event) => {
      if (event.key === "Escape" && !event.isComposing) cancel();
      else if (event.target === area && sends(event)) send();
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    const form = h("div", { class: "lb-edit", keydown }, area, h("div", { class: "lb-row" },
      h("span", {}, this.t("edit_note")), button(this.t("edit_cancel"), cancel),
      button(this.t("edit_send"), send, { class: "lb-primary" })));
    area.value = turn.prompt;
    row.hidden = true;
    row.after(form);
    fitHeight(area);
    area.focus();
  }

  showSettings(settings) {
    const [name] = settings.model.split(":", 1);
    const { credential, hint = "" } = settings.providers.find((one) => one.name === name) ?? {};
    this.settings.show(settings);
    this.showUsage(settings.usage);
    this.credential.hidden = credential !== "missing";
    this.credential.replaceChildren(icon("key"), h("span", {}, this.t("credential", { name })), h("code", {}, hint),
      this.codeTools(hint));
  }

  showUsage({ turns, prompt, completion, estimated }) {
    const tokens = this.t.count("tokens", prompt + completion);
    const shown = [this.t.count("turns", turns), estimated ? this.t("about", { text: tokens }) : tokens];
    this.usage.textContent = turns ? shown.join(" · ") : "";
    this.usage.title = this.t("usage_detail", { prompt, completion });
  }

  remark(text, kind, more = "") {
    const gone = () => this.away(bar, () => bar.remove());
    const bar = h("div", { class: `lb-bar lb-${kind} ${more}` }, h("span", {}, text), iconButton("close", this.t("dismiss"), gone));
    for (const old of [...this.remarks.children]) if (old.firstChild.textContent === text) this.away(old, () => old.remove());
    this.remarks.append(bar);
    for (const old of [...this.remarks.querySelectorAll(".lb-note")].slice(0, -NOTES)) this.away(old, () => old.remove());
    this.announce(kind === "error" ? this.t("error", { text }) : text);
    if (kind !== "error") this.later(gone, REMARK);
  }

  /** What went wrong is over: another model answers, or a reply has come. */
  forgetErrors() {
    this.forget(".lb-error");
  }

  forget(which) {
    for (const bar of this.remarks?.querySelectorAll(which) ?? []) this.away(bar, () => bar.remove());
  }

  /** Take a bar away; whoever was in it with the keyboard goes on where one types. */
  away(bar, take) {
    const inside = bar.matches(":focus-within");
    take();
    if (inside) this.composer.area.focus();
  }

  announce(text) {
    this.status.textContent = text;
  }

  async copy(text, clicked) {
    const copied = await copyText(text);
    if (copied) this.confirm(clicked, "copied");
    else this.remark(this.t("not_copied"), "error");
    return copied;
  }

  async insert(code, clicked) {
    const inserted = insertCell(this.manager, this.root, code, this.inserted);
    this.inserted = inserted ?? this.inserted;
    if (inserted) this.confirm(clicked, "inserted");
    else if (await this.copy(code, clicked)) this.remark(this.t("insert_copied"), "note");
  }

  confirm(clicked, key) {
    this.announce(this.t(key));
    clicked.replaceChildren(icon("done"));
    this.later(() => clicked.replaceChildren(icon(clicked.dataset.icon)), 1500);
  }

  // Keys and clicks

  clicked = (event) => this.menu.contains(event.target) || (this.menu.open = false);

  /** No key typed here is a shortcut of the notebook, but the one that saves it; Escape closes what is open. */
  pressed(event) {
    const saves = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";
    this.root.toggleAttribute("data-lm-suppress-shortcuts", !saves);
    if (!saves) event.stopPropagation();
    if (event.key !== "Escape" || event.isComposing) return;
    if (!this.sure.hidden) this.sure.querySelector("button").click();
    else if (this.menu.open) (this.menu.open = false), this.menu.firstChild.focus();
    else if (!this.settings.root.hidden) this.settings.open(false);
  }
}
