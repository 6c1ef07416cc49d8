"""Packages and size that the package adds to an environment with ipykernel and ipywidgets."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path

from common import figure, table, title

ROOT = Path(__file__).parent.parent
MB = 1e6


def run(*command: str | Path) -> str:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def environment(home: Path, *packages: str | Path) -> dict[str, tuple[float, float]]:
    """Package -> (size, size with byte code), MB, of all that installing `packages` brings."""
    run("venv", "--without-pip", home)
    install = ("install", "--quiet", "--disable-pip-version-check", "--constraint", "constraints.txt", *packages)
    run("pip", "--python", home, *install)
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    python = next(p for p in (home / "bin/python", home / "Scripts/python.exe") if p.exists())
    site = Path(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip())
    return {d.name: weight([Path(d.locate_file(f)) for f in d.files or ()]) for d in distributions(path=[str(site)])}


def weight(files: list[Path]) -> tuple[float, float]:
    sizes = [(f.stat().st_size / MB, f.suffix == ".pyc") for f in files if f.exists()]
    return sum(size for size, compiled in sizes if not compiled), sum(size for size, _ in sizes)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        run("build", "--wheel", "--no-isolation", "--outdir", home / "wheel")
        [wheel] = (home / "wheel").glob("*.whl")
        bare = environment(home / "bare", "ipykernel", "ipywidgets")
        full = environment(home / "full", "ipykernel", "ipywidgets", wheel)
    added = {name: size for name, size in full.items() if name not in bare}
    title("what is installed")
    rows = []
    for name, packages in (("ipykernel + ipywidgets", bare), ("with lockbots-magic", full), ("added", added)):
        sizes = (f"{sum(s[i] for s in packages.values()):.1f}" for i in (0, 1))
        rows.append((name, len(packages), *sizes))
    table(("environment", "packages", "MB", "MB with byte code"), *rows)
    title("what is added, heaviest first")
    heaviest = sorted(added, key=lambda name: added[name][1], reverse=True)
    table(("package", "MB", "MB with byte code"), *((n, *(f"{size:.2f}" for size in added[n])) for n in heaviest))
    figure("packages over ipykernel + ipywidgets", str(len(added)), "<= 20")
    figure("their weight, byte code included", f"{sum(s[1] for s in added.values()):.1f} MB", "<= 36 MB")


if __name__ == "__main__":
    main()
