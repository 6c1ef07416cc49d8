/** Rendering of turns: prompt, reply, and the buttons of both. */

import { button, copyText, fitHeight, h, icon, iconButton, isSendKey, setChildren } from "./dom.js";
import { morphChildren } from "./morph.js";
import { insertCell } from "./notebook.js";

const CONFIRMATION_DURATION = 1500; // ms

/** Element with the HTML of a reply, whole or in progress. */
class ReplyBody {
  constructor(renderer) {
    this.renderer = renderer;
    this.root = h("div", { class: "lockbots-reply mathjax_ignore tex2jax_ignore" });
    this.finishedNodes = 0; // nodes at the start that no longer change
  }

  /** Show a whole reply. */
  show(html) {
    this.finishedNodes = 0;
    this.grow(html, "");
  }

  /** Append finished HTML, and replace the open HTML after it. */
  grow(finished, open) {
    const first = this.finishedNodes;
    const nodes = this.parse(finished);
    this.finishedNodes += nodes.length;
    morphChildren(this.root, [...nodes, ...this.parse(open)], first);
    for (const node of [...this.root.childNodes].slice(first)) {
      for (const formula of node.querySelectorAll?.(".mathjax_process") ?? []) this.typeset(formula);
    }
  }

  /** Return nodes for HTML; each block of code has its buttons. */
  parse(html) {
    const template = h("template");
    template.innerHTML = html;
    for (const pre of template.content.querySelectorAll("pre")) {
      const box = h("div", { class: "lb-code" });
      pre.replaceWith(box);
      box.append(pre, this.renderer.codeTools());
    }
    return [...template.content.childNodes];
  }

  typeset(formula) {
    if (formula.formula !== undefined) return;
    formula.formula = formula.textContent;
    this.renderer.typesetter?.typeset(formula);
  }
}

/** Creates and updates the articles of a view's turns: `{node, row, reply, turn}`. */
export class TurnRenderer {
  constructor(panel, manager) {
    this.panel = panel;
    this.manager = manager;
    this.branches = {}; // id of a turn -> names of the conversations with a branch each, and the index of this one
    this.typesetter = manager?._rendermime?.latexTypesetter; // the one of ipywidgets' HTMLMath
  }

  createArticle(prompt) {
    const reply = new ReplyBody(this);
    const text = h("div", { class: "lb-prompt", dir: "auto" }, prompt);
    const row = h("div", { class: "lb-you" }, h("span", { class: "lb-hidden" }, this.panel.t("you")), text);
    return { node: h("article", { class: "lb-turn" }, row, reply.root), row, text, reply, reasoning: [] };
  }

  /** Show a turn in an article. The elements of the prompt and of the reply, which is shown already, are not moved. */
  showTurn(article, turn) {
    const { t } = this.panel;
    const { node, row, reply } = article;
    const notices = turn.notices.map((notice) => h("div", { class: "lockbots-notice" }, t.notice(notice)));
    article.edit ??= row.appendChild(iconButton("edit", t("edit"), () => this.edit(article)));
    if (turn.reasoning !== article.turn?.reasoning) article.reasoning = this.reasoning(turn.reasoning);
    article.turn = turn;
    this.showPrompt(article, turn.prompt);
    this.showBranch(article);
    node.className = `lb-turn lb-${turn.status}`;
    setChildren(node, [row, h("span", { class: "lb-hidden" }, t("reply")), ...article.reasoning, reply.root,
      h("div", { class: "lb-notices" }, ...notices), this.foot(turn)]);
  }

  /** Show, at each prompt where conversations part, which branch this is, and lead to the others. */
  showBranches(branches, articles) {
    this.branches = branches;
    for (const article of articles) if (article.turn) this.showBranch(article);
  }

  showBranch(article) {
    const { t, connection } = this.panel;
    const { names, at } = this.branches[article.turn.id] ?? { names: [], at: 0 };
    const key = JSON.stringify([names, at]);
    if (key === article.branchKey) return; // a button may have the focus
    article.branchKey = key;
    article.branch?.remove();
    if (names.length < 2) return;
    const step = (name, label, index) => {
      const go = () => names[index] && connection.post({ type: "switch", name: names[index] });
      const made = iconButton(name, t(label), go);
      made.setAttribute("aria-disabled", String(!names[index]));
      return made;
    };
    article.branch = h("span", { class: "lb-branch" },
      step("left", "branch_before", at - 1), `${at + 1}/${names.length}`, step("right", "branch_after", at + 1));
    article.row.insertBefore(article.branch, article.edit);
  }

  /** Show a reply in progress in an article, and add to it the elements that change. */
  showProgress(article, prompt, isStarted) {
    article.waits = h("div", { class: "lb-waits" }, h("span"), this.panel.t(isStarted ? "thinking" : "sending"));
    article.notices = h("div", { class: "lb-notices" });
    article.questions = new Map();
    this.showPrompt(article, prompt);
    setChildren(article.node, [article.row, article.reply.root, article.waits, article.notices]);
  }

  /** Return a question about a tool call, with buttons that answer it. All of it is text. */
  question(id, question) {
    const { t, connection } = this.panel;
    const reason = h("input", { placeholder: t("approve_why"), "aria-label": t("approve_why") });
    const answer = (choice) => () => connection.post({ type: "approve", question: id, choice, reason: reason.value });
    const choices = ["yes", "session", "no"].map((choice) => button(t(`approve_${choice}`), answer(choice)));
    return h("div", { class: "lb-question", role: "region", "aria-label": t("approve") },
      h("div", { class: "lb-call" }, question), h("div", { class: "lb-answers" }, ...choices, reason));
  }

  showPrompt({ text }, prompt) {
    if (text.textContent !== prompt) text.textContent = prompt; // without its credentials, once it is sent
  }

  /** Return the folded reasoning of a turn, if there is any. */
  reasoning(html) {
    if (!html) return [];
    const template = h("template");
    template.innerHTML = html;
    template.content.querySelector("summary").textContent = this.panel.t("reasoning");
    return [...template.content.childNodes];
  }

  /** Return the buttons for `code`, by default for that of the block beside them. */
  codeTools(code) {
    const { t } = this.panel;
    const read = () => code ?? tools.parentElement.querySelector("pre").textContent.replace(/\n$/, "");
    const tools = h("div", { class: "lb-tools" },
      iconButton("copy", t("copy_code"), (event) => this.copy(read(), event.currentTarget)),
      iconButton("insert", t("insert"), (event) => this.insert(read(), event.currentTarget)));
    return tools;
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

  /** Replace the prompt of an article by a form that edits it. */
  edit({ turn, row }) {
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
