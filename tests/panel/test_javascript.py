"""Front end: unit tests in node, and the one module that is made of its parts."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lockbots_magic.panel import widget
from lockbots_magic.panel.i18n import page_texts
from tests.optional import leave_out

TESTS = Path(__file__).parent / "js"
FRONTEND = Path(widget.__file__).parent / "frontend"
MIN_NODE = 20


def find_node() -> str:
    """Return the path of node; leave out the test where it is missing or too old for `node --test`."""
    node = shutil.which("node")
    if node is None:
        leave_out("node is not installed: the panel's JavaScript is not tested")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").partition(".")[0]) < MIN_NODE:
        leave_out(f"node {version.strip()} is too old: the panel's JavaScript is tested with {MIN_NODE} or later")
    return node


def run_node(*arguments: object) -> None:
    """Run node, and fail with its output if it fails."""
    command = [find_node(), *map(str, arguments)]
    environment = {**os.environ, "PANEL_TEXTS": json.dumps(page_texts())}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.once
def test_unit_tests_of_the_front_end_pass():
    run_node("--test", "--test-reporter=spec", *sorted(TESTS.glob("*.test.mjs")))


def test_joined_front_end_is_one_valid_module(tmp_path):
    joined = tmp_path / "panel.mjs"
    joined.write_text(widget.join_modules(), "utf-8")
    run_node("--check", joined)


def test_front_end_needs_no_evaluation_of_text():
    assert not re.findall(r"\beval\(|\bFunction\(|setTimeout\([\"'`]|javascript:|\son\w+=", widget.join_modules())


def test_joined_front_end_has_every_module_and_no_imports():
    assert {path.stem for path in FRONTEND.glob("*.js")} == set(widget.FRONTEND_MODULES)
    joined = widget.join_modules()
    assert re.findall(r"^(?:import|export)\b.*", joined, re.MULTILINE) == ["export default {"]
    for path in FRONTEND.glob("*.js"):
        definitions = re.findall(
            r"^(?:export )?((?:async )?function|class|const) (\w+)", path.read_text("utf-8"), re.MULTILINE
        )
        assert all(f"{kind} {name}" in joined for kind, name in definitions), path


def test_modules_come_after_those_they_import():
    for number, name in enumerate(widget.FRONTEND_MODULES):
        imported = re.findall(r'from "\./(\w+)\.js"', (FRONTEND / f"{name}.js").read_text("utf-8"))
        assert set(imported) <= set(widget.FRONTEND_MODULES[:number]), name
