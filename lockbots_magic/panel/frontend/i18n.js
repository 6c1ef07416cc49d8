/** What the panel says, in the language of the browser; of a failure, its name: the rest stays as the kernel says it. */

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
    if (key) return t(key, text.match(known).groups);
    const [, error, why] = text.match(/^(\w+): (.*)$/s) ?? [];
    return `failed_${error}` in texts ? t(`failed_${error}`, { text: why }) : text;
  };
  t.language = language;
  return t;
}
