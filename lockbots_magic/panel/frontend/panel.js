/**
 * Front end of the chat panel: an anywidget module. protocol.py describes the messages.
 *
 * `html`, `reasoning`, `finished`, `open` and `rest` in messages are HTML that the kernel has sanitised. All other strings are text.
 */

import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { button, h, icon, iconButton, setOptions } from "./dom.js";
import { createTranslator } from "./i18n.js";
import { STATE_KEY, findTranscripts } from "./notebook.js";
import { Notifications } from "./notifications.js";
import { Search } from "./search.js";
import { Settings, providerOf } from "./settings.js";
import { Transcript } from "./transcript.js";
import { compareSequence } from "./turn_list.js";
import { TurnRenderer } from "./turns.js";

const MAX_ANNOUNCED = 200; // characters of a reply that are read aloud
const OUTPUT_UPDATE_TIME = 300; // ms in which a page that has the display id of the output below has updated it
const RESTORE = "%lockbots restore";

/** One view of the panel. */
export class Panel {
  constructor(model) {
    this.t = createTranslator(model.get("texts"), model.get("language"));
    this.manager = model.widget_manager;
    this.key = model.get("key");
    this.timers = new Set();
    this.pending = null; // prompt of the request to the model that the kernel has not taken yet
    this.connection = new Connection(this, model);
    this.notifications = new Notifications(this);
    this.renderer = new TurnRenderer(this, this.manager);
    this.transcript = new Transcript(this);
    this.search = new Search(this);
    this.settings = new Settings(this);
    this.usage = h("span", { class: "lb-usage" });
    this.cells = h("div", { class: "lb-cells", hidden: true });
    this.composer = new Composer(this, this.settings.toggle, this.usage);
    const bar = (kind) => h("div", { class: `lb-bar lb-${kind}`, hidden: true });
    [this.confirmation, this.credential, this.unrestored] = ["error", "warning", "warning"].map(bar);
    this.root = h("div", {
      class: "lockbots lockbots-panel mathjax_ignore tex2jax_ignore", role: "region", "aria-label": this.t("panel"),
      lang: this.t.language, "data-lm-suppress-shortcuts": true, keydown: (event) => this.onKey(event),
    }, this.buildHead(), this.search.root, this.cells, this.transcript.root, this.settings.root, this.confirmation,
    this.unrestored, this.notifications.root, this.connection.bar, this.credential, this.composer.root, this.notifications.status);
  }

  buildHead() {
    const { t } = this;
    const item = (key, action) => button(t(key), () => ((this.menu.open = false), action()));
    const exportItems = ["md", "html", "ipynb", "json"].map((format) =>
      item(`export_${format}`, () => this.connection.post({ type: "export", format })));
    this.menu = h("details", {},
      h("summary", { class: "lb-icon", title: t("more"), "aria-label": t("more") }, icon("more")),
      h("div", { class: "lb-menu" }, ...exportItems, item("clear", () => this.confirmClear())));
    const onSwitch = () => this.connection.post({ type: "switch", name: this.names.value });
    this.names = h("select", { "aria-label": t("conversation"), change: onSwitch });
    const onNew = () => (this.connection.post({ type: "new" }), this.composer.area.focus());
    return h("div", { class: "lb-head" }, this.names, this.search.toggle, iconButton("add", t("new"), onNew), this.menu);
  }

  open() {
    document.addEventListener("pointerdown", this.onPointerDown);
    this.connection.open();
    this.transcript.open();
    this.setTimer(() => this.composer.open(), 0); // once the view is in the page
  }

  close() {
    document.removeEventListener("pointerdown", this.onPointerDown);
    this.connection.close();
    this.timers.forEach(clearTimeout);
    this.transcript.close();
    this.composer.close();
    this.root.remove();
  }

  /** Like setTimeout, but the timer ends with the view. */
  setTimer(action, ms) {
    const timer = setTimeout(() => (this.timers.delete(timer), action()), ms);
    this.timers.add(timer);
    return timer;
  }

  // Messages of the kernel

  handlers = {
    snapshot: (message) => {
      this.connection.onSnapshot();
      this.missed = null;
      this.onTaken(message.reply);
      this.transcript.onSnapshot(message);
      this.showConversations(message.conversation);
      this.showSettings(message.settings);
      this.showBusy(message.busy);
    },
    earlier: (message) => this.transcript.onEarlier(message),
    turn: (message) => this.transcript.onTurn(message),
    begin: ({ reply, replaces }) => {
      this.onTaken(reply);
      this.transcript.begin({ ...reply, replaces });
      this.showBusy("here");
    },
    approval: (message) => this.transcript.onApproval(message),
    frame: (message) => this.isNext(message) && this.transcript.onFrame(message),
    end: (message) => this.isNext(message, !message.same) && this.onEnd(message),
    settings: (message) => this.showSettings(message),
    models: (message) => this.settings.onModels(message),
    found: (message) => this.search.onFound(message),
    usage: (message) => this.showUsage(message),
    busy: ({ busy }) => {
      if (!busy && this.transcript.inProgress?.id) this.connection.hello(); // the end of the reply was lost
      this.showBusy(busy);
    },
    conversations: (message) => this.showConversations(message),
    notification: (message) => this.onNotification(message),
    saved: (message) => {
      clearTimeout(this.checkTimer);
      this.checkTimer = this.setTimer(() => this.checkSaved(message), OUTPUT_UPDATE_TIME);
    },
    transcript: ({ widget, data, metadata }) => {
      const output = { output_type: "display_data", data, metadata };
      for (const [outputs, index] of findTranscripts(this.manager, widget)) outputs.set(index, output);
    },
  };

