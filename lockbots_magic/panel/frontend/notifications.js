/** What the panel says besides the replies: for a while, until it is dismissed, or to a screen reader alone. */

const REMARK = 8000; // ms that a remark stays
const NOTES = 3; // remarks that stand there at once, besides errors

/** Bars with a text each, and what is announced. */
class Remarks {
  constructor(panel) {
    this.panel = panel;
    this.root = h("div");
    this.status = h("div", { class: "lb-hidden", role: "status" });
  }

  announce(text) {
    this.status.textContent = text;
  }

  /** Say something; a note goes by itself, an error stays. */
  add(text, kind, more = "") {
    const { t } = this.panel;
    const gone = () => this.away(bar, () => bar.remove());
    const bar = h("div", { class: `lb-bar lb-${kind} ${more}` }, h("span", {}, text), iconButton("close", t("dismiss"), gone));
    this.drop([...this.root.children].filter((old) => old.firstChild.textContent === text));
    this.root.append(bar);
    this.drop([...this.root.querySelectorAll(".lb-note")].slice(0, -NOTES));
    this.announce(kind === "error" ? t("error", { text }) : text);
    if (kind !== "error") this.panel.later(gone, REMARK);
  }

  /** Forget those that a selector finds. */
  forget(which) {
    this.drop([...this.root.querySelectorAll(which)]);
  }

  /** What went wrong is over: another model answers, or a reply has come. */
  forgetErrors() {
    this.forget(".lb-error");
  }

  forgetAll() {
    this.root.replaceChildren();
  }

  drop(bars) {
    for (const bar of bars) this.away(bar, () => bar.remove());
  }

  /** Take a bar away; whoever was in it with the keyboard goes on where one types. */
  away(bar, take) {
    const inside = bar.matches(":focus-within");
    take();
    if (inside) this.panel.composer.area.focus();
  }
}
