import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";

import { createTranslator } from "../../../lockbots_magic/panel/frontend/i18n.js";

const PANEL = new URL("../../../lockbots_magic/panel/", import.meta.url);
const TABLE = JSON.parse(process.env.PANEL_TEXTS); // from test_javascript.py
const ENGLISH = { hello: "Hello {name}", n: ["{n} turn", "{n} turns"], notice_left: ["{n} turn left out", "{n} turns left out"], notice_by: "by {model} of {total_n}" };
const RUSSIAN = {
  hello: "Привет, {name}", n: ["{n} реплика", "{n} реплики", "{n} реплик"],
  notice_left: ["не вошла {n} реплика", "не вошли {n} реплики", "не вошло {n} реплик"], notice_by: "{model} из {total_n}",
};
const SMALL = {
  en: { texts: ENGLISH, plurals: TABLE.en.plurals },
  ru: { texts: RUSSIAN, plurals: TABLE.ru.plurals },
};
const speaking = (...languages) => createTranslator(SMALL, "", languages);

test("the first language of the browser that the table has is used", () => {
  assert.equal(speaking("fr", "ru-RU", "en").language, "ru");
  assert.equal(speaking("fr").language, "en");
  assert.equal(speaking().language, "en");
  assert.equal(speaking("toString").language, "en");
});

test("a language that was set in the kernel is used whatever the browser speaks", () => {
  assert.equal(createTranslator(SMALL, "ru", ["en"]).language, "ru");
  assert.equal(createTranslator(SMALL, "fr", ["ru"]).language, "ru");
});

test("a text has its placeholders filled in", () => {
  const t = speaking("ru");
  assert.equal(t("hello", { name: "Ada" }), "Привет, Ada");
  assert.equal(t("hello"), "Привет, ");
  assert.equal(t("missing"), "missing");
});

test("a count takes the plural form of the language", () => {
  const [ru, en] = [speaking("ru"), speaking("en")];
  const numbers = [1, 3, 5, 11, 21, 101, 111];
  const expected = ["1 реплика", "3 реплики", "5 реплик", "11 реплик", "21 реплика", "101 реплика", "111 реплик"];
  assert.deepEqual(numbers.map((n) => ru.count("n", n)), expected);
  assert.deepEqual([1, 3, 101].map((n) => en.count("n", n)), ["1 turn", "3 turns", "101 turns"]);
  assert.equal(en.count("n", 12345), "12.3K turns");
});

test("a notice of the kernel is recognised with its number, in any language, and nothing else is", () => {
  const t = speaking("ru");
  assert.equal(t.notice("12 turns left out"), "не вошло 12 реплик");
  assert.equal(t.notice("1 turn left out"), "не вошла 1 реплика");
  assert.equal(t.notice("1,234 turns left out"), "не вошли 1,234 реплики");
  assert.equal(t.notice("by gpt (new) of 12"), "gpt (new) из 12");
  assert.equal(t.notice("many turns left out"), "many turns left out");
  assert.equal(t.notice("12 turns left out, or not"), "12 turns left out, or not");
  assert.equal(speaking("en").notice("не вошло 12 реплик"), "12 turns left out");
});

test("an error of a provider is translated, and its reason stays as the server wrote it", () => {
  const t = createTranslator(TABLE, "", ["ru"]);
  const translated = t.notice("ConnectionFailed: refused\nby the server");
  assert.equal(translated, TABLE.ru.texts.failed_ConnectionFailed.replace("{text}", "refused\nby the server"));
  assert.equal(t.notice("ZeroDivisionError: oops"), "ZeroDivisionError: oops");
});

test("every language has every text", () => {
  const shape = ({ texts }) => Object.entries(texts).map(([key, text]) => [key, Array.isArray(text)]);
  for (const [language, table] of Object.entries(TABLE)) {
    assert.deepEqual(shape(table), shape(TABLE.en), language);
    for (const forms of Object.values(table.texts).filter(Array.isArray)) {
      assert.equal(forms.length, new Set(table.plurals).size, language);
    }
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
  assert.deepEqual(asked.filter((key) => typeof TABLE.en.texts[key] !== "string"), []);
});
