"""A loopback server that speaks every wire format and fails on demand.

::

    with MockServer() as box:
        box.url("lockchat")            # http://127.0.0.1:PORT/lockchat
        box.url("liaobots")            # early form: the body is the reply
        box.url("liaobots-events")     # later form: server-sent events
        box.url("openai")              # http://127.0.0.1:PORT/openai/v1
        box.url("openai", fault="http-503", times=1, retry_after=0.1)

What an address does is written in the address, so it needs no state and works from another process. `Settings`
lists what may be written there, `FAULTS` how it may fail;
``python -m lockbots_magic.testing.mock_server --help`` shows both.
The credential, where one is asked for, is the word ``mock``.
"""

from .faults import FAULTS
from .record import Recorded
from .server import MockServer
from .settings import CREDENTIAL, Settings

__all__ = ["CREDENTIAL", "FAULTS", "MockServer", "Recorded", "Settings"]
