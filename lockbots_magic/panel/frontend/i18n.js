/** Texts of the panel in the language of the browser. */

const NUMBER = /^(n|\w+_n)$/; // names of placeholders for numbers; the others are for text

/** Build a pattern that recognises a text of the kernel by its English form. */
function textPattern(text) {
  const escaped = text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const group = (_, name) => `(?<${name}>${NUMBER.test(name) ? "\\d[\\d,.]*" : ".+"})`;
  return new RegExp(`^${escaped.replace(/\\\{(\w+)\\\}/g, group)}$`);
}

/**
 * Return the function that looks texts up.
 *
 * - `t(key, values)`: the text with its placeholders filled in; English where the language has none.
 * - `t.count(key, n)`: the plural form for `n`, from the keys `key_one`, `key_few`, `key_many` and `key_other`.
 * - `t.notice(text)`: the translation of an English notice or error of the kernel; `text` itself if it is unknown.
 * - `t.language`: the language in use.
 *
 * @param {Object<string, Object<string, string>>} table - Language -> key -> text.
 * @param {string[]} languages - Language tags, preferred first.
 */
export function createTranslator(table, languages = navigator.languages ?? []) {
  const codes = languages.map((tag) => tag.toLowerCase().split("-")[0]);
  const language = codes.find((code) => Object.hasOwn(table, code)) ?? "en";
  const texts = { ...table.en, ...table[language] };
  const plural = new Intl.PluralRules(language);
  const compact = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
  const t = (key, values = {}) => (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  t.count = (key, n) => {
    const form = `${key}_${plural.select(n)}`;
    return t(form in texts ? form : `${key}_other`, { n: compact.format(n) });
  };
  const notices = Object.keys(table.en)
    .filter((key) => key.startsWith("notice_"))
    .map((key) => [key, textPattern(table.en[key])]);
  t.notice = (text) => {
    const [key, pattern] = notices.find(([, candidate]) => candidate.test(text)) ?? [];
    if (key) return t(key, text.match(pattern).groups);
    const [, type, reason] = text.match(/^(\w+): (.*)$/s) ?? []; // how the kernel formats an error
    return `failed_${type}` in texts ? t(`failed_${type}`, { text: reason }) : text;
  };
  t.language = language;
  return t;
}
