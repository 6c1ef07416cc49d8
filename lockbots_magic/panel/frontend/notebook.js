/** Access to the notebook around the panel, in front ends that offer it. */

const WIDGET_VIEW = "application/vnd.jupyter.widget-view+json";
export const STATE_KEY = "lockbots_state"; // in the metadata of the output below the panel; see widget.py

/**
 * Insert a code cell below the cell of an element.
 * @param {Object} manager - Widget manager.
 * @param {Element} element
 * @param {string} source - Source of the new cell.
 * @param {?Object} last - Cell inserted before; the new one comes below it too.
 * @returns {?Object} The new cell; null where the front end offers no notebook.
 */
export function insertCell(manager, element, source, last) {
  const notebook = manager?.context?.model?.sharedModel;
  if (!notebook?.insertCell) return null;
  const cell = element.closest(".jp-Cell");
  const inPage = [...(cell?.parentElement.querySelectorAll(":scope > .jp-Cell") ?? [])].indexOf(cell);
  const own = Number(cell?.dataset.windowedListIndex ?? (cell ? inPage : notebook.cells.length - 1));
  const above = Math.max(own, notebook.cells.indexOf(last));
  return notebook.insertCell(above + 1, { cell_type: "code", source, metadata: {} });
}

/**
 * Find the transcript outputs below a panel in the notebook's document.
 * @param {Object} manager - Widget manager.
 * @param {string} modelId - Id of the panel's widget.
 * @returns {Array<[Object, number]>} Outputs of a cell, and the index of the transcript among them.
 */
export function findTranscripts(manager, modelId) {
  const cells = manager?.context?.model?.cells;
  const found = [];
  for (let n = 0; n < (cells?.length ?? 0); n++) {
    const { outputs } = cells.get(n); // undefined unless it is a code cell
    for (let index = 0, isBelow = false; index < (outputs?.length ?? 0); index++) {
      const { data, metadata } = outputs.get(index);
      if (data[WIDGET_VIEW]) isBelow = data[WIDGET_VIEW].model_id === modelId;
      else if (isBelow && STATE_KEY in metadata) found.push([outputs, index]);
    }
  }
  return found;
}
