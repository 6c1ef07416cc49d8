/** Input box for prompts. */

import { button, fitHeight, h, icon, isSendKey } from "./dom.js";
import { Attachments } from "./attachments.js";
import { Draft } from "./draft.js";

/**
 * Return which earlier prompt an arrow key recalls.
 * @param {KeyboardEvent} event
 * @param {number} recalled - Index of the prompt shown, counted from the last one; -1 if none is.
 * @param {boolean} isEmpty - Whether the box is empty; Up starts to recall only then.
 * @returns {?number} The new index; null if the key recalls nothing.
 */
export function recallIndex({ key, shiftKey, isComposing }, recalled, isEmpty) {
  const step = shiftKey || isComposing ? undefined : { ArrowUp: 1, ArrowDown: -1 }[key];
  if (!step || (recalled < 0 && !(step > 0 && isEmpty))) return null;
  return recalled + step;
}

/** Return the prompts of the turns without duplicates, last one first. */
export function recentPrompts(turns) {
  return [...new Set(turns.map(({ prompt }) => prompt).reverse())];
}

/** Input box for prompts, with a button that sends or stops. */
export class Composer {
  /**
   * @param {Panel} panel
   * @param {...Element} controls - Elements beside the button.
   */
  constructor(panel, ...controls) {
    const { t } = panel;
    this.panel = panel;
    this.draft = new Draft(panel.key);
    this.area = h("textarea", {
      rows: "1", "aria-label": t("prompt"), dir: "auto", "data-jp-suppress-context-menu": true,
      keydown: (event) => this.onKey(event), input: () => this.setText(this.area.value),
    });
    this.button = button("", () => (this.busy === "here" ? panel.stop() : this.send()));
    this.attachments = new Attachments(panel);
    this.root = h("div", { class: "lb-composer" }, this.attachments.root, this.area,
      h("div", { class: "lb-row" }, ...controls, this.attachments.button, this.button));
    this.attachments.listen(this.root, this.area);
    this.recalled = -1; // index of the earlier prompt in the box, counted from the last one
    this.visible = new IntersectionObserver(() => fitHeight(this.area)); // a hidden box has no height to fit
    this.setBusy("");
  }

  /** Show whether the button sends, stops or has to wait: `busy` is "", "here" or "elsewhere". */
  setBusy(busy) {
    const { t } = this.panel;
    const action = busy === "here" ? "stop" : "send";
    this.busy = busy;
    this.button.className = `lb-send lb-${action}`;
    this.button.title = busy === "elsewhere" ? t("busy_elsewhere") : t(action);
    this.button.setAttribute("aria-disabled", String(busy === "elsewhere")); // not `disabled`: a click explains why
    this.button.setAttribute("aria-label", t(action));
    this.button.replaceChildren(icon(action));
    this.area.placeholder = t(busy === "elsewhere" ? "busy_elsewhere_short" : "placeholder");
  }

  send() {
    const prompt = this.area.value;
    const conversation = this.panel.transcript.name;
    if (!prompt.trim()) return this.panel.notifications.add(this.panel.t("prompt_missing"), "note", "lb-of-prompt");
    if (this.panel.submit(this.message(prompt, conversation))) {
      this.attachments.send();
      this.setText("");
    }
  }

  /** Return the request that sends a prompt with its files. */
  message(prompt, conversation) {
    const files = this.attachments.files.map(({ name, data }) => ({ name, data }));
    return { type: "send", prompt, conversation, ...(files.length ? { files } : {}) };
  }

  setText(text) {
    if (text !== this.area.value) this.area.value = text;
    this.recalled = -1;
    fitHeight(this.area);
    this.saveDraft();
  }

  /** Keep the text for a page that is reloaded, or else the prompt that the kernel has not taken yet. */
  saveDraft() {
    this.draft.save(this.area.value || (this.panel.pending ?? ""));
  }

  /** Continue the draft from before the page was reloaded. */
  open() {
    const text = this.draft.claim();
    if (text) this.restore(text);
    this.visible.observe(this.area);
  }

  /** Continue what another box holds. */
  takeOver(other) {
    this.area.value = other.area.value;
    this.attachments.takeOver(other.attachments);
  }

  close() {
    this.visible.disconnect();
    this.draft.release();
  }

  /** Put back a prompt that was not answered, before what has been typed since. */
  restore(prompt) {
    this.attachments.restore();
    const typed = this.area.value;
    if (prompt && !typed.startsWith(prompt)) this.setText(typed ? `${prompt}\n\n${typed}` : prompt);
  }

  onKey(event) {
    const index = recallIndex(event, this.recalled, !this.area.value);
    if (isSendKey(event)) event.repeat || this.send();
    else if (index !== null) this.recall(index);
    else return;
    event.preventDefault();
  }

  recall(index) {
    const prompts = recentPrompts(this.panel.transcript.turns);
    const recalled = Math.min(index, prompts.length - 1);
    this.setText(prompts[recalled] ?? "");
    this.recalled = recalled;
  }
}
