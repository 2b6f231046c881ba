"""A function in a process of its own, for it may take the process with it, or never return."""

import os
import signal
import sys
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from trackers.errors import TrackerError

MEMORY = 4 << 30  # bytes that the process may take beyond what it begins with


class Hang(TrackerError):
    """A function did not return in time."""


class Death(TrackerError):
    """A function ended its process."""


def isolated(function: Callable, *arguments: Any, limit: float) -> Any:
    """The result of a function, which must not raise.

    On Linux the process is a fork of this one, with all that is loaded and compiled; elsewhere a fresh one, to which function and arguments
    are sent.

    Raises
    ------
    Hang, Death
        If it takes more than `limit` seconds, or its process ends before it does.
    """
    context = get_context("fork" if sys.platform == "linux" else "spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(sender, function, arguments), daemon=True)
    process.start()
    sender.close()
    try:
        if not receiver.poll(limit):
            raise Hang(f"no answer after {limit:g} s")
        return receiver.recv()
    except EOFError:
        process.join()
        code = process.exitcode
        raise Death(signal.Signals(-code).name if code < 0 else f"exit code {code}") from None
    finally:
        process.kill()
        process.join()
        receiver.close()


def _run(sender: Connection, function: Callable, arguments: tuple) -> None:
    _limit()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # libraries print what they die of
        os.dup2(nowhere, stream)
    sender.send(function(*arguments))


def _limit() -> None:
    """No more memory than `MEMORY`, lest others be killed for it, and no core file; where the system can do that."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.path.exists("/proc/self/statm"):
        with open("/proc/self/statm") as file:
            size = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
