"""Script that runs a server and ends it with the process that wanted it, also if that process is killed.

Usage: ``python -I -S guard.py LIFELINE COMMAND ARGUMENT...``, as the first process of a new session. `LIFELINE` is the
number of a pipe whose other end the kernel holds: it closes when the kernel ends, in whatever way. A process that a
server leaves behind in its group ends with it.
"""

import os
import select
import signal
import sys
import time

GRACE = 2.0
"""Time (s) that a server has to end by itself once it was told to."""


def main(lifeline: int, command: list[str]) -> int:
    """Run the command; return its exit status."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    for kind in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(kind, lambda *_: None)  # unlike SIG_IGN, a handler does not pass to the server
    os.set_inheritable(lifeline, False)
    pid = os.fork()
    if not pid:
        start(command)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):  # else a pipe that the server closes stays open here
        os.dup2(nothing, number)
    waiting = select.poll()
    waiting.register(lifeline, select.POLLIN)
    waiting.register(wake_read, select.POLLIN)
    ended = os.WNOHANG
    while True:
        done, status = os.waitpid(pid, ended)
        if done:
            os.killpg(0, signal.SIGTERM)  # what it leaves behind; this process has a handler
            return os.waitstatus_to_exitcode(status)
        for number, _ in waiting.poll():
            if number == wake_read:
                os.read(wake_read, 4096)
            elif not os.read(lifeline, 1):
                end_group(pid)


def start(command: list[str]) -> None:
    """Become the server."""
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them, and what is ignored passes to the server
        if number := getattr(signal, name, None):
            signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606  # the user's command, word by word
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode("utf-8", "backslashreplace"))
    os._exit(127)


def end_group(pid: int) -> None:
    """End the server and all that it started, and this process."""
    os.killpg(0, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline and not os.waitpid(pid, os.WNOHANG)[0]:
        time.sleep(0.02)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    code = main(int(sys.argv[1]), sys.argv[2:])
    os._exit(code if code >= 0 else 128 - code)
