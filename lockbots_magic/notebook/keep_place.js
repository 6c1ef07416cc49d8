// Runs as one output takes the place of several, see `growing_output`. `output` is the element of this one.
(output) =>
  queueMicrotask(() => { // when it is in the page
    const area = output.closest(".jp-OutputArea");
    if (!area) return;
    // JupyterLab empties the area and measures it: without a height of its own, the page scrolls up there.
    area.style.minHeight = `${area.offsetHeight - output.closest(".jp-OutputArea-child").offsetHeight}px`;
    new MutationObserver((_, observer) => {
      observer.disconnect();
      setTimeout(() => area.style.removeProperty("min-height"), 500);
    }).observe(area, { childList: true });
  })
