"""Build a release and try it: `make dist` writes wheel and sdist to dist/, and installs them on each Python at hand."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from zipfile import ZipFile

from lockbots_magic import __version__
from tests.packaging.conftest import ROOT, Environment, _found
from tests.packaging.test_wheel import FIRST_CELL, files_of_checkout

IN_SDIST = ("tests/test_docs.py", "docs/conf.py", "notebooks/01_quickstart.ipynb", "CHANGELOG.md", "Makefile")


def main(folder: Path) -> int:
    """Build into `folder`, check what was built, and install it."""
    wheel, sdist = build(folder)
    check_files(wheel, sdist)
    check_changelog()
    for interpreter in _found():
        try_it(wheel, interpreter.path, f"Python {interpreter}, wheel")
    try_it(sdist, sys.executable, "this Python, sdist")
    for file in (wheel, sdist):
        print(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file}")
    return 0


def build(folder: Path) -> tuple[Path, Path]:
    """Build wheel and sdist in an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


def check_files(wheel: Path, sdist: Path) -> None:
    """Check that both hold the package as the checkout has it, and that the sdist holds what builds and tests it."""
    held = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = files_of_checkout()
    with tarfile.open(sdist) as archive:
        sources = {name.partition("/")[2] for name in archive.getnames()}
    if problem := (held ^ expected) | ({*expected, *IN_SDIST} - sources):
        sys.exit(f"The built files differ from the checkout: {', '.join(sorted(problem))}")
    if f"-{__version__}-" not in wheel.name:
        sys.exit(f"{wheel.name} is not of version {__version__}")


def check_changelog() -> None:
    """Check that the changelog has a section for what is released."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    if f"## [{__version__}]" not in text and "## [Unreleased]" not in text:
        sys.exit(f"CHANGELOG.md has no section for {__version__}")


def try_it(built: Path, python: str, name: str) -> None:
    """Install a built file into an empty environment and run a first cell there."""
    with tempfile.TemporaryDirectory() as folder:
        place = Environment(Path(folder) / "environment")
        command = [sys.executable, "-m", "uv", "venv", "--quiet", "--no-project", "--python", python, str(place.folder)]
        subprocess.run(command, check=True)
        place.install(built)
        said = json.loads(place.run("-c", FIRST_CELL).splitlines()[-1])
    if "ollama" not in said["answer"].lower() or said["version"] != said["metadata"]:
        sys.exit(f"{name}: the first cell failed")
    print(f"{name}: installed, and the guide answers")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "dist").resolve()))
