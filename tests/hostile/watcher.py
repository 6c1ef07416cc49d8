"""Python side of the watcher: injects it into pages, blocks the network, and collects violations."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Dialog, Frame, Page, Route

from lockbots_magic.rendering.frame import style
from lockbots_magic.rendering.waiting import waiting_html
from tests.hostile import policy

SETTLING = 250
"""Time (ms) to wait for formulas to be set and for effects of events."""
OUTPUTS = ".jp-OutputArea-output"
_SHEET = style().removeprefix("<style>").removesuffix("</style>")
_WHOLE_SHEETS = re.findall("<style>(.*?)</style>", waiting_html(""), re.DOTALL)
"""Style sheets of the line that a slow machine shows before the first text."""
_SCRIPT = Path(__file__).with_name("watcher.js").read_text("utf-8")


@dataclass(frozen=True)
class Violation:
    """One violation caused by a reply."""

    kind: str
    what: str
    place: str = ""
    """Numbers of the cell and of the output in it, joined by a dot; "" if unknown."""
    html: str = ""
    """HTML of the output at that moment."""


class Watcher:
    """Watches all pages of a browser context.

    Args:
        context: A context without open pages.
        home: The only origin that may receive requests; "" for files.
        rules: Kind of output -> rules that replace those of the policy.
    """

    def __init__(self, context: BrowserContext, home: str, **rules: policy.Rules) -> None:
        self._home = home.rstrip("/") or "file:"
        self._outside: list[Violation] = []
        self._popups: list[Page] = []
        context.expose_binding("tellHurt", lambda _, what: self._note("script", what))
        context.add_init_script(
            _SCRIPT.replace(
                "__POLICY__",
                json.dumps({**policy.RULES, **rules, "sheet": _SHEET, "wholeSheets": _WHOLE_SHEETS}),
            )
        )
        context.route(re.compile(rf"^(?!{re.escape(self._home)}|data:|blob:|about:|chrome-error:)"), self._cut)
        context.on("page", self._opened)

    def seen(self, page: Page) -> list[Violation]:
        """Return the violations so far and reset the list."""
        found: list[dict[str, Any]] = page.evaluate("const all = watcher.found(); watcher.forget(); all")
        while self._popups:
            self._popups.pop().close()
        outside, self._outside = self._outside, []
        return [*outside, *(Violation(**f) for f in found)]

    def search(self, page: Page, cells: int = 0) -> list[Violation]:
        """Inspect every output and trigger its elements; return the violations so far.

        Args:
            page: The page.
            cells: Expected number of cells.
        """
        page.evaluate("count => watcher.complete(count)", cells)
        page.wait_for_timeout(SETTLING)
        page.evaluate("watcher.lookThrough(); watcher.poke()")
        page.wait_for_timeout(SETTLING)
        return self.seen(page)

    def _note(self, kind: str, what: str) -> None:
        self._outside.append(Violation(kind, what))

    def _cut(self, route: Route) -> None:
        self._note("request", route.request.url)
        route.abort()

    def _opened(self, page: Page) -> None:
        page.on("dialog", self._asked)
        page.on("popup", lambda popup: (self._note("popup", popup.url), self._popups.append(popup)))
        page.on("download", lambda download: self._note("download", download.url))
        page.on("framenavigated", self._navigated)

    def _asked(self, dialog: Dialog) -> None:
        if dialog.type != "beforeunload":  # the front end's own, for a notebook that is not saved
            self._note("dialog", dialog.message)
        dialog.accept()

    def _navigated(self, frame: Frame) -> None:
        if frame.url not in ("", "about:blank") and not frame.url.startswith(self._home):
            self._note("navigation", frame.url)


def listed(violations: Sequence[Violation], names: Mapping[str, str]) -> str:
    """Return a line for each kind of violation: kind, count, and the content of the outputs."""
    lines = []
    for (kind, what), count in Counter((v.kind, v.what[:160]) for v in violations).most_common():
        places = [v.place for v in violations if (v.kind, v.what[:160]) == (kind, what) and v.place]
        shown = "; ".join(names.get(place) or names.get(place.split(".")[0], place) for place in places[:4])
        lines.append(f"\n{count:4} {kind}: {what!r} in {shown or '?'}")
    return "".join(lines)


def painted_outside(page: Page, blank: Page, first: int, last: int) -> list[Violation]:
    """Return the outputs, of the cells from `first` to `last`, that paint outside their bounds.

    Each view of the notebook is compared with the same view without its outputs.

    Args:
        page: The notebook, in JupyterLab or Notebook 7.
        blank: A page for comparing screenshots.
    """
    found = []
    at = first
    still = page.add_style_tag(content=_STILL)
    devtools = page.context.new_cdp_session(page)  # three times as fast as page.screenshot
    while at <= last:
        view = page.evaluate(_VIEW, [at, last])
        shots = []
        for hidden in (False, True):
            page.evaluate(_HIDE, hidden)
            clip = {**view["clip"], "scale": 1}
            shot = devtools.send("Page.captureScreenshot", {"format": "png", "optimizeForSpeed": True, "clip": clip})
            shots.append("data:image/png;base64," + shot["data"])
        if spot := blank.evaluate(_DIFFERENCE, [*shots, view["outputs"]]):
            found.append(Violation("paint", f"outside the outputs at {spot}", str(at)))
        at = view["next"]
    page.evaluate(_HIDE, False)
    still.evaluate("style => style.remove()")
    devtools.detach()
    return found


# No blinking caret and no animation between two screenshots.
_STILL = f"""
    * {{caret-color: transparent !important; transition: none !important; animation: none !important}}
    [data-outputs-hidden] {OUTPUTS} * {{visibility: hidden !important}}
