/** Connection of a view to the kernel. */

import { button, h } from "./dom.js";

const SILENCE_TIMEOUT = 5000; // ms without any message after which the user is warned
const FIRST_HELLO_DELAY = 1000; // ms after which an unanswered hello is sent again; doubled each time
const MAX_HELLO_DELAY = 60000; // ms; a hello sent later is the last one, because the kernel will answer all of them
const PING_INTERVAL = 2000; // ms of silence during a reply after which the kernel is asked for a sign of life
// Kernel states in which its memory is lost. "starting" is all that a page sees of a restart from elsewhere.
const ENDED = ["restarting", "autorestarting", "terminating", "dead", "starting"];

/**
 * Connection of one view. Messages for the view go to `panel.handlers`, the loss of the kernel to `panel.onKernelLost`.
 */
export class Connection {
  /**
   * @param {Panel} panel
   * @param {Object} model - anywidget's model.
   */
  constructor(panel, model) {
    this.panel = panel;
    this.model = model;
    this.manager = model.widget_manager;
    this.view = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    this.bar = h("div", { class: "lb-bar lb-error", hidden: true });
  }

  open() {
    this.model.on("msg:custom", this.onMessage);
    this.model.on("comm_live_update", this.onCommChange);
    this.session = this.manager?.context?.sessionContext;
    this.session?.statusChanged.connect(this.onKernelChange);
    this.session?.kernelChanged.connect(this.onKernelChange);
    this.panel.setTimer(this.hello, 0); // once the view is in the page, which shows whether there is a kernel
  }

  close() {
    this.watch(false);
    this.model.off("msg:custom", this.onMessage);
    this.model.off("comm_live_update", this.onCommChange);
    this.session?.statusChanged.disconnect(this.onKernelChange);
    this.session?.kernelChanged.disconnect(this.onKernelChange);
  }

  /** Whether the last message sent may be lost. */
  get isInDoubt() {
    return !this.bar.hidden;
  }

  /** Send a message to the kernel, and expect any message back; returns false if there is no kernel. */
  post(message) {
    if (this.isLost || this.panel.root.closest(".jupyter-widgets-disconnected")) return this.onLost();
    try {
      this.model.send(message);
    } catch {
      return this.onLost(); // the comm is closed
    }
    this.silence ??= this.panel.setTimer(() => this.onSilence(), SILENCE_TIMEOUT);
    return true;
  }

  /** Watch whether the kernel lives, or stop to: a reply may be slow to come, but the kernel answers. */
  watch(isWatched) {
    if (isWatched === Boolean(this.pings)) return;
    clearInterval(this.pings);
    this.pings = isWatched && setInterval(() => this.ping(), PING_INTERVAL);
  }

  ping() {
    if (!this.isHeard && !this.isInDoubt) this.post({ type: "ping", view: this.view });
    this.isHeard = false;
  }

  /**
   * Ask the kernel for the full state, again and again until it answers: messages sent before the front end has a
   * subshell of the kernel wait for the running cell.
   */
  hello = (_, delay = FIRST_HELLO_DELAY) => {
    clearTimeout(this.nextHello);
    const again = this.post({ type: "hello", view: this.view, language: this.panel.t.language }) && delay < MAX_HELLO_DELAY;
    if (again) this.nextHello = this.panel.setTimer(() => this.hello(null, 2 * delay), delay);
  };

  /** The kernel has answered `hello`. */
  onSnapshot() {
    clearTimeout(this.nextHello);
  }

  onMessage = (message) => {
    clearTimeout(this.silence);
    this.silence = undefined;
    this.isLost = false;
    this.isHeard = true;
    this.panel.notifications.hide(this.bar, () => (this.bar.hidden = true));
    if (!message.view || message.view === this.view) this.panel.handlers[message.type]?.(message);
  };

  onSilence() {
    const { t } = this.panel;
    const key = this.manager?.kernel?.status === "busy" ? "kernel_busy" : "kernel_silent";
    this.showBar(t(key), button(t("try_again"), () => this.hello()));
    this.panel.onSilence();
  }

  onCommChange = () => {
    this.isLost = false; // if it is still lost, hello finds out
    this.hello();
  };

  /** Handle a change of the kernel: it may have restarted, crashed or been shut down. */
  onKernelChange = ({ session }, change) => {
    const isAnother = Boolean(change?.oldValue) && change.oldValue !== change.newValue;
    if (isAnother || !session?.kernel || ENDED.includes(session.kernel.status)) this.onLost();
  };

  /** The panel's kernel is gone, unless a message arrives after all. */
  onLost() {
    this.isLost = true;
    clearTimeout(this.silence);
    this.silence = undefined;
    this.panel.onKernelLost();
    this.showBar(this.panel.t("kernel_gone"));
    return false;
  }

  showBar(text, ...actions) {
    if (this.bar.hidden) this.panel.notifications.announce(text);
    this.bar.replaceChildren(h("span", {}, text), ...actions);
    this.bar.hidden = false;
    this.panel.transcript.loading.remove();
  }
}
