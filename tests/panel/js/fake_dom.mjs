/** Stand-in for the parts of the DOM that the tested code uses. */

export class FakeElement {
  constructor(tag) {
    Object.assign(this, { tag, children: [], attributes: {}, listeners: {}, dataset: {}, style: {}, hidden: false, text: "" });
    this.parent = null;
    this.moves = 0; // times that the element was put in place
  }

  get textContent() {
    return this.text + this.children.map((child) => child.textContent).join("");
  }

  set textContent(text) {
    this.children = [];
    this.text = text;
  }

  get options() {
    return this.children;
  }

  setAttribute(name, value) {
    this.attributes[name] = value;
    if (name === "value") this.value = value;
  }

  toggleAttribute(name, on) {
    if (name === "hidden") this.hidden = on;
    else if (on) this.attributes[name] = "";
    else delete this.attributes[name];
  }

  addEventListener(name, listener) {
    this.listeners[name] = listener;
  }

  append(...nodes) {
    for (const node of nodes) {
      if (typeof node === "string") this.text += node;
      else this.insertBefore(node, null);
    }
  }

  insertBefore(node, next) {
    node.remove();
    node.parent = this;
    node.moves += 1;
    this.children.splice(next ? this.children.indexOf(next) : this.children.length, 0, node);
  }

  remove() {
    if (this.parent) this.parent.children = this.parent.children.filter((child) => child !== this);
    this.parent = null;
  }

  replaceChildren(...nodes) {
    this.text = "";
    for (const child of [...this.children]) child.remove();
    this.append(...nodes);
  }
}

globalThis.document = {
  createElement: (tag) => new FakeElement(tag),
  createElementNS: (_, tag) => new FakeElement(tag),
};
