/** What the panel does to the notebook around it, where the front end offers one. */

const VIEW = "application/vnd.jupyter.widget-view+json";
const STATE = "lockbots_state"; // in the metadata of the output below the panel, which panel.py tells of

/** Insert a code cell below the one that `element` is in, and below `last`; null where the front end offers no notebook. */
function insertCell(manager, element, source, last) {
  const notebook = manager?.context?.model?.sharedModel;
  if (!notebook?.insertCell) return null;
  const cell = element.closest(".jp-Cell");
  const inPage = [...(cell?.parentElement.querySelectorAll(":scope > .jp-Cell") ?? [])].indexOf(cell);
  const own = Number(cell?.dataset.windowedListIndex ?? (cell ? inPage : notebook.cells.length - 1));
  const above = Math.max(own, notebook.cells.indexOf(last));
  return notebook.insertCell(above + 1, { cell_type: "code", source, metadata: {} });
}

/** Find the outputs below a panel, by its widget, in the notebook's document: [outputs of the cell, place among them]. */
function transcriptsOf(manager, id) {
  const cells = manager?.context?.model?.cells;
  const found = [];
  for (let n = 0; n < (cells?.length ?? 0); n++) {
    const { outputs } = cells.get(n); // only code has any
    for (let place = 0, isBelow = false; place < (outputs?.length ?? 0); place++) {
      const { data, metadata } = outputs.get(place);
      if (data[VIEW]) isBelow = data[VIEW].model_id === id;
      else if (isBelow && STATE in metadata) found.push([outputs, place]);
    }
  }
  return found;
}
