/** Search box: turns of the panel's conversations, and of the log if it is on. */

import { button, h, iconButton } from "./dom.js";

const TYPING_PAUSE = 200; // ms after the last key press until a search is sent

/**
 * Return which of `count` items gets the focus after an arrow key; -1 is the input box, null no change.
 * @param {number} index - The item that has the focus, -1 for the input box.
 * @param {number} count
 * @param {string} key
 */
export function nextItem(index, count, key) {
  if (!count || (key !== "ArrowDown" && key !== "ArrowUp")) return null;
  if (key === "ArrowDown") return Math.min(index + 1, count - 1);
  return Math.max(index - 1, -1);
}

/** Return the parts of a snippet as elements and texts: words that were searched for are marked. */
export function snippetNodes(parts, mark = (text) => h("mark", {}, text)) {
  return parts.map(([text, isFound]) => (isFound ? mark(text) : text));
}

/** The search of a view, and the button that opens it. */
export class Search {
  constructor(panel) {
    const { t } = panel;
    this.panel = panel;
    this.input = h("input", {
      type: "search", "aria-label": t("search"), placeholder: t("search_hint"), spellcheck: "false", dir: "auto",
      input: () => this.onTyped(),
    });
    this.note = h("p", { class: "lb-search-note", hidden: true });
    this.list = h("ul", { "aria-label": t("search_results") });
    const close = iconButton("close", t("search_close"), () => this.open(false));
    this.root = h("section", {
      class: "lb-search", role: "search", "aria-label": t("search"), hidden: true, keydown: (event) => this.onKey(event),
    }, h("div", { class: "lb-search-row" }, this.input, close), this.note, this.list);
    this.toggle = iconButton("search", t("search"), () => this.open(this.root.hidden));
    this.toggle.setAttribute("aria-expanded", "false");
  }

  /** Open or close the search. */
  open(isOpen) {
    this.root.hidden = !isOpen;
    this.toggle.setAttribute("aria-expanded", String(isOpen));
    (isOpen ? this.input : this.toggle).focus();
    if (isOpen) this.input.select(), this.request();
  }

  onTyped() {
    clearTimeout(this.timer);
    this.timer = this.panel.setTimer(() => this.request(), TYPING_PAUSE);
  }

  request() {
    const words = this.input.value;
    const { connection } = this.panel;
    if (words.trim()) connection.post({ type: "search", view: connection.view, words });
    else this.show([], "");
  }

  /** Show what the kernel has found, unless other words were typed since. */
  onFound({ words, hits, log, error }) {
    const { t } = this.panel;
    if (this.root.hidden || words !== this.input.value) return;
    const count = hits.length ? t.count("found", hits.length) : t("found_none");
    this.show(hits, error ? t.notice(error) : log ? "" : t("search_log_off"));
    this.panel.notifications.announce(error ? `${count} ${t.notice(error)}` : count);
  }

  show(hits, note) {
    this.note.textContent = note;
    this.note.hidden = !note;
    this.list.replaceChildren(...hits.map((hit) => h("li", {}, this.item(hit))));
  }

  item(hit) {
    const { t } = this.panel;
    const where = hit.logged ? t("in_log", { day: hit.day, place: hit.place }) : hit.name;
    const item = button("", () => this.choose(hit));
    item.append(h("span", { class: "lb-where" }, where), h("span", { dir: "auto" }, ...snippetNodes(hit.snippet)));
    return item;
  }

  /** Go to a turn; a conversation of the log is opened as a copy. */
  choose(hit) {
    const { connection, transcript } = this.panel;
    this.open(false);
    if (hit.logged) return connection.post({ type: "open_logged", turn: hit.turn });
    transcript.goTo(hit.name, hit.turn);
    if (hit.name !== transcript.name) connection.post({ type: "switch", name: hit.name });
  }

  onKey(event) {
    if (event.isComposing) return;
    const items = [...this.list.querySelectorAll("button")];
    if (event.key === "Enter" && event.target === this.input) {
      event.preventDefault(); // the button that gets the focus would be pressed
      return items[0]?.click();
    }
    const next = nextItem(items.indexOf(event.target), items.length, event.key);
    if (next === null) return;
    event.preventDefault();
    (items[next] ?? this.input).focus();
  }
}
