"""The same input gives the same boxes, byte for byte: again, beside others, in threads, in other processes, on one core or two."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pytest

from benchmarks import peers

TRACKERS = ('fECO{"samples": 4}', "fKCF", "KCF", "MOSSE", "STRCF")
FRAMES = 5


def digest(found):
    return found.boxes.tobytes().hex() + found.scores.tobytes().hex()


def digests(frames, box, names=TRACKERS):
    """What each tracker finds on its own."""
    return [digest(peers.make(name).track(frames[:FRAMES], box)) for name in names]


@pytest.fixture(scope="module")
def given(video):
    return list(islice(video[0], FRAMES)), video[1][0]


@pytest.fixture(scope="module")
def alone(given):
    return digests(*given)


def test_again_and_interleaved(given, alone):
    frames, box = given
    many = [peers.make(name) for name in TRACKERS]
    for tracker in many:
        tracker.init(frames[0], box)
    found = [[(tracker.update(frame)[1], tracker.score) for tracker in many] for frame in frames[1:]]
    for number, name in enumerate(TRACKERS):
        track = peers.make(name).track(frames, box)
        assert digest(track) == alone[number]
        assert [step[number] for step in found] == list(zip(map(tuple, track.boxes[1:]), track.scores[1:], strict=True))


def test_eight_trackers_on_four_threads(given, alone):
    many = [*range(len(TRACKERS)), 0, 1, 4]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: digests(*given, [TRACKERS[number]])[0], many))
    assert found == [alone[number] for number in many]


def printed(script, *arguments, **environment):
    """What a script prints in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=Path(__file__).resolve().parents[1],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout


SCRIPT = """
import os, sys
cores = sorted(os.sched_getaffinity(0))[: int(sys.argv[1])] if hasattr(os, "sched_getaffinity") else ()
if cores:
    os.sched_setaffinity(0, cores)
from benchmarks.synthetic import sequence
from tests.conftest import SCENE
from tests.test_determinism import digests
video = sequence(SCENE)
print(*digests(list(video.frames), video.boxes[0]), sep="\\n")
"""


@pytest.mark.parametrize("cores", [1, 2])
def test_in_other_processes_on_one_core_and_two(alone, cores):
    threads = {name: str(cores) for name in os.environ if name.endswith("_NUM_THREADS")}
    assert printed(SCRIPT, str(cores), **threads).split() == alone


COMPILING = """
import sys
import numba, numpy as np
numba.njit(fastmath=sys.argv[1] == "fast")(lambda a, b: a * b / a)(np.complex64(1j), np.complex64(2))
from trackers.filters import admm
rng = np.random.default_rng(0)
sample, other = rng.normal(size=(2, 5, 9, 10)).astype(np.float32).view(np.complex64)
flat = [block.reshape(5, -1) for block in (sample, other)]
label = rng.normal(size=flat[0].shape[1]).astype(np.float32)
print(admm.correlate(sample, other).tobytes().hex(), admm.fit(*flat, label, np.float32(16), np.float32(81)).tobytes().hex())
"""


def test_whatever_was_compiled_before(tmp_path):
    """numba compiles a product of complex numbers once in a process, with the rounding that its first user asks for."""
    fast, exact = (printed(COMPILING, kind, NUMBA_CACHE_DIR=str(tmp_path / kind)) for kind in ("fast", "exact"))
    assert fast == exact