  /** Request the transcript output if the notebook has an old one: a page that was reloaded doesn't update it itself. */
  checkSaved({ widget, state }) {
    const isOld = ([outputs, index]) => outputs.get(index).metadata[STATE_KEY] !== state;
    const { connection } = this;
    if (findTranscripts(this.manager, widget).some(isOld)) connection.post({ type: "transcript", view: connection.view });
  }

  /** Whether a message continues the reply in progress. If messages were lost, the full state is requested, once. */
  isNext(message, isWhole = false) {
    const { id } = message;
    const order = compareSequence(message, this.transcript.inProgress, isWhole);
    if (order === "gap" && id !== this.missed && !this.transcript.isShown(id)) {
      this.missed = id;
      this.connection.hello();
    }
    return order === "next";
  }

  onEnd(message) {
    const { prompt, from } = this.transcript.inProgress;
    const { turn, text } = message;
    this.transcript.onEnd(message);
    this.showBusy("");
    if (turn) this.announceReply(turn);
    else if (from === null || from === this.connection.view) this.composer.restore(prompt);
    if (turn?.status === "complete") this.notifications.removeErrors();
    if (!turn && text) this.notifications.add(this.t.notice(text), "error");
  }

  announceReply({ text, notices }) {
    const parts = [this.t("reply"), text.slice(0, MAX_ANNOUNCED), ...notices.map(this.t.notice)];
    this.notifications.announce(parts.join(" "));
  }

  onNotification({ text, kind, key, values, refused, prompt, credential }) {
    if (refused) this.undoSubmit(prompt);
    const isShown = credential && !this.credential.hidden; // the bar about the credential says the same
    if (isShown) this.notifications.announce(this.credential.textContent);
    else this.notifications.add(key ? this.t(key, values) : this.t.notice(text), kind);
  }

  /** End the reply in progress: the kernel is gone, or doesn't answer the user who stops the reply. */
  onKernelLost(notice = "broken_off") {
    if (this.transcript.inProgress?.id) this.transcript.abort(this.t(notice));
    this.undoSubmit();
    this.showBusy("");
  }

  /** Handle the silence of a kernel that should have answered. */
  onSilence() {
    if (this.isStopping) this.onKernelLost("no_answer");
  }

  // Requests to the model

  /** Send a request to the model and show its prompt at once; returns false if a reply is in progress. */
  submit(message) {
    const { transcript, composer } = this;
    if (composer.busy) {
      this.notifications.add(this.t(`busy_${composer.busy}`), "note", "lb-of-busy");
      return false;
    }
    const prompt = message.prompt ?? transcript.turns.find(({ id }) => id === message.turn).prompt;
    this.setPending(message.prompt ?? "");
    this.notifications.clear();
    transcript.following ||= !message.turn;
    transcript.begin({ id: null, prompt, replaces: message.turn });
    this.showBusy("here");
    if (!this.settings.root.hidden) this.settings.open(false);
    composer.area.focus();
    return this.connection.post({ ...message, view: this.connection.view });
  }

  /** Stop the reply; where the kernel doesn't answer, the view is free without it. */
  stop() {
    const { isInDoubt } = this.connection;
    this.isStopping = true;
    this.connection.post({ type: "stop" });
    if (isInDoubt) this.onSilence();
  }

  /** Handle a reply that the kernel has begun, perhaps to a prompt of this view. */
  onTaken(reply) {
    if (reply?.from === this.connection.view) this.setPending(null);
  }

  /** Note the prompt of a request that the kernel has yet to take: it must not be lost. */
  setPending(prompt) {
    this.pending = prompt;
    this.composer.saveDraft();
  }

  /** Take back a prompt that was refused or lost: remove it from the turns, and put it into the input box. */
  undoSubmit(refused) {
    const { inProgress } = this.transcript;
    const prompt = refused ?? this.pending;
    if (this.pending === null) return;
    this.setPending(null);
    if (inProgress && !inProgress.id) this.transcript.onEnd({ turn: null }); // else a reply to another view's prompt
    this.composer.restore(prompt);
    this.showBusy("");
  }

  // What is shown

