"""Histograms of oriented gradients, Felzenszwalb's 31 channels in P. Dollar's variant (PORTING 3.1 of the published program)."""

import numpy as np
from numba import njit

CHANNELS = 31
ORIENTATIONS = 18  # signed; nine unsigned ones follow by folding
STEPS = 10000  # of the arc cosine table, per unit
CLIP = 0.2
BORDER = 8 / 7  # the outer cells get less of the spatial interpolation


def _orientation_bins() -> np.ndarray:
    """Nearest of 18 orientations for gy >= 0 and gy < 0 (2, 2 STEPS + 1), by the truncated cosine gx / |g|."""
    angle = np.minimum(np.arccos(np.arange(-STEPS, STEPS + 1) / STEPS), np.pi - 1e-6).astype(np.float32)
    pi = np.float32(np.pi)
    per_radian = np.float32(ORIENTATIONS) / (2 * pi)
    down = (angle * per_radian + np.float32(0.5)).astype(np.int32) % ORIENTATIONS
    # a negated cosine indexes the table of the lower half plane
    up = ((angle[::-1] + pi) * per_radian + np.float32(0.5)).astype(np.int32) % ORIENTATIONS
    return np.stack([down, up]).astype(np.uint8)


BINS = _orientation_bins()


def fhog(patches: np.ndarray, cell: int = 4) -> np.ndarray:
    """FHOG of one patch or of a stack of patches of one size.

    Parameters
    ----------
    patches : ndarray, uint8, (H, W, 3), or (H, W) grey, or (N, H, W, 3)
        0..255; of three channels the one with the largest gradient counts, the first of equals.
    cell : int
        Side of a cell in pixels.

    Returns
    -------
    ndarray, float32, (31, H // cell, W // cell), with N in front for a stack
        18 signed orientations, 9 unsigned ones, 4 texture energies.
    """
    if patches.ndim == 2:
        patches = patches[:, :, None]
    stack = patches if patches.ndim == 4 else patches[None]
    features = fhog_stack(np.ascontiguousarray(stack), cell, BINS)
    return features if patches.ndim == 4 else features[0]


