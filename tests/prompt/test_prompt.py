"""The room as a whole."""

import subprocess
import sys

HEAVY = ("pandas", "polars", "numpy", "matplotlib", "PIL", "IPython")


def test_recording_displays_needs_no_prompt_and_prompts_import_no_library():
    code = (
        "import sys\n"
        "from lockbots_magic.notebook.display_recorder import DisplayRecorder\n"
        "print(sorted(name for name in sys.modules if name.startswith('lockbots_magic.prompt.')))\n"
        "from lockbots_magic.prompt import cells, files, images, personas, preview, template, tracebacks\n"
        f"print(sorted(name for name in sys.modules if name in {HEAVY}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["[]", "[]"]
