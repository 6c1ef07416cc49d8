/** The link to the kernel: what goes over it, and whether anybody is there. */

const PATIENCE = 5000; // ms after which a kernel that has said nothing is told to be silent
const LAST_TRY = 60000; // ms from one hello to the next, after which no more is sent: each will be answered in the end
const ENDED = ["restarting", "autorestarting", "terminating", "dead"]; // states in which a kernel has lost what it knew

/** The link of one view: messages for it go to `panel.handlers`, an end of the kernel to `panel.cutOff`. */
class Link {
  constructor(panel, model) {
    this.panel = panel;
    this.model = model;
    this.manager = model.widget_manager;
    this.view = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    this.bar = h("div", { class: "lb-bar lb-error", hidden: true });
  }

  open() {
    this.model.on("msg:custom", this.received);
    this.model.on("comm_live_update", this.changed);
    this.session = this.manager?.context?.sessionContext;
    this.session?.statusChanged.connect(this.kernelChanged);
    this.session?.kernelChanged.connect(this.kernelChanged);
    this.panel.later(this.hello, 0); // by then it is in the page, which shows whether there is a kernel
  }

  close() {
    this.model.off("msg:custom", this.received);
    this.model.off("comm_live_update", this.changed);
    this.session?.statusChanged.disconnect(this.kernelChanged);
    this.session?.kernelChanged.disconnect(this.kernelChanged);
  }

  /** Whether what was sent last may never have arrived. */
  get isInDoubt() {
    return !this.bar.hidden;
  }

  /** Send to the kernel, and watch whether it says anything; false if there is none. */
  post(message) {
    if (this.isLost || this.panel.root.closest(".jupyter-widgets-disconnected")) return this.lost();
    try {
      this.model.send(message);
    } catch {
      return this.lost(); // the comm is closed
    }
    this.silence ??= this.panel.later(() => this.silent(), PATIENCE);
    return true;
  }

  /** Ask how things stand; what is sent before the front end has a subshell of the kernel waits for the cells. */
  hello = (_, wait = 1000) => {
    clearTimeout(this.greeting);
    const again = this.post({ type: "hello", view: this.view }) && wait < LAST_TRY;
    if (again) this.greeting = this.panel.later(() => this.hello(null, 2 * wait), wait);
  };

  /** The kernel has told how things stand. */
  greeted() {
    clearTimeout(this.greeting);
  }

  received = (message) => {
    clearTimeout(this.silence);
    this.silence = undefined;
    this.isLost = false;
    this.panel.remarks.away(this.bar, () => (this.bar.hidden = true));
    if (!message.view || message.view === this.view) this.panel.handlers[message.type]?.(message);
  };

  silent() {
    const { t } = this.panel;
    const text = this.manager?.kernel?.status === "busy" ? "kernel_busy" : "kernel_silent";
    this.show(t(text), button(t("try_again"), this.hello));
  }

  changed = () => {
    this.isLost = false; // else hello finds out
    this.hello();
  };

  /** The kernel that the panel belongs to may have ended: by a restart, by a crash, by hand. */
  kernelChanged = ({ session }, change) => {
    const isAnother = Boolean(change?.oldValue) && change.oldValue !== change.newValue;
    if (isAnother || !session?.kernel || ENDED.includes(session.kernel.status)) this.lost();
  };

  /** Nobody will answer any more, unless something comes after all. */
  lost() {
    this.isLost = true;
    clearTimeout(this.silence);
    this.silence = undefined;
    this.panel.cutOff();
    this.show(this.panel.t("kernel_gone"));
    return false;
  }

  show(text, ...actions) {
    if (this.bar.hidden) this.panel.remarks.announce(text);
    this.bar.replaceChildren(h("span", {}, text), ...actions);
    this.bar.hidden = false;
    this.panel.transcript.loading.remove();
  }
}
