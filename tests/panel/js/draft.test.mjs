import assert from "node:assert/strict";
import test, { beforeEach } from "node:test";

import { Draft } from "../../../lockbots_magic/panel/frontend/draft.js";

let stored;

beforeEach(() => {
  stored = new Map();
  globalThis.sessionStorage = {
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, text) => stored.set(key, text),
    removeItem: (key) => stored.delete(key),
  };
});

test("a draft outlasts a reload of the page", () => {
  const before = new Draft("reload");
  before.claim();
  before.save("half a sentence");
  before.release();
  assert.equal(new Draft("reload").claim(), "half a sentence");
  assert.equal(new Draft("other").claim(), "");
});

test("an empty draft leaves nothing behind", () => {
  const draft = new Draft("empty");
  draft.claim();
  draft.save("x");
  draft.save("");
  assert.equal(stored.size, 0);
});

test("of two views the first one keeps the draft, and the second one once the first is gone", () => {
  const [one, two] = [new Draft("shared"), new Draft("shared")];
  one.claim();
  one.save("of the first");
  assert.equal(two.claim(), "");
  two.save("of the second");
  assert.equal(one.load(), "of the first");
  two.release();
  assert.equal(new Draft("shared").claim(), "", "the release of a view without the draft changes nothing");
  one.release();
  assert.equal(two.claim(), "of the first");
});

test("nothing is kept before the draft is claimed", () => {
  const draft = new Draft("early");
  draft.save("too early");
  assert.equal(stored.size, 0);
});

test("a browser that forbids storage keeps no draft and raises nothing", () => {
  const refuse = () => {
    throw new Error("denied");
  };
  globalThis.sessionStorage = { getItem: refuse, setItem: refuse, removeItem: refuse };
  const draft = new Draft("denied");
  assert.equal(draft.claim(), "");
  draft.save("x");
});
