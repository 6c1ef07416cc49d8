"""What `--file` takes besides paths: `loaders`."""

from __future__ import annotations

from argparse import Namespace

from ...language import _
from ...prompt import loaders as registry
from ...rendering.table import Table
from ..session import Session
from .command import command
from .result import CommandResult, DisplayResult


@command()
def loaders(_session: Session, _options: Namespace) -> CommandResult:
    """List what --file takes besides paths, such as https://... and git:REPO/PATH@REV."""
    rows = [(f"{name}:", _(registry.describe_loader(name))) for name in registry.names()]
    return DisplayResult(Table(("--file ...", _("what it loads")), rows))
