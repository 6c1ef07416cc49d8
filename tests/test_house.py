"""The rules of the house: what may import what, and how large a room may be. Read from the source, never run."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import lockbots_magic

PACKAGE = "lockbots_magic"

# A module imports only from rows above its own, and nothing from its own row.
LAYERS = (
    ("plaintext", "places"),
    ("version", "watchers", "errors", "framing", "helptext", "providers.chunks"),
    ("messages", "storage", "notebook"),
    ("notebook.record",),
    ("notebook.history", "notebook.cells"),
    ("notebook.binding",),
    ("notebook.remarks",),
    ("notebook.reading",),
    ("conversation", "options", "providers.secrets", "providers.checks", "providers.retries"),
    ("providers.call", "providers.connection", "providers.refusals", "providers.tool_calls"),
    ("running", "providers.transport", "providers.dialect", "providers.base", "cassette.recording"),
    ("providers.openai_compatible", "providers.guide", "providers.function", "cassette.tape", "cassette.missing"),
    ("providers.lockchat", "providers.liaobots"),
    ("schemas.docstrings", "schemas.shapes", "prices"),
    ("schemas.compounds", "context.text", "context.libraries", "context.decoding", "context.displays"),
    ("schemas.hints", "schemas.reading", "context.material", "context.paths", "context.tracebacks"),
    ("schemas.functions", "context.containers", "context.source", "context.images"),
    ("schemas", "context.arrays", "context.frames", "context.files"),
    ("context.values",),
    ("context.template", "context.cells", "tools"),
    ("context", "personas", "lasterror", "model_lists", "discovery", "dryrun"),
    ("cassette",),
    ("providers", "rendering", "rendering.escaping", "rendering.highlight", "rendering.tex", "rendering.unfinished"),
    ("rendering.addresses", "rendering.markdown", "rendering.plain_markdown.formula"),
    (
        "rendering.html",
        "answers.blocks",
        "rendering.plain_markdown.misreading",
        "rendering.plain_markdown.tame",
        "rendering.terminal.screen",
    ),
    ("answers.code", "answers.structured"),
    ("answers", "rendering.growing", "rendering.plain_markdown.inline", "rendering.table", "rendering.terminal.code"),
    ("rendering.plain_markdown", "rendering.terminal.styling", "rendering.drawing"),
    ("rendering.forms", "rendering.terminal", "rendering.notices", "usage"),
    ("rendering.live", "rendering.prose", "reply", "credentials", "cassette.player"),
    ("cassette.deck", "rendering.side_by_side"),
    ("chat", "files.turns", "files.as_json", "files.entries"),
    ("comparison", "files.cells", "files.markdown", "files.messages", "files.page", "files.saved"),
    ("files.notebook",),
    ("files",),
    ("session",),
    ("asking", "background", "completion.slots"),
    ("completion.offers",),
    ("completion.expressions",),
    ("panel.texts", "panel.transcript", "panel.memory", "panel.publisher"),
    ("panel.desk",),
    ("panel.letters",),
    ("panel.talk",),
    ("panel.views",),
    ("panel.host",),
    ("panel.panel",),
    ("panel",),
    ("commands.command",),
    ("commands.models", "commands.conversations", "commands.notebooks", "commands.files"),
    ("commands.recording", "commands.panels", "commands.settings", "commands.discover", "commands.usage"),
    ("commands.compare", "commands.replies"),
    ("commands",),
    ("showing", "completion.knowledge"),
    ("completion.matcher",),
    ("completion",),
    ("magics", "pytest_plugin"),
    ("",),
)
APART = "sandbox"
"""A program of its own beside the package: it needs no part of it, and no part needs it."""

FOR_TESTS = "pytest_plugin"
"""What other people's tests use."""

ONLY_IN = {
    "requests": ("providers.transport",),
    "urllib3": ("providers.transport", "providers.connection"),
    "IPython": ("magics", "session", "rendering.live", "completion.matcher"),
    "anywidget": ("panel",),
}
EXCEPTION_TYPES = "requests.exceptions"
"""What `errors` may import of `requests`."""

CONCRETE = ("providers.function",)
"""Providers that the registry does not name. Those it names are found in it, all but the shared dialect's."""
DIALECT = "providers.openai_compatible"

PUBLIC = [  # grouped by what they are for
    *("Chat", "ChatPanel", "Reply", "Conversation", "Turn", "Message", "Usage"),
    *("Provider", "HTTPProvider", "ChatRequest", "Delta", "ModelInfo"),
    *("LockbotsError", "ProviderError", "UsageError"),
    "__version__",
]

