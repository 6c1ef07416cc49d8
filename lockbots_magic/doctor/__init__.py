"""Doctor: measures what a server does, and says what to do about the rest."""

from .checks import describe_cost, run_checks
from .report import CheckReport, CheckResult

__all__ = ["CheckReport", "CheckResult", "describe_cost", "run_checks"]
