/** DOM helpers, independent of chats. */

const ICONS = {
  add: "M8 3v10M3 8h10",
  attach: "m12.5 7.5-5 5a2.8 2.8 0 0 1-4-4l5.5-5.5a1.9 1.9 0 0 1 2.7 2.7l-5.4 5.4a1 1 0 0 1-1.4-1.4l4.6-4.6",
  again: "M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3",
  close: "m4.5 4.5 7 7m0-7-7 7",
  copy: "M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8V3",
  done: "m3 8.5 3.2 3.2L13 5",
  down: "M8 3v10m4.5-4.5L8 13 3.5 8.5",
  edit: "M10.8 2.7 13.3 5.2 5.5 13H3v-2.5z",
  insert: "M2.5 3.5h11v4h-11zM8 10v4m-2-2h4",
  left: "M10 3 5 8l5 5",
  key: "M7.8 8.2 13 3m-2 2 1.8 1.8M9 7l1.3 1.3M8.5 10.5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  right: "m6 3 5 5-5 5",
  search: "M11.5 7a4.5 4.5 0 1 1-9 0 4.5 4.5 0 0 1 9 0zM10.3 10.3 14 14",
  send: "M8 13V3m4.5 4.5L8 3 3.5 7.5",
  settings: "M2.5 5h5m4 0h2m-11 6h2m4 0h5M9.5 3v4m-3 2v4",
  stop: "M5 5h6v6H5z",
};

const LONG_TEXT = 20000; // characters that fill any box; to measure them would take seconds
const DOUBLE_CLICK = 500; // ms in which another click on a button belongs to the first one

/**
 * Create an element.
 * @param {string} tag
 * @param {Object} attributes - A function is an event listener, a boolean toggles the attribute.
 * @param {...(Node|string|null)} children - null is left out.
 * @returns {Element}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (typeof value === "boolean") element.toggleAttribute(name, value);
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Create an SVG icon by its name in ICONS. */
export function icon(name) {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** Create a button with a text or an icon. The second half of a double click, or of a double key press, is ignored. */
export function button(content, click, attributes = {}) {
  return h("button", { type: "button", click: ignoreDoubles(click), ...attributes }, content);
}

function ignoreDoubles(click) {
  let last = -Infinity;
  return (event) => {
    if (event.detail !== 1 && event.timeStamp - last < DOUBLE_CLICK) return;
    last = event.timeStamp;
    click(event);
  };
}

/** Create a button that shows an icon only; its label is read aloud and shown as a tooltip. */
export function iconButton(name, label, click, className = "") {
  return button(icon(name), click, { class: `lb-icon ${className}`, title: label, "aria-label": label, "data-icon": name });
}

/**
 * Set the options of a select. Elements are kept if their values are the same: the list may be open.
 * @param {HTMLSelectElement} select
 * @param {Array<[string, string]>} options - Value and text of each option.
 * @param {string} value - The selected value.
 */
export function setOptions(select, options, value) {
  const isSame = select.options.length === options.length && options.every(([id], n) => select.options[n].value === id);
  if (!isSame) select.replaceChildren(...options.map(([id]) => h("option", { value: id })));
  options.forEach(([, text], index) => {
    if (select.options[index].textContent !== text) select.options[index].textContent = text;
  });
  select.value = value;
}

/** Make `nodes` the children of `parent`. Nodes that are in place are not touched: moving one would reset its state. */
export function setChildren(parent, nodes) {
  const wanted = new Set(nodes);
  for (const node of [...parent.children]) if (!wanted.has(node)) node.remove();
  nodes.forEach((node, index) => {
    if (node !== parent.children[index]) parent.insertBefore(node, parent.children[index] ?? null);
  });
}

/** Make a textarea as high as its text, up to its `max-height`. */
export function fitHeight(area) {
  if (area.value.length > LONG_TEXT) return (area.style.height = "100vh");
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + area.offsetHeight - area.clientHeight}px`;
}

/** Whether a key press sends the text. With an input method, Enter picks a word instead. */
export function isSendKey({ key, shiftKey, isComposing, keyCode }) {
  return key === "Enter" && !shiftKey && !isComposing && keyCode !== 229;
}

/** Copy a text to the clipboard; resolves to whether that succeeded. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelection(text); // the clipboard API needs https or localhost
  }
}

function copySelection(text) {
  const focused = document.activeElement;
  const area = h("textarea", { style: "position: fixed; opacity: 0" });
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return copied;
}
