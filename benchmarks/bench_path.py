"""Number of files and functions that one `%%chat` cell enters, and of rooms and imports between them.

A file counts when one of its functions runs, not when it is only imported. Bodies of classes don't count, nor do
lambdas and comprehensions: whether these are functions depends on the Python. It is the first `%%chat` of a fresh
kernel, all threads included, sent without a cell id: a front end that sends one brings the growing reply and its pace
in as well.
"""

from __future__ import annotations

import json
from pathlib import Path

import grimp
from common import Kernel, figure, kernel, server, table, title

PACKAGE = Path(__file__).parent.parent / "lockbots_magic"
WATCH = f"""
import inspect, json, sys, threading

entered, before = {{}}, None

def _watch(frame, event, arg):
    global before
    if event == "call":
        code = frame.f_code
        is_function = code.co_flags & inspect.CO_NEWLOCALS and code.co_name[0] != "<"  # the body of a class is not
        if is_function and code.co_filename.startswith({str(PACKAGE)!r}):
            entered[code.co_filename, code.co_qualname if hasattr(code, "co_qualname") else code.co_name] = True
    elif event == "c_call" and before is None and arg.__name__ in ("send", "sendall"):
        if type(getattr(arg, "__self__", None)).__module__ == "socket" and frame.f_globals["__name__"] == "http.client":
            before = len(entered)

def _begin(result):  # the last callback of this cell
    get_ipython().events.unregister("post_run_cell", _begin)
    entered.clear()

get_ipython().events.register("post_run_cell", _begin)
threading.setprofile(_watch)
sys.setprofile(_watch)
"""
REPORT = """
sys.setprofile(None)
threading.setprofile(None)
print(json.dumps({"entered": [*entered], "before": before}))
"""


def path_of_a_cell(k: Kernel, url: str) -> tuple[list[tuple[str, str]], int]:
    """Run `%%chat` with `say hello`; return (file, function) of what it entered, and how many before the request."""
    k.run("%load_ext lockbots_magic")
    k.run(f"%lockbots use openai:5 --base-url {url}")
    k.run(WATCH)
    k.run("%%chat\nsay hello")
    told = json.loads("".join(content["text"] for _, kind, content in k.run(REPORT).outputs if kind == "stream"))
    entered = [(Path(file).relative_to(PACKAGE).as_posix(), function) for file, function in told["entered"]]
    return entered, told["before"]


def rooms_and_arrows() -> tuple[set[str], set[tuple[str, str]]]:
    """Return the package, the modules right below it, and the pairs of them that import; lazy imports count."""
    graph = grimp.build_graph("lockbots_magic", cache_dir=None)
    rooms = {name: ".".join(name.split(".")[:2]) for name in graph.modules}
    pairs = {
        (rooms[name], rooms[target])
        for name in rooms
        for target in graph.find_modules_directly_imported_by(name)
        if target in rooms
    }
    return {*rooms.values()}, {pair for pair in pairs if pair[0] != pair[1]}


def main() -> None:
    with server() as box, kernel() as k:
        entered, before = path_of_a_cell(k, box.url)
    early = {file for file, _ in entered[:before]}
    files = {file: [name for of, name in entered if of == file] for file, _ in entered}
    title("own files that one `say hello` enters, in order")
    rows = ((file, len(names), "yes" if file in early else "") for file, names in files.items())
    table(("file", "functions", "before the first byte"), *rows)
    rooms, arrows = rooms_and_arrows()
    title("arrows to and from each room")
    counts = (
        (r.partition(".")[2] or r, sum(a == r for a, _ in arrows), sum(b == r for _, b in arrows))
        for r in sorted(rooms)
    )
    table(("room", "imports", "is imported by"), *counts)
    figure("files before the first byte", str(len(early)), "<= 15; was 25")
    figure("files in all", str(len(files)), "<= 30; was 43")
    figure("functions in all", str(len(entered)), "fewer; was 273")
    figure("rooms", str(len(rooms)), "<= 20; was 43")
    figure("arrows between rooms", str(len(arrows)), "<= 90; was 208")


if __name__ == "__main__":
    main()
