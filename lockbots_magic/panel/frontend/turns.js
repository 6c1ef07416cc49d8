/** Rendering of turns: prompt, reply, and the buttons of both. */

import { button, copyText, fitHeight, h, icon, iconButton, isSendKey } from "./dom.js";
import { insertCell } from "./notebook.js";

const CONFIRMATION_DURATION = 1500; // ms

/** Element with the HTML of a reply, whole or in progress. */
class ReplyBody {
  constructor(typesetter) {
    this.typesetter = typesetter;
    this.root = h("div", { class: "lockbots-reply mathjax_ignore tex2jax_ignore" });
    this.finishedNodes = 0; // nodes at the start that no longer change
  }

  /** Show a whole reply. */
  show(html) {
    this.root.innerHTML = html;
    if (this.root.querySelector(".mathjax_process")) this.typesetter?.typeset(this.root);
  }

  /** Append finished HTML, and replace the open HTML after it. */
  grow(finished, open) {
    const first = this.finishedNodes;
    while (this.root.childNodes.length > first) this.root.lastChild.remove();
    this.root.insertAdjacentHTML("beforeend", finished);
    this.finishedNodes = this.root.childNodes.length;
    this.root.insertAdjacentHTML("beforeend", open);
    for (const node of [...this.root.childNodes].slice(first)) {
      for (const formula of node.querySelectorAll?.(".mathjax_process") ?? []) this.typesetter?.typeset(formula);
    }
  }
}

/** Creates the article elements of a view's turns. */
export class TurnRenderer {
  constructor(panel, manager) {
    this.panel = panel;
    this.manager = manager;
    this.typesetter = manager?._rendermime?.latexTypesetter; // the one of ipywidgets' HTMLMath
  }

  /** Create the article of a turn around the body of its reply. */
  renderTurn(turn, reply) {
    const { t } = this.panel;
    const notices = turn.notices.map((notice) => h("div", { class: "lockbots-notice" }, t.notice(notice)));
    return h("article", { class: `lb-turn lb-${turn.status}` }, this.promptRow(turn.prompt, turn),
      h("span", { class: "lb-hidden" }, t("reply")), reply.root,
      h("div", { class: "lb-notices" }, ...notices), this.foot(turn));
  }

  /** Create the article of a reply in progress; returns it with the parts that change. */
  renderProgress(prompt, isStarted) {
    const reply = new ReplyBody(this.typesetter);
    const waits = h("div", { class: "lb-waits" }, h("span"), this.panel.t(isStarted ? "thinking" : "sending"));
    const notices = h("div", { class: "lb-notices" });
    const node = h("article", { class: "lb-turn" }, this.promptRow(prompt), reply.root, waits, notices);
    return { reply, node, waits, notices };
  }

  renderReply(html) {
    const reply = new ReplyBody(this.typesetter);
    reply.show(html);
    this.addCodeTools(reply);
    return reply;
  }

  /** Give each block of code its buttons. */
  addCodeTools(reply) {
    for (const pre of reply.root.querySelectorAll("pre")) {
      const code = pre.textContent.replace(/\n$/, "");
      if (!code) continue;
      const box = h("div", { class: "lb-code" });
      pre.replaceWith(box);
      box.append(pre, this.codeTools(code));
    }
  }

  codeTools(code) {
    const { t } = this.panel;
    return h("div", { class: "lb-tools" },
      iconButton("copy", t("copy_code"), (event) => this.copy(code, event.currentTarget)),
      iconButton("insert", t("insert"), (event) => this.insert(code, event.currentTarget)));
  }

  promptRow(prompt, turn = null) {
    const { t } = this.panel;
    const text = h("div", { class: "lb-prompt", dir: "auto" }, prompt);
    const edit = turn && iconButton("edit", t("edit"), () => this.edit(turn, row));
    const row = h("div", { class: "lb-you" }, h("span", { class: "lb-hidden" }, t("you")), text, edit);
    return row;
  }

  foot({ id, text, model, usage, stale, cell, started }) {
    const { t } = this.panel;
    const tokens = usage && (usage.prompt ?? 0) + (usage.completion ?? 0);
    const date = started ? new Date(started * 1000).toLocaleString(t.language) : "";
    return h("div", { class: "lb-foot" },
      stale ? h("span", { class: "lb-mark", title: t("stale_hint") }, t("stale")) : null,
      cell ? h("span", { class: "lb-mark" }, t("cell")) : null,
      text ? iconButton("copy", t("copy"), (event) => this.copy(text, event.currentTarget)) : null,
      iconButton("again", t("regenerate"), () => this.panel.submit({ type: "regenerate", turn: id }), "lb-again"),
      h("span", { class: "lb-by", title: date },
        [model, tokens && t.count("tokens", tokens), ...this.cacheCounts(usage)].filter(Boolean).join(" · ")));
  }

  /** Describe the tokens of a prompt that the service's cache held, or holds now. */
  cacheCounts(usage) {
    const { t } = this.panel;
    const counts = [["from_cache", usage?.cached], ["to_cache", usage?.written]];
    return counts.map(([key, count]) => count && t(key, { count: count.toLocaleString(t.language) }));
  }

  /** Replace a prompt by a form that edits it. */
  edit(turn, row) {
    const { t } = this.panel;
    const area = h("textarea", { "aria-label": t("edit"), rows: "1", dir: "auto", input: () => fitHeight(area) });
    const close = () => (form.remove(), (row.hidden = false));
    const cancel = () => (close(), row.lastChild.focus());
    const send = () => {
      if (area.value.trim() && this.panel.submit({ type: "edit", turn: turn.id, prompt: area.value })) close();
    };
    const keydown = (event) => {
      if (event.key === "Escape" && !event.isComposing) cancel();
      else if (event.target === area && isSendKey(event)) send();
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    const form = h("div", { class: "lb-edit", keydown }, area, h("div", { class: "lb-row" },
      h("span", {}, t("edit_note")), button(t("edit_cancel"), cancel), button(t("edit_send"), send, { class: "lb-primary" })));
    area.value = turn.prompt;
    row.hidden = true;
    row.after(form);
    fitHeight(area);
    area.focus();
  }

  async copy(text, clicked) {
    const { t, notifications } = this.panel;
    const copied = await copyText(text);
    if (copied) this.confirm(clicked, "copied");
    else notifications.add(t("not_copied"), "error");
    return copied;
  }

  /** Insert code as a cell below the panel, and below cells inserted before; copy it where that is impossible. */
  async insert(code, clicked) {
    const { t, notifications, root } = this.panel;
    const inserted = insertCell(this.manager, root, code, this.lastInserted);
    this.lastInserted = inserted ?? this.lastInserted;
    if (inserted) this.confirm(clicked, "inserted");
    else if (await this.copy(code, clicked)) notifications.add(t("insert_copied"), "note");
  }

  /** Show on a button that its action is done. */
  confirm(clicked, key) {
    this.panel.notifications.announce(this.panel.t(key));
    clicked.replaceChildren(icon("done"));
    this.panel.setTimer(() => clicked.replaceChildren(icon(clicked.dataset.icon)), CONFIRMATION_DURATION);
  }
}
