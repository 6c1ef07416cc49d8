"""`python -m lockbots_magic.security FILE...`: look for credentials in notebooks, cassettes and other text files.

Prints one line for each finding, never the credential itself. Exit status: 0 if there is none, 1 if there are some, 2
if a file can't be read.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence

from ..language import _
from .file_check import CheckError, check_file


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the files of a command line and return the exit status."""
    parser = argparse.ArgumentParser(
        "python -m lockbots_magic.security",
        description=_("Look for credentials in notebooks, cassettes and other text files."),
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help=_("notebook, cassette or other text file"))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names of files in scripts that a console or pipe of Windows lacks
            stream.reconfigure(errors="backslashreplace")
    status = 0
    for name in parser.parse_args(arguments).files:
        try:
            found = check_file(name)
        except CheckError as error:
            sys.stderr.write(f"{error}\n")
            status = 2
            continue
        sys.stdout.writelines(f"{name}: {where}: {kind}\n" for where, kind in found)
        status = max(status, 1 if found else 0)
    return status


if __name__ == "__main__":
    sys.exit(main())
