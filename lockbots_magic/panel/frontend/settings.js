/** Who answers, and how. */

/** Provider, model, temperature and system prompt. */
class Settings {
  constructor(panel) {
    const { t } = panel;
    const set = (setting) => panel.link.post({ type: "set", ...setting });
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
    if (!this.locked) this.panel.link.post({ type: "models", provider: this.provider.value });
  }

  choose() {
    if (this.model.value) return this.use(this.model.value);
    this.other.hidden = false;
    this.other.focus();
  }

  showTemperature() {
    this.shown = String(this.heated ?? "");
    this.temperature.value = this.shown;
  }

  /** Take the temperature that was typed, with a comma or a point; one that no model takes is refused. */
  heat(set) {
    const typed = this.temperature.value.trim().replace(",", ".");
    const value = typed ? Number(typed) : null;
    this.panel.remarks.forget(".lb-of-temperature");
    if (value === null || (value >= 0 && value <= 2)) {
      this.heated = value;
      set({ temperature: value });
      return;
    }
    this.showTemperature();
    this.panel.remarks.add(this.panel.t("temperature_refused"), "note", "lb-of-temperature");
  }

  use(model) {
    if (document.activeElement === this.other) this.model.focus(); // Enter was pressed: the field goes, its user stays
    this.other.hidden = true;
    this.other.value = "";
    this.panel.link.post({ type: "set", model });
  }

  show({ model, models, providers, temperature, takes_temperature: takes, system }) {
    const { t } = this.panel;
    const isLocked = ({ credential }) => credential === "missing";
    const [provider] = model.split(":", 1);
    const changed = provider !== this.inUse?.split(":", 1)[0];
    if (model !== this.inUse) this.panel.remarks.forgetErrors();
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
    const untouched = this.temperature.value === this.shown; // nobody is typing there, though it may have the focus
    if (untouched || document.activeElement !== this.temperature) this.showTemperature();
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
    this.problem.textContent = this.panel.t("models_error", { error: this.panel.t.notice(error) });
    this.problem.hidden = !error;
  }
}
