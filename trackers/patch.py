"""Patches of a picture: crop with the border replicated, and resize.

Pictures inside the trackers are (H, W, C) uint8 with C = 3 (R, G, B) or 1 (grey); positions are (row, column), 0-based.
"""

import math
from collections.abc import Sequence

import numpy as np
from numba import njit

from cfvgg.linear import FASTMATH
from trackers.opencv import cv2


def round_half_away(x: float) -> int:
    """MATLAB's round: halves go away from zero (Python's go to even)."""
    return int(math.copysign(math.floor(abs(x) + 0.5), x))


def crop(image: np.ndarray, first: tuple[int, int], shape: tuple[int, int], step: int = 1) -> np.ndarray:
    """Every `step`-th pixel of a rectangle; outside the picture the nearest border pixel is repeated.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, C)
        Any strides.
    first : (int, int)
        Row and column of the first pixel; may lie outside.
    shape : (int, int)
        Rows and columns of the result.
    step : int
        Distance of neighbours.

    Returns
    -------
    ndarray, uint8, (rows, columns, C)
        A view where all pixels lie next to each other in the picture, else a copy.
    """
    ends = tuple(start + count for start, count in zip(first, shape, strict=True))
    inside = min(first) >= 0 and ends[0] <= image.shape[0] and ends[1] <= image.shape[1]
    channels = image.shape[2]
    if step == 1 and image.strides[1] == channels and (channels == 1 or abs(image.strides[2]) == 1):
        if inside:
            return image[first[0] : ends[0], first[1] : ends[1]]
        if all(start < side and end > 0 for start, end, side in zip(first, ends, image.shape, strict=False)):
            return _bordered(image, first, ends)
    rows, columns = (
        _clamped(start, count, step, side) for start, count, side in zip(first, shape, image.shape[:2], strict=True)
    )
    return gather(image, rows, columns)


def _bordered(image: np.ndarray, first: tuple[int, int], ends: tuple[int, int]) -> np.ndarray:
    """`crop` of a rectangle that lies partly in the picture; its pixels lie next to each other."""
    height, width, channels = image.shape
    (top, left), (bottom, right) = first, ends
    part, mirrored = _as_stored(image[max(top, 0) : bottom, max(left, 0) : right])
    margins = max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0)
    whole = cv2.copyMakeBorder(part, *margins, cv2.BORDER_REPLICATE).reshape(bottom - top, right - left, channels)
    return whole[:, :, ::-1] if mirrored else whole


def _as_stored(image: np.ndarray) -> tuple[np.ndarray, bool]:
    """A picture whose channels are in the order of memory, as OpenCV reads them, and whether that is the other way round."""
    mirrored = image.shape[2] == 3 and image.strides[2] < 0  # a view of a picture B, G, R
    return image[:, :, ::-1] if mirrored else image, mirrored


def grey(image: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3 or 1) uint8 in grey, (H, W, 1), and nobody else's."""
    if image.shape[2] == 1:
        return image.copy()
    pixels, mirrored = _as_stored(image)
    return cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_BGR2GRAY if mirrored else cv2.COLOR_RGB2GRAY)[:, :, None]


def _clamped(start: int, count: int, step: int, side: int) -> np.ndarray:
    """Indices start, start + step, .. within a side; beyond it the outermost of the same raster."""
    raster = start % step
    last = raster + (side - 1 - raster) // step * step
    return np.minimum(np.maximum(np.arange(start, start + step * count, step), raster), max(last, 0))


