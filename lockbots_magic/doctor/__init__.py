"""Doctor: measures what a server does, and says what to do about the rest."""

from .checks import describe_cost, run_checks
from .report import CheckReport, Finding

__all__ = ["CheckReport", "Finding", "describe_cost", "run_checks"]
