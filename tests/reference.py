"""The authors' dumps in our form. Theirs: channels last, centred spectra, positions from 1; ours: channels first, half-spectra, from 0."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from cfvgg.architecture import LRN_ALPHA, LRN_KAPPA
from trackers.filters.encoder import Encoder
from trackers.opencv import cv2

BLOCKS = ("norm1", "relu5", "fhog")
SIZES, DIMENSIONS = (52, 13, 52), (3, 12, 10)  # of Crossing in the OTB setting

Shared = Callable[[str], Path]


def arrays(shared: Shared, name: str) -> dict[str, np.ndarray]:
    """All arrays of a dump."""
    with np.load(shared(f"reference/{name}.npz")) as file:
        return {key: file[key] for key in file.files}


def first(dumped: np.ndarray) -> np.ndarray:
    """Channels first."""
    return np.ascontiguousarray(np.moveaxis(dumped, -1, 0))


def half(dumped: np.ndarray) -> np.ndarray:
    """Half-spectrum of a compact one, (n, columns kx <= 0) or (n, columns kx <= 0, channels)."""
    channels = dumped[None] if dumped.ndim == 2 else first(dumped)
    spectrum = np.fft.ifftshift(np.conj(channels[:, ::-1, ::-1]), axes=1)
    return spectrum[0] if dumped.ndim == 2 else spectrum


def compact(dumped: np.ndarray) -> np.ndarray:
    """The columns kx <= 0 of a full centred spectrum (n, n) or (n, n, channels)."""
    return dumped[:, : dumped.shape[1] // 2 + 1]


def vector(encoder: Encoder, blocks: Sequence[np.ndarray]) -> np.ndarray:
    """A flat vector of the encoder's layout from half-spectra (D, n, n // 2 + 1) of the blocks."""
    out = np.empty(encoder.layout.size, np.complex64)
    for view, block in zip(encoder.blocks(out), blocks, strict=True):
        view[:] = block
    return out


def pictures(shared: Shared, sequence: str) -> Iterator[np.ndarray]:
    """Frames (H, W, 3) of a sequence, B, G, R."""
    return (cv2.imread(str(path)) for path in sorted(shared(f"data/otb/{sequence}/img").glob("*.jpg")))


def first_box(shared: Shared, sequence: str) -> np.ndarray:
    """The true box of the first frame, x and y from 0."""
    line = shared(f"data/otb/{sequence}/groundtruth_rect.txt").read_text().splitlines()[0]
    return np.array([float(number) for number in re.split(r"[,\s]+", line.strip())]) - [1, 1, 0, 0]


def states(shared: Shared, sequence: str) -> np.ndarray:
    """Row, column (from 0) and scale after every frame, (N, 3), of the authors' fECO."""
    with shared(f"reference/states/fECO/{sequence}.csv").open() as file:
        rows = [[float(value) for value in row[1:4]] for row in list(csv.reader(file))[1:]]
    return np.array(rows) - [1, 1, 0]


def approximate_rectify_normalise(planes: np.ndarray) -> np.ndarray:
    """`cfvgg.forward.rectify_normalise` with v^-0.75 as their program computes it from the bits of v (PORTING 1), up to 0.3 % off."""
    single = np.float32
    x = np.maximum(planes, single(0))
    squares = np.pad(x * x, ((2, 2), (0, 0), (0, 0)))
    v = single(LRN_KAPPA) + single(LRN_ALPHA) * sum(squares[i : i + len(x)] for i in range(5))
    exponent = (v.view(np.int32) >> 23) - 127
    m = v / np.exp2(exponent).astype(single) - 1
    t = single(-0.75) * (exponent + m * (single(1.442695040888963) + m * (single(-0.606737602222409) + m * single(0.164042561333445))))
    z = np.floor(t)
    r = t - z
    power = z + r * (single(0.693147180559945) + r * (single(0.227411277760219) + r * single(0.079441541679836)))
    return x * ((power * single(2**23)).astype(np.int32) + (127 << 23)).view(single)


def follow(tracker, shared, sequence: str, count: int) -> np.ndarray:
    """Rows, columns (0-based) and scales (count, 3) that a tracker finds in the first frames of a sequence."""
    found = []
    for number, frame in zip(range(count), pictures(shared, sequence), strict=False):
        if number:
            tracker.update(frame)
        else:
            tracker.init(frame, first_box(shared, sequence))
        found.append((*tracker._target.position, tracker._target.scale))
    return np.array(found)
