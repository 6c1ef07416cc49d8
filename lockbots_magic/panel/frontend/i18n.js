/** Texts of the panel in the language of the browser, or in the one that was set in the kernel. */

const NUMBER = /^(n|\w+_n)$/; // names of placeholders for numbers; the others are for text

/** Build a pattern that recognises a text of the kernel. */
function textPattern(text) {
  const escaped = text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const group = (_, name) => `(?<${name}>${NUMBER.test(name) ? "\\d[\\d,.\u00a0\u202f]*" : ".+"})`;
  return new RegExp(`^${escaped.replace(/\\\{(\w+)\\\}/g, group)}$`);
}

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

/**
 * Return the function that looks texts up.
 *
 * - `t(key, values)`: the text with its placeholders filled in; English where the language has none.
 * - `t.count(key, n)`: the plural form for `n`.
 * - `t.notice(text)`: the translation of a notice or error of the kernel; `text` itself if it is unknown.
 * - `t.language`: the language in use.
 *
 * @param {Object<string, {texts: Object<string, string|string[]>, plurals: string}>} table - By language: texts by key,
 *   or their plural forms; and the index of the form for each number from 0 to 199.
 * @param {string} chosen - Language that was set in the kernel; if empty, the browser decides.
 * @param {string[]} languages - Language tags, preferred first.
 */
export function createTranslator(table, chosen = "", languages = navigator.languages ?? []) {
  const codes = [chosen, ...languages].flatMap((tag) => [tag.replace("-", "_"), tag.toLowerCase().split("-")[0]]);
  const language = codes.find((code) => Object.hasOwn(table, code)) ?? "en";
  const { texts, plurals } = table[language];
  const tag = language.replace("_", "-");
  const compact = new Intl.NumberFormat(tag, { notation: "compact", maximumFractionDigits: 1 });
  const form = (forms, n) => forms[plurals[n < 200 ? n : 100 + (n % 100)]];
  const t = (key, values = {}) => fill(texts[key] ?? key, values);
  t.count = (key, n, values = { n: compact.format(n) }) => fill(form(texts[key], n), values);
  const notices = Object.values(table).flatMap((one) => Object.entries(one.texts)
    .filter(([key]) => key.startsWith("notice_"))
    .flatMap(([key, text]) => [text].flat().map((text) => [key, textPattern(text)])));
  t.notice = (text) => {
    const [key, pattern] = notices.find(([, candidate]) => candidate.test(text)) ?? [];
    const values = key && text.match(pattern).groups;
    if (key && Array.isArray(texts[key])) return t.count(key, Number(values.n.replace(/\D/g, "")), values);
    if (key) return t(key, values);
    const [, type, reason] = text.match(/^(\w+): (.*)$/s) ?? []; // how the kernel formats an error
    return `failed_${type}` in texts ? t(`failed_${type}`, { text: reason }) : text;
  };
  t.language = tag;
  return t;
}
