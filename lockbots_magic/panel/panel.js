/**
 * The front end of the chat panel, an anywidget module. State travels as custom messages, which host.py tells of.
 *
 * Of what they bring, `html`, `finished`, `open` and `rest` are HTML that the kernel has sanitised. All else is text.
 */

const PATIENCE = 5000; // ms after which a kernel that has said nothing is told to be silent
const LAST_TRY = 60000; // ms from one hello to the next, after which no more is sent: each will be answered in the end
const REMARK = 8000; // ms that a remark stays
const NEAR = 24; // px from the end at which a reader still counts as being there
const AHEAD = "400px"; // from the oldest turn shown, where earlier ones are asked for
const ANNOUNCED = 200; // characters of a reply that a screen reader is given
const NOTES = 3; // remarks that stand there at once, besides errors
const SETTLING = 300; // ms in which a page that knows the output below the panel by its name has updated it
const VIEW = "application/vnd.jupyter.widget-view+json";
const STATE = "lockbots_state"; // in the metadata of the output below the panel, which panel.py tells of
const ENDED = ["restarting", "autorestarting", "terminating", "dead"]; // states in which a kernel has lost what it knew

const ICONS = {
  add: "M8 3v10M3 8h10",
  again: "M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3",
  close: "m4.5 4.5 7 7m0-7-7 7",
  copy: "M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8V3",
  done: "m3 8.5 3.2 3.2L13 5",
  down: "M8 3v10m4.5-4.5L8 13 3.5 8.5",
  edit: "M10.8 2.7 13.3 5.2 5.5 13H3v-2.5z",
  insert: "M2.5 3.5h11v4h-11zM8 10v4m-2-2h4",
  key: "M7.8 8.2 13 3m-2 2 1.8 1.8M9 7l1.3 1.3M8.5 10.5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  send: "M8 13V3m4.5 4.5L8 3 3.5 7.5",
  settings: "M2.5 5h5m4 0h2m-11 6h2m4 0h5M9.5 3v4m-3 2v4",
  stop: "M5 5h6v6H5z",
};

export default {
  render({ model, el }) {
    const panel = new Panel(model);
    el.append(panel.root);
    panel.open();
    return () => panel.close();
  },
};

/** Make an element; a function among the attributes listens to the event of that name. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (typeof value === "boolean") element.toggleAttribute(name, value);
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

function icon(name) {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

function button(text, click, attributes = {}) {
  return h("button", { type: "button", click, ...attributes }, text);
}

function iconButton(name, label, click, more = "") {
  return button(icon(name), click, { class: `lb-icon ${more}`, title: label, "aria-label": label, "data-icon": name });
}

/** Fill a select, but leave the options of one that offers just these: it may be open. */
function offer(select, pairs, value) {
  const key = JSON.stringify(pairs.map(([id]) => id));
  if (select.dataset.offered !== key) {
    select.replaceChildren(...pairs.map(([id]) => h("option", { value: id })));
    select.dataset.offered = key;
  }
  pairs.forEach(([, name], n) => select.options[n].textContent === name || (select.options[n].textContent = name));
  select.value = value;
}

/** What tells a text of the kernel's own by its English form, as the table has it. */
function pattern(text) {
  const exact = text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${exact.replace(/\\\{(\w+)\\\}/g, "(?<$1>\\d+)")}$`);
}

/** Return the function that gives the texts in the language of the browser, and in English what it has none for. */
function translator(table) {
  const wanted = (navigator.languages ?? []).map((tag) => tag.toLowerCase().split("-")[0]);
  const language = wanted.find((tag) => Object.hasOwn(table, tag)) ?? "en";
  const texts = { ...table.en, ...table[language] };
  const plural = new Intl.PluralRules(language);
  const compact = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
  const t = (key, values = {}) => (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  t.count = (key, n) => {
    const exact = `${key}_${plural.select(n)}`;
    return t(exact in texts ? exact : `${key}_other`, { n: compact.format(n) });
  };
  const notices = Object.keys(table.en).filter((key) => key.startsWith("notice_")).map((key) => [key, pattern(table.en[key])]);
  t.notice = (text) => {
    const [key, known] = notices.find(([, one]) => one.test(text)) ?? [];
    return key ? t(key, text.match(known).groups) : text;
  };
  t.language = language;
  return t;
}

/** Whether a key sends what was typed; with an input method, Enter chooses a word. */
function sends(event) {
  return event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}

function fitHeight(area) {
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + area.offsetHeight - area.clientHeight}px`;
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text); // pages that come neither by https nor from localhost have no clipboard
  }
}

function copySelected(text) {
  const focused = document.activeElement;
  const area = h("textarea", { style: "position: fixed; opacity: 0" });
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return copied;
}

