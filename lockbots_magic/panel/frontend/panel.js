/**
 * The front end of the chat panel, an anywidget module. State travels as custom messages, which host.py tells of.
 *
 * Of what they bring, `html`, `finished`, `open` and `rest` are HTML that the kernel has sanitised. All else is text.
 */

const ANNOUNCED = 200; // characters of a reply that a screen reader is given
const SETTLING = 300; // ms in which a page that knows the output below the panel by its name has updated it

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
    this.t = translator(model.get("texts"));
    this.manager = model.widget_manager;
    this.key = model.get("key");
    this.timers = new Set();
    this.link = new Link(this, model);
    this.remarks = new Remarks(this);
    this.articles = new Articles(this, this.manager);
    this.transcript = new Transcript(this);
    this.settings = new Settings(this);
    this.usage = h("span", { class: "lb-usage" });
    this.composer = new Composer(this, this.settings.toggle, this.usage);
    const bar = (kind) => h("div", { class: `lb-bar lb-${kind}`, hidden: true });
    [this.sure, this.credential, this.unrestored] = ["error", "warning", "warning"].map(bar);
    this.root = h("div", {
      class: "lockbots lockbots-panel mathjax_ignore tex2jax_ignore", role: "region", "aria-label": this.t("panel"),
      lang: this.t.language, "data-lm-suppress-shortcuts": true, keydown: (event) => this.pressed(event),
    }, this.head(), this.transcript.root, this.settings.root, this.sure, this.unrestored, this.remarks.root,
    this.link.bar, this.credential, this.composer.root, this.remarks.status);
  }

  head() {
    const { t } = this;
    const item = (key, act) => button(t(key), () => ((this.menu.open = false), act()));
    const exports_ = ["md", "html", "ipynb", "json"].map((format) =>
      item(`export_${format}`, () => this.link.post({ type: "export", format })));
    this.menu = h("details", {},
      h("summary", { class: "lb-icon", title: t("more"), "aria-label": t("more") }, icon("more")),
      h("div", { class: "lb-menu" }, ...exports_, item("clear", () => this.askToClear())));
    this.names = h("select", { "aria-label": t("conversation"), change: () => this.link.post({ type: "switch", name: this.names.value }) });
    const add = () => (this.link.post({ type: "new" }), this.composer.area.focus());
    return h("div", { class: "lb-head" }, this.names, iconButton("add", t("new"), add), this.menu);
  }

  open() {
    document.addEventListener("pointerdown", this.clicked);
    this.link.open();
    this.later(() => this.composer.takeUpDraft(), 0); // by then it is in the page
  }

  close() {
    document.removeEventListener("pointerdown", this.clicked);
    this.link.close();
    this.timers.forEach(clearTimeout);
    this.transcript.close();
    this.composer.close();
    this.root.remove();
  }

  later(act, ms) {
    const timer = setTimeout(() => (this.timers.delete(timer), act()), ms);
    this.timers.add(timer);
    return timer;
  }

  // What the kernel tells

  handlers = {
    snapshot: (message) => {
      this.link.greeted();
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
      if (!busy && this.transcript.growing?.id) this.link.hello(); // its end was missed
      this.showBusy(busy);
    },
    conversations: (message) => this.showNames(message),
    notification: ({ text, kind, key, values, refused, prompt, credential }) => {
      if (refused) this.takeBack(prompt);
      if (credential && !this.credential.hidden) this.remarks.announce(this.credential.textContent); // told there already
      else this.remarks.add(key ? this.t(key, values) : this.t.notice(text), kind);
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
    if (transcriptsOf(this.manager, widget).some(isOld)) this.link.post({ type: "transcript", view: this.link.view });
  }

  /** Whether a message goes on with the reply that is shown. Of one that was missed, or of a gap, the kernel is asked. */
  isNext({ id, seq }, isWhole = false) {
    const { growing } = this.transcript;
    const known = id === growing?.id ? growing.seq : -1;
    if (known >= 0 && (seq === known + 1 || (isWhole && seq > known))) return true;
    if (seq > known + 1 && id !== this.missed && !this.transcript.shown.has(id)) {
      this.missed = id; // asked for once
      this.link.hello();
    }
    return false;
  }

  ended(message) {
    const { prompt } = this.transcript.growing;
    const { turn, text } = message;
    this.transcript.end(message);
    this.showBusy("");
    if (!turn) this.composer.giveBack(prompt);
    else this.remarks.announce([this.t("reply"), turn.text.slice(0, ANNOUNCED), ...turn.notices.map(this.t.notice)].join(" "));
    if (turn?.status === "complete") this.remarks.forgetErrors();
    if (!turn && text) this.remarks.add(this.t.notice(text), "error");
  }

  /** The kernel is gone: what was on its way has ended here. */
  cutOff() {
    if (this.transcript.growing?.id) this.transcript.breakOff(this.t("broken_off"));
    this.takeBack();
    this.showBusy("");
  }

  // What is asked of the model

  /** Send what makes a reply, and show its prompt at once; false if a reply is on its way. */
  ask(message) {
    const { transcript, composer } = this;
    if (composer.busy) {
      this.remarks.add(this.t(`busy_${composer.busy}`), "note", "lb-of-busy");
      return false;
    }
    const prompt = message.prompt ?? transcript.turns.find(({ id }) => id === message.turn).prompt;
    this.remarks.forgetAll();
    transcript.following ||= !message.turn;
    transcript.begin({ id: null, prompt, replaces: message.turn });
    this.showBusy("here");
    if (!this.settings.root.hidden) this.settings.open(false);
    composer.area.focus();
    return this.link.post({ ...message, view: this.link.view });
  }

  stop() {
    const isUnheard = !this.transcript.growing?.id && this.link.isInDoubt;
    if (isUnheard) this.takeBack();
    else this.link.post({ type: "stop" });
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
    const dismiss = iconButton("close", this.t("dismiss"), () => this.remarks.away(bar, () => (bar.hidden = true)));
    const text = this.t.count("unrestored", count);
    this.missing = count;
    bar.replaceChildren(h("span", {}, text), h("code", {}, restore), this.articles.codeTools(restore), dismiss);
    this.remarks.away(bar, () => (bar.hidden = !count));
    if (count) this.remarks.announce(`${text} ${restore}`);
  }

  showBusy(busy) {
    this.composer.show(this.transcript.growing ? "here" : busy);
    if (!this.composer.busy) this.remarks.forget(".lb-of-busy");
    this.root.classList.toggle("lb-busy", Boolean(this.composer.busy));
  }

  askToClear() {
    const { t, sure, menu } = this;
    const keep = () => ((sure.hidden = true), menu.firstChild.focus());
    const no = button(t("clear_no"), keep);
    const { name } = this.transcript; // another conversation may be shown by the time it is said
    const yes = button(t("clear_yes"), () => (keep(), this.link.post({ type: "clear", name })), { class: "lb-danger" });
    sure.replaceChildren(h("span", {}, t("clear_sure", { name })), no, yes);
    sure.hidden = false;
    no.focus();
  }

  // What is shown

  showSettings(settings) {
    const [name] = settings.model.split(":", 1);
    const { credential, hint = "" } = settings.providers.find((one) => one.name === name) ?? {};
    this.settings.show(settings);
    this.showUsage(settings.usage);
    this.credential.hidden = credential !== "missing";
    this.credential.replaceChildren(icon("key"), h("span", {}, this.t("credential", { name })), h("code", {}, hint),
      this.articles.codeTools(hint));
  }

  showUsage({ turns, prompt, completion, estimated }) {
    const tokens = this.t.count("tokens", prompt + completion);
    const shown = [this.t.count("turns", turns), estimated ? this.t("about", { text: tokens }) : tokens];
    this.usage.textContent = turns ? shown.join(" · ") : "";
    this.usage.title = this.t("usage_detail", { prompt, completion });
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
