"""Ctrl-C between two steps."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def deferred_interrupt() -> Iterator[list[int]]:
    """Turn Ctrl-C into an entry of a list, so that a step that has begun is finished. A second Ctrl-C acts at once, as usual.

    Python allows this in the main thread only.
    """
    interrupts = []
    usual = signal.getsignal(signal.SIGINT)

    def note(number, frame):
        """Take the first one down."""
        interrupts.append(number)
        signal.signal(signal.SIGINT, usual)

    signal.signal(signal.SIGINT, note)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, usual)
