/** Draft of a prompt, kept for this browser tab when the page is reloaded. */

const claimed = new Set(); // keys of drafts that a view in this page keeps

/** The draft of one panel. Of several views of the panel, the first one keeps it. */
export class Draft {
  /** @param {string} panelKey - Identifies the panel across reloads. */
  constructor(panelKey) {
    this.key = `lockbots-draft-${panelKey}`;
    this.isClaimed = false;
  }

  /** Keep the draft from now on, unless another view does; return the text that was kept before. */
  claim() {
    this.isClaimed = !claimed.has(this.key);
    claimed.add(this.key);
    return this.isClaimed ? this.load() : "";
  }

  release() {
    if (this.isClaimed) claimed.delete(this.key);
    this.isClaimed = false;
  }

  /** Keep a text; nothing is kept where the browser forbids storage. */
  save(text) {
    if (!this.isClaimed) return;
    try {
      if (text) sessionStorage.setItem(this.key, text);
      else sessionStorage.removeItem(this.key);
    } catch {}
  }

  load() {
    try {
      return sessionStorage.getItem(this.key) ?? "";
    } catch {
      return "";
    }
  }
}
