"""``python -m lockbots_magic.testing.mock_server``: the server by itself, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import fields

from .faults import table
from .server import MockServer
from .services import SERVICES
from .settings import CREDENTIAL, Settings


def described() -> str:
    """The settings and faults, for ``--help``."""
    settings = "\n".join(f"  {f.name:<18}{f.metadata['help']}" for f in fields(Settings))
    example = "http://127.0.0.1:PORT/openai;fault=http-503;times=1/v1"
    return f"Settings stand in the address, such as {example}\n\n{settings}\n\nFaults:\n\n{table()}"


def welcome(box: MockServer) -> str:
    """What is printed at the start."""
    urls = "\n".join(f"  {name:<18}{box.url(name)}" for name in SERVICES)
    return f"""The mock server listens on this machine only. Base URLs:

{urls}

In a notebook or IPython, after  %load_ext lockbots_magic :

  %lockbots use openai:demo --base-url {box.url("openai")}
  %lockbots use lockchat:gpt-4 --base-url {box.url("lockchat")}
  %lockbots use openai:demo --base-url "{box.url("openai", fault="reset-midway", rate=20)}"

Liaobots asks for a credential; here it is the word {CREDENTIAL}. --help lists settings and faults. Ctrl-C ends it.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server until it is interrupted; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m lockbots_magic.testing.mock_server",
        description="A loopback server that speaks Lockchat, Liaobots and the OpenAI dialect.",
        epilog=described(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1; 0 takes a free one")
    box = MockServer(parser.parse_args(arguments).port)
    ended = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ended.set())
    try:
        box.start()
    except OSError as error:
        parser.error(f"the port can't be had: {error.strerror}")
    with box:
        sys.stdout.write(welcome(box))
        sys.stdout.flush()
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
