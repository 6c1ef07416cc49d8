import assert from "node:assert/strict";
import test from "node:test";

import { nextItem, snippetNodes } from "../../../lockbots_magic/panel/frontend/search.js";

test("arrow keys go from the box through the hits and back", () => {
  assert.deepEqual([nextItem(-1, 2, "ArrowDown"), nextItem(0, 2, "ArrowDown"), nextItem(1, 2, "ArrowDown")], [0, 1, 1]);
  assert.deepEqual([nextItem(1, 2, "ArrowUp"), nextItem(0, 2, "ArrowUp"), nextItem(-1, 2, "ArrowUp")], [0, -1, -1]);
});

test("other keys, and keys without hits, move nothing", () => {
  assert.deepEqual([nextItem(0, 2, "Enter"), nextItem(0, 2, "a"), nextItem(-1, 0, "ArrowDown")], [null, null, null]);
});

test("only words that were searched for are marked", () => {
  assert.deepEqual(snippetNodes([["a <b> ", false], ["word", true]], (text) => [text]), ["a <b> ", ["word"]]);
});