@njit(cache=True)
def fhog_stack(patches: np.ndarray, cell: int, bins: np.ndarray) -> np.ndarray:
    """FHOG (N, 31, h, w) of patches (N, H, W, channels) uint8."""
    count, height, width, _ = patches.shape
    out = np.empty((count, CHANNELS, height // cell, width // cell), np.float32)
    for n in range(count):
        normalise_blocks(cell_histograms(patches[n], cell, bins), np.float32(1e-4 / 4 / cell**4), out[n])
    return out


@njit(cache=True, error_model="numpy")
def cell_histograms(patch: np.ndarray, cell: int, bins: np.ndarray) -> np.ndarray:
    """Gradient magnitudes of a patch (H, W, channels) by cell and orientation, (h, w, 18).

    The nearest orientation takes all; between cells the weight is shared bilinearly, and what falls outside is dropped.
    """
    height, width, channels = patch.shape
    rows, columns = height // cell, width // cell
    padded = np.zeros((rows + 2, columns + 2, ORIENTATIONS), np.float32)
    magnitude, orientation = np.empty(width, np.float32), np.empty(width, np.uint8)
    squared, gx, gy = np.empty(width, np.float32), np.empty(width, np.float32), np.empty(width, np.float32)
    left_cell, right_share = np.empty(width, np.int64), np.empty(width, np.float32)
    for x in range(width):
        position = (x + 0.5) / cell + 0.5
        left_cell[x] = int(position)
        right_share[x] = position - left_cell[x]
    for y in range(rows * cell):
        above, below = max(y - 1, 0), min(y + 1, height - 1)
        steepest_gradient(patch, y, above, below, squared, gx, gy)
        for x in range(width):
            inverse = min(np.float32(1) / np.sqrt(squared[x]), np.float32(1e10))
            magnitude[x] = np.float32(1) / inverse / np.float32(cell * cell)
            cosine = np.int32(gx[x] * inverse * np.float32(STEPS))
            orientation[x] = bins[np.int32(gy[x] < 0), cosine + STEPS]
        position = (y + 0.5) / cell + 0.5
        top = int(position)
        low_share = np.float32(position - top)
        for x in range(columns * cell):
            column, share, bin_ = left_cell[x], right_share[x], orientation[x]
            low = magnitude[x] * low_share
            high = magnitude[x] - low
            padded[top, column, bin_] += high * (np.float32(1) - share)
            padded[top, column + 1, bin_] += high * share
            padded[top + 1, column, bin_] += low * (np.float32(1) - share)
            padded[top + 1, column + 1, bin_] += low * share
    histogram = padded[1:-1, 1:-1]
    histogram[0] *= np.float32(BORDER)
    histogram[-1] *= np.float32(BORDER)
    histogram[:, 0] *= np.float32(BORDER)
    histogram[:, -1] *= np.float32(BORDER)
    return histogram


@njit(cache=True)
def steepest_gradient(patch: np.ndarray, y: int, above: int, below: int, squared: np.ndarray, gx: np.ndarray, gy: np.ndarray) -> None:
    """Gradient of row `y` in the channel where it is longest, and its squared length; central differences, one-sided at borders."""
    _, width, channels = patch.shape
    per_row = np.float32(1) / np.float32(below - above)
    for channel in range(channels):
        for x in range(width):
            before, after = max(x - 1, 0), min(x + 1, width - 1)
            half = np.float32(0.5) if after - before == 2 else np.float32(1)
            dx = (np.float32(patch[y, after, channel]) - np.float32(patch[y, before, channel])) * half
            dy = (np.float32(patch[below, x, channel]) - np.float32(patch[above, x, channel])) * per_row
            length = dx * dx + dy * dy
            if channel == 0 or length > squared[x]:
                squared[x], gx[x], gy[x] = length, dx, dy


@njit(cache=True, error_model="numpy")
def normalise_blocks(histogram: np.ndarray, epsilon: float, out: np.ndarray) -> None:
    """Cell histograms (h, w, 18) normalised by the energy of the four 2 x 2 blocks around each cell, into `out` (31, h, w)."""
    rows, columns, _ = histogram.shape
    energy = np.zeros((rows, columns), np.float32)
    unsigned = np.empty((rows, columns, 9), np.float32)
    for y in range(rows):
        for x in range(columns):
            for o in range(9):
                unsigned[y, x, o] = histogram[y, x, o] + histogram[y, x, o + 9]
                energy[y, x] += unsigned[y, x, o] * unsigned[y, x, o]
    # blocks[y + 1, x + 1] is the block with its top left cell at (y, x); the border repeats the nearest block
    blocks = np.empty((rows + 1, columns + 1), np.float32)
    for y in range(rows + 1):
        for x in range(columns + 1):
            top, left = min(max(y - 1, 0), max(rows - 2, 0)), min(max(x - 1, 0), max(columns - 2, 0))
            low, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
            total = energy[top, left] + energy[low, left] + energy[top, right] + energy[low, right]
            blocks[y, x] = np.float32(1) / np.sqrt(total + np.float32(epsilon))
    clip = np.float32(CLIP)
    for y in range(rows):
        for x in range(columns):
            n0, n1, n2, n3 = blocks[y + 1, x + 1], blocks[y, x + 1], blocks[y + 1, x], blocks[y, x]
            t0 = t1 = t2 = t3 = np.float32(0)
            for o in range(ORIENTATIONS):
                value = histogram[y, x, o]
                v0, v1, v2, v3 = min(value * n0, clip), min(value * n1, clip), min(value * n2, clip), min(value * n3, clip)
                out[o, y, x] = np.float32(0.5) * (v0 + v1 + v2 + v3)
                t0, t1, t2, t3 = t0 + v0, t1 + v1, t2 + v2, t3 + v3
            for o in range(9):
                value = unsigned[y, x, o]
                sum_ = min(value * n0, clip) + min(value * n1, clip) + min(value * n2, clip) + min(value * n3, clip)
                out[ORIENTATIONS + o, y, x] = np.float32(0.5) * sum_
            texture = np.float32(0.2357)
            out[27, y, x], out[28, y, x], out[29, y, x], out[30, y, x] = texture * t0, texture * t1, texture * t2, texture * t3
