"""The built wheel, and fresh environments to install it in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TIME_TO_INSTALL = 300
TIME_TO_TEST = 900
NOT_INHERITED = ("PYTHON", "PYENV_VERSION", "PYENV_DIR", "PYTEST_", "VIRTUAL_ENV", "CONDA", "UV_PYTHON", "LOCKBOTS_")
"""Prefixes of variables that would leak the caller's environment."""


_MACHINE = dict(os.environ)  # before a test removes the machine's certificates from it


def _outside() -> dict[str, str]:
    kept = {name: value for name, value in _MACHINE.items() if not name.startswith(NOT_INHERITED)}
    return {**kept, "UV_PYTHON_DOWNLOADS": "never", "HYPOTHESIS_PROFILE": "brief"}


def _run(command: Sequence[str | Path], cwd: Path, seconds: float) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**_outside(), "IPYTHONDIR": str(cwd / ".ipython")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        said = "\n".join(f"{done.stdout}\n{done.stderr}".strip().splitlines()[-120:])
        pytest.fail(f"{Path(command[0]).name} ended with {done.returncode}:\n{said}", pytrace=False)
    return done.stdout


@dataclass(frozen=True)
class Environment:
    """A virtual environment that holds only what is installed in it."""

    folder: Path

    @property
    def scripts(self) -> Path:
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> Path:
        return self.scripts / "python"

    def uv(self, *arguments: str | Path) -> str:
        command = (sys.executable, "-m", "uv", "pip", *arguments, "--python", self.python)
        return _run(command, ROOT, TIME_TO_INSTALL)

    def install(self, *what: str | Path) -> None:
        self.uv("install", "--quiet", *what)

    def installed(self) -> dict[str, str]:
        """Name -> version of every package in it."""
        return {row["name"]: row["version"] for row in json.loads(self.uv("list", "--format", "json"))}

    def weight(self) -> int:
        """Bytes of all packages in it, without what Python writes beside them."""
        site = Path(self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
        return sum(path.stat().st_size for path in site.rglob("*") if path.is_file() and path.suffix != ".pyc")

    def run(self, *arguments: str, seconds: float = 60) -> str:
        """Run its Python, in a folder without packages, and return the output."""
        return _run((self.python, *arguments), self.folder, seconds)

    def unit_tests(self, *paths: str, workers: int = 2) -> str:
        """Run unit tests against the installed package, in a copy of the checkout without the source.

        Args:
            paths: Files and folders of tests; by default all.
            workers: Processes that share the work.

        Returns:
            The last line of the output: how many passed.
        """
        copy = self.folder / "checkout"
        left = shutil.ignore_patterns("lockbots_magic", "build", "dist", "packaging", ".*", "__pycache__")
        shutil.copytree(ROOT, copy, ignore=left)
        chosen = "not kernel and not browser and not packaging and not once"
        options = ("-q", f"-n{workers}", "--maxfail=5", "-p", "no:cacheprovider", "-m", chosen)
        out = _run((self.scripts / "pytest", *options, *paths), copy, TIME_TO_TEST)
        return out.strip().splitlines()[-1]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the checkout as it is now."""
    folder = tmp_path_factory.mktemp("wheel")
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder)
    _run(build, ROOT, TIME_TO_INSTALL)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Callable[..., Environment]]:
    """`environment(python)` makes an empty one; it is removed after the test."""
    made: list[Path] = []

    def make(python: str | Path = sys.executable) -> Environment:
        folder = tmp_path / f"environment-{len(made)}"
        made.append(folder)
        _run((sys.executable, "-m", "uv", "venv", "--quiet", "--no-project", "--python", python, folder), ROOT, 60)
        return Environment(folder)

    yield make
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Interpreter:
    """A Python on this machine that runs."""

    version: tuple[int, int, int]
    path: str

    def __str__(self) -> str:
        return ".".join(map(str, self.version))


PROBE = """
import json, platform, sys
print(json.dumps([platform.python_implementation(), sys.version_info.releaselevel, *sys.version_info[:3]]))
"""


def _probe(path: Path) -> Interpreter | None:
    """None where it does not run (a shim without its version), or is no released CPython of ours."""
    try:
        done = subprocess.run(
            [path, "-c", PROBE], env=_outside(), cwd=path.parent, capture_output=True, timeout=20, check=True
        )
        kind, level, *version = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    if (kind, level) != ("CPython", "final") or tuple(version) < (3, 10):
        return None
    return Interpreter(tuple(version), str(path))


def _candidates() -> Iterator[Path]:
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [pyenv / "versions" / "*" / "bin", *(Path(part) for part in os.get_exec_path() if part)]
    for folder in folders:
        for path in Path(folder.anchor or ".").glob(str(folder.relative_to(folder.anchor) / "python3.*")):
            if path.name.removeprefix("python3.").isdecimal() and int(path.name.removeprefix("python3.")) >= 10:
                yield path


def _found() -> list[Interpreter]:
    """The interpreters of this machine, one for each minor version, oldest first; ours before another of its minor."""
    here = Interpreter(sys.version_info[:3], sys.executable)
    found = {here.version[:2]: here}
    for path in _candidates():
        minor = (3, int(path.name.removeprefix("python3.")))
        if minor not in found and (interpreter := _probe(path)) is not None:
            found.setdefault(interpreter.version[:2], interpreter)
    return sorted(found.values(), key=lambda one: one.version)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "interpreter" in metafunc.fixturenames:
        metafunc.parametrize("interpreter", _interpreters(metafunc.config)[-1:], ids=str)
    if "oldest" in metafunc.fixturenames:
        metafunc.parametrize("oldest", _interpreters(metafunc.config)[:1], ids=str)


_KEY = pytest.StashKey[list[Interpreter]]()


def _interpreters(config: pytest.Config) -> list[Interpreter]:
    if _KEY not in config.stash:
        config.stash[_KEY] = _found()
    return config.stash[_KEY]


@pytest.fixture
def interpreters(request: pytest.FixtureRequest) -> list[Interpreter]:
    return _interpreters(request.config)
