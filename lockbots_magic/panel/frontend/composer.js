/** Where a person types. */

const takenUp = new Set(); // drafts that a view of this page keeps; the other views keep theirs to themselves

/** Where a person types. */
class Composer {
  constructor(panel, ...besides) {
    const { t } = panel;
    this.panel = panel;
    this.draft = `lockbots-draft-${panel.key}`;
    this.area = h("textarea", {
      rows: "1", "aria-label": t("prompt"), dir: "auto", "data-jp-suppress-context-menu": true,
      keydown: (event) => this.pressed(event), input: () => this.write(this.area.value),
    });
    this.button = button("", () => (this.busy === "here" ? panel.stop() : this.send()));
    this.root = h("div", { class: "lb-composer" }, this.area, h("div", { class: "lb-row" }, ...besides, this.button));
    this.recalled = -1; // which of the last prompts is shown
    this.seen = new IntersectionObserver(() => fitHeight(this.area)); // out of sight, it has no height to fit
    this.show("");
  }

  show(busy) {
    const { t } = this.panel;
    const act = busy === "here" ? "stop" : "send";
    const label = t(act);
    this.busy = busy;
    this.button.className = `lb-send lb-${act}`;
    this.button.title = busy === "elsewhere" ? t("busy_elsewhere") : label;
    this.button.setAttribute("aria-disabled", String(busy === "elsewhere")); // it can still be pressed, and says why not
    this.button.setAttribute("aria-label", label);
    this.button.replaceChildren(icon(act));
    this.area.placeholder = t(busy === "elsewhere" ? "busy_elsewhere_short" : "placeholder");
  }

  send() {
    const prompt = this.area.value;
    if (prompt.trim() && this.panel.ask({ type: "send", prompt })) this.write("");
  }

  write(text) {
    if (text !== this.area.value) this.area.value = text;
    this.recalled = -1;
    fitHeight(this.area);
    if (this.keepsDraft) remember(this.draft, text);
  }

  /** Go on with what was being typed when the page was loaded anew. */
  takeUpDraft() {
    this.keepsDraft = !takenUp.has(this.draft);
    takenUp.add(this.draft);
    if (this.keepsDraft && remembered(this.draft)) this.giveBack(remembered(this.draft));
    this.seen.observe(this.area);
  }

  close() {
    this.seen.disconnect();
    if (this.keepsDraft) takenUp.delete(this.draft);
  }

  /** Give a prompt back that came to nothing, unless another one has been begun. */
  giveBack(prompt) {
    if (!this.area.value) this.write(prompt);
  }

  pressed(event) {
    const step = event.shiftKey || event.isComposing ? undefined : { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (sends(event)) this.send();
    else if (step && (this.recalled >= 0 || (step > 0 && !this.area.value))) this.recall(this.recalled + step);
    else return;
    event.preventDefault();
  }

  recall(index) {
    const prompts = [...new Set(this.panel.transcript.turns.map(({ prompt }) => prompt).reverse())];
    const recalled = Math.min(index, prompts.length - 1);
    this.write(prompts[recalled] ?? "");
    this.recalled = recalled;
  }
}
