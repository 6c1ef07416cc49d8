"""Names of the package: a search for a class finds one class, and programs beside it import names that exist."""

import ast
import importlib
import importlib.util
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import lockbots_magic

PACKAGE = Path(lockbots_magic.__file__).parent
MOCK_SERVER = PACKAGE / "testing" / "mock_server"
ROOT = Path(__file__).parent.parent


def class_names(source: str) -> Iterator[str]:
    """Yield the classes of a module, nested ones too, and its type aliases: names in CapWords that it assigns."""
    module = ast.parse(source)
    yield from (node.name for node in ast.walk(module) if isinstance(node, ast.ClassDef))
    for node in module.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for name in (target.id for target in targets if isinstance(target, ast.Name)):
            if name.lstrip("_")[:1].isupper() and not name.isupper():
                yield name


def repeated_class_names(package: Path, ignored: Path) -> dict[str, list[str]]:
    """Return class names that several modules define, each with the modules."""
    modules = defaultdict(list)
    for path in sorted(package.rglob("*.py")):
        if not path.is_relative_to(ignored):
            for name in class_names(path.read_text(encoding="utf-8")):
                modules[name].append(path.relative_to(package).as_posix())
    return {name: found for name, found in modules.items() if len(found) > 1}


def test_each_class_name_is_defined_once():
    assert repeated_class_names(PACKAGE, MOCK_SERVER) == {}


def test_classes_nested_classes_and_type_aliases_count(tmp_path):
    (tmp_path / "a.py").write_text("class One:\n    class Two: ...\n\nThree = dict[str, int]\nLIMIT = 5\nname = 1\n")
    (tmp_path / "b.py").write_text("class Three: ...\n\ndef f():\n    class One: ...\n\nTwo: object = int\nLIMIT = 5\n")
    (tmp_path / "ignored").mkdir()
    (tmp_path / "ignored" / "c.py").write_text("class Four: ...\n\nclass Three: ...\n")
    repeated = repeated_class_names(tmp_path, tmp_path / "ignored")
    assert repeated == {name: ["a.py", "b.py"] for name in ("One", "Two", "Three")}


def exists(module: str, name: str) -> bool:
    """Return whether a module has a name, or a module within it."""
    found = importlib.import_module(module)
    return hasattr(found, name) or (
        hasattr(found, "__path__") and importlib.util.find_spec(f"{module}.{name}") is not None
    )


def unknown_imports(path: Path) -> Iterator[str]:
    """Yield what a program imports from the package that isn't there."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "lockbots_magic":
            yield from (f"{node.module}.{alias.name}" for alias in node.names if not exists(node.module, alias.name))


def test_programs_beside_the_package_import_what_it_has():
    programs = [
        path for folder in ("benchmarks", "docs", "notebooks") for path in sorted((ROOT / folder).rglob("*.py"))
    ]
    assert {path.name: found for path in programs if (found := [*unknown_imports(path)])} == {}


def test_a_name_that_went_away_is_seen_in_an_import(tmp_path):
    (tmp_path / "a.py").write_text("from lockbots_magic import Chat, gone\nfrom lockbots_magic.chat import talk\n")
    assert [*unknown_imports(tmp_path / "a.py")] == ["lockbots_magic.gone", "lockbots_magic.chat.talk"]
