/** Elements of a page, and what a person does with them: no word here of chats. */

const ICONS = {
  add: "M8 3v10M3 8h10",
  again: "M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3",
  close: "m4.5 4.5 7 7m0-7-7 7",
  copy: "M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8V3",
  done: "m3 8.5 3.2 3.2L13 5",
  down: "M8 3v10m4.5-4.5L8 13 3.5 8.5",
  edit: "M10.8 2.7 13.3 5.2 5.5 13H3v-2.5z",
  insert: "M2.5 3.5h11v4h-11zM8 10v4m-2-2h4",
  key: "M7.8 8.2 13 3m-2 2 1.8 1.8M9 7l1.3 1.3M8.5 10.5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  send: "M8 13V3m4.5 4.5L8 3 3.5 7.5",
  settings: "M2.5 5h5m4 0h2m-11 6h2m4 0h5M9.5 3v4m-3 2v4",
  stop: "M5 5h6v6H5z",
};

/** Make an element; a function among the attributes listens to the event of that name. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (typeof value === "boolean") element.toggleAttribute(name, value);
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

function icon(name) {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

function button(text, click, attributes = {}) {
  return h("button", { type: "button", click, ...attributes }, text);
}

function iconButton(name, label, click, more = "") {
  return button(icon(name), click, { class: `lb-icon ${more}`, title: label, "aria-label": label, "data-icon": name });
}

/** Fill a select, but leave the options of one that offers just these: it may be open. */
function offer(select, pairs, value) {
  const key = JSON.stringify(pairs.map(([id]) => id));
  if (select.dataset.offered !== key) {
    select.replaceChildren(...pairs.map(([id]) => h("option", { value: id })));
    select.dataset.offered = key;
  }
  pairs.forEach(([, name], n) => select.options[n].textContent === name || (select.options[n].textContent = name));
  select.value = value;
}

/** Keep a text for this tab, over reloads of the page; where a browser forbids that, it is not kept. */
function remember(key, text) {
  try {
    if (text) sessionStorage.setItem(key, text);
    else sessionStorage.removeItem(key);
  } catch {}
}

function remembered(key) {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

/** Whether a key sends what was typed; with an input method, Enter chooses a word. */
function sends(event) {
  return event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}

function fitHeight(area) {
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + area.offsetHeight - area.clientHeight}px`;
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text); // pages that come neither by https nor from localhost have no clipboard
  }
}

function copySelected(text) {
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
