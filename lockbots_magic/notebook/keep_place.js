// Runs as one output takes the place of several, see `growing_output`. `output` is the element of this one.
// The new blocks look as the old ones did, so what is not on the screen need not be laid out: it has their heights.
(output) =>
  queueMicrotask(() => { // when it is in the page
    const area = output.closest(".jp-OutputArea");
    if (!area) return;
    const blocks = () => [...area.querySelectorAll(".lockbots-reply > :not(span)")];
    const drawn = blocks().map((block) => {
      const { paddingTop, paddingBottom } = getComputedStyle(block);
      const { top, bottom, height } = block.getBoundingClientRect();
      return {
        height: height - parseFloat(paddingTop) - parseFloat(paddingBottom),
        isNear: bottom > -innerHeight && top < 2 * innerHeight,
      };
    });
    // JupyterLab empties the area and measures it: without a height of its own, the page scrolls up there.
    area.style.minHeight = `${area.offsetHeight - output.closest(".jp-OutputArea-child").offsetHeight}px`;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(".lockbots-joining .lockbots-reply>*{content-visibility:hidden}");
    document.adoptedStyleSheets.push(sheet);
    area.classList.add("lockbots-joining");
    const show = ({ target, skipped }) => skipped || target.style.removeProperty("content-visibility");
    new MutationObserver((_, observer) => {
      observer.disconnect();
      const joined = blocks();
      joined.forEach((block, number) => {
        const { height, isNear } = drawn[number] ?? {};
        if (joined.length !== drawn.length || isNear) return;
        block.style.containIntrinsicBlockSize = `${height}px`;
        block.style.contentVisibility = "auto";
        block.addEventListener("contentvisibilityautostatechange", show);
      });
      area.classList.remove("lockbots-joining");
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
      setTimeout(() => area.style.removeProperty("min-height"), 500);
    }).observe(area, { childList: true });
  })
