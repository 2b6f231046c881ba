"""What all tests share: one thread, no display, the same examples in every run, and the reference numbers."""

import os

# Before anything imports numpy, numba or OpenCV.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
    os.environ.pop(variable, None)
os.environ.setdefault("MPLBACKEND", "Agg")

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from benchmarks.synthetic import Scene, sequence
from trackers import fECO

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

SCENE = Scene(frames=7, size=(96, 128), target_size=0.35, motion=2, camera=0.3, distractors=0, occlusion=0, noise=1)
SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """``shared("reference/boxes")`` is the path of that file or folder of reference numbers; the test is skipped without it."""

    def path(name: str) -> Path:
        if not (SHARED / name).exists():
            pytest.skip(f"needs the reference numbers: {SHARED.name}/{name} is not there")
        return SHARED / name

    return path


@pytest.fixture(scope="session")
def video() -> tuple[list[np.ndarray], np.ndarray]:
    """Seven frames (96, 128, 3) of a moving target and its true boxes."""
    made = sequence(SCENE)
    return list(made.frames), made.boxes


@pytest.fixture
def tracker() -> fECO:
    """A fast one."""
    return fECO(features=("fhog",))


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Torch on one thread, on which its sums have one order."""
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def quick_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lifts that are fitted to a few pictures, and no plots."""
    pytest.importorskip("torch")
    from distill import record, train

    monkeypatch.setattr(train, "SAMPLE", 8)
    monkeypatch.setattr(record, "find_spec", lambda name: None)
