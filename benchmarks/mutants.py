"""Mutation testing: change the code in small ways and run its tests; surviving changes are untested.

    python benchmarks/mutants.py conversation providers/wire security --sample 60

A mutant turns one comparison, constant, operator, condition or return value around. It is written to a copy of the
checkout, where the tests of its room (`tests/ROOM`) run until the first failure. Survivors are printed as a diff.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from common import figure, title

ROOT = Path(__file__).parent.parent
SECONDS = 300
"""For the tests of one mutant; one that takes longer counts as found."""
OPPOSITE: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv,
}  # fmt: skip


def changed(node: ast.AST) -> ast.AST | None:
    """Return `node` with one thing turned around, or None where there is nothing to turn."""
    new = copy.deepcopy(node)
    match new:
        case ast.Compare(ops=[op]) | ast.BoolOp(op=op) | ast.BinOp(op=op) if type(op) in OPPOSITE:
            opposite = OPPOSITE[type(op)]()
            if isinstance(new, ast.Compare):
                new.ops = [opposite]
            else:
                new.op = opposite
        case ast.Constant(value=bool(value)):
            new.value = not value
        case ast.Constant(value=int(value)):
            new.value = value + 1
        case ast.UnaryOp(op=ast.Not()):
            return new.operand
        case ast.If() | ast.IfExp() | ast.While():
            new.test = ast.UnaryOp(ast.Not(), new.test)
        case ast.Return(value=ast.expr()):
            new.value = ast.Constant(None)
        case _:
            return None
    return new


def mutants(source: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line, change, whole new source) of every mutant of a module."""
    tree = ast.parse(source)
    lines = source.splitlines(keepends=True)
    for node in ast.walk(tree):
        if not isinstance(node, ast.expr | ast.stmt) or (new := changed(node)) is None:
            continue
        # A compound statement is changed in its condition alone, so that its body keeps its place.
        old, put = (node.test, new.test) if isinstance(node, ast.If | ast.While) else (node, new)
        if old.lineno != old.end_lineno:
            continue  # one line is enough to choose from
        line = lines[old.lineno - 1].encode()
        text = ast.unparse(put)
        text = text if isinstance(old, ast.stmt) else f"({text})"
        edited = (line[: old.col_offset] + text.encode() + line[old.end_col_offset :]).decode()
        whole = "".join([*lines[: old.lineno - 1], edited, *lines[old.lineno :]])
        try:
            compile(whole, "mutant", "exec")
        except SyntaxError:
            continue  # part of an f-string or a pattern
        yield old.lineno, f"- {line.decode().strip()}\n    + {edited.strip()}", whole


def survives(copy_: Path, tests: list[str]) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    command += ["-m", "not (kernel or browser or packaging)"]
    env = {**os.environ, "PYTHONPATH": str(copy_), "PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_PROFILE": "brief"}
    try:
        return not subprocess.run(
            command, cwd=copy_, env=env, capture_output=True, timeout=SECONDS, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("rooms", nargs="*", default=["conversation", "providers/wire", "security"])
    parser.add_argument("--sample", type=int, default=40, help="mutants of each room; the same ones every time")
    parser.add_argument("--tests", nargs="*", help="files and folders of tests; by default those of the room")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        work = Path(home) / "checkout"
        shutil.copytree(ROOT, work, ignore=shutil.ignore_patterns(".*", "__pycache__", "build", "dist"))
        for room in arguments.rooms:
            tests = arguments.tests or [f"tests/{room}"]
            assert survives(work, tests), f"{tests} fail without a mutant"
            files = sorted((work / "lockbots_magic" / room).rglob("*.py"))
            found = [(file, *mutant) for file in files for mutant in mutants(file.read_text("utf-8"))]
            chosen = random.Random(0).sample(found, min(arguments.sample, len(found)))
            title(f"survivors in {room}")
            left = 0
            for file, line, change, whole in chosen:
                original = file.read_text("utf-8")
                file.write_text(whole, "utf-8")
                if survives(work, tests):
                    left += 1
                    print(f"  {file.relative_to(work)}:{line}\n    {change}", flush=True)
                file.write_text(original, "utf-8")
            figure(f"mutants of {room} that survive", f"{left} of {len(chosen)}", "<= 15 %")


if __name__ == "__main__":
    main()
