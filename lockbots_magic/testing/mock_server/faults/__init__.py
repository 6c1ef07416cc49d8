"""The ways to fail, and the oddities that a client has to bear, as one table."""

from . import breaks, oddities, refusals
from .base import ALL, FAULTS, Fault, normal, refusal

__all__ = ["FAULTS", "Fault", "breaks", "normal", "oddities", "refusal", "refusals", "table"]


def table() -> str:
    """The faults as text, one a line."""
    rows = [(n, "" if f.services == ALL else f" [{', '.join(f.services)}]", f.meaning) for n, f in FAULTS.items()]
    return "\n".join(f"  {name:<18}{meaning}{where}" for name, where, meaning in rows)
