import assert from "node:assert";
import { test } from "node:test";

import { MAX_BYTES, MAX_FILES, fitFiles } from "../../../lockbots_magic/panel/frontend/attachments.js";

const file = (size) => ({ size });

test("files that fit are taken until one does not", () => {
  const [small, large] = [file(1), file(MAX_BYTES)];
  assert.deepEqual(fitFiles([], [small, large, small]), { fitting: [small], refused: "attach_too_large" });
  assert.deepEqual(fitFiles([small], [small]), { fitting: [small], refused: "" });
});

test("a prompt takes only so many files", () => {
  const { fitting, refused } = fitFiles([file(1)], Array.from({ length: MAX_FILES }, () => file(1)));
  assert.equal(fitting.length, MAX_FILES - 1);
  assert.equal(refused, "attach_too_many");
});
