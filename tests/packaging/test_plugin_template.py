"""The template of a plug-in: rendered as copier renders it, its tests pass and its entry points lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "plugin-template" / "template"
ANSWERS = {"name": "my-wiki", "package": "lockbots-my-wiki", "module": "lockbots_my_wiki", "class_name": "MyWiki"}

pytestmark = pytest.mark.skipif(not TEMPLATE.exists(), reason="the template is not beside the tests")


def render(folder):
    """Render the template, as copier does with these answers: names, and files that end with `.jinja`."""
    jinja2 = pytest.importorskip("jinja2")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    values = {**ANSWERS, "author": 'Ada "A." L.'}
    for source in (one for one in TEMPLATE.rglob("*") if one.is_file() and "__pycache__" not in one.parts):
        name = environment.from_string(source.relative_to(TEMPLATE).as_posix()).render(values)
        target = folder / name.removesuffix(".jinja")
        target.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text(encoding="utf-8")
        target.write_text(environment.from_string(text).render(values) if name.endswith(".jinja") else text, "utf-8")


def test_a_rendered_plugin_passes_its_own_contract_test(tmp_path):
    render(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 12


def test_the_entry_points_of_a_rendered_plugin_load(tmp_path, monkeypatch):
    render(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "src")
    text = (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
    found = dict(re.findall(r'^\[project\.entry-points\."([\w.]+)"\]\nmy-wiki = "([^"]+)"', text, re.MULTILINE))
    assert r'authors = [{ name = "Ada \"A.\" L." }]' in text
    assert found.keys() == {"lockbots_magic.providers", "lockbots_magic.loaders"}
    for target in found.values():
        module, _, name = target.partition(":")
        assert hasattr(__import__(module, fromlist=[name]), name)