/** Insert a code cell below the one that `element` is in, and below `last`; null where the front end offers no notebook. */
function insertCell(manager, element, source, last) {
  const notebook = manager?.context?.model?.sharedModel;
  if (!notebook?.insertCell) return null;
  const cell = element.closest(".jp-Cell");
  const inPage = [...(cell?.parentElement.querySelectorAll(":scope > .jp-Cell") ?? [])].indexOf(cell);
  const own = Number(cell?.dataset.windowedListIndex ?? (cell ? inPage : notebook.cells.length - 1));
  const above = Math.max(own, notebook.cells.indexOf(last));
  return notebook.insertCell(above + 1, { cell_type: "code", source, metadata: {} });
}

/** Find the outputs below a panel, by its widget, in the notebook's document: [outputs of the cell, place among them]. */
function transcriptsOf(manager, id) {
  const cells = manager?.context?.model?.cells;
  const found = [];
  for (let n = 0; n < (cells?.length ?? 0); n++) {
    const { outputs } = cells.get(n); // only code has any
    for (let place = 0, isBelow = false; place < (outputs?.length ?? 0); place++) {
      const { data, metadata } = outputs.get(place);
      if (data[VIEW]) isBelow = data[VIEW].model_id === id;
      else if (isBelow && STATE in metadata) found.push([outputs, place]);
    }
  }
  return found;
}

/** Whether two turns look the same; the HTML follows from the text. */
function isSame(one, other) {
  return one === other || JSON.stringify({ ...one, html: "" }) === JSON.stringify({ ...other, html: "" });
}

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

/** The turns, the reply under way, and where the reader is among them. */
class Transcript {
  constructor(panel) {
    const { t } = panel;
    this.panel = panel;
    this.name = null;
    this.turns = [];
    this.shown = new Map(); // by id: {turn, reply, node}
    this.growing = null; // {id, prompt, replaces, reply, node, ...}; the id is null until the kernel has begun
    this.more = false;
    this.following = true;
    this.top = 0;
    this.earlier = h("div", { class: "lb-earlier", hidden: true }, button(t("earlier"), () => this.askEarlier()));
    this.list = h("div", { class: "lb-list" });
    this.cells = h("p");
    this.empty = h("div", { class: "lb-empty", hidden: true }, h("p", {}, t("empty")), h("p", {}, t("keys")), this.cells);
    this.loading = h("div", { class: "lb-loading" }, t("loading"));
    const described = { role: "log", "aria-live": "off", "aria-label": t("turns_shown"), tabindex: "0" };
    this.log = h("div", { class: "lb-log", ...described, scroll: () => this.scrolled() },
      this.earlier, this.loading, this.empty, this.list);
    this.toEnd = iconButton("down", t("to_end"), () => this.goToEnd(), "lb-to-end");
    this.root = h("div", { class: "lb-body" }, this.log, this.toEnd);
    this.resized = new ResizeObserver(() => this.follow());
    this.resized.observe(this.list);
    this.resized.observe(this.log);
    this.reached = new IntersectionObserver((seen) => seen.at(-1).isIntersecting && this.askEarlier(), {
      root: this.log, rootMargin: `${AHEAD} 0px 0px`,
    });
  }

  close() {
    this.resized.disconnect();
    this.reached.disconnect();
  }

  /** Show how things stand; turns that were fetched earlier stay if they are still those before. */
  snapshot({ conversation, turns, more, reply }) {
    const switched = conversation.name !== this.name;
    const at = this.turns.findIndex(({ id }) => id === turns[0]?.id);
    const kept = !switched && at > 0 && at <= conversation.total - turns.length ? this.turns.slice(0, at) : [];
    this.name = conversation.name;
    this.following ||= switched;
    this.loading.remove();
    this.change(() => {
      if (switched || this.growing?.id) this.discard(); // what was sent just now is not in it yet
      this.turns = [...kept, ...turns];
      this.setMore(kept.length ? this.more : more);
      if (reply) this.begin(reply);
    });
  }

  addEarlier({ before, turns, more }) {
    this.asked = null;
    if (before !== this.turns[0]?.id) return;
    this.change(() => {
      this.turns = [...turns, ...this.turns];
      this.setMore(more);
    });
  }

  setMore(more) {
    this.more = more;
    this.earlier.hidden = !more;
    this.reached.unobserve(this.earlier); // observing anew tells at once whether it is in sight
    if (more) this.reached.observe(this.earlier);
  }

  askEarlier() {
    const before = this.turns[0]?.id;
    if (!this.more || !before || this.asked === before) return;
    this.asked = before;
    this.panel.post({ type: "earlier", view: this.panel.view, before });
  }