LONGEST_FILE = 400
LONGEST_FUNCTION = 60


@dataclass(frozen=True)
class Import:
    """One imported name, absolute. `typing_only`: it stands under `if TYPE_CHECKING`."""

    target: str
    line: int
    typing_only: bool


@dataclass(frozen=True)
class Module:
    """A module by its name within the package; the package itself is ''."""

    name: str
    text: str
    is_package: bool = False

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def full_name(self) -> str:
        return f"{PACKAGE}.{self.name}".rstrip(".")

    def imports(self) -> Iterator[Import]:
        """Every import, those inside functions and those by a literal name included."""
        tree = self.tree
        typing = {id(node) for guard in ast.walk(tree) if _is_typing_guard(guard) for node in ast.walk(guard)}
        for node in ast.walk(tree):
            for target in self._targets(node):
                yield Import(target, node.lineno, id(node) in typing)

    def _targets(self, node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = self._resolved("." * node.level + (node.module or ""))
            yield from (f"{origin}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            yield from (self._resolved(arg.value) for arg in node.args[:1] if isinstance(arg, ast.Constant))

    def _resolved(self, name: str) -> str:
        bare = name.lstrip(".")
        level = len(name) - len(bare)
        if not level:
            return bare
        parts = self.full_name.split(".")
        parts = parts[: len(parts) - level + self.is_package]
        return ".".join([*parts, bare]).rstrip(".")


def _is_typing_guard(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


class House:
    """All modules, and who imports whom."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self.modules = {module.name: module for module in modules}
        self.graph = {name: self._inner(module) for name, module in self.modules.items()}

    def _inner(self, module: Module) -> set[str]:
        targets = (found.target for found in module.imports() if within(found.target, PACKAGE))
        return {self._owner(target[len(PACKAGE) + 1 :]) for target in targets} - {module.name}

    def _owner(self, dotted: str) -> str:
        """The module that `dotted` is, or that holds it: `from .chat import Chat` needs `chat`."""
        while dotted and dotted not in self.modules:
            dotted = dotted.rpartition(".")[0]
        return dotted

    def edges(self) -> Iterator[tuple[str, str]]:
        """Pairs (importer, imported)."""
        return ((name, target) for name in sorted(self.graph) for target in sorted(self.graph[name]))


def within(name: str, *rooms: str) -> bool:
    """Whether `name` is one of `rooms` or lies in one."""
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def read_house() -> House:
    """The package as it is installed."""
    root = Path(lockbots_magic.__file__).parent
    return House(_module(path, root) for path in root.rglob("*.py"))


def _module(path: Path, root: Path) -> Module:
    parts = path.relative_to(root).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    return Module(".".join(parts[:-1] if is_package else parts), path.read_text("utf-8"), is_package)


# The rules. Each takes a house and says what breaks it.


def unplaced(house: House) -> list[str]:
    placed = {name for row in LAYERS for name in row}
    strays = [name for name in house.modules if name not in placed and not within(name, APART)]
    return [f"{name} has no row in LAYERS" for name in sorted(strays)]


def upward(house: House) -> list[str]:
    row = {name: number for number, names in enumerate(LAYERS) for name in names}
    pairs = [(a, b) for a, b in house.edges() if a in row and b in row]
    return [f"{a or PACKAGE} imports {b or PACKAGE}" for a, b in pairs if row[b] >= row[a]]


def cycles(house: House) -> list[str]:
    """Depth first; a module met again on the path that led to it closes a cycle."""
    found: list[str] = []
    finished: set[str] = set()

    def walk(path: tuple[str, ...]) -> None:
        for target in sorted(house.graph[path[-1]]):
            if target in path:
                circle = (*path[path.index(target) :], target)
                found.append(" -> ".join(name or PACKAGE for name in circle))
            elif target not in finished:
                walk((*path, target))
        finished.add(path[-1])

    for name in sorted(house.graph):
        if name not in finished:
            walk((name,))
    return found


def between(house: House, importers: tuple[str, ...], imported: tuple[str, ...]) -> list[str]:
    return [f"{a} imports {b}" for a, b in house.edges() if within(a, *importers) and within(b, *imported)]


def sandbox_is_tied(house: House) -> list[str]:
    return [f"{a} imports {b}" for a, b in house.edges() if within(a, APART) != within(b, APART)]


def outsiders(house: House, library: str) -> list[str]:
    """Who imports `library` and may not."""
    out = []
    for name, module in sorted(house.modules.items()):
        if within(name, *ONLY_IN[library]):
            continue
        for found in module.imports():
            named_by_errors = name == "errors" and within(found.target, EXCEPTION_TYPES)
            if within(found.target, library) and not found.typing_only and not named_by_errors:
                out.append(f"{name or PACKAGE}:{found.line} imports {found.target}")
    return out


def providers_know_each_other(house: House) -> list[str]:
    named = re.findall(rf"{PACKAGE}\.(providers\.\w+):", house.modules["providers"].text)
    concrete = {*CONCRETE, *named} - {DIALECT}
    return [f"{a} imports {b}" for a, b in house.edges() if within(a, "providers") and b in concrete]


def asks_whether_it_is_tested(house: House) -> list[str]:
    asked = re.compile(r"pytest|unittest|under[ _]?test|(is|in|if)_test", re.IGNORECASE)
    others = {name: module for name, module in house.modules.items() if name != FOR_TESTS}
    return [f"{name}: {hit[0]}" for name, module in others.items() for hit in asked.finditer(module.text)]


def mutable_class_attributes(house: House) -> list[str]:
    makers = {"dict", "list", "set", "bytearray", "defaultdict", "deque", "OrderedDict", "Counter", "WeakSet"}
    makers |= {"WeakKeyDictionary", "WeakValueDictionary"}
    displays = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)
    out = []
    for name, module in house.modules.items():
        for kind in (node for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)):
            for statement in kind.body:
                value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
                made = isinstance(value, ast.Call) and ast.unparse(value.func).rpartition(".")[2] in makers
                if made or isinstance(value, displays):
                    out.append(f"{name}:{statement.lineno} {kind.name}: {ast.unparse(statement)}")
    return out


def without_docstring(house: House) -> list[str]:
    return [name or PACKAGE for name, module in house.modules.items() if not ast.get_docstring(module.tree)]


def long_files(house: House) -> list[str]:
    lengths = {name: len(module.text.splitlines()) for name, module in house.modules.items()}
    return [f"{name}: {length} lines" for name, length in lengths.items() if length > LONGEST_FILE]


def long_functions(house: House) -> list[str]:
    out = []
    for name, module in house.modules.items():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    out.append(f"{name}.{node.name}: {length} lines")
    return out


@pytest.fixture(scope="module")
def house() -> House:
    return read_house()


def test_every_module_has_a_layer(house):
    assert not unplaced(house)


def test_every_name_in_the_layers_is_a_module(house):
    assert {name for row in LAYERS for name in row} <= house.modules.keys()


def test_imports_go_one_way(house):
    assert not upward(house)


def test_no_import_cycle_is_hidden_in_a_function(house):
    assert not cycles(house)


def test_the_sandbox_stands_apart(house):
    assert not sandbox_is_tied(house)


@pytest.mark.parametrize("library", ONLY_IN)
def test_each_library_keeps_to_its_rooms(house, library):
    assert not outsiders(house, library)


def test_no_provider_imports_another(house):
    assert not providers_know_each_other(house)


def test_providers_import_neither_rendering_nor_session(house):
    assert not between(house, ("providers",), ("rendering", "session"))


def test_rendering_does_not_import_providers(house):
    assert not between(house, ("rendering",), ("providers",))


def test_magics_and_panel_do_not_know_each_other(house):
    assert not between(house, ("magics", "commands"), ("panel",))
    assert not between(house, ("panel",), ("magics", "commands"))


def test_nothing_asks_whether_it_is_under_test(house):
    assert not asks_whether_it_is_tested(house)


def test_no_class_holds_mutable_state(house):
    assert not mutable_class_attributes(house)


def test_every_module_says_what_it_is(house):
    assert not without_docstring(house)


def test_files_are_short(house):
    assert not long_files(house)


def test_functions_are_short(house):
    assert not long_functions(house)


def test_the_public_names_are_pinned():
    assert lockbots_magic.__all__ == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_can_be_imported(name):
    value = getattr(importlib.import_module(PACKAGE), name)
    assert isinstance(value, str) if name == "__version__" else value.__name__ == name


LONG = "\n".join(["def f():", *["    pass"] * LONGEST_FUNCTION])
BREACHES: list[tuple[str, Callable[[House], list[str]], str, str]] = [
    ("a module without a layer", unplaced, "attic", ""),
    ("an upward import", upward, "errors", "from .session import Lockbots"),
    ("an upward import inside a function", upward, "errors", "def f():\n    import lockbots_magic.session"),
    ("an upward import for a type", upward, "errors", "if TYPE_CHECKING:\n    from . import session"),
    ("an upward import by name", upward, "errors", "importlib.import_module('.session', __package__)"),
    ("an import of the package itself", upward, "errors", "from . import Chat"),
    ("an import within a layer", upward, "errors", "from .messages import Turn"),
    ("an upward import by two dots", upward, "providers.base", "from ..session import Lockbots"),
    ("a cycle", cycles, "session", "def f():\n    from .magics import load"),
    ("a sandbox that needs the package", sandbox_is_tied, "sandbox.server", "from ..errors import ProtocolError"),
    ("a package that needs the sandbox", sandbox_is_tied, "session", "from .sandbox import Sandbox"),
    ("requests in a provider", lambda h: outsiders(h, "requests"), "providers.base", "import requests"),
    ("more of requests in errors", lambda h: outsiders(h, "requests"), "errors", "from requests import get"),
    ("urllib3 in a function", lambda h: outsiders(h, "urllib3"), "chat", "def f():\n    import urllib3.util"),
    ("IPython in the chat", lambda h: outsiders(h, "IPython"), "chat", "from IPython.display import display"),
    ("anywidget in the session", lambda h: outsiders(h, "anywidget"), "session", "import anywidget"),
    ("a provider that knows another", providers_know_each_other, "providers.lockchat", "from . import liaobots"),
    ("a dialect that knows a provider", providers_know_each_other, "providers.dialect", "from .guide import Guide"),
    ("a base that knows a provider", providers_know_each_other, "providers.base", "from .guide import Guide"),
    ("a provider that renders", lambda h: between(h, ("providers",), ("rendering",)), "providers.guide",
     "from ..rendering import html"),
    ("a page that knows providers", lambda h: between(h, ("rendering",), ("providers",)), "rendering.html",
     "def f():\n    from .. import providers"),
    ("a question for the test runner", asks_whether_it_is_tested, "chat", "if 'PYTEST_CURRENT_TEST' in environ: pass"),
    ("a look for the test runner", asks_whether_it_is_tested, "chat", "if 'pytest' in sys.modules: pass"),
    ("a dict on a class", mutable_class_attributes, "chat", "class Chat:\n    turns: dict = {}"),
    ("a made list on a class", mutable_class_attributes, "chat", "class Chat:\n    turns = collections.deque()"),
    ("a module without docstring", without_docstring, "chat", "import json"),
    ("a long file", long_files, "chat", "\n" * (LONGEST_FILE + 1)),
    ("a long function", long_functions, "chat", LONG),
]  # fmt: skip

ROOMS = ("errors", "messages", "session", "chat", "sandbox", "providers.guide", "providers.liaobots", DIALECT)


def made_up(name: str, text: str) -> House:
    """A small house in which one module is as given."""
    registry = "\n".join(['"""."""', *(f"'{PACKAGE}.{room}:X'" for room in ROOMS if "." in room)])
    rooms = [Module("", '"""."""', is_package=True), Module("providers", registry, is_package=True)]
    rooms += [Module(room, '"""."""') for room in (*ROOMS, "providers.base", "rendering.html")]
    rooms += [Module("magics", '"""."""\nfrom .session import Lockbots')]
    return House([*(room for room in rooms if room.name != name), Module(name, text)])


@pytest.mark.parametrize(("rule", "name", "text"), [b[1:] for b in BREACHES], ids=[b[0] for b in BREACHES])
def test_a_breach_is_found(rule, name, text):
    assert rule(made_up(name, text))


@pytest.mark.parametrize("rule", dict.fromkeys(breach[1] for breach in BREACHES if breach[1].__name__ != "<lambda>"))
def test_a_house_in_order_is_left_alone(rule):
    assert not rule(made_up("chat", '"""."""\nfrom requests_like import get\nclass Chat:\n    turns: dict\n    n = ()'))


def test_a_type_may_be_named_without_importing_its_library():
    assert not outsiders(made_up("chat", "if TYPE_CHECKING:\n    from IPython import InteractiveShell"), "IPython")


def test_errors_may_name_exception_types_of_requests():
    assert not outsiders(made_up("errors", "from requests.exceptions import HTTPError"), "requests")
