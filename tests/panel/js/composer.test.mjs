import assert from "node:assert/strict";
import test from "node:test";

import { recallIndex, recentPrompts } from "../../../lockbots_magic/panel/frontend/composer.js";
import { isSendKey } from "../../../lockbots_magic/panel/frontend/dom.js";

test("Enter sends; with Shift or within an input method it doesn't", () => {
  assert.ok(isSendKey({ key: "Enter" }));
  assert.ok(!isSendKey({ key: "Enter", shiftKey: true }));
  assert.ok(!isSendKey({ key: "Enter", isComposing: true }));
  assert.ok(!isSendKey({ key: "Enter", keyCode: 229 }));
  assert.ok(!isSendKey({ key: "a" }));
});

test("Up in an empty box recalls the last prompt, and Up again the one before", () => {
  assert.equal(recallIndex({ key: "ArrowUp" }, -1, true), 0);
  assert.equal(recallIndex({ key: "ArrowUp" }, 0, false), 1);
  assert.equal(recallIndex({ key: "ArrowDown" }, 1, false), 0);
  assert.equal(recallIndex({ key: "ArrowDown" }, 0, false), -1);
});

test("arrows move the cursor in a text that is being typed", () => {
  assert.equal(recallIndex({ key: "ArrowUp" }, -1, false), null);
  assert.equal(recallIndex({ key: "ArrowDown" }, -1, true), null);
  assert.equal(recallIndex({ key: "ArrowUp", shiftKey: true }, 0, false), null);
  assert.equal(recallIndex({ key: "ArrowUp", isComposing: true }, 0, false), null);
  assert.equal(recallIndex({ key: "a" }, 0, false), null);
});

test("prompts are recalled once each, last one first, and the turns keep their order", () => {
  const turns = ["a", "b", "a", "c"].map((prompt) => ({ prompt }));
  assert.deepEqual(recentPrompts(turns), ["c", "a", "b"]);
  assert.deepEqual(turns.map(({ prompt }) => prompt), ["a", "b", "a", "c"]);
});