  begin({ id, prompt, model = "", finished = "", open = "", notice = "", n = 0, replaces }) {
    this.change(() => {
      const before = this.growing;
      this.discard();
      const reply = new Reply(this.panel.typesetter);
      const waits = h("div", { class: "lb-waits" }, h("span"), this.panel.t(id ? "thinking" : "sending"));
      const notices = h("div", { class: "lb-notices" });
      const node = h("article", { class: "lb-turn" }, this.panel.promptRow(prompt), reply.body, waits, notices);
      this.growing = { id, prompt, model, replaces: replaces ?? before?.replaces, reply, node, waits, notices };
      this.frame({ finished, open, notice, n });
    });
  }

  frame({ finished, open, notice, n }) {
    const { reply, waits, notices } = this.growing;
    this.growing.n = n; // how many frames are in it
    this.growing.open = open;
    reply.grow(finished, open);
    waits.classList.toggle("lb-bare", reply.body.hasChildNodes());
    notices.replaceChildren(...(notice ? [h("div", { class: "lockbots-notice" }, this.panel.t.notice(notice))] : []));
    this.follow();
  }

  /** The reply under way will not go on: keep what has come, and say why. */
  breakOff(notice) {
    const { id, prompt, model, open, reply } = this.growing;
    const text = reply.body.textContent;
    this.end({ turn: { id, prompt, model, text, html: "", status: "error", notices: [notice] }, same: true, rest: open });
  }

  /** The reply under way has ended as a turn, or as none. */
  end({ turn, same, rest, stale }) {
    const { replaces, reply } = this.growing;
    this.change(() => {
      this.discard();
      if (!turn) return;
      if (same) reply.grow(rest, "");
      else reply.show(turn.html);
      this.panel.dress(reply);
      this.shown.set(turn.id, { turn, reply, node: this.panel.article(turn, reply) });
      this.put({ turn, replaces, after: this.turns.at(-1)?.id ?? null, stale });
    });
  }

  /** Take in a turn, in the place of another one or after one; null is before all. */
  put({ turn, replaces, after, stale = [] }) {
    const turns = this.turns.map((one) => (stale.includes(one.id) ? { ...one, stale: true } : one));
    const old = turns.findIndex(({ id }) => id === replaces || id === turn.id);
    const behind = turns.findIndex(({ id }) => id === after);
    if (old >= 0) turns.splice(old, 1, turn);
    else if (behind >= 0 || (after === null && !this.more)) turns.splice(behind + 1, 0, turn);
    this.turns = turns;
  }

  discard() {
    this.growing?.node.remove();
    this.growing = null;
  }

  /** Change what is shown; a reader who follows the end goes on doing so, another one keeps the place. */
  change(act) {
    const start = this.log.getBoundingClientRect().top;
    const inSight = (node) => !node.hidden && node.getBoundingClientRect().bottom > start;
    const first = this.following ? null : [...this.list.children].find(inSight);
    const before = first?.getBoundingClientRect().top;
    act();
    this.arrange();
    if (first?.isConnected) this.log.scrollTop += first.getBoundingClientRect().top - before;
    this.follow();
  }

  /** Bring the list in line with the turns, touching none that is shown as it is. */
  arrange() {
    const { growing } = this;
    this.shown = new Map(this.turns.map((turn) => [turn.id, this.entry(turn, this.shown.get(turn.id))]));
    const nodes = [...this.shown].flatMap(([id, { node }]) => {
      node.hidden = id === growing?.replaces;
      return node.hidden ? [node, growing.node] : [node];
    });
    if (growing && !nodes.includes(growing.node)) nodes.push(growing.node);
    const wanted = new Set(nodes);
    for (const node of [...this.list.children]) if (!wanted.has(node)) node.remove();
    nodes.forEach((node, n) => node === this.list.children[n] || this.list.insertBefore(node, this.list.children[n] ?? null));
    this.empty.hidden = nodes.length > 0;
  }

  /** What a turn is shown in: as before if nothing has changed, or while its prompt is being edited. */
  entry(turn, old) {
    if (old && (isSame(turn, old.turn) || old.node.querySelector(".lb-edit"))) return old;
    const reply = old?.turn.text === turn.text ? old.reply : this.panel.reply(turn.html);
    return { turn, reply, node: this.panel.article(turn, reply) };
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.log;
    if (scrollHeight - scrollTop - clientHeight < NEAR) this.following = true;
    else if (scrollTop < this.top - 1) this.following = false; // text that grows below moves nothing upwards
    this.top = scrollTop;
    this.toEnd.hidden = this.following;
  }

  follow() {
    if (this.following) this.log.scrollTop = this.log.scrollHeight;
    this.toEnd.hidden = this.following;
  }

