"""Names of the package: a search for a class finds one class."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import lockbots_magic

PACKAGE = Path(lockbots_magic.__file__).parent
MOCK_SERVER = PACKAGE / "testing" / "mock_server"


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
