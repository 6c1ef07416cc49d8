"""Command line ``python -m lockbots_magic.testing.mock_server``: run the server until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import fields

from .faults import format_faults
from .server import MockServer
from .service_table import SERVICES
from .settings import CREDENTIAL, MockSettings


def format_epilog() -> str:
    """Return the settings and faults, for ``--help``."""
    settings = "\n".join(f"  {f.name:<18}{f.metadata['help']}" for f in fields(MockSettings))
    example = "http://127.0.0.1:PORT/openai;fault=http-503;times=1/v1"
    return f"Settings are part of the URL, such as {example}\n\n{settings}\n\nFaults:\n\n{format_faults()}"


def format_welcome(server: MockServer) -> str:
    """Return the text printed at the start."""
    urls = "\n".join(f"  {name:<18}{server.url(name)}" for name in SERVICES)
    return f"""The mock server is running. It listens on this machine only. Base URLs:

{urls}

In a notebook or IPython, after `%load_ext lockbots_magic`:

  %lockbots use openai:demo --base-url {server.url("openai")}
  %lockbots use lockchat:gpt-4 --base-url {server.url("lockchat")}
  %lockbots use openai:demo --base-url "{server.url("openai", fault="reset-midway", rate=20)}"

Liaobots requires a credential; use the word {CREDENTIAL}. --help lists settings and faults. Press Ctrl-C to stop.
"""


SIGNAL_CHECK = 0.2
"""Longest time (s) until a signal is noticed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server until SIGINT or SIGTERM; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m lockbots_magic.testing.mock_server",
        description="A loopback server that speaks Lockchat, Liaobots, chat completions, Responses and messages.",
        epilog=format_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 for a free one")
    server = MockServer(parser.parse_args(arguments).port)
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    try:
        server.start()
    except OSError as error:
        parser.error(f"can't listen on the port: {error.strerror}")
    with server:
        sys.stdout.write(format_welcome(server))
        sys.stdout.flush()
        while not stopped.wait(SIGNAL_CHECK):  # without an end, Windows lets no signal through
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
