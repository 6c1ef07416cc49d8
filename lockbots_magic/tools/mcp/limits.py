"""Bounds on servers: what they send, and how long they take."""

from __future__ import annotations

MAX_MESSAGE = 32_000_000
"""Size (bytes) of one message of a server; a larger one closes the connection."""
MAX_TOOLS = 128
"""Tools of one server; services accept about as many in a request."""
MAX_LISTED = 2_000
"""Tools that are read from a server, of which `only` chooses."""
MAX_PAGES = 100
"""Pages of a list."""
MAX_DESCRIPTION = 1_000
"""Length (characters) to which a description is cut; services accept about as much."""
MAX_SCHEMA = 30_000
"""Length (characters) of a schema as JSON; a tool with a longer one is left out."""
MAX_DEPTH = 30
"""Nesting of a schema; a tool with a deeper one is left out."""
START_TIMEOUT = 60.0
"""Time (s) that a server may take to start: `npx` and `uvx` may have to download it first."""
CALL_TIMEOUT = 300.0
"""Time (s) that one call may take."""
END_TIMEOUT = 1.0
"""Time (s) that a server has to end by itself, then that it has after SIGTERM, and SIGKILL."""
