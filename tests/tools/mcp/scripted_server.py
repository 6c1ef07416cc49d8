"""A server of the protocol of 2025-11-25, without any package, that does what its tools are named after.

Its settings are a JSON object in the environment variable ``SETTINGS``: ``tools``, a file with the list of tools;
``start``, what it does before it answers: ``"hang"``, ``"exit"``, ``"chat"``, ``"flood"`` or ``"deaf"``; ``stubborn``,
whether it ignores the end of its input and SIGTERM.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

settings = json.loads(os.environ["SETTINGS"])
listed = Path(settings["tools"])
started = settings.get("start", "")


writing = threading.Lock()


def send(message):
    with writing:
        sys.stdout.buffer.write(json.dumps(message).encode() + b"\n")
        sys.stdout.buffer.flush()


def text(words, **more):
    return {"content": [{"type": "text", "text": words}], **more}


def die(given):
    print("Traceback: it broke", file=sys.stderr, flush=True)
    os._exit(3)


def hang(given):
    """Never answer, and leave a file that tells that it has begun."""
    if marked := settings.get("mark"):
        Path(marked).write_text(str(os.getpid()), encoding="utf-8")
    time.sleep(600)


def noise(given):
    print("about to answer\nx", flush=True)
    return text("{}")


def child(given):
    started = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])  # keeps the pipes open
    return text(str(started.pid))


def chatter(given):
    """Send notifications from now on."""

    def talk():
        while True:
            send({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x" * 100}})

    threading.Thread(target=talk, daemon=True).start()
    return text("{}")


def mute(given):
    """Close the output and live on."""
    sys.stdout.flush()
    os.close(1)
    time.sleep(600)


def deafen(given):
    """Answer, and read nothing from now on."""
    send({"jsonrpc": "2.0", "id": asked["id"], "result": text("deaf")})
    time.sleep(600)


def change(given):
    listed.write_text(json.dumps(given["tools"]), encoding="utf-8")
    if given.get("tell", True):
        send({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
    return text("changed")


TOOLS = {
    "chatter": chatter,
    "mute": mute,
    "deafen": deafen,
    "die": die,
    "noise": noise,
    "child": child,
    "change": change,
    "hang": hang,
    "big": lambda given: text("x" * given["size"]),
    "environment": lambda given: text(json.dumps(dict(os.environ))),
    "folder": lambda given: text(str(Path.cwd())),
    "fail": lambda given: text("no such penguin", isError=True),
    "answer": lambda given: given["result"],
}


def call(name, given):
    return TOOLS.get(name, lambda given: text(json.dumps(given)))(given)


def answer(request):
    method, params = request["method"], request.get("params") or {}
    if method == "initialize":
        server = {"name": "scripted", "version": "1"}
        capabilities = {"tools": {"listChanged": True}, "resources": {}}
        return {"protocolVersion": "2025-11-25", "capabilities": capabilities, "serverInfo": server}
    if method == "tools/list":
        tools = json.loads(listed.read_text(encoding="utf-8"))
        if settings.get("endless"):
            return {"tools": tools, "nextCursor": "again"}
        return {"tools": tools}
    if method == "tools/call":
        return call(params["name"], params.get("arguments") or {})
    if method == "resources/read":
        return {"contents": settings["resources"][params["uri"]]}
    return None


if settings.get("stubborn"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if started == "hang":
    hang({})
if started == "exit":
    sys.exit("no configuration found for tok-in-the-log-0123")
if started == "chat":
    print("Server starting on stdio...\n\n{not json}\n[1, 2]", flush=True)
if started == "flood":
    while True:
        os.write(1, b"x" * 65536)
if started == "deaf":
    os.close(0)
    time.sleep(600)
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    result = answer(asked)
    failed = {"error": {"code": -32601, "message": "Method not found"}}
    send({"jsonrpc": "2.0", "id": asked["id"], **(failed if result is None else {"result": result})})
while settings.get("stubborn"):
    time.sleep(0.1)
