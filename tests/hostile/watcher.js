// Watches a page from before its first script: reports whatever a reply should never bring about.
// watcher.py puts the policy in.
(() => {
  const policy = __POLICY__;
  const OUTPUT = ".jp-OutputArea-output";
  const WIDGET = ".lm-Panel"; // what an output of widgets is
  const OWN = ".lockbots, .lockbots-waiting"; // a reply, or the line before its first text
  const found = new Map();
  let latest = "";

  const indexIn = (all, part) => [...all].indexOf(part);
  const place = (element) => {
    const cell = element?.closest(".jp-Cell");
    const output = element?.closest(".jp-OutputArea-child");
    if (!cell) return "";
    const which = output ? indexIn(cell.querySelectorAll(".jp-OutputArea-child"), output) : 0;
    // Cells that are far out of sight may not be in the page yet; an exported page has no such numbers.
    return `${cell.dataset.windowedListIndex ?? indexIn(document.querySelectorAll(".jp-Cell"), cell)}.${which}`;
  };
  const report = (kind, what, element) => {
    const where = element ? place(element) : latest;
    const key = `${kind}|${where}|${what}`;
    if (found.has(key) || found.size > 3000) return;
    const output = element && element.closest(OUTPUT);
    found.set(key, { kind, what, place: where, html: output ? output.innerHTML.slice(0, 600) : "" });
  };

  // Script. It is reported to Python as well, because it may run in another frame or window.

  const ran = (what) => {
    report("script", what);
    window.tellHurt?.(`${what} at ${location.href}`);
  };
  const hurt = () => ran("hurt() was called");
  Object.defineProperty(window, "hurt", { get: () => hurt, set: () => { ran("window.hurt was set"); } });

  // Markup: an allow-list for what is added to outputs or changed there, as soon as it is

  const patterns = new Map();
  const whole = (pattern, value) => {
    if (!patterns.has(pattern)) patterns.set(pattern, new RegExp(`^(?:${pattern})$`, "i"));
    return patterns.get(pattern).test(value);
  };
  const rulesFor = (element, output) => {
    if (element.closest("mjx-container")) return policy.mathjax;
    const mime = output.getAttribute("data-mime-type") || "";
    if (output.matches(WIDGET)) return element.closest(".lockbots-reply") && !element.closest(".lb-tools") ? policy.reply : policy.panel;
    if (mime === "text/html") return output.querySelector(OWN) ? policy.reply : policy.html;
    return mime === "text/markdown" ? policy.markdown : policy.plain;
  };
  // Each selector of each rule, with the rules around it and all it declares; what is no rule stands for itself.
  const rulesOf = (css) => {
    const rules = [];
    const open = [];
    let text = "";
    for (const sign of css) {
      if (sign === "{") {
        const cut = text.lastIndexOf(";") + 1;
        if (open.length) open.at(-1).declared += text.slice(0, cut);
        else if (cut) rules.push(text);
        open.push({ selectors: text.slice(cut).split(","), declared: "" });
        text = "";
      } else if (sign === "}") {
        const { selectors, declared } = open.pop() ?? { selectors: [css], declared: "" };
        const around = open.map((rule) => rule.selectors.join()).join();
        for (const selector of selectors) rules.push(`${around}{${selector}{${declared}${text}`);
        text = "";
      } else text += sign;
    }
    return text || open.length ? [...rules, css] : rules;
  };
  const sheet = rulesOf(policy.sheet);
  const judgeStyle = (element, output) => {
    // An output holds the rules of the sheet that it needs, each with all it declares and in their order, and nothing else.
    if (policy.wholeSheets.includes(element.textContent)) return;
    let at = 0;
    for (const rule of rulesOf(element.textContent)) {
      at = sheet.indexOf(rule, at) + 1;
      if (!at) return report("style", element.textContent, output);
    }
  };
  const judgeElement = (element, output) => {
    const rules = rulesFor(element, output);
    const name = element.localName;
    const tag = Object.keys(rules).find((pattern) => whole(pattern, name));
    if (tag === undefined) return report("tag", `<${name}>`, output);
    for (const { name: attribute, value } of element.attributes) {
      const pattern = rules[tag][attribute];
      if (pattern === undefined || !whole(pattern, value)) {
        report("attribute", `<${name} ${attribute}="${value.slice(0, 120)}">`, output);
      }
    }
    if (element.shadowRoot) report("tag", "a shadow root", output);
    if (name !== "style") return;
    // While a file is being read, a style may come before its text does.
    if (document.readyState !== "loading") judgeStyle(element, output);
    else document.addEventListener("DOMContentLoaded", () => judgeStyle(element, output));
  };
  const judgeOutside = (element) => {
    const name = element.localName;
    const address = element.src || element.href || element.data;
    if (name === "base" || name === "object" || name === "embed" || (name === "meta" && element.httpEquiv)) {
      report("page", `<${name}> came into the page`, element);
    } else if (/^(script|link|iframe)$/.test(name) && address) {
      const { origin, protocol } = new URL(address, location.href);
      if (origin !== location.origin && !/^(data|blob|file):$/.test(protocol)) report("page", `<${name}> of ${address}`);
    }
  };
  const judge = (node) => {
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    for (const element of [node, ...node.querySelectorAll("*")]) {
      const output = element.parentElement && element.parentElement.closest(OUTPUT);
      if (!output) {
        judgeOutside(element);
        continue;
      }
      follow(output);
      judgeElement(element, output);
    }
  };
  let followed = null; // the output that grows, kept in sight while it does
  const follow = (output) => {
    latest = place(output);
    if (!followed) {
      requestAnimationFrame(() => {
        followed.scrollIntoView({ block: "center" });
        followed = null;
      });
    }
    followed = output;
  };
  let drawn = {}; // how often since it was asked for, by the number of the cell
  const drawnIn = (record) => {
    const output = record.target.closest?.(OUTPUT) || record.addedNodes[0].querySelector?.(OUTPUT);
    return output && place(output).split(".")[0];
  };
  // Looks until something changes again would see the same; it takes some for both colours, and for what comes with a delay.
  let looks = 0;
  const change = () => { looks = 8; };
  document.addEventListener("scroll", change, { capture: true, passive: true });
  new MutationObserver((records) => {
    change();
    for (const cell of new Set(records.filter((r) => r.addedNodes.length).map((r) => drawnIn(r)))) {
      if (cell) drawn[cell] = (drawn[cell] || 0) + 1;
    }
    for (const record of records) {
      for (const node of record.addedNodes) judge(node);
      const output = record.type === "attributes" && record.target.parentElement?.closest(OUTPUT);
      if (output) judgeElement(record.target, output);
    }
  }).observe(document, { subtree: true, childList: true, attributes: true });

  // Looks: whose pixels are where

  const inside = (rect, x, y) =>
    x >= rect.left - 1 && x <= rect.right + 1 && y >= rect.top - 1 && y <= rect.bottom + 1;
  const frame = () => (document.querySelector(".jp-NotebookPanel-notebook") || document.body).getBoundingClientRect();
  const lookAt = (x, y, bounds, isAstray = () => true) => {
    const seen = document.elementFromPoint(x, y);
    const output = seen?.closest(".jp-OutputArea-child");
    if (!output) return;
    const rect = output.getBoundingClientRect();
    const where = `<${seen.localName} class="${seen.className}"> at ${x},${y} is outside of`;
    if (!inside(bounds, x, y)) report("cover", `${where} the notebook`, output);
    else if (!inside(rect, x, y) && isAstray(output)) report("cover", `${where} its output, ${rect.left},${rect.top} ${rect.right},${rect.bottom}`, output);
  };
  const lookAtNotice = (notice, bounds) => {
    if (notice.closest(".lockbots-reply")) report("notice", "a reply speaks as the toolkit", notice);
    // What the browser skips until it comes into sight has bounds that nothing is painted in.
    if (!notice.checkVisibility({ contentVisibilityAuto: true })) return;
    const { left, top, width, height } = notice.getBoundingClientRect();
    const [x, y] = [left + Math.min(30, width / 2), top + height / 2];
    const scroller = notice.closest(".lb-log")?.getBoundingClientRect() ?? bounds;
    const seen = inside(bounds, x, y) && inside(scroller, x, y) && document.elementFromPoint(x, y);
    if (!seen || !seen.closest(OUTPUT) || notice.contains(seen)) return;
    report("notice", `a notice is covered by <${seen.localName} class="${seen.className}"> of ${place(seen)}`, notice);
  };
  const lookAtNotices = (bounds) => {
    for (const notice of document.querySelectorAll(".lockbots-notice")) lookAtNotice(notice, bounds);
  };
  // A notebook puts its cells into the page one by one, sooner where it is scrolled.
  const complete = async (count) => {
    const cells = document.getElementsByClassName("jp-Cell");
    while (cells.length < count) {
      cells[cells.length - 1]?.scrollIntoView();
      await new Promise(requestAnimationFrame);
    }
  };
  const look = (isAstray, first = 0, step = 1) => {
    const bounds = frame();
    for (let column = 0; 5 + 80 * column < innerWidth; column++) {
      for (let row = (first + column) % step; 5 + 45 * row < innerHeight; row += step) {
        lookAt(5 + 80 * column, 5 + 45 * row, bounds, isAstray);
      }
    }
  };
  // Between two changes of a page an output may stand beside its place; what counts is what has been painted.
  // To look at a point takes half of all the time of a page, so each time looks at every other one, like a chessboard.
  let colour = 0;
  const lookInPassing = () => {
    const astray = new Set();
    colour = 1 - colour;
    look((output) => (astray.add(output), false), colour, 2);
    if (astray.size) requestAnimationFrame(() => setTimeout(() => look((output) => astray.has(output))));
  };
  const lookAround = (area) => {
    const bounds = frame();
    const { left, right, top, bottom } = area.getBoundingClientRect();
    for (const far of [3, 15, 50, 120]) {
      for (let part = 0.02; part < 1; part += 0.16) {
        lookAt(left + part * (right - left), top - far, bounds);
        lookAt(left + part * (right - left), bottom + far, bounds);
      }
      for (const part of [0.1, 0.5, 0.9]) {
        lookAt(left - far, top + part * (bottom - top), bounds);
        lookAt(right + far, top + part * (bottom - top), bounds);
      }
    }
    for (const notice of area.querySelectorAll(".lockbots-notice")) lookAtNotice(notice, bounds);
  };
  const lookThrough = () => {
    const areas = [...document.querySelectorAll(".jp-OutputArea")].filter((area) => area.firstChild);
    for (let next = 0; next < areas.length; ) {
      const first = areas[next];
      first.scrollIntoView({ block: "start" });
      const { bottom } = frame();
      const below = areas.findIndex((area, n) => n > next && area.getBoundingClientRect().bottom > bottom);
      const end = below < 0 ? areas.length : below;
      for (const area of areas.slice(next, end)) lookAround(area);
      if (first.offsetHeight > innerHeight / 2) {
        first.scrollIntoView({ block: "end" });
        lookAround(first);
      }
      next = end;
    }
    look();
  };
  const CHROME = [
    ..."body #main #jp-top-panel #jp-main-dock-panel .jp-NotebookPanel-toolbar .jp-Notebook .jp-Cell".split(" "),
    ".jp-Cell .cm-content", ".jp-Cell .jp-InputPrompt",
  ];
  const LASTING = (
    "color backgroundColor backgroundImage fontFamily fontSize display position visibility opacity filter transform " +
    "zIndex cursor direction letterSpacing textTransform"
  ).split(" ");
  const chrome = () =>
    CHROME.map((part) => {
      const element = document.querySelector(part);
      const style = element && getComputedStyle(element);
      return `${part}: ${style ? LASTING.map((name) => `${name}=${style[name]}`).join("; ") : "none"}`;
    });

  // Hands: what a reader's pointer and keys may set off

  const EVENTS = (
    "mouseover mouseenter mousemove mousedown mouseup pointerover pointerenter pointerdown focus focusin blur input " +
    "change toggle load error wheel copy dragstart animationstart transitionend"
  ).split(" ");
  const RICH = [
    ...["text/html", "text/markdown"].map((mime) => `${OUTPUT}[data-mime-type="${mime}"] *`),
    ".lockbots-panel :is(.lockbots-reply, .lb-prompt, .lb-bar) :not(button, button *)",
  ].join(", ");
  const hold = (event) => {
    const link = event.target.closest("a");
    // Where it leads was looked at; one that no browser understands leads nowhere.
    if (link && /^(https?|mailto)?:$/.test(link.protocol)) event.preventDefault();
  };
  const poke = () => {
    document.addEventListener("click", hold, true);
    // In plain text, a click on a path opens a file: that is the front end's own doing.
    for (const element of document.querySelectorAll(RICH)) {
      latest = place(element);
      for (const name of EVENTS) element.dispatchEvent(new Event(name, { bubbles: false, cancelable: true }));
      if (element.closest("mjx-container") && !element.closest("a")) continue; // a menu of its own
      element.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, view: window }));
    }
    document.removeEventListener("click", hold, true);
    if (document.querySelector(".jp-Dialog")) report("page", "a dialog of the front end opened");
  };

  setInterval(() => {
    if (--looks < 0) return;
    lookInPassing();
    lookAtNotices(frame());
  }, 250);
  window.watcher = { complete, look, lookThrough, poke, chrome, drawn: () => [drawn, (drawn = {})][0], found: () => [...found.values()], forget: () => found.clear() };
})();
