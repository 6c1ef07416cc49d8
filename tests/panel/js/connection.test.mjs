import assert from "node:assert/strict";
import test, { afterEach, beforeEach, mock } from "node:test";

import "./fake_dom.mjs";
import { Connection } from "../../../lockbots_magic/panel/frontend/connection.js";

let panel, sent, model, connection;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  sent = [];
  model = { send: (message) => sent.push(message), on() {}, off() {}, widget_manager: { kernel: { status: "idle" } } };
  const t = Object.assign((key) => key, { language: "en" });
  panel = {
    t, losses: 0, silences: 0, announced: [], handled: [],
    root: { closest: () => null },
    setTimer: (action, ms) => setTimeout(action, ms),
    transcript: { loading: { remove() {} } },
    notifications: { announce: (text) => panel.announced.push(text), hide: (_, action) => action() },
    handlers: { turn: (message) => panel.handled.push(message), snapshot: () => connection.onSnapshot() },
    onSilence: () => (panel.silences += 1),
    onKernelLost: () => (panel.losses += 1),
  };
  connection = new Connection(panel, model);
});

afterEach(() => mock.timers.reset());

test("hello is repeated at growing intervals until the kernel answers", () => {
  connection.hello();
  mock.timers.tick(1000);
  mock.timers.tick(2000);
  assert.deepEqual(sent, Array(3).fill({ type: "hello", view: connection.view, language: "en" }));
  connection.onMessage({ type: "snapshot" });
  mock.timers.tick(600_000);
  assert.equal(sent.length, 3);
});

test("hello is not repeated for ever", () => {
  connection.hello();
  for (let second = 0; second < 1000; second++) mock.timers.tick(1000);
  assert.equal(sent.length, 7); // after 1, 3, 7, 15, 31 and 63 s
});

test("a message for another view is ignored", () => {
  const messages = [{ type: "turn" }, { type: "turn", view: connection.view }, { type: "turn", view: "other" }];
  messages.forEach(connection.onMessage);
  assert.deepEqual(panel.handled, messages.slice(0, 2));
  connection.onMessage({ type: "unknown" });
});

test("a silent kernel is reported after a while, and the report goes with the next message", () => {
  connection.post({ type: "send" });
  mock.timers.tick(4999);
  assert.equal(connection.isInDoubt, false);
  mock.timers.tick(1);
  assert.deepEqual([connection.isInDoubt, panel.announced, panel.silences], [true, ["kernel_silent"], 1]);
  connection.onMessage({ type: "ack" });
  assert.equal(connection.isInDoubt, false);
});

test("a busy kernel is reported as busy", () => {
  model.widget_manager.kernel.status = "busy";
  connection.post({ type: "send" });
  mock.timers.tick(5000);
  assert.deepEqual(panel.announced, ["kernel_busy"]);
});

test("any answer in time keeps the view quiet", () => {
  connection.post({ type: "send" });
  connection.onMessage({ type: "ack" });
  mock.timers.tick(5000);
  assert.deepEqual(panel.announced, []);
});

test("a lost kernel is told no more, until a message arrives after all", () => {
  connection.onKernelChange({ session: { kernel: { status: "dead" } } });
  assert.equal(connection.post({ type: "send" }), false);
  assert.deepEqual([sent, panel.losses, panel.announced], [[], 2, ["kernel_gone"]]);
  connection.onMessage({ type: "turn" });
  assert.equal(connection.post({ type: "send" }), true);
});

test("another kernel, no kernel or a closed comm is a lost kernel; a busy one is not", () => {
  const running = { session: { kernel: { status: "busy" } } };
  connection.onKernelChange(running);
  connection.onKernelChange(running, { oldValue: null, newValue: {} });
  assert.equal(panel.losses, 0);
  connection.onKernelChange(running, { oldValue: {}, newValue: {} });
  connection.onKernelChange({ session: null });
  assert.equal(panel.losses, 2);
  connection.isLost = false;
  model.send = () => {
    throw new Error("comm is closed");
  };
  assert.equal(connection.post({ type: "send" }), false);
  assert.equal(panel.losses, 3);
});

test("during a reply a silent kernel is asked for a sign of life, until it is in doubt", () => {
  connection.watch(true);
  for (let second = 0; second < 20; second++) mock.timers.tick(1000);
  assert.deepEqual(new Set(sent.map(({ type }) => type)), new Set(["ping"]));
  assert.deepEqual([connection.isInDoubt, sent.length <= 4], [true, true]);
});

test("a kernel that sends a reply is not asked for a sign of life, and nothing is after the reply", () => {
  connection.watch(true);
  for (let second = 0; second < 10; second++) {
    connection.onMessage({ type: "frame" });
    mock.timers.tick(1000);
  }
  connection.watch(false);
  mock.timers.tick(60_000);
  assert.deepEqual(sent, []);
});

test("a kernel that starts anew has lost its memory", () => {
  connection.onKernelChange({ session: { kernel: { status: "starting" } } });
  assert.equal(panel.losses, 1);
});
