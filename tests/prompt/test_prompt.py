"""The room as a whole."""

import subprocess
import sys

import pytest

from lockbots_magic import prompt as context

HEAVY = ("pandas", "polars", "numpy", "matplotlib", "PIL", "IPython")


@pytest.mark.parametrize("name", context.__all__)
def test_every_name_can_be_imported(name):
    assert getattr(context, name).__name__ == name


def test_there_is_no_other_name():
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        _ = context.other


def test_it_imports_no_library_and_recording_displays_does_not_need_it():
    code = (
        "import sys\n"
        "from lockbots_magic.notebook.display_recorder import DisplayRecorder\n"
        "print(sorted(name for name in sys.modules if name.startswith('lockbots_magic.prompt.')))\n"
        "from lockbots_magic.prompt import *\n"
        f"print(sorted(name for name in sys.modules if name in {HEAVY}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["[]", "[]"]
