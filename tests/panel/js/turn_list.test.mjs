import assert from "node:assert/strict";
import test from "node:test";

import { compareSequence, earlierTurns, isSameTurn, putTurn } from "../../../lockbots_magic/panel/frontend/turn_list.js";

const turns = (...ids) => ids.map((id) => ({ id, stale: false }));
const ids = (list) => list.map(({ id }) => id);

test("turns that differ in nothing but their HTML look the same", () => {
  const turn = { id: "a", text: "one", html: "<p>one</p>", stale: false };
  assert.ok(isSameTurn(turn, { ...turn, html: "" }));
  assert.ok(!isSameTurn(turn, { ...turn, stale: true }));
  assert.ok(!isSameTurn(turn, { ...turn, text: "two" }));
});

test("a turn is put after another one, or first", () => {
  assert.deepEqual(ids(putTurn(turns("a", "b"), { turn: { id: "x" }, after: "a" }, false)), ["a", "x", "b"]);
  assert.deepEqual(ids(putTurn(turns("a"), { turn: { id: "x" }, after: null }, false)), ["x", "a"]);
  assert.deepEqual(ids(putTurn([], { turn: { id: "x" }, after: null }, false)), ["x"]);
});

test("a turn among those that are not loaded is not added", () => {
  assert.deepEqual(ids(putTurn(turns("a"), { turn: { id: "x" }, after: null }, true)), ["a"]);
  assert.deepEqual(ids(putTurn(turns("a"), { turn: { id: "x" }, after: "unloaded" }, true)), ["a"]);
});

test("a turn takes the place of the one that it replaces, or of its own earlier version", () => {
  assert.deepEqual(ids(putTurn(turns("a", "b"), { turn: { id: "x" }, replaces: "a", after: "b" }, false)), ["x", "b"]);
  const [first] = putTurn(turns("a", "b"), { turn: { id: "a", text: "new" }, after: "b" }, false);
  assert.equal(first.text, "new");
});

test("turns become outdated without changing the list that was passed", () => {
  const before = turns("a", "b");
  const after = putTurn(before, { turn: { id: "x" }, replaces: "a", stale: ["b"] }, false);
  assert.deepEqual(after.map(({ stale }) => stale), [undefined, true]);
  assert.deepEqual(before.map(({ stale }) => stale), [false, false]);
});

test("a snapshot keeps the earlier turns that still come before it", () => {
  assert.deepEqual(ids(earlierTurns(turns("a", "b", "c"), turns("c", "d"), 4)), ["a", "b"]);
  assert.deepEqual(earlierTurns(turns("a", "b", "c"), turns("c", "d"), 3), []); // one of them is gone
  assert.deepEqual(earlierTurns(turns("a", "b"), turns("x"), 9), []);
  assert.deepEqual(earlierTurns(turns("a"), [], 0), []);
});

test("frames continue a reply in their order", () => {
  const reply = { id: "r", seq: 4 };
  assert.equal(compareSequence({ id: "r", seq: 5 }, reply), "next");
  assert.equal(compareSequence({ id: "r", seq: 4 }, reply), "repeated");
  assert.equal(compareSequence({ id: "r", seq: 6 }, reply), "gap");
});

test("a message with the whole reply continues it across a gap, but is not taken twice", () => {
  const reply = { id: "r", seq: 4 };
  assert.equal(compareSequence({ id: "r", seq: 9 }, reply, true), "next");
  assert.equal(compareSequence({ id: "r", seq: 4 }, reply, true), "repeated");
});

test("a message of a reply whose beginning was lost is a gap", () => {
  assert.equal(compareSequence({ id: "r", seq: 1 }, null), "gap");
  assert.equal(compareSequence({ id: "r", seq: 1 }, { id: "other", seq: 0 }), "gap");
  assert.equal(compareSequence({ id: "r", seq: 3 }, { id: null, seq: 0 }, true), "gap");
});