@njit(cache=True, nogil=True)
def gather(image: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """image[rows][:, columns] of an array (H, W, C) of any strides, contiguous."""
    channels = image.shape[2]
    out = np.empty((len(rows), len(columns), channels), np.uint8)
    for y in range(len(rows)):
        source = image[rows[y]]
        for x in range(len(columns)):
            for channel in range(channels):
                out[y, x, channel] = source[columns[x], channel]
    return out


def resize(patch: np.ndarray, shape: tuple[int, int], interpolation: int) -> np.ndarray:
    """Resize a crop (H, W, C) to (rows, columns, C) by OpenCV; the result is contiguous."""
    pixels, mirrored = _as_stored(patch)
    if patch.shape[:2] != tuple(shape):
        pixels = cv2.resize(pixels, (shape[1], shape[0]), interpolation=interpolation).reshape(*shape, patch.shape[2])
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if mirrored else np.ascontiguousarray(pixels)


def resize_nested(patch: np.ndarray, shapes: Sequence[tuple[int, int]], output: tuple[int, int]) -> np.ndarray:
    """Middles of a crop, resized to one shape as `automatic` says.

    What shrinks is averaged over the area of each pixel of the result, as by INTER_AREA, but for all from one table of sums: OpenCV
    reads every pixel once for every middle. Bytes may differ by one where a mean lies halfway between two.

    Parameters
    ----------
    patch : ndarray, uint8, (H, W, C)
    shapes : sequence of (int, int)
        Rows and columns of each middle, at most H and W.
    output : (int, int)
        Rows and columns of the results.

    Returns
    -------
    ndarray, uint8, (len(shapes), rows, columns, C)
    """
    pixels, mirrored = _as_stored(patch)
    sums = cv2.integral(pixels).reshape(patch.shape[0] + 1, patch.shape[1] + 1, patch.shape[2])
    out = np.empty((len(shapes), *output, patch.shape[2]), np.uint8)
    for result, shape in zip(out, shapes, strict=True):
        top, left = (whole // 2 - part // 2 for whole, part in zip(patch.shape, shape, strict=False))
        interpolation = automatic(shape, output)
        if interpolation == cv2.INTER_AREA and shape[0] >= output[0] and shape[1] >= output[1]:
            box_means(sums, top, left, shape, result)
        else:
            result[:] = resize(pixels[top : top + shape[0], left : left + shape[1]], output, interpolation)
    return np.ascontiguousarray(out[..., ::-1]) if mirrored else out


def resize_about(
    image: np.ndarray,
    centre: tuple[float, float],
    sides: Sequence[tuple[float, float]],
    output: tuple[int, int],
    step: int = 1,
    angles: Sequence[float] | None = None,
) -> np.ndarray:
    """Rectangles around one centre, resized to one shape; neither their sides nor their centre need be whole pixels.

    Where `output` has half the pixels of the smallest rectangle, or fewer, means over whole numbers of pixels come before the bilinear
    interpolation.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, C)
    centre : (float, float)
        Row and column.
    sides : sequence of (float, float)
        Height and width of each rectangle in pixels.
    output : (int, int)
        Rows and columns of the results.
    step : int
        Every so many pixels one is taken.
    angles : sequence of float or None
        By which each is turned, in radians, from the x axis towards the y axis, clockwise on a screen; None: not at all.

    Returns
    -------
    ndarray, uint8, (len(sides), rows, columns, C)
    """
    sides = np.asarray(sides) / step
    shrink = max(int((sides / output).min()), 1)
    reach = sides.max(0) if angles is None else [np.hypot(*sides.T).max()] * 2
    cells = [math.ceil(side / shrink) + 4 for side in reach]  # the margin makes up for what is rounded
    first = [math.floor(c - (n * shrink // 2) * step) for c, n in zip(centre, cells, strict=True)]
    region = crop(image, first, tuple(n * shrink for n in cells), step)
    region = resize(region, tuple(cells), cv2.INTER_AREA)
    # from here on in cells of the region, from its outer corner
    middle = [((c - f) / step + 0.5) / shrink for c, f in zip(centre, first, strict=True)]
    if angles is None:
        return bilinear(region, np.array(middle), sides / shrink, output[0], output[1])
    return np.stack([turned_rectangle(region, middle, pair, angle, output) for pair, angle in zip(sides / shrink, angles, strict=True)])


def turned_rectangle(
    region: np.ndarray, middle: tuple[float, float], sides: tuple[float, float], angle: float, output: tuple[int, int]
) -> np.ndarray:
    """One rectangle of a region, as for `bilinear`, turned by `angle` radians about its middle; (rows, columns, C) uint8."""
    (rows, columns), cosine, sine = output, math.cos(angle), math.sin(angle)
    down, right = sides[0] / rows, sides[1] / columns
    turn = np.array([[cosine * right, -sine * down], [sine * right, cosine * down]])
    first = np.array(middle[::-1]) - 0.5 - turn @ ((columns - 1) / 2, (rows - 1) / 2)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    turned = cv2.warpAffine(region, np.column_stack([turn, first]), (columns, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return turned.reshape(rows, columns, -1)


def turned(offset: tuple[float, float], angle: float) -> tuple[float, float]:
    """An offset (rows, columns), turned by `angle` radians, from the x axis towards the y axis."""
    (row, column), cosine, sine = offset, math.cos(angle), math.sin(angle)
    return sine * column + cosine * row, cosine * column - sine * row


@njit(cache=True, nogil=True, fastmath=FASTMATH)
def bilinear(region: np.ndarray, middle: np.ndarray, sides: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Rectangles of `sides` (N, 2) around `middle` of a contiguous region (H, W, C) uint8 that holds them, by bilinear interpolation.

    Returns
    -------
    ndarray, uint8, (N, rows, columns, C)
        Rounded.
    """
    height, width, channels = region.shape
    flat = region.reshape(height, width * channels)
    out = np.empty((len(sides), rows, columns, channels), np.uint8)
    left, share_x = np.empty(columns, np.int64), np.empty(columns, np.float32)
    line = np.empty(width * channels, np.float32)
    for k in range(len(sides)):
        for j in range(columns):
            x = middle[1] + sides[k, 1] * ((j + 0.5) / columns - 0.5) - 0.5
            left[j], share_x[j] = channels * int(x), x % 1
        begin, end = left[0], left[columns - 1] + 2 * channels
        for i in range(rows):
            y = middle[0] + sides[k, 0] * ((i + 0.5) / rows - 0.5) - 0.5
            share_y = np.float32(y % 1)
            high, low, between = flat[int(y), begin:end], flat[int(y) + 1, begin:end], line[begin:end]
            for n in range(len(between)):
                between[n] = np.float32(high[n]) + share_y * (np.float32(low[n]) - np.float32(high[n]))
            for j in range(columns):
                near, far = line[left[j] :], line[left[j] + channels :]
                for channel in range(channels):
                    out[k, i, j, channel] = np.uint8(near[channel] + share_x[j] * (far[channel] - near[channel]) + np.float32(0.5))
    return out


@njit(cache=True, nogil=True)
def box_means(sums: np.ndarray, top: int, left: int, shape: tuple[int, int], out: np.ndarray) -> None:
    """Means over equal boxes that fill the rectangle of `shape` at (top, left), rounded, into `out` (rows, columns, C) uint8.

    `sums` (H + 1, W + 1, C) holds the sums over all pixels above and left of a corner of pixels; between corners they are bilinear.
    """
    rows, columns, channels = out.shape
    step_y, step_x = shape[0] / rows, shape[1] / columns
    above, below = np.empty((columns + 1, channels)), np.empty((columns + 1, channels))
    for i in range(rows + 1):
        y = min(int(i * step_y), shape[0] - 1)
        share_y = i * step_y - y
        high, low = sums[top + y], sums[top + y + 1]
        for j in range(columns + 1):
            x = min(int(j * step_x), shape[1] - 1)
            share_x = j * step_x - x
            for channel in range(channels):
                a, b = high[left + x, channel], high[left + x + 1, channel]
                c, d = low[left + x, channel], low[left + x + 1, channel]
                upper = a + share_x * (b - a)
                below[j, channel] = upper + share_y * (c + share_x * (d - c) - upper)
        if i > 0:
            for j in range(columns):
                for channel in range(channels):
                    total = below[j + 1, channel] - below[j, channel] - above[j + 1, channel] + above[j, channel]
                    out[i - 1, j, channel] = np.uint8(np.rint(total / (step_y * step_x)))
        above, below = below, above


def decimation(scale: float) -> int:
    """Of how many pixels one is kept before a patch is shrunk `scale` times: the bilinear resize has no antialiasing of its own."""
    return max(int(scale - 0.1), 1)


def centred_crop(image: np.ndarray, centre: tuple[float, float], shape: tuple[int, int], step: int = 1) -> np.ndarray:
    """Every `step`-th pixel of a rectangle of `shape` (rows, columns) such pixels around `centre`, rounded down to them."""
    first = tuple((math.floor(c / step) + 1 - n // 2) * step for c, n in zip(centre, shape, strict=True))
    return crop(image, first, shape, step)


def automatic(shape: tuple[int, int], output: tuple[int, int]) -> int:
    """Interpolation of a resize from `shape` to `output` (rows, columns), chosen by its direction (PORTING 2.3).

    Width is compared with height: a slip of the published program that decides how non-square patches are resized.
    """
    return cv2.INTER_LINEAR if output[1] > shape[0] else cv2.INTER_AREA


LARGEST_CROP = 4096  # pixels of a side


def whole_patch(image: np.ndarray, centre: tuple[float, float], side: float, output: int) -> np.ndarray:
    """A square around `centre`, all its pixels resized to `output` x `output`; of a square above `LARGEST_CROP` not all are looked at.

    fDeepSTRCF's ``get_pixels`` (PORTING 2.2).

    Parameters
    ----------
    image : ndarray, uint8, (H, W, C)
    centre : (float, float)
        Row and column; rounded down.
    side : float
        Side of the square in pixels of the picture, rounded; 2 where that is 0.
    output : int
        Side of the result.
    """
    step = max(math.ceil(side / LARGEST_CROP), 1)
    shape = (round_half_away(side / step) or 2,) * 2
    return resize(centred_crop(image, centre, shape, step), (output, output), automatic(shape, (output, output)))


def sample_patch(image: np.ndarray, centre: tuple[float, float], side: float, output: int) -> np.ndarray:
    """A square around `centre`, resized to `output` x `output` pixels.

    ECO's ``sample_patch`` (PORTING 2.1): see `decimation`.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, C)
    centre : (float, float)
        Row and column; rounded down.
    side : float
        Side of the square in pixels of the picture; at least 2 are taken.
    output : int
        Side of the result.
    """
    step = decimation(side / output)
    count = max(round_half_away(side / step), 2)
    first = tuple(math.floor(c) + step * (1 - (count + 1) // 2) for c in centre)
    return resize(crop(image, first, (count, count), step), (output, output), cv2.INTER_LINEAR)


def middle_patch(image: np.ndarray, centre: tuple[int, int], side: float, output: int) -> np.ndarray:
    """Like `sample_patch`, but always of an odd number of pixels, at least 3: the middle one is at `centre`."""
    step = decimation(side / output)
    half = max(round((side / step - 1) / 2), 1)
    region = crop(image, tuple(c - step * half for c in centre), (2 * half + 1, 2 * half + 1), step)
    return resize(region, (output, output), cv2.INTER_LINEAR)


def offset_within(position: tuple[float, float], place: tuple[float, float], angle: float) -> tuple[float, float]:
    """Rows and columns, in pixels of the picture, from the centre of a sample at `place`, turned by `angle`, to `position`."""
    return turned(tuple(p - q for p, q in zip(position, place, strict=True)), -angle)


def turned_patch(image: np.ndarray, centre: tuple[float, float], side: float, output: int, angle: float) -> np.ndarray:
    """Like `middle_patch`, but of a square that is turned by `angle` radians."""
    return resize_about(image, centre, [(side, side)], (output, output), decimation(side / output), [angle])[0]
