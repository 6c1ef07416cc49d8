"""Registry of faults: ways to fail, and unusual responses that a client must accept."""

from . import broken_connections, error_responses, unusual_streams
from .registry import ALL, FAULTS, Fault, error_response, normal_response

__all__ = [
    "FAULTS",
    "Fault",
    "broken_connections",
    "error_response",
    "error_responses",
    "format_faults",
    "normal_response",
    "unusual_streams",
]


def format_faults() -> str:
    """Return the faults as text, one per line."""
    rows = [(n, "" if f.services == ALL else f" [{', '.join(f.services)}]", f.meaning) for n, f in FAULTS.items()]
    return "\n".join(f"  {name:<18}{meaning}{services}" for name, services, meaning in rows)
