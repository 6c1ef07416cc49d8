/** Notifications: bars with a text, and announcements to screen readers. */

import { h, iconButton } from "./dom.js";

const NOTE_DURATION = 8000; // ms
const MAX_NOTES = 3; // shown at once, besides errors

/** The notifications of a view. */
export class Notifications {
  constructor(panel) {
    this.panel = panel;
    this.root = h("div");
    this.status = h("div", { class: "lb-hidden", role: "status" });
  }

  /** Have screen readers read a text. */
  announce(text) {
    this.status.textContent = text;
  }

  /**
   * Show a text; one that is shown already is not repeated.
   * @param {string} text
   * @param {"note"|"error"} kind - A note disappears after a while, an error stays.
   * @param {string} [className] - By which `remove` finds it.
   */
  add(text, kind, className = "") {
    const { t } = this.panel;
    const close = () => this.hide(bar, () => bar.remove());
    const bar = h("div", { class: `lb-bar lb-${kind} ${className}` }, h("span", {}, text),
      iconButton("close", t("dismiss"), close));
    this.removeAll([...this.root.children].filter((other) => other.firstChild.textContent === text));
    this.root.append(bar);
    this.removeAll([...this.root.querySelectorAll(".lb-note")].slice(0, -MAX_NOTES));
    this.announce(kind === "error" ? t("error", { text }) : text);
    if (kind !== "error") this.panel.setTimer(close, NOTE_DURATION);
  }

  /** Remove the notifications that match a selector. */
  remove(selector) {
    this.removeAll([...this.root.querySelectorAll(selector)]);
  }

  /** Remove errors, once another model is in use or a reply has arrived. */
  removeErrors() {
    this.remove(".lb-error");
  }

  clear() {
    this.root.replaceChildren();
  }

  removeAll(bars) {
    for (const bar of bars) this.hide(bar, () => bar.remove());
  }

  /** Hide a bar by calling `action`; if it had the focus, that moves to the input box. */
  hide(bar, action) {
    const hadFocus = bar.matches(":focus-within");
    action();
    if (hadFocus) this.panel.composer.area.focus();
  }
}
