// Watches one cell of the open notebook: `bench.start(index)` before it runs, `bench.report()` when it has come to rest.
// All times are Date.now(), which the server's clock can be compared with.
(() => {
  const sockets = { messages: 0, bytes: 0, headers: 0, largest: 0 };

  // Binary messages hold a table of offsets, the channel, four headers' worth of JSON, and buffers (protocol v1).
  const count = ({ data }) => {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data).length : data.byteLength;
    sockets.messages += 1;
    sockets.bytes += bytes;
    sockets.largest = Math.max(sockets.largest, bytes);
    if (data instanceof ArrayBuffer) {
      const offsets = new BigUint64Array(data.slice(8, 8 + 8 * Number(new BigUint64Array(data.slice(0, 8))[0])));
      sockets.headers += bytes - Number(offsets[5] - offsets[4]); // all but the content
    }
  };
  window.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      this.addEventListener('message', count);
    }
  };

  const END = /Finished|more characters are not shown/; // the second of a reply that is too long for a page
  const HEADING = /Section 12(?!\d)/; // what the reader reads: several pieces stand above it
  let seen, area, indicator, prompt, scroller, dirty, line;

  const topOf = (text) => {
    const at = text.data.search(HEADING);
    if (!text.isConnected || at < 0) return null;
    const range = document.createRange();
    range.setStart(text, at);
    range.setEnd(text, at + 1);
    return range.getBoundingClientRect().top;
  };

  // The place of the line that the reader reads, wherever the strategy put it; null while it is not there. While two
  // outputs hold it, it is the one that stands where the reader looks.
  const place = (before) => {
    const top = line && topOf(line);
    if (typeof top === 'number' && Math.abs(top - (before ?? top)) <= 2) return top;
    const found = [];
    const walker = document.createTreeWalker(area, NodeFilter.SHOW_TEXT);
    for (let text = walker.nextNode(); text; text = walker.nextNode()) if (HEADING.test(text.data)) found.push(text);
    const distance = (text) => Math.abs(topOf(text) - before);
    line = before === undefined ? found[0] : found.sort((a, b) => distance(a) - distance(b))[0];
    return line ? topOf(line) : null;
  };

  const outputs = () => [...area.children].filter((e) => e.classList.contains('jp-OutputArea-child'));

  const changed = () => {
    const now = Date.now();
    seen.most = Math.max(seen.most, outputs().length);
    if (!seen.first && outputs().some((e) => e.querySelector('.jp-OutputArea-output')?.textContent.trim())) seen.first = now;
    seen.last = now;
    dirty = true;
  };

  // Runs before each frame is painted: what stands there now is what people see.
  const frame = () => {
    const began = performance.now();
    if (dirty) {
      dirty = false;
      const text = area.textContent;
      seen.frames += 1;
      if (text.length !== seen.length) seen.grew.push(Date.now());
      seen.length = text.length;
      if (END.test(text)) seen.ended ??= Date.now();
      if (text.length < 100000 && /\$\$[^$]+\$\$|\$[^$\s][^$\n]*\$/.test(text)) seen.raw += 1;
    }
    if (seen.reads) {
      const top = place(seen.reads.top);
      if (top === null) seen.lost += 1;
      else if (Math.abs(top - seen.reads.top) > 2) {
        seen.moves += 1;
        seen.farthest = Math.max(seen.farthest, Math.abs(top - seen.reads.top));
        seen.reads.top = top;
      }
    }
    seen.own += performance.now() - began;
    seen.going && requestAnimationFrame(frame);
  };

  // As soon as there is enough below it, the reader scrolls to a line and stays.
  const read = () => {
    if (!seen.going || seen.reads) return;
    const top = seen.first && Date.now() > seen.first + 1000 ? place() : null;
    if (top === null || scroller.scrollTop + top + 1.5 * scroller.clientHeight > scroller.scrollHeight) return setTimeout(read, 250);
    scroller.scrollTop += top - scroller.getBoundingClientRect().top - 100;
    seen.reads = { top: place() };
    seen.scroll = scroller.scrollTop;
    scroller.addEventListener('scroll', () => {
      const step = scroller.scrollTop - seen.scroll;
      seen.scroll = scroller.scrollTop;
      if (step) seen.scrolls.push(step);
    });
  };

  const observe = (type, take) => {
    const observer = new PerformanceObserver((list) => list.getEntries().forEach(take));
    observer.observe({ type });
  };

  const start = (index) => {
    const cell = document.querySelectorAll('.jp-Notebook .jp-CodeCell')[index];
    area = cell.querySelector('.jp-OutputArea');
    prompt = cell.querySelector('.jp-InputPrompt');
    indicator = document.querySelector('.jp-Notebook-ExecutionIndicator');
    scroller = document.querySelector('.jp-WindowedPanel-outer');
    seen = { going: true, most: 0, frames: 0, grew: [], raw: 0, lost: 0, moves: 0, farthest: 0, scrolls: [], own: 0, shift: 0, tasks: [], sockets: { ...sockets } };
    sockets.largest = 0;
    observe('longtask', (entry) => seen.tasks.push({ start: performance.timeOrigin + entry.startTime, duration: entry.duration }));
    observe('layout-shift', (entry) => (seen.shift += entry.value));
    new MutationObserver(changed).observe(area, { childList: true, characterData: true, subtree: true });
    const state = () => {
      if (/\d/.test(prompt.textContent)) seen.numbered ??= Date.now();
      if (indicator.dataset.status === 'idle') seen.idle ??= Date.now();
      else seen.idle = undefined;
    };
    new MutationObserver(state).observe(indicator, { attributes: true });
    new MutationObserver(state).observe(prompt, { childList: true, characterData: true, subtree: true });
    requestAnimationFrame(frame);
    read();
  };

  const rested = (quiet) => seen.numbered && seen.idle && Date.now() - Math.max(seen.last, seen.numbered, seen.idle) > quiet && END.test(area.textContent);

  const report = () => {
    seen.going = false;
    return {
      ...seen,
      outputs: outputs().length,
      formulas: area.querySelectorAll('mjx-container').length,
      characters: area.textContent.length,
      sockets: { ...Object.fromEntries(Object.keys(sockets).map((k) => [k, sockets[k] - seen.sockets[k]])), largest: sockets.largest },
    };
  };

  window.bench = { start, rested, report };
})();