"""

# Hides or shows the content of all outputs, and waits until that is painted.
_HIDE = """async hidden => {
    document.body.toggleAttribute("data-outputs-hidden", hidden);
    for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
}"""

# Scrolls to a cell; returns the next cell out of sight and the positions of the outputs.
_VIEW = """([at, last]) => {
    const cells = [...document.querySelectorAll(".jp-Cell")];
    cells[at].scrollIntoView({block: "start"});
    const frame = document.querySelector(".jp-NotebookPanel-notebook").getBoundingClientRect();
    const clip = {x: frame.left + 1, y: frame.top + 1, width: frame.width - 2, height: frame.height - 2};
    const outputs = [...document.querySelectorAll(".jp-OutputArea-output")].map((output) => {
        const {left, top, right, bottom} = output.getBoundingClientRect();
        return [left - clip.x - 1, top - clip.y - 1, right - clip.x + 1, bottom - clip.y + 1];
    });
    const hidden = cells.findIndex((cell, n) => n > at && cell.getBoundingClientRect().bottom > frame.bottom - 5);
    return {clip, outputs, next: hidden < 0 ? last + 1 : hidden};
}"""

# Compares two screenshots except in some rectangles; returns the first pixel that differs.
_DIFFERENCE = """async ([one, other, rectangles]) => {
    const pixels = async (address) => {
        const picture = new Image();
        picture.src = address;
        await picture.decode();
        const canvas = new OffscreenCanvas(picture.width, picture.height);
        const context = canvas.getContext("2d", {willReadFrequently: true});
        context.drawImage(picture, 0, 0);
        for (const [left, top, right, bottom] of rectangles) context.clearRect(left, top, right - left, bottom - top);
        return context.getImageData(0, 0, picture.width, picture.height);
    };
    const [a, b] = [await pixels(one), await pixels(other)];
    const words = [new Uint32Array(a.data.buffer), new Uint32Array(b.data.buffer)];
    const at = words[0].findIndex((word, n) => word !== words[1][n]);
    return at < 0 ? "" : `${at % a.width},${Math.floor(at / a.width)}`;
}"""
