import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";

import { createTranslator } from "../../../lockbots_magic/panel/frontend/i18n.js";

const PANEL = new URL("../../../lockbots_magic/panel/", import.meta.url);
const TABLE = JSON.parse(readFileSync(new URL("i18n.json", PANEL), "utf-8"));
const SMALL = {
  en: { hello: "Hello {name}", only: "English", n_one: "{n} turn", n_other: "{n} turns", notice_left: "{n} turns left out", notice_by: "by {model} of {total_n}" },
  ru: {
    hello: "Привет, {name}", n_one: "{n} реплика", n_few: "{n} реплики", n_many: "{n} реплик", n_other: "{n} реплики",
    notice_left: "не вошло реплик: {n}", notice_by: "{model} из {total_n}",
  },
};

test("the first language of the browser that the table has is used", () => {
  assert.equal(createTranslator(SMALL, ["fr", "ru-RU", "en"]).language, "ru");
  assert.equal(createTranslator(SMALL, ["fr"]).language, "en");
  assert.equal(createTranslator(SMALL, []).language, "en");
  assert.equal(createTranslator(SMALL, ["toString"]).language, "en");
});

test("a text has its placeholders filled in, and is English where the language has none", () => {
  const t = createTranslator(SMALL, ["ru"]);
  assert.equal(t("hello", { name: "Ada" }), "Привет, Ada");
  assert.equal(t("hello"), "Привет, ");
  assert.equal(t("only"), "English");
  assert.equal(t("missing"), "missing");
});

test("a count takes the plural form of the language", () => {
  const [ru, en] = [createTranslator(SMALL, ["ru"]), createTranslator(SMALL, ["en"])];
  assert.deepEqual([1, 3, 5].map((n) => ru.count("n", n)), ["1 реплика", "3 реплики", "5 реплик"]);
  assert.deepEqual([1, 3].map((n) => en.count("n", n)), ["1 turn", "3 turns"]);
  assert.equal(en.count("n", 12345), "12.3K turns");
});

test("a notice of the kernel is recognised with its number, and nothing else is", () => {
  const t = createTranslator(SMALL, ["ru"]);
  assert.equal(t.notice("12 turns left out"), "не вошло реплик: 12");
  assert.equal(t.notice("1,234 turns left out"), "не вошло реплик: 1,234");
  assert.equal(t.notice("by gpt (new) of 12"), "gpt (new) из 12");
  assert.equal(t.notice("many turns left out"), "many turns left out");
  assert.equal(t.notice("12 turns left out, or not"), "12 turns left out, or not");
});

test("an error of a provider is translated, and its reason stays as the server wrote it", () => {
  const t = createTranslator(TABLE, ["ru"]);
  const translated = t.notice("ConnectionFailed: refused\nby the server");
  assert.equal(translated, TABLE.ru.failed_ConnectionFailed.replace("{text}", "refused\nby the server"));
  assert.equal(t.notice("ZeroDivisionError: oops"), "ZeroDivisionError: oops");
});

test("every language has every text, with the same placeholders", () => {
  const base = (key) => key.replace(/_(one|few|many|other)$/, "");
  const placeholders = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  for (const [language, texts] of Object.entries(TABLE)) {
    assert.deepEqual(new Set(Object.keys(texts).map(base)), new Set(Object.keys(TABLE.en).map(base)), language);
    for (const [key, text] of Object.entries(texts)) {
      assert.deepEqual(placeholders(text), placeholders(TABLE.en[key] ?? TABLE.en[`${base(key)}_other`]), key);
    }
    const plurals = Object.keys(texts).filter((key) => /^(turns|tokens)_/.test(key)).map((key) => key.split("_")[1]);
    assert.deepEqual(new Set(plurals), new Set(new Intl.PluralRules(language).resolvedOptions().pluralCategories), language);
  }
});

test("every text that the front end asks for exists", () => {
  const frontend = new URL("frontend/", PANEL);
  const sources = readdirSync(frontend).filter((name) => name.endsWith(".js"));
  const asked = sources.flatMap((name) => {
    const source = readFileSync(new URL(name, frontend), "utf-8");
    return [...source.matchAll(/\b(?:t|labelled)\("(\w+)"/g)].map(([, key]) => key);
  });
  assert.ok(asked.length > 40);
  assert.deepEqual(asked.filter((key) => !(key in TABLE.en)), []);
});
