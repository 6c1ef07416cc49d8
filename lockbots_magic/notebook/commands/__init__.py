"""Commands of `%lockbots`: each takes the session and its options, and returns a result that presents itself."""

from __future__ import annotations

# Each registers its commands, in the order of the help.
from . import models, discover, check, conversations, replies, compare  # isort: skip  # noqa: F401  # see above
from . import usage, tools, log, notebooks, files, loaders, recording, panels, settings  # isort: skip  # noqa: F401  # see above
from .command import COMMANDS
from .dispatch import run, summarize

__all__ = ["COMMANDS", "run", "summarize"]
