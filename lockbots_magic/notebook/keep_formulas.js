// Runs once in a cell whose outputs are redrawn, see `growing_output`; `output` is the element of one. A formula that was
// typeset stays so, since MathJax takes longer for one than the page for all that stands around it.
(output) =>
  queueMicrotask(() => { // when it is in the page
    const area = output.closest(".jp-OutputArea");
    if (!area) return;
    const typeset = new Map(); // by TeX
    const bare = new WeakMap(); // TeX of an element that MathJax has not come to
    const keep = () =>
      area.querySelectorAll(".mathjax_process").forEach((formula) => {
        const drawn = formula.querySelector("mjx-container");
        if (drawn) return typeset.set(bare.get(formula), drawn);
        const tex = formula.textContent;
        const kept = typeset.get(tex);
        if (!kept) return bare.set(formula, tex);
        formula.replaceChildren(kept.isConnected ? kept.cloneNode(true) : kept); // one that is moved keeps its style
        formula.removeAttribute("class"); // MathJax is done with it
      });
    new MutationObserver(keep).observe(area, { childList: true, subtree: true });
  })
