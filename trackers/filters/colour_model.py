"""The colours of a target and of what is around it, and where the former are (Staple, Bertinetto et al. 2016, section 4.3)."""

import numpy as np
from numba import njit

from trackers.patch import middle_patch, offset_within, round_half_away, turned_patch

BINS = 16  # of R, G and B each
RATE = 0.04  # at which the known colours follow the target
INNER, OUTER = 0.8, 1.2  # sides of what surely is of the target, and of what is around it on the inside, over the target's
PIXELS = 2  # of a patch to a side of a cell of the response
FLOOR = 1e-6  # share of pixels below which a colour counts as unknown


class ColourModel:
    """Histograms of the colours inside and outside of a box; a response that says where boxes have colours like the former.

    What turns or changes its shape keeps its colours, and a correlation filter knows little of them.

    Parameters
    ----------
    support : float
        Side of the search area at scale one.
    output : int
        Cells of the response over it.
    """

    def __init__(self, support: float, output: int):
        self._side, self._output = support, output
        self._inside: np.ndarray | None = None
        self._outside: np.ndarray | None = None

    def learn(self, image: np.ndarray, position: tuple[float, float], scale: float, sides: tuple[float, float], angle: float) -> None:
        """Take in the colours of a target.

        Parameters
        ----------
        image : ndarray, uint8, (H, W, 3)
        position : (float, float)
            Row and column of its centre.
        scale : float
            Pixels of the picture per pixel of the search area at scale one.
        sides : (float, float)
            The target's height and width at scale one.
        angle : float
            By which it is turned: see `trackers.patch.turned_patch`.
        """
        place = tuple(map(round_half_away, position))
        patch, per_pixel = self._patch(image, place, scale, angle)
        row, column = (
            (n - 1) / 2 + d / scale * per_pixel for n, d in zip(patch.shape, offset_within(position, place, angle), strict=False)
        )
        inside, outside = colour_shares(patch, row, column, *(side * per_pixel for side in sides), BINS)
        rate = np.float32(1.0 if self._inside is None else RATE)
        self._inside, self._outside = (
            new if old is None else old + rate * (new - old) for old, new in ((self._inside, inside), (self._outside, outside))
        )

    def respond(self, image: np.ndarray, place: tuple[int, int], scale: float, sides: tuple[float, float], angle: float) -> np.ndarray:
        """Mean probability that the pixels of the target's box are of it, for boxes around each cell of a search area.

        Parameters are those of `learn`, `place` the middle of the search area.

        Returns
        -------
        ndarray, float32, (output, output)
            In [0, 1], shift zero at [0, 0]. What lies outside of the area is not of the target.
        """
        patch, per_pixel = self._patch(image, place, scale, angle)
        of_target = self._inside / (self._inside + self._outside + np.float32(FLOOR))
        height, width = (max(round_half_away(INNER / 2 * side * per_pixel), 1) for side in sides)
        return box_means_around(patch, of_target, height, width, PIXELS)

    def _patch(self, image: np.ndarray, place: tuple[int, int], scale: float, angle: float) -> tuple[np.ndarray, float]:
        """The search area around a place, and how many of its pixels there are for one at scale one."""
        count = PIXELS * self._output
        if angle:
            return turned_patch(image, place, self._side * scale, count, angle), count / self._side
        return middle_patch(image, place, self._side * scale, count), count / self._side


@njit(cache=True, nogil=True)
def colour_shares(patch: np.ndarray, row: float, column: float, height: float, width: float, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the colours of a patch (H, W, 3) uint8 within `INNER` and beyond `OUTER` times a box around (row, column), (bins ** 3,)."""
    inside, outside = np.zeros(bins**3, np.float32), np.zeros(bins**3, np.float32)
    inner = outer = 0
    for y in range(patch.shape[0]):
        for x in range(patch.shape[1]):
            away = max(2 * abs(y - row) / height, 2 * abs(x - column) / width)
            if away < INNER:
                inside[colour_bin(patch[y, x], bins)] += 1
                inner += 1
            elif away > OUTER:
                outside[colour_bin(patch[y, x], bins)] += 1
                outer += 1
    return inside / np.float32(max(inner, 1)), outside / np.float32(max(outer, 1))


@njit(cache=True, nogil=True)
def colour_bin(pixel: np.ndarray, bins: int) -> int:
    """Which of `bins` ** 3 equal parts of all colours that of a pixel (3,) uint8 is in."""
    return ((pixel[0] * bins >> 8) * bins + (pixel[1] * bins >> 8)) * bins + (pixel[2] * bins >> 8)


@njit(cache=True, nogil=True)
def box_means_around(patch: np.ndarray, values: np.ndarray, half_height: int, half_width: int, step: int) -> np.ndarray:
    """Means of the values (bins ** 3,) of the colours in boxes around every `step`-th place of a square patch (n step, n step, 3).

    Returns
    -------
    ndarray, float32, (n, n)
        Shift zero at [0, 0], where the box has `half_height` rows and `half_width` columns to each side of the middle of the patch; what
        lies outside of the patch counts as zero.
    """
    side, bins = len(patch), round(len(values) ** (1 / 3))
    sums = np.zeros((side + 1, side + 1))
    for y in range(side):
        total = 0.0
        for x in range(side):
            total += values[colour_bin(patch[y, x], bins)]
            sums[y + 1, x + 1] = sums[y, x + 1] + total
    n = side // step
    out = np.empty((n, n), np.float32)
    share = 1 / (4 * half_height * half_width)
    for i in range(n):
        row = side // 2 + step * ((i + n // 2) % n - n // 2)
        top, bottom = max(row - half_height, 0), min(row + half_height, side)
        for j in range(n):
            column = side // 2 + step * ((j + n // 2) % n - n // 2)
            left, right = max(column - half_width, 0), min(column + half_width, side)
            out[i, j] = share * (sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left])
    return out