  goToEnd() {
    this.following = true;
    this.follow();
    this.log.focus({ preventScroll: true }); // the button is gone
  }
}

/** Provider, model, temperature and system prompt. */
class Settings {
  constructor(panel) {
    const { t } = panel;
    const set = (setting) => panel.post({ type: "set", ...setting });
    const field = (name, control) => {
      control.setAttribute("aria-label", t(name)); // the text of a label has that of its options in it
      return h("label", {}, h("span", {}, t(name)), control);
    };
    this.panel = panel;
    this.heated = null; // the temperature in use
    this.provider = h("select", { change: () => this.use(this.provider.value) });
    this.model = h("select", { change: () => this.choose() });
    this.other = h("input", {
      "aria-label": t("model_name"), placeholder: t("model_name"), hidden: true, spellcheck: "false",
      change: () => this.other.value.trim() && this.use(`${this.provider.value}:${this.other.value.trim()}`),
    });
    this.temperature = h("input", {
      inputmode: "decimal", placeholder: t("temperature_own"), change: () => this.heat(set),
    });
    this.system = h("textarea", { rows: "2", placeholder: t("system_hint"), change: () => set({ system: this.system.value }) });
    this.problem = h("p", { class: "lb-problem", hidden: true });
    this.root = h("section", { class: "lb-settings", "aria-label": t("settings"), hidden: true },
      iconButton("close", t("settings_close"), () => this.open(false), "lb-close"),
      field("provider", this.provider), field("model", this.model), this.other, this.problem,
      field("temperature", this.temperature), field("system", this.system));
    this.name = h("span");
    this.toggle = button(icon("settings"), () => this.open(this.root.hidden), {
      class: "lb-model", title: t("settings"), "aria-label": t("settings"), "aria-expanded": "false",
    });
    this.toggle.append(this.name);
  }

  open(opened) {
    if (this.root.contains(document.activeElement)) document.activeElement.blur(); // what was typed there holds
    this.root.hidden = !opened;
    this.toggle.setAttribute("aria-expanded", String(opened));
    (opened ? this.provider : this.toggle).focus();
    if (opened) this.askModels();
  }

  askModels() {
    this.problem.hidden = true;
    if (!this.locked) this.panel.post({ type: "models", provider: this.provider.value });
  }

  choose() {
    if (this.model.value) return this.use(this.model.value);
    this.other.hidden = false;
    this.other.focus();
  }

  /** Take the temperature that was typed, with a comma or a point; one that no model takes is refused. */
  heat(set) {
    const typed = this.temperature.value.trim().replace(",", ".");
    const value = typed ? Number(typed) : null;
    this.panel.forget(".lb-of-temperature");
    if (value === null || (value >= 0 && value <= 2)) {
      this.heated = value;
      set({ temperature: value });
      return;
    }
    this.temperature.value = this.heated ?? "";
    this.panel.remark(this.panel.t("temperature_refused"), "note", "lb-of-temperature");
  }

  use(model) {
    if (document.activeElement === this.other) this.model.focus(); // Enter was pressed: the field goes, its user stays
    this.other.hidden = true;
    this.other.value = "";
    this.panel.post({ type: "set", model });
  }

  show({ model, models, providers, temperature, takes_temperature: takes, system }) {
    const { t } = this.panel;
    const isLocked = ({ credential }) => credential === "missing";
    const [provider] = model.split(":", 1);
    const changed = provider !== this.inUse?.split(":", 1)[0];
    if (model !== this.inUse) this.panel.forgetErrors();
    this.inUse = model;
    this.heated = temperature;
    this.locked = providers.some((one) => one.name === provider && isLocked(one));
    this.name.textContent = model;
    this.toggle.setAttribute("aria-label", `${t("settings")}: ${model}`);
    offer(this.provider, providers.map((one) => [one.name, isLocked(one) ? t("no_key", one) : one.name]), provider);
    this.offerModels(models);
    if (changed && !this.root.hidden) this.askModels();
    this.temperature.disabled = !takes;
    this.temperature.title = takes ? "" : t("temperature_none");
    if (document.activeElement !== this.temperature) this.temperature.value = temperature ?? "";
    if (document.activeElement !== this.system) this.system.value = system;
  }

  offerModels(models) {
    const { t } = this.panel;
    const [provider] = this.inUse.split(":", 1);
    const offered = models.map(({ id, name }) => [`${provider}:${id}`, name || id]);
    const known = offered.some(([id]) => id === this.inUse);
    if (!known) offered.unshift([this.inUse, this.inUse.slice(provider.length + 1) || t("model_default")]);
    offer(this.model, [...offered, ["", t("model_other")]], this.other.hidden ? this.inUse : "");
  }

