/** How one turn looks, and what a reader can do with it. */

/** What one reply is shown in, whole or as it grows. */
class Reply {
  constructor(typesetter) {
    this.typesetter = typesetter;
    this.body = h("div", { class: "lockbots-reply mathjax_ignore tex2jax_ignore" });
    this.done = 0; // nodes that stay
  }

  show(html) {
    this.body.innerHTML = html;
    if (this.body.querySelector(".mathjax_process")) this.typesetter?.typeset(this.body);
  }

  grow(finished, open) {
    const first = this.done;
    while (this.body.childNodes.length > first) this.body.lastChild.remove();
    this.body.insertAdjacentHTML("beforeend", finished);
    this.done = this.body.childNodes.length;
    this.body.insertAdjacentHTML("beforeend", open);
    for (const node of [...this.body.childNodes].slice(first)) {
      for (const formula of node.querySelectorAll?.(".mathjax_process") ?? []) this.typesetter?.typeset(formula);
    }
  }
}

/** Makes the articles of a panel: a prompt, its reply, and the buttons of both. */
class Articles {
  constructor(panel, manager) {
    this.panel = panel;
    this.manager = manager;
    this.typesetter = manager?._rendermime?.latexTypesetter; // that of ipywidgets' HTMLMath
  }

  /** An article for a reply that has ended as a turn. */
  whole(turn, reply) {
    const { t } = this.panel;
    const notices = turn.notices.map((notice) => h("div", { class: "lockbots-notice" }, t.notice(notice)));
    return h("article", { class: `lb-turn lb-${turn.status}` }, this.promptRow(turn.prompt, turn),
      h("span", { class: "lb-hidden" }, t("reply")), reply.body,
      h("div", { class: "lb-notices" }, ...notices), this.foot(turn));
  }

  /** An article for a reply under way, and the parts of it that change: {reply, node, waits, notices}. */
  growing(prompt, isUnderWay) {
    const reply = new Reply(this.typesetter);
    const waits = h("div", { class: "lb-waits" }, h("span"), this.panel.t(isUnderWay ? "thinking" : "sending"));
    const notices = h("div", { class: "lb-notices" });
    const node = h("article", { class: "lb-turn" }, this.promptRow(prompt), reply.body, waits, notices);
    return { reply, node, waits, notices };
  }

  reply(html) {
    const reply = new Reply(this.typesetter);
    reply.show(html);
    this.dress(reply);
    return reply;
  }

  /** Give each block of code its buttons. */
  dress(reply) {
    for (const pre of reply.body.querySelectorAll("pre")) {
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
    const at = started ? new Date(started * 1000).toLocaleString(t.language) : "";
    return h("div", { class: "lb-foot" },
      stale ? h("span", { class: "lb-mark", title: t("stale_hint") }, t("stale")) : null,
      cell ? h("span", { class: "lb-mark" }, t("cell")) : null,
      text ? iconButton("copy", t("copy"), (event) => this.copy(text, event.currentTarget)) : null,
      iconButton("again", t("regenerate"), () => this.panel.ask({ type: "regenerate", turn: id }), "lb-again"),
      h("span", { class: "lb-by", title: at }, [model, tokens && t.count("tokens", tokens)].filter(Boolean).join(" · ")));
  }

  edit(turn, row) {
    const { t } = this.panel;
    const area = h("textarea", { "aria-label": t("edit"), rows: "1", dir: "auto", input: () => fitHeight(area) });
    const done = () => (form.remove(), (row.hidden = false));
    const cancel = () => (done(), row.lastChild.focus());
    const send = () => area.value.trim() && this.panel.ask({ type: "edit", turn: turn.id, prompt: area.value }) && done();
    const keydown = (event) => {
      if (event.key === "Escape" && !event.isComposing) cancel();
      else if (event.target === area && sends(event)) send();
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
    const { t, remarks } = this.panel;
    const copied = await copyText(text);
    if (copied) this.confirm(clicked, "copied");
    else remarks.add(t("not_copied"), "error");
    return copied;
  }

  async insert(code, clicked) {
    const { t, remarks, root } = this.panel;
    const inserted = insertCell(this.manager, root, code, this.inserted);
    this.inserted = inserted ?? this.inserted;
    if (inserted) this.confirm(clicked, "inserted");
    else if (await this.copy(code, clicked)) remarks.add(t("insert_copied"), "note");
  }

  confirm(clicked, key) {
    this.panel.remarks.announce(this.panel.t(key));
    clicked.replaceChildren(icon("done"));
    this.panel.later(() => clicked.replaceChildren(icon(clicked.dataset.icon)), 1500);
  }
}
