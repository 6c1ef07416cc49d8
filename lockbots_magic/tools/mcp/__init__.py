"""Tools of MCP servers (Model Context Protocol). The package `mcp` is imported when a server is first used.

`server` is the public class; `launch` and `references` say what a server is reached by, `settings_file` reads files of
servers. `worker` is the thread of all sessions; `session_holder` begins a `session` when it is needed, over a `child`
(a process, ended with this one by `guard` and `lifelines`) or an `endpoint` (a URL). `descriptions`, `pins` and
`results` make of what a server sends what a model may read; `failures` tells what went wrong.
"""

from .server import MCP

__all__ = ["MCP"]
