import assert from "node:assert/strict";
import test from "node:test";

import { FakeElement } from "./fake_dom.mjs";
import { button, fitHeight, h, setChildren, setOptions } from "../../../lockbots_magic/panel/frontend/dom.js";

const tags = (parent) => parent.children.map(({ tag }) => tag);

test("an element takes attributes, flags, listeners and children", () => {
  const clicked = [];
  const element = h("p", { title: "t", hidden: true, click: () => clicked.push(1) }, "text", null, h("b", {}, "bold"));
  element.listeners.click();
  assert.deepEqual([element.attributes.title, element.hidden, element.textContent, clicked], ["t", true, "textbold", [1]]);
});

test("children that are in place are not moved", () => {
  const parent = new FakeElement("div");
  const [a, b, c, x] = ["a", "b", "c", "x"].map((tag) => new FakeElement(tag));
  parent.append(a, b, c);
  setChildren(parent, [a, x, c]);
  assert.deepEqual(tags(parent), ["a", "x", "c"]);
  assert.deepEqual([a.moves, c.moves, b.parent], [1, 1, null]);
  setChildren(parent, [x, a, c]);
  assert.deepEqual(tags(parent), ["x", "a", "c"]);
  assert.equal(c.moves, 1);
  setChildren(parent, []);
  assert.deepEqual(tags(parent), []);
});

test("options stay the same elements while their values do, and take new texts", () => {
  const select = new FakeElement("select");
  setOptions(select, [["a", "A"], ["b", "B"]], "b");
  const [first] = select.options;
  setOptions(select, [["a", "A, the first"], ["b", "B"]], "a");
  assert.equal(select.options[0], first);
  assert.deepEqual([first.textContent, select.value], ["A, the first", "a"]);
  setOptions(select, [["c", "C"]], "c");
  assert.deepEqual(select.options.map(({ value, textContent }) => [value, textContent]), [["c", "C"]]);
});

test("the second half of a double click, or of a double key press, is ignored", () => {
  const clicks = [];
  const { click } = button("", (event) => clicks.push(event.timeStamp)).listeners;
  click({ detail: 1, timeStamp: 0 });
  click({ detail: 2, timeStamp: 80 });
  click({ detail: 0, timeStamp: 200 });
  click({ detail: 1, timeStamp: 300 }); // a click of its own
  click({ detail: 2, timeStamp: 900 });
  assert.deepEqual(clicks, [0, 300, 900]);
});

test("a long text is not measured: it fills its box anyway", () => {
  const area = new FakeElement("textarea");
  Object.defineProperty(area, "scrollHeight", { get: () => assert.fail("measured") });
  area.value = "line\n".repeat(10_000);
  fitHeight(area);
  assert.equal(area.style.height, "100vh");
});
