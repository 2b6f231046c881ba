"""A fresh interpreter with one thread, on one core."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks import threads
from cfvgg.errors import TrackerError


def alone(function: Callable, *arguments: Any) -> Any:
    """The result of a function in a fresh process on one core, the last that this process may use.

    Raises
    ------
    TrackerError
        If the process dies; further, whatever the function raises.
    """
    with fresh(1, _settle) as pool:
        return pool.submit(function, *arguments).result()


@contextmanager
def fresh(count: int, settle: Callable[[], None]) -> Iterator[ProcessPoolExecutor]:
    """So many fresh processes, each of which begins with `settle`.

    Raises
    ------
    TrackerError
        If one of them dies.
    """
    threads.hold_libraries()  # those of the children, which begin with this environment
    with ProcessPoolExecutor(count, get_context("spawn"), settle) as pool:
        try:
            yield pool
        except BrokenProcessPool as error:
            raise TrackerError(f"a process that measures died: {error}") from error


def _settle() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # the first core takes most interrupts
    threads.hold_opencv()


def place() -> str:
    """Where this process runs."""
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()
    pinned = f"core {min(cores)} only" if len(cores) == 1 else "not held to one core"
    running = Path("/proc/self/task")
    return f"{pinned}, threads of the process: {len(os.listdir(running))}" if running.is_dir() else pinned


def peak_memory() -> int:
    """Most bytes of memory that this process has held at once."""
    status = Path("/proc/self/status")
    if status.is_file():  # on Linux `ru_maxrss` begins with that of the parent
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    import resource  # not on every system

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def import_seconds(module: str, times: int = 3) -> float:
    """Wall time of an import in a fresh interpreter, the best of some."""
    program = f"import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
    runs = [subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True) for _ in range(times)]
    return min(float(run.stdout) for run in runs)
