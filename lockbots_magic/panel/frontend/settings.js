/** Settings form: provider, model, temperature and system prompt. */

import { button, h, icon, iconButton, setOptions } from "./dom.js";

const MAX_TEMPERATURE = 2;

/**
 * Parse a temperature as typed, with a decimal comma or point.
 * @param {string} text
 * @returns {?number|undefined} null if the text is empty; undefined if it is not a number from 0 to 2.
 */
export function parseTemperature(text) {
  const typed = text.trim().replace(",", ".");
  if (!typed) return null;
  const value = Number(typed);
  return value >= 0 && value <= MAX_TEMPERATURE ? value : undefined;
}

/** Return the provider in `provider:model`. */
export function providerOf(model) {
  return model.split(":", 1)[0];
}

/**
 * Return the options of the list of models.
 * @param {string} current - Model in use, as `provider:model`; added if it is not listed.
 * @param {Array<{id: string, name: string}>} models - Models of its provider.
 * @param {string} defaultName - Text for a current model without an id.
 * @returns {Array<[string, string]>} `provider:model` and text of each.
 */
export function modelOptions(current, models, defaultName) {
  const provider = providerOf(current);
  const options = models.map(({ id, name }) => [`${provider}:${id}`, name || id]);
  if (!options.some(([id]) => id === current)) {
    options.unshift([current, current.slice(provider.length + 1) || defaultName]);
  }
  return options;
}

const isLocked = ({ credential }) => credential === "missing";

/** The settings form, and the button that opens it and shows the model in use. */
export class Settings {
  constructor(panel) {
    const { t } = panel;
    this.panel = panel;
    this.temperatureInUse = null;
    this.buildControls();
    this.root = h("section", { class: "lb-settings", "aria-label": t("settings"), hidden: true },
      iconButton("close", t("settings_close"), () => this.open(false), "lb-close"),
      this.labelled("provider", this.provider), this.labelled("model", this.model), this.other, this.labelled("address", this.address), this.problem,
      this.labelled("temperature", this.temperature), this.labelled("system", this.system));
    this.name = h("span");
    this.toggle = button(icon("settings"), () => this.open(this.root.hidden), {
      class: "lb-model", title: t("settings"), "aria-label": t("settings"), "aria-expanded": "false",
    });
    this.toggle.append(this.name);
  }

  buildControls() {
    const { t } = this.panel;
    this.provider = h("select", { change: () => this.use(this.provider.value) });
    this.model = h("select", { change: () => this.onModelChosen() });
    this.other = h("input", {
      "aria-label": t("model_name"), placeholder: t("model_name"), hidden: true, spellcheck: "false",
      change: () => this.other.value.trim() && this.use(`${this.provider.value}:${this.other.value.trim()}`),
    });
    this.temperature = h("input", {
      inputmode: "decimal", placeholder: t("temperature_default"), change: () => this.onTemperatureTyped(),
    });
    this.address = h("input", {
      placeholder: t("address_default"), spellcheck: "false", change: () => this.post({ address: this.address.value.trim() }),
    });
    this.system = h("textarea", {
      rows: "2", placeholder: t("system_hint"), change: () => this.post({ system: this.system.value }),
    });
    this.problem = h("p", { class: "lb-problem", hidden: true });
  }

  /** Wrap a control in a label. Its name is repeated in `aria-label`: the text of a label includes that of options. */
  labelled(key, control) {
    const name = this.panel.t(key);
    control.setAttribute("aria-label", name);
    return h("label", {}, h("span", {}, name), control);
  }

  post(setting) {
    this.panel.connection.post({ type: "set", ...setting });
  }

  /** Open or close the form. */
  open(isOpen) {
    if (this.root.contains(document.activeElement)) document.activeElement.blur(); // commits what was typed
    this.root.hidden = !isOpen;
    this.toggle.setAttribute("aria-expanded", String(isOpen));
    (isOpen ? this.provider : this.toggle).focus();
    if (isOpen) this.requestModels();
  }

  requestModels() {
    this.problem.hidden = true;
    if (!this.isLocked) this.panel.connection.post({ type: "models", provider: this.provider.value });
  }

  onModelChosen() {
    if (this.model.value) return this.use(this.model.value);
    this.other.hidden = false;
    this.other.focus();
  }

  onTemperatureTyped() {
    const value = parseTemperature(this.temperature.value);
    this.panel.notifications.remove(".lb-of-temperature");
    if (value === undefined) {
      this.showTemperature();
      this.panel.notifications.add(this.panel.t("temperature_refused"), "note", "lb-of-temperature");
      return;
    }
    this.temperatureInUse = value;
    this.post({ temperature: value });
  }

  showTemperature() {
    this.temperatureShown = String(this.temperatureInUse ?? "");
    this.temperature.value = this.temperatureShown;
  }

  use(model) {
    if (document.activeElement === this.other) this.model.focus(); // the field is about to be hidden
    this.other.hidden = true;
    this.other.value = "";
    this.post({ model });
  }

  /** Show the settings that the kernel has sent. */
  show({ model, models, providers, temperature, takes_temperature: takesTemperature, system, address }) {
    const provider = providerOf(model);
    const isOther = provider !== (this.inUse && providerOf(this.inUse));
    if (model !== this.inUse) this.panel.notifications.removeErrors();
    this.inUse = model;
    this.showProviders(providers, provider);
    this.showModels(models);
    if (isOther && !this.root.hidden) this.requestModels();
    this.temperatureInUse = temperature;
    this.temperature.disabled = !takesTemperature;
    this.temperature.title = takesTemperature ? "" : this.panel.t("temperature_none");
    const isUntouched = this.temperature.value === this.temperatureShown; // focused perhaps, but not being edited
    if (isUntouched || document.activeElement !== this.temperature) this.showTemperature();
    if (document.activeElement !== this.system) this.system.value = system;
    this.address.disabled = address === null;
    this.address.placeholder = this.panel.t(address === null ? "address_none" : "address_default");
    if (document.activeElement !== this.address) this.address.value = address ?? "";
  }

  showProviders(providers, current) {
    const { t } = this.panel;
    this.isLocked = providers.some((one) => one.name === current && isLocked(one));
    this.name.textContent = this.inUse;
    this.toggle.setAttribute("aria-label", `${t("settings")}: ${this.inUse}`);
    setOptions(this.provider, providers.map((one) => [one.name, isLocked(one) ? t("no_key", one) : one.name]), current);
  }

  showModels(models) {
    const { t } = this.panel;
    const options = [...modelOptions(this.inUse, models, t("model_default")), ["", t("model_other")]];
    setOptions(this.model, options, this.other.hidden ? this.inUse : "");
  }

  /** Show the models that the kernel has listed, or why it could not. */
  onModels({ provider, models, error }) {
    if (provider !== this.provider.value) return;
    if (!error) this.showModels(models);
    this.problem.textContent = this.panel.t("models_error", { error: this.panel.t.notice(error) });
    this.problem.hidden = !error;
  }
}
