/** Files that go with the next prompt: chosen, pasted or dropped. */

import { h, iconButton } from "./dom.js";

export const MAX_FILES = 8;
export const MAX_BYTES = 7e6; // as in attachments.py

/**
 * Return which of the files that are added fit beside those there are.
 * @param {Array<{size: number}>} present
 * @param {Array<{size: number}>} added
 * @returns {{fitting: Array, refused: string}} `refused` is the key of the reason, "" if all fit.
 */
export function fitFiles(present, added) {
  const fitting = [];
  let room = MAX_BYTES - present.reduce((sum, { size }) => sum + size, 0);
  for (const file of added) {
    if (present.length + fitting.length >= MAX_FILES) return { fitting, refused: "attach_too_many" };
    if (file.size > room) return { fitting, refused: "attach_too_large" };
    room -= file.size;
    fitting.push(file);
  }
  return { fitting, refused: "" };
}

/** Read a file as base64. */
function readFile(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

/** The files of the next prompt, and the elements that show and add them. */
export class Attachments {
  constructor(panel) {
    this.panel = panel;
    this.files = []; // {name, size, data}
    this.sent = []; // those of the last prompt, which may be refused
    this.root = h("div", { class: "lb-files", hidden: true });
    this.button = iconButton("attach", panel.t("attach"), () => this.choose());
  }

  /** Take files from what is pasted or dropped on an element. Text that comes with a picture of itself stays text. */
  listen(target, area) {
    area.addEventListener("paste", (event) => {
      const { files, types } = event.clipboardData;
      if (files.length && !types.includes("text/plain")) this.take(event, files);
    });
    const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
    target.addEventListener("dragover", (event) => hasFiles(event) && this.stop(event));
    target.addEventListener("drop", (event) => hasFiles(event) && this.take(event, event.dataTransfer.files));
  }

  stop(event) {
    event.preventDefault();
    event.stopPropagation();
  }

  take(event, files) {
    this.stop(event);
    this.add([...files]);
  }

  choose() {
    const input = h("input", { type: "file", multiple: true, change: () => this.add([...input.files]) });
    input.click();
  }

  async add(files) {
    const { t, notifications } = this.panel;
    const { fitting, refused } = fitFiles(this.files, files);
    if (refused) notifications.add(t(refused, { n: refused === "attach_too_many" ? MAX_FILES : MAX_BYTES / 1e6 }), "error");
    for (const file of fitting) {
      try {
        this.files.push({ name: file.name, size: file.size, data: await readFile(file) });
      } catch {
        notifications.add(t("attach_invalid"), "error");
      }
    }
    this.show();
    this.panel.composer.area.focus();
  }

  /** Remove the files: their prompt is sent. */
  send() {
    this.sent = this.files;
    this.files = [];
    this.show();
  }

  /** Put the files of a prompt that was refused back. */
  restore() {
    this.files = [...this.sent, ...this.files];
    this.sent = [];
    this.show();
  }

  /** Continue with the files of another box. */
  takeOver(other) {
    [this.files, this.sent] = [other.files, other.sent];
    this.show();
  }

  show() {
    const remove = (file) => () => ((this.files = this.files.filter((one) => one !== file)), this.show(), this.button.focus());
    const chip = (file) => h("span", { class: "lb-file" }, file.name,
      iconButton("close", this.panel.t("attach_remove", { name: file.name }), remove(file)));
    this.root.replaceChildren(...this.files.map(chip));
    this.root.hidden = !this.files.length;
  }
}