  listed({ provider, models, error }) {
    if (provider !== this.provider.value) return;
    if (!error) this.offerModels(models);
    this.problem.textContent = this.panel.t("models_error", { error });
    this.problem.hidden = !error;
  }
}

/** Where a person types. */
class Composer {
  constructor(panel, ...besides) {
    const { t } = panel;
    this.panel = panel;
    this.area = h("textarea", {
      rows: "1", "aria-label": t("prompt"), dir: "auto", "data-jp-suppress-context-menu": true,
      keydown: (event) => this.pressed(event), input: () => this.write(this.area.value),
    });
    this.button = button("", () => (this.busy === "here" ? panel.stop() : this.send()));
    this.root = h("div", { class: "lb-composer" }, this.area, h("div", { class: "lb-row" }, ...besides, this.button));
    this.recalled = -1; // which of the last prompts is shown
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

/** One view of the panel. */
class Panel {
  constructor(model) {
    this.model = model;
    this.t = translator(model.get("texts"));
    this.view = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    this.manager = model.widget_manager;
    this.typesetter = this.manager?._rendermime?.latexTypesetter; // that of ipywidgets' HTMLMath
    this.timers = new Set();
    this.transcript = new Transcript(this);
    this.settings = new Settings(this);
    this.usage = h("span", { class: "lb-usage" });
    this.composer = new Composer(this, this.settings.toggle, this.usage);
    this.status = h("div", { class: "lb-hidden", role: "status" });
    this.remarks = h("div");
    const bar = (kind) => h("div", { class: `lb-bar lb-${kind}`, hidden: true });
    [this.sure, this.link, this.credential, this.unrestored] = ["error", "error", "warning", "warning"].map(bar);
    this.root = h("div", {
      class: "lockbots lockbots-panel mathjax_ignore tex2jax_ignore", role: "region", "aria-label": this.t("panel"),
      lang: this.t.language, "data-lm-suppress-shortcuts": true, keydown: (event) => this.pressed(event),
    }, this.head(), this.transcript.root, this.settings.root, this.sure, this.unrestored, this.remarks, this.link,
    this.credential, this.composer.root, this.status);
  }

  head() {
    const { t } = this;
    const item = (key, act) => button(t(key), () => ((this.menu.open = false), act()));
    const exports_ = ["md", "html", "ipynb", "json"].map((format) =>
      item(`export_${format}`, () => this.post({ type: "export", format })));
    this.menu = h("details", {},
      h("summary", { class: "lb-icon", title: t("more"), "aria-label": t("more") }, icon("more")),
      h("div", { class: "lb-menu" }, ...exports_, item("clear", () => this.askToClear())));
    this.names = h("select", { "aria-label": t("conversation"), change: () => this.post({ type: "switch", name: this.names.value }) });
    const add = () => (this.post({ type: "new" }), this.composer.area.focus());
    return h("div", { class: "lb-head" }, this.names, iconButton("add", t("new"), add), this.menu);
  }

  open() {
    this.model.on("msg:custom", this.received);
    this.model.on("comm_live_update", this.linkChanged);
    this.session = this.manager?.context?.sessionContext;
    this.session?.statusChanged.connect(this.kernelChanged);
    this.session?.kernelChanged.connect(this.kernelChanged);
    document.addEventListener("pointerdown", this.clicked);
    this.later(this.hello, 0); // by then it is in the page, which shows whether there is a kernel
  }

  close() {
    this.model.off("msg:custom", this.received);
    this.model.off("comm_live_update", this.linkChanged);
    this.session?.statusChanged.disconnect(this.kernelChanged);
    this.session?.kernelChanged.disconnect(this.kernelChanged);
    document.removeEventListener("pointerdown", this.clicked);
    this.timers.forEach(clearTimeout);
    this.transcript.close();
    this.root.remove();
  }

  later(act, ms) {
    const timer = setTimeout(() => (this.timers.delete(timer), act()), ms);
    this.timers.add(timer);
    return timer;
  }

  // The link to the kernel

  /** Send to the kernel, and watch whether it says anything; false if there is none. */
  post(message) {
    if (this.isLost || this.root.closest(".jupyter-widgets-disconnected")) return this.lost();
    try {
      this.model.send(message);
    } catch {
      return this.lost(); // the comm is closed
    }
    this.silence ??= this.later(() => this.silent(), PATIENCE);
    return true;
  }

  /** Ask how things stand; what is sent before the front end has a subshell of the kernel waits for the cells. */
  hello = (_, wait = 1000) => {
    clearTimeout(this.greeting);
    const again = this.post({ type: "hello", view: this.view }) && wait < LAST_TRY;
    if (again) this.greeting = this.later(() => this.hello(null, 2 * wait), wait);
  };

  silent() {
    const text = this.manager?.kernel?.status === "busy" ? "kernel_busy" : "kernel_silent";
    this.showLink(this.t(text), button(this.t("try_again"), this.hello));
  }

  linkChanged = () => {
    this.isLost = false; // else hello finds out
    this.hello();
  };

  /** The kernel that the panel belongs to may have ended: by a restart, by a crash, by hand. */
  kernelChanged = ({ session }, change) => {
    const isAnother = Boolean(change?.oldValue) && change.oldValue !== change.newValue;
    if (isAnother || !session?.kernel || ENDED.includes(session.kernel.status)) this.lost();
  };

  /** Nobody will answer any more, unless something comes after all. */
  lost() {
    this.isLost = true;
    clearTimeout(this.silence);
    this.silence = undefined;
    if (this.transcript.growing?.id) this.transcript.breakOff(this.t("broken_off"));
    this.takeBack();
    this.showBusy("");
    this.showLink(this.t("kernel_gone"));
    return false;
  }

  showLink(text, ...actions) {
    if (this.link.hidden) this.announce(text);
    this.transcript.loading.remove();
    this.link.replaceChildren(h("span", {}, text), ...actions);
    this.link.hidden = false;
  }

  received = (message) => {
    clearTimeout(this.silence);
    this.silence = undefined;
    this.isLost = false;
    this.away(this.link, () => (this.link.hidden = true));
    if (!message.view || message.view === this.view) this.handlers[message.type]?.(message);
  };

  handlers = {
    snapshot: (message) => {
      clearTimeout(this.greeting);
      this.missed = null;
      this.transcript.snapshot(message);
      this.showNames(message.conversation);
      this.showSettings(message.settings);
      this.showBusy(message.busy);
    },
    earlier: (message) => this.transcript.addEarlier(message),
    turn: (message) => this.transcript.change(() => this.transcript.put(message)),
    begin: ({ reply, replaces }) => {
      this.transcript.begin({ ...reply, replaces });
      this.showBusy("here");
    },
    frame: (message) => this.isNext(message) && this.transcript.frame(message),
    end: (message) => this.isNext(message, !message.same) && this.ended(message),
    settings: (message) => this.showSettings(message),
    models: (message) => this.settings.listed(message),
    usage: (message) => this.showUsage(message),
    busy: ({ busy }) => {
      if (!busy && this.transcript.growing?.id) this.hello(); // its end was missed
      this.showBusy(busy);
    },
    names: (message) => this.showNames(message),
    told: ({ text, kind, key, values, refused, prompt, credential }) => {
      if (refused) this.takeBack(prompt);
      if (credential && !this.credential.hidden) this.announce(this.credential.textContent); // told there already
      else this.remark(key ? this.t(key, values) : this.t.notice(text), kind);
    },
    saved: (message) => {
      clearTimeout(this.settling);
      this.settling = this.later(() => this.checkSaved(message), SETTLING);
    },
    transcript: ({ widget, data, metadata }) => {
      const output = { output_type: "display_data", data, metadata };
      for (const [outputs, place] of transcriptsOf(this.manager, widget)) outputs.set(place, output);
    },
  };

  /** See that the notebook will be saved with what was said: a page that was loaded anew does not update that itself. */
  checkSaved({ widget, state }) {
    const isOld = ([outputs, place]) => outputs.get(place).metadata[STATE] !== state;
    if (transcriptsOf(this.manager, widget).some(isOld)) this.post({ type: "transcript", view: this.view });
  }

  /** Whether a message goes on with the reply that is shown. Of one that was missed, or of a gap, the kernel is asked. */
  isNext({ id, n }, isWhole = false) {
    const { growing } = this.transcript;
    const known = id === growing?.id ? growing.n : -1;
    if (known >= 0 && (n === known + 1 || (isWhole && n > known))) return true;
    if (n > known + 1 && id !== this.missed && !this.transcript.shown.has(id)) {
      this.missed = id; // asked for once
      this.hello();
    }
    return false;
  }

  ended(message) {
    const { prompt } = this.transcript.growing;
    const { turn, text } = message;
    this.transcript.end(message);
    this.showBusy("");
    if (turn) this.announce([this.t("reply"), turn.text.slice(0, ANNOUNCED), ...turn.notices.map(this.t.notice)].join(" "));
    else this.composer.giveBack(prompt);
    if (turn?.status === "complete") this.forgetErrors();
    if (!turn && text) this.remark(this.t.notice(text), "error");
  }

  // What is asked of the model

  /** Send what makes a reply, and show its prompt at once; false if a reply is on its way. */
  ask(message) {
    const { transcript, composer } = this;
    if (composer.busy) {
      this.remark(this.t(`busy_${composer.busy}`), "note", "lb-of-busy");
      return false;
    }
    const prompt = message.prompt ?? transcript.turns.find(({ id }) => id === message.turn).prompt;
    this.remarks.replaceChildren();
    transcript.following ||= !message.turn;
    transcript.begin({ id: null, prompt, replaces: message.turn });
    this.showBusy("here");
    if (!this.settings.root.hidden) this.settings.open(false);
    composer.area.focus();
    return this.post({ ...message, view: this.view });
  }

  stop() {
    const unheard = !this.transcript.growing?.id && !this.link.hidden;
    if (unheard) this.takeBack();
    else this.post({ type: "stop" });
  }

  /** Take back what was sent and refused, or never arrived. */
  takeBack(refused) {
    const { growing } = this.transcript;
    if (!growing || growing.id) return;
    this.transcript.end({ turn: null });
    this.composer.giveBack(refused ?? (growing.replaces ? "" : growing.prompt));
    this.showBusy("");
  }

  /** Show which conversations there are; one that was deleted has no name by which it could be chosen. */
  showNames({ name, names, deleted, cells, unrestored }) {
    const marked = (one) => (one === cells && names.length > 1 ? this.t("name_of_cells", { name: one }) : one);
    const all = names.map((one) => [one, marked(one)]);
    if (deleted) all.unshift(["", this.t("deleted_name", { name })]);
    offer(this.names, all, deleted ? "" : name);
    const hint = cells === name && !deleted ? "cells_here" : "cells_elsewhere";
    this.transcript.cells.textContent = cells ? this.t(hint, { name: cells }) : "";
    this.showUnrestored(unrestored);
  }

  /** Tell of turns that the saved notebook has and the kernel has not. */
  showUnrestored(count) {
    const bar = this.unrestored;
    if (this.missing === count) return; // it may have been dismissed
    const restore = "%lockbots restore";
    const dismiss = iconButton("close", this.t("dismiss"), () => this.away(bar, () => (bar.hidden = true)));
    const text = this.t.count("unrestored", count);
    this.missing = count;
    bar.replaceChildren(h("span", {}, text), h("code", {}, restore), this.codeTools(restore), dismiss);
    this.away(bar, () => (bar.hidden = !count));
    if (count) this.announce(`${text} ${restore}`);
  }

  showBusy(busy) {
    this.composer.show(this.transcript.growing ? "here" : busy);
    if (!this.composer.busy) this.forget(".lb-of-busy");
    this.root.classList.toggle("lb-busy", Boolean(this.composer.busy));
  }

  askToClear() {
    const { t, sure, menu } = this;
    const keep = () => ((sure.hidden = true), menu.firstChild.focus());
    const no = button(t("clear_no"), keep);
    const { name } = this.transcript; // another conversation may be shown by the time it is said
    const yes = button(t("clear_yes"), () => (keep(), this.post({ type: "clear", name })), { class: "lb-danger" });
    sure.replaceChildren(h("span", {}, t("clear_sure", { name })), no, yes);
    sure.hidden = false;
    no.focus();
  }

  // What is shown

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
    return h("div", { class: "lb-tools" },
      iconButton("copy", this.t("copy_code"), (event) => this.copy(code, event.currentTarget)),
      iconButton("insert", this.t("insert"), (event) => this.insert(code, event.currentTarget)));
  }

  article(turn, reply) {
    const notices = turn.notices.map((notice) => h("div", { class: "lockbots-notice" }, this.t.notice(notice)));
    return h("article", { class: `lb-turn lb-${turn.status}` }, this.promptRow(turn.prompt, turn),
      h("span", { class: "lb-hidden" }, this.t("reply")), reply.body,
      h("div", { class: "lb-notices" }, ...notices), this.foot(turn));
  }

  promptRow(prompt, turn = null) {
    const text = h("div", { class: "lb-prompt", dir: "auto" }, prompt);
    const edit = turn && iconButton("edit", this.t("edit"), () => this.edit(turn, row));
    const row = h("div", { class: "lb-you" }, h("span", { class: "lb-hidden" }, this.t("you")), text, edit);
    return row;
  }

  foot({ id, text, model, usage, stale, cell, started }) {
    const { t } = this;
    const tokens = usage && (usage.prompt ?? 0) + (usage.completion ?? 0);
    const at = started ? new Date(started * 1000).toLocaleString(t.language) : "";
    return h("div", { class: "lb-foot" },
      stale ? h("span", { class: "lb-mark", title: t("stale_hint") }, t("stale")) : null,
      cell ? h("span", { class: "lb-mark" }, t("cell")) : null,
      text ? iconButton("copy", t("copy"), (event) => this.copy(text, event.currentTarget)) : null,
      iconButton("again", t("regenerate"), () => this.ask({ type: "regenerate", turn: id }), "lb-again"),
      h("span", { class: "lb-by", title: at }, [model, tokens && t.count("tokens", tokens)].filter(Boolean).join(" · ")));
  }

  edit(turn, row) {
    const area = h("textarea", { "aria-label": this.t("edit"), rows: "1", dir: "auto", input: () => fitHeight(area) });
    const done = () => (form.remove(), (row.hidden = false));
    const cancel = () => (done(), row.lastChild.focus());
    const send = () => area.value.trim() && this.ask({ type: "edit", turn: turn.id, prompt: area.value }) && done();
    const keydown = (event) => {
      if (event.key === "Escape" && !event.isComposing) cancel();
      else if (event.target === area && sends(event)) send();
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    const form = h("div", { class: "lb-edit", keydown }, area, h("div", { class: "lb-row" },
      h("span", {}, this.t("edit_note")), button(this.t("edit_cancel"), cancel),
      button(this.t("edit_send"), send, { class: "lb-primary" })));
    area.value = turn.prompt;
    row.hidden = true;
    row.after(form);
    fitHeight(area);
    area.focus();
  }

  showSettings(settings) {
    const [name] = settings.model.split(":", 1);
    const { credential, hint = "" } = settings.providers.find((one) => one.name === name) ?? {};
    this.settings.show(settings);
    this.showUsage(settings.usage);
    this.credential.hidden = credential !== "missing";
    this.credential.replaceChildren(icon("key"), h("span", {}, this.t("credential", { name })), h("code", {}, hint),
      this.codeTools(hint));
  }

  showUsage({ turns, prompt, completion, estimated }) {
    const tokens = this.t.count("tokens", prompt + completion);
    const shown = [this.t.count("turns", turns), estimated ? this.t("about", { text: tokens }) : tokens];
    this.usage.textContent = turns ? shown.join(" · ") : "";
    this.usage.title = this.t("usage_detail", { prompt, completion });
  }

  remark(text, kind, more = "") {
    const gone = () => this.away(bar, () => bar.remove());
    const bar = h("div", { class: `lb-bar lb-${kind} ${more}` }, h("span", {}, text), iconButton("close", this.t("dismiss"), gone));
    for (const old of [...this.remarks.children]) if (old.firstChild.textContent === text) this.away(old, () => old.remove());
    this.remarks.append(bar);
    for (const old of [...this.remarks.querySelectorAll(".lb-note")].slice(0, -NOTES)) this.away(old, () => old.remove());
    this.announce(kind === "error" ? this.t("error", { text }) : text);
    if (kind !== "error") this.later(gone, REMARK);
  }

  /** What went wrong is over: another model answers, or a reply has come. */
  forgetErrors() {
    this.forget(".lb-error");
  }

  forget(which) {
    for (const bar of this.remarks?.querySelectorAll(which) ?? []) this.away(bar, () => bar.remove());
  }

  /** Take a bar away; whoever was in it with the keyboard goes on where one types. */
  away(bar, take) {
    const inside = bar.matches(":focus-within");
    take();
    if (inside) this.composer.area.focus();
  }

  announce(text) {
    this.status.textContent = text;
  }

  async copy(text, clicked) {
    const copied = await copyText(text);
    if (copied) this.confirm(clicked, "copied");
    else this.remark(this.t("not_copied"), "error");
    return copied;
  }

  async insert(code, clicked) {
    const inserted = insertCell(this.manager, this.root, code, this.inserted);
    this.inserted = inserted ?? this.inserted;
    if (inserted) this.confirm(clicked, "inserted");
    else if (await this.copy(code, clicked)) this.remark(this.t("insert_copied"), "note");
  }

  confirm(clicked, key) {
    this.announce(this.t(key));
    clicked.replaceChildren(icon("done"));
    this.later(() => clicked.replaceChildren(icon(clicked.dataset.icon)), 1500);
  }

  // Keys and clicks

  clicked = (event) => this.menu.contains(event.target) || (this.menu.open = false);

  /** No key typed here is a shortcut of the notebook, but the one that saves it; Escape closes what is open. */
  pressed(event) {
    const saves = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";
    this.root.toggleAttribute("data-lm-suppress-shortcuts", !saves);
    if (!saves) event.stopPropagation();
    if (event.key !== "Escape" || event.isComposing) return;
    if (!this.sure.hidden) this.sure.querySelector("button").click();
    else if (this.menu.open) (this.menu.open = false), this.menu.firstChild.focus();
    else if (!this.settings.root.hidden) this.settings.open(false);
  }
}
