"""Watcher of hostile replies: it reports active content, and nothing else."""

from __future__ import annotations

import threading

import pytest
from playwright.sync_api import expect

from lockbots_magic.rendering.frame import style
from tests.browser.lab import Notebook, new_context
from tests.hostile.probe import FORMULAS, PROBE, formulas_of
from tests.hostile.watcher import Violation, Watcher, painted_outside
from tests.rawserver import Peer, RawServer


@pytest.fixture(scope="module")
def raw(lab, watched):
    """A notebook that shows raw HTML, as a reply never can."""
    page = watched[0].new_page()
    yield lab.open(page, "x = 1", "", "y = 2", name="raw.ipynb")
    page.close()


def shown_raw(notebook: Notebook, watcher: Watcher, html: str) -> list[Violation]:
    """Show `html`, and return the violations."""
    notebook.type_into(1, "pass")
    notebook.run(1)
    notebook.type_into(1, f"from IPython.display import HTML\nHTML({html!r})")
    watcher.seen(notebook.page)
    notebook.run(1)
    return watcher.search(notebook.page)


UNCLIPPED = ".jp-Cell, .jp-Cell * {overflow: visible !important; content-visibility: visible !important}"


@pytest.mark.parametrize(
    ("html", "kinds"),
    [
        ("<img src=x onerror=hurt()>", {"script", "tag"}),
        ("<script>window.hurt = 1</script>", {"script", "tag"}),
        ("<script>alert(1)</script>", {"dialog", "tag"}),
        ("<a href='javascript:hurt()'>x</a>", {"tag"}),
        ("<div onclick=hurt()>x</div>", {"script", "attribute"}),
        ("<div onmouseenter='window.hurt = 1'>x</div>", {"script", "attribute"}),
        ("<img src=http://evil.example/x.png>", {"request", "tag"}),
        ("<div style='background:url(http://evil.example/x.png)'>x</div>", {"request", "attribute"}),
        ("<script>window.open('http://evil.example/')</script>", {"popup", "tag"}),
        ("<div><iframe src=http://evil.example/></iframe></div>", {"request", "tag"}),
        ("<script>document.body.append(document.createElement('embed'))</script>", {"page", "tag"}),
        (f"<style>{UNCLIPPED} i {{position: absolute; inset: 0 0 -40px; background: red}}</style><i></i>", {"cover"}),
        ("<div data-commandlinker-command='filebrowser:activate'>x</div>", {"attribute"}),
        (r"<div>$\href{/x}{y}$</div>", {"tag", "attribute"}),
        (r"<div>$\unicode[x;position:fixed]{x61}$</div>", {"attribute"}),
        ("<div class=lockbots><div class=lockbots-reply><div class=lockbots-notice>x</div></div></div>", {"notice"}),
    ],
)
def test_the_watcher_reports_what_acts(raw, watched, html, kinds):
    seen = shown_raw(raw, watched[1], html)
    assert kinds <= {violation.kind for violation in seen}


def test_the_watcher_is_silent_where_nothing_acts(raw, watched, blank):
    table = "<table><tbody><tr><td>x</td></tr></tbody></table>"
    assert not shown_raw(raw, watched[1], f"<div>{table}{FORMULAS}</div>")
    assert not painted_outside(raw.page, blank, 0, 2)


KNOWN = style().removeprefix("<style>").removesuffix("</style>")


@pytest.mark.parametrize(
    ("last", "kinds"),
    [(KNOWN, []), ("b { color: red }", ["style"]), ("body{display:none}", ["style"]), (f"{KNOWN}@x", ["style"])],
)
def test_a_style_is_compared_when_a_page_has_read_all_of_it(browser, last, kinds):
    read = threading.Event()
    output = (
        "<div class=jp-OutputArea-output data-mime-type='text/html'><div class=lockbots><style>{}</style></div></div>"
    )
    page = f"<!doctype html>{output.format(KNOWN)}{output.format(last)}".encode()

    def slowly(peer: Peer) -> None:
        if peer.request():  # a browser may connect in advance
            start = page.rindex(b"<style>") + len("<style>")
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + page[:start])
            peer.wait(read)
            peer.send(page[start:])

    with RawServer(slowly) as server, new_context(browser) as context:
        watcher, tab = Watcher(context, server.url), context.new_page()
        tab.goto(server.url, wait_until="commit")
        expect(tab.locator("style")).to_have_count(2)
        read.set()
        tab.wait_for_load_state("domcontentloaded")
        assert [violation.kind for violation in watcher.search(tab)] == kinds


def test_what_covers_the_page_for_a_moment_is_found(raw, watched):
    cover = "@keyframes cover {from, to {position: absolute; inset: 0 0 -40px; background: red}}"
    html = f"<style>{UNCLIPPED} {cover} i {{animation: cover 2s}}</style><i>x</i>"
    raw.type_into(1, f"from IPython.display import HTML\nHTML({html!r})")
    watched[1].seen(raw.page)
    raw.run(1)
    raw.page.wait_for_function("document.getAnimations().some((one) => one.animationName === 'cover')")
    raw.page.wait_for_function("!document.getAnimations().some((one) => one.animationName === 'cover')")
    assert "cover" in {violation.kind for violation in watched[1].seen(raw.page)}


def test_paint_outside_an_output_is_found(raw, watched, blank):
    shown_raw(raw, watched[1], f"<style>{UNCLIPPED} i {{box-shadow: 0 0 0 30px red}}</style><i>x</i>")
    assert painted_outside(raw.page, blank, 0, 2)


def test_a_changed_page_is_found(raw, watched):
    shown_raw(raw, watched[1], "<div>x</div>")
    before = raw.page.evaluate("watcher.chrome()")
    shown_raw(raw, watched[1], "<style>.jp-Cell {opacity: 0.9}</style>")
    assert raw.page.evaluate("watcher.chrome()") != before


def test_a_changed_macro_is_found(lab, watched):
    page = watched[0].new_page()
    redefining = PROBE.replace(r"$\alpha", r"$\def\alpha{a}x$ $\alpha")
    notebook = lab.open(page, PROBE, redefining, PROBE, name="macros.ipynb")
    shown = []
    for cell in range(3):
        notebook.run(cell)
        shown.append(formulas_of(notebook, cell))
    assert shown[0] != shown[2]
    page.close()
