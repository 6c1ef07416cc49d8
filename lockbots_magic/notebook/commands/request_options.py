"""Options of a request that several commands share: address and parameters."""

from __future__ import annotations

from argparse import Namespace

from ...chat import Chat
from ..chat_command import params_of
from ..session import Session
from .command import argument

REQUEST_OPTIONS = (
    argument("-t", "--temperature", type=float, metavar="T", help="Sampling temperature, 0-2."),
    argument(
        "-p",
        "--param",
        completer="parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="Any other parameter of the provider.",
    ),
    argument("--base-url", metavar="URL", completer="address", help="Base URL of the service, for this prompt."),
)


def chat_for(session: Session, options: Namespace, model: str | None = None) -> Chat:
    """Return the chat of a prompt with these options.

    Args:
        session: State of the magics.
        options: Values of `REQUEST_OPTIONS`.
        model: provider:model; by default the one in use.

    Raises:
        UsageError: As for `Session.chat`, or a parameter is invalid.
    """
    chat = session.chat(model, options.base_url)
    chat.params.update(params_of(options))
    return chat
