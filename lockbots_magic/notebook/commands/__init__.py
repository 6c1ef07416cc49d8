"""Commands of `%lockbots`: each takes the session and its options, and returns a result that presents itself."""

from __future__ import annotations

from . import models, discover, conversations, replies, compare, usage, notebooks, files, recording, panels, settings  # isort: skip  # noqa: F401  # each registers its commands, in the order of the help
from .command import COMMANDS
from .dispatch import run, summarize

__all__ = ["COMMANDS", "run", "summarize"]
