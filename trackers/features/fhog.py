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


@njit(cache=True, nogil=True)
def fhog_stack(patches: np.ndarray, cell: int, bins: np.ndarray) -> np.ndarray:
    """FHOG (N, 31, h, w) of patches (N, H, W, channels) uint8."""
    count, height, width, _ = patches.shape
    out = np.empty((count, CHANNELS, height // cell, width // cell), np.float32)
    for n in range(count):
        normalise_blocks(cell_histograms(patches[n], cell, bins), np.float32(1e-4 / 4 / cell**4), out[n])
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def cell_histograms(patch: np.ndarray, cell: int, bins: np.ndarray) -> np.ndarray:
    """Gradient magnitudes of a patch (H, W, channels) by orientation and cell, (18, h, w).

    The nearest orientation takes all; between cells the weight is shared bilinearly, and what falls outside is dropped.
    """
    height, width, _ = patch.shape
    rows, columns = height // cell, width // cell
    planes = split_channels(patch)
    padded = np.zeros((rows + 2, columns + 2, ORIENTATIONS), np.float32)
    squared, gx, gy = np.empty(width, np.float32), np.empty(width, np.float32), np.empty(width, np.float32)
    magnitude, cosine = np.empty(width, np.float32), np.empty(width, np.int32)
    left_cell, right_share = np.empty(width, np.int64), np.empty(width, np.float32)
    for x in range(width):
        position = (x + 0.5) / cell + 0.5
        left_cell[x] = int(position)
        right_share[x] = position - left_cell[x]
    for y in range(rows * cell):
        steepest_gradient(planes, y, squared, gx, gy)
        for x in range(width):
            inverse = min(np.float32(1) / np.sqrt(squared[x]), np.float32(1e10))
            magnitude[x] = np.float32(1) / inverse / np.float32(cell * cell)
            cosine[x] = np.int32(gx[x] * inverse * np.float32(STEPS))
        position = (y + 0.5) / cell + 0.5
        top = int(position)
        low_share = np.float32(position - top)
        for x in range(columns * cell):
            column, share = left_cell[x], right_share[x]
            orientation = bins[np.int32(gy[x] < 0), cosine[x] + STEPS]
            low = magnitude[x] * low_share
            high = magnitude[x] - low
            padded[top, column, orientation] += high * (np.float32(1) - share)
            padded[top, column + 1, orientation] += high * share
            padded[top + 1, column, orientation] += low * (np.float32(1) - share)
            padded[top + 1, column + 1, orientation] += low * share
    histogram = np.empty((ORIENTATIONS, rows, columns), np.float32)
    for y in range(rows):
        for x in range(columns):
            for o in range(ORIENTATIONS):
                histogram[o, y, x] = padded[y + 1, x + 1, o]
    histogram[:, 0] *= np.float32(BORDER)
    histogram[:, -1] *= np.float32(BORDER)
    histogram[:, :, 0] *= np.float32(BORDER)
    histogram[:, :, -1] *= np.float32(BORDER)
    return histogram


@njit(cache=True, nogil=True)
def split_channels(patch: np.ndarray) -> np.ndarray:
    """Planes (channels, H, W) float32 of a patch (H, W, channels), channels 3 or 1."""
    height, width, channels = patch.shape
    planes = np.empty((channels, height, width), np.float32)
    for y in range(height):
        row = patch[y]
        if channels == 3:  # all three in one loop, which vectorises
            first, second, third = planes[0, y], planes[1, y], planes[2, y]
            for x in range(width):
                first[x], second[x], third[x] = row[x, 0], row[x, 1], row[x, 2]
        else:
            for x in range(width):
                planes[0, y, x] = row[x, 0]
    return planes


@njit(cache=True, nogil=True)
def steepest_gradient(planes: np.ndarray, y: int, squared: np.ndarray, gx: np.ndarray, gy: np.ndarray) -> None:
    """Gradient of row `y` of planes (channels, H, W) where it is longest, and its squared length; one-sided at borders."""
    channels, height, width = planes.shape
    above, below = max(y - 1, 0), min(y + 1, height - 1)
    per_row = np.float32(1) / np.float32(max(below - above, 1))
    dx = np.zeros(width, np.float32)
    squared[:] = -1
    for channel in range(channels):
        row, before, after = planes[channel, y], planes[channel, above], planes[channel, below]
        for x in range(1, width - 1):
            dx[x] = (row[x + 1] - row[x - 1]) * np.float32(0.5)
        if width > 1:
            dx[0], dx[-1] = row[1] - row[0], row[-1] - row[-2]
        for x in range(width):
            dy = (after[x] - before[x]) * per_row
            length = dx[x] * dx[x] + dy * dy
            longer = length > squared[x]
            squared[x] = length if longer else squared[x]
            gx[x] = dx[x] if longer else gx[x]
            gy[x] = dy if longer else gy[x]


@njit(cache=True, nogil=True, error_model="numpy")
def normalise_blocks(histogram: np.ndarray, epsilon: float, out: np.ndarray) -> None:
    """Cell histograms (18, h, w) normalised by the energy of the four 2 x 2 blocks around each cell, into `out` (31, h, w)."""
    _, rows, columns = histogram.shape
    unsigned = histogram[:9] + histogram[9:]
    energy = np.zeros((rows, columns), np.float32)
    for o in range(9):
        energy += unsigned[o] * unsigned[o]
    # blocks[y + 1, x + 1] is the block with its top left cell at (y, x); the border repeats the nearest block
    blocks = np.empty((rows + 1, columns + 1), np.float32)
    for y in range(rows + 1):
        for x in range(columns + 1):
            top, left = min(max(y - 1, 0), max(rows - 2, 0)), min(max(x - 1, 0), max(columns - 2, 0))
            low, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
            total = energy[top, left] + energy[low, left] + energy[top, right] + energy[low, right]
            blocks[y, x] = np.float32(1) / np.sqrt(total + np.float32(epsilon))
    clip, half = np.float32(CLIP), np.float32(0.5)
    texture = np.zeros((4, columns), np.float32)
    for y in range(rows):
        n0, n1, n2, n3 = blocks[y + 1, 1:], blocks[y, 1:], blocks[y + 1, :-1], blocks[y, :-1]
        texture[:] = 0
        for o in range(ORIENTATIONS + 9):
            values = histogram[o, y] if o < ORIENTATIONS else unsigned[o - ORIENTATIONS, y]
            target = out[o, y]
            for x in range(columns):
                v0, v1 = min(values[x] * n0[x], clip), min(values[x] * n1[x], clip)
                v2, v3 = min(values[x] * n2[x], clip), min(values[x] * n3[x], clip)
                target[x] = half * (v0 + v1 + v2 + v3)
                if o < ORIENTATIONS:
                    texture[0, x] += v0
                    texture[1, x] += v1
                    texture[2, x] += v2
                    texture[3, x] += v3
        for block in range(4):
            for x in range(columns):
                out[ORIENTATIONS + 9 + block, y, x] = np.float32(0.2357) * texture[block, x]
