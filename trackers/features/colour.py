"""Features of single pixels, averaged over cells: grey, colour names and intensity channels (PORTING 3.2 to 3.4)."""

import os
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
from numba import njit

from trackers.errors import UnknownOptionError, WeightsError
from trackers.features.colour_names import name_probabilities

BINS = 32  # of R, G and B each in a table of colours
COLOURS = BINS**3
GREYS = 256
INTENSITY_BINS = 6
LUMA = (0.2989360213, 0.5870430745, 0.1140209043)  # of R, G, B


def grey(patch: np.ndarray, cell: int) -> np.ndarray:
    """Mean grey value of each cell.

    Parameters
    ----------
    patch : ndarray, uint8, (H, W, 3) RGB or (H, W) grey
        0..255.
    cell : int
        Side of a cell in pixels.

    Returns
    -------
    ndarray, float32, (1, H // cell, W // cell)
        -0.5 (black) to 0.5 (white). Rows and columns that fill no cell are left out.

    Raises
    ------
    TypeError
        If the patch is not uint8.
    """
    pixels = _pixels(patch)
    # the grey of a grey picture is its value itself
    weights = np.array(LUMA if patch.ndim == 3 else [1.0])
    return _grey_means(pixels.reshape(*patch.shape[:2], -1), weights / 255, cell)


def table_means(patch: np.ndarray, table: np.ndarray, cell: int) -> np.ndarray:
    """Mean over each cell of the rows of `table` that belong to its pixels.

    Parameters
    ----------
    patch : ndarray, uint8, (H, W, 3) RGB or (H, W) grey
        0..255.
    table : ndarray, float32, (32768, C) for RGB or (256, C) for grey
        The row of a colour is R // 8 + 32 (G // 8) + 1024 (B // 8), that of a grey pixel its value.
    cell : int
        Side of a cell in pixels.

    Returns
    -------
    ndarray, float32, (C, H // cell, W // cell)
        Exact means; the published program takes them from single-precision integral images and is up to 7e-5 off.
        Rows and columns that fill no cell are left out.

    Raises
    ------
    TypeError
        If the patch is not uint8.
    WeightsError
        If the table has not as many rows as such a patch needs.
    """
    rows = COLOURS if patch.ndim == 3 else GREYS
    if len(table) != rows:
        raise WeightsError(f"a patch of shape {patch.shape} needs a table of {rows} rows; this one has {len(table)}")
    return _table_means(_pixels(patch).reshape(*patch.shape[:2], -1), table, cell)