  /** Show the list of conversations. A deleted one is shown, but can't be chosen again. */
  showConversations({ name, names, deleted, cells, unrestored, branches = {}, apart }) {
    const label = (one) => (one === cells && names.length > 1 ? this.t("name_of_cells", { name: one }) : one);
    const options = names.map((one) => [one, label(one)]);
    if (deleted) options.unshift(["", this.t("deleted_name", { name })]);
    setOptions(this.names, options, deleted ? "" : name);
    const hint = cells === name && !deleted ? "cells_here" : "cells_elsewhere";
    this.transcript.cells.textContent = cells ? this.t(hint, { name: cells }) : "";
    this.renderer.showBranches(branches, this.transcript.shown.values());
    this.showCells(apart ? cells : "");
    this.showUnrestored(unrestored);
  }

  /** Say, as long as it holds, that cells use another branch: this view has left it. */
  showCells(cells) {
    const use = button(this.t("cells_switch"), () => this.connection.post({ type: "cells" }));
    this.cells.replaceChildren(...(cells ? [h("span", {}, this.t("cells_apart", { name: cells })), use] : []));
    this.cells.hidden = !cells;
  }

  /** Show how many turns of the saved notebook the kernel doesn't have. */
  showUnrestored(count) {
    const bar = this.unrestored;
    if (this.unrestoredCount === count) return; // the user may have dismissed the bar
    this.unrestoredCount = count;
    const dismiss = iconButton("close", this.t("dismiss"), () => this.notifications.hide(bar, () => (bar.hidden = true)));
    const text = this.t.count("unrestored", count);
    bar.replaceChildren(h("span", {}, text), h("code", {}, RESTORE), this.renderer.codeTools(RESTORE), dismiss);
    this.notifications.hide(bar, () => (bar.hidden = !count));
    if (count) this.notifications.announce(`${text} ${RESTORE}`);
  }

  showBusy(busy) {
    this.composer.setBusy(this.transcript.inProgress ? "here" : busy);
    if (!this.composer.busy) this.notifications.remove(".lb-of-busy");
    if (!this.composer.busy) this.isStopping = false;
    this.connection.watch(Boolean(this.composer.busy));
    this.root.classList.toggle("lb-busy", Boolean(this.composer.busy));
  }

  confirmClear() {
    const { t, confirmation, menu } = this;
    const close = () => ((confirmation.hidden = true), menu.firstChild.focus());
    const no = button(t("clear_no"), close);
    const { name } = this.transcript; // another conversation may be open when the user answers
    const clear = () => (close(), this.connection.post({ type: "clear", name }));
    const yes = button(t("clear_yes"), clear, { class: "lb-danger" });
    confirmation.replaceChildren(h("span", {}, t("clear_sure", { name })), no, yes);
    confirmation.hidden = false;
    no.focus();
  }

  showSettings(settings) {
    const name = providerOf(settings.model);
    const { credential, hint = "" } = settings.providers.find((one) => one.name === name) ?? {};
    this.settings.show(settings);
    this.transcript.suggest(name === "guide" ? "suggest_guide" : "suggest");
    this.showUsage(settings.usage);
    this.credential.hidden = credential !== "missing";
    this.credential.replaceChildren(icon("key"), h("span", {}, this.t("credential", { name })), h("code", {}, hint),
      this.renderer.codeTools(hint));
  }

  showUsage({ turns, prompt, completion, estimated }) {
    const tokens = this.t.count("tokens", prompt + completion);
    const shown = [this.t.count("turns", turns), estimated ? this.t("about", { text: tokens }) : tokens];
    this.usage.textContent = turns ? shown.join(" · ") : "";
    this.usage.title = this.t("usage_detail", { prompt, completion });
  }

  // Keys and clicks

  onPointerDown = (event) => this.menu.contains(event.target) || (this.menu.open = false);

  /** Keep keys from the notebook's shortcuts, except for the one that saves; Escape closes what is open. */
  onKey(event) {
    const isSave = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";
    this.root.toggleAttribute("data-lm-suppress-shortcuts", !isSave);
    if (!isSave) event.stopPropagation();
    if (event.repeat && event.target.matches("button")) event.preventDefault(); // a key that is held presses it once
    if (event.key !== "Escape" || event.isComposing) return;
    if (!this.confirmation.hidden) this.confirmation.querySelector("button").click();
    else if (this.menu.open) (this.menu.open = false), this.menu.firstChild.focus();
    else if (!this.settings.root.hidden) this.settings.open(false);
    else if (!this.search.root.hidden) this.search.open(false);
  }
}

export default {
  render({ model, el }) {
    const show = (before) => {
      const panel = new Panel(model);
      el.append(panel.root);
      if (before) panel.composer.takeOver(before.composer);
      before?.close();
      panel.open();
      return panel;
    };
    let panel = show();
    const onLanguage = () => (panel = show(panel));
    model.on("change:language", onLanguage);
    return () => (model.off("change:language", onLanguage), panel.close());
  },
};
