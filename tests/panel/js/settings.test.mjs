import assert from "node:assert/strict";
import test from "node:test";

import { modelOptions, parseTemperature } from "../../../lockbots_magic/panel/frontend/settings.js";

test("a temperature is a number from 0 to 2 with a comma or a point", () => {
  assert.deepEqual(["0", "0,3", " 0.25 ", "2"].map(parseTemperature), [0, 0.3, 0.25, 2]);
  assert.deepEqual(["hot", "-1", "2.1", "1 000", "Infinity"].map(parseTemperature), Array(5).fill(undefined));
});

test("an empty temperature leaves it to the provider", () => {
  assert.deepEqual(["", "  "].map(parseTemperature), [null, null]);
});

test("the model in use is listed even if its provider doesn't list it", () => {
  const models = [{ id: "m", name: "Model" }, { id: "n", name: "" }];
  assert.deepEqual(modelOptions("p:m", models, "default"), [["p:m", "Model"], ["p:n", "n"]]);
  assert.deepEqual(modelOptions("p:a:b", models, "default")[0], ["p:a:b", "a:b"]);
  assert.deepEqual(modelOptions("p:", [], "default"), [["p:", "default"]]);
});