@cache
def colour_names() -> np.ndarray:
    """Table of colour names, (32768, 10) float32, read-only, for `table_means`.

    A row stands for the probabilities of the eleven basic colour terms at the centre of a bin of 8 x 8 x 8 colours
    (`colour_names.name_probabilities`). As they sum to one, ten numbers hold them: coordinates in an orthonormal basis, after Danelljan
    et al., "Adaptive color attributes for real-time visual tracking", CVPR 2014, so that colours of certain and different names are
    sqrt(2) apart. The mean of the greys is the origin, for pictures are grey on average, and what all pixels share hides what
    tells them apart.
    """
    blue, green, red = np.indices((BINS, BINS, BINS)).reshape(3, -1)
    width = 256 // BINS
    rows = _coordinates(name_probabilities(np.stack([red, green, blue], axis=1) * width + width // 2))
    greys = (red == green) & (green == blue)
    return _frozen(rows - rows[greys].mean(axis=0))


@cache
def intensity() -> np.ndarray:
    """Table of intensity channels, (256, 5) float32, read-only, for `table_means`.

    A grey value is shared linearly between the two nearest of six bins, whose centres are 0, 51, .. 255; a row stands for the six
    shares, in coordinates like those of colour names, and the mean over all greys is the origin.
    """
    centres = np.linspace(0, GREYS - 1, INTENSITY_BINS)
    rows = _coordinates(np.stack([np.interp(np.arange(GREYS), centres, hat) for hat in np.eye(INTENSITY_BINS)], axis=1))
    return _frozen(rows - rows.mean(axis=0))


def tables(names: Iterable[str], given: Mapping[str, str | os.PathLike | np.ndarray]) -> dict[str, np.ndarray]:
    """The tables of 'colour_names' and 'intensity' that are in `names`: a user's own where `given` has one, else ours.

    Raises
    ------
    UnknownOptionError
        If `given` holds another name.
    WeightsError
        If a table of the user's cannot be read, or has not as many rows as such a table needs.
    """
    ours = {"colour_names": (colour_names, COLOURS), "intensity": (intensity, GREYS)}
    unknown = [name for name in given if name not in ours]
    if unknown:
        raise UnknownOptionError(f"tables of {', '.join(map(repr, unknown))}; there are {', '.join(ours)}")
    found = {}
    for name in names:
        make, rows = ours[name]
        own = given.get(name)
        table = make() if own is None else _checked(own, "the given table") if isinstance(own, np.ndarray) else load_table(own)
        if len(table) != rows:
            raise WeightsError(f"the table of {name} has {len(table)} rows; {rows} are needed")
        found[name] = table
    return found


def load_table(path: str | os.PathLike) -> np.ndarray:
    """Read a table of one's own, such as the published colour names.

    Parameters
    ----------
    path : path
        A ``.npy``, or a ``.npz`` of one array: (32768, C) for colours or (256, C) for grey values, floating point.

    Returns
    -------
    ndarray, float32, read-only
        For `table_means`.

    Raises
    ------
    WeightsError
        If the file is missing or broken, or the array is of another shape or type or not finite.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            arrays = [np.asarray(array) for array in loaded.values()] if isinstance(loaded, np.lib.npyio.NpzFile) else [loaded]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise WeightsError(f"cannot read a table from {path}: {error}") from error
    if len(arrays) != 1:
        raise WeightsError(f"{path} holds {len(arrays)} arrays; expected one")
    return _checked(arrays[0], path)


def _checked(table: np.ndarray, source: object) -> np.ndarray:
    if table.ndim != 2 or len(table) not in (COLOURS, GREYS) or table.shape[1] == 0 or not np.issubdtype(table.dtype, np.floating):
        raise WeightsError(f"{source} holds {table.dtype} {table.shape}; expected floats ({COLOURS}, C) or ({GREYS}, C)")
    with np.errstate(over="ignore"):  # told of below
        table = _frozen(table)
    if not np.isfinite(table).all():
        raise WeightsError(f"{source} holds NaN or infinite numbers")
    return table


def _pixels(patch: np.ndarray) -> np.ndarray:
    # a copy, so that the kernels are compiled for one kind of array and not for read-only and strided ones too;
    # uint8 and nothing else, since the kernels index tables by it unchecked
    return patch.astype(np.uint8, order="C", casting="safe")


def _coordinates(shares: np.ndarray) -> np.ndarray:
    """Coordinates (N, n - 1) of rows (N, n) that sum to one, in an orthonormal basis of the plane they lie in (Helmert's)."""
    count = shares.shape[1]
    order = np.arange(1, count)
    basis = np.triu(np.ones((count, count - 1)))
    basis[order, order - 1] = -order
    return shares @ (basis / np.sqrt(order * (order + 1)))


def _frozen(table: np.ndarray) -> np.ndarray:
    table = table.astype(np.float32, order="C")
    table.flags.writeable = False
    return table


@njit(cache=True, nogil=True)
def _grey_means(pixels: np.ndarray, weights: np.ndarray, cell: int) -> np.ndarray:
    """Cell means (1, h, w) of the weighted sum over the channels of `pixels` (H, W, K), minus 0.5."""
    height, width, channels = pixels.shape
    rows = pixels.reshape(height, width * channels)
    out = np.empty((1, height // cell, width // cell), np.float32)
    sums = np.empty(width * channels, np.int32)  # of a row of cells, column by column: that much vectorises
    for i in range(height // cell):
        sums[:] = 0
        for y in range(cell):
            row = rows[i * cell + y]
            for x in range(len(row)):
                sums[x] += row[x]
        for j in range(width // cell):
            mean = 0.0
            for k in range(channels):
                total = 0
                for x in range(cell):
                    total += sums[(j * cell + x) * channels + k]
                mean += weights[k] * total
            out[0, i, j] = mean / (cell * cell) - 0.5
    return out


@njit(cache=True, nogil=True)
def _table_means(pixels: np.ndarray, table: np.ndarray, cell: int) -> np.ndarray:
    """Cell means (C, h, w) of the table's rows of `pixels`, (H, W, 3) or (H, W, 1)."""
    height, width, channels = pixels.shape
    length = table.shape[1]
    out = np.empty((length, height // cell, width // cell), np.float32)
    sums = np.empty(length, np.float32)
    scale = np.float32(1 / (cell * cell))
    for i in range(height // cell):
        for j in range(width // cell):
            sums[:] = 0
            for y in range(i * cell, (i + 1) * cell):
                for x in range(j * cell, (j + 1) * cell):
                    row = np.int64(pixels[y, x, 0])
                    if channels == 3:
                        row = (row >> 3) + 32 * (np.int64(pixels[y, x, 1]) >> 3) + 1024 * (np.int64(pixels[y, x, 2]) >> 3)
                    for k in range(length):
                        sums[k] += table[row, k]
            for k in range(length):
                out[k, i, j] = sums[k] * scale
    return out
