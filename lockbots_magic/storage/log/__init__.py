"""The log: every turn of a user in one SQLite file, off until asked for; searched, taken up again, and forgotten."""

from .log import Log
from .reading import LogHit
from .stats import LogStats

__all__ = ["Log", "LogHit", "LogStats"]
