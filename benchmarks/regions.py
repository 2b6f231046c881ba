"""Overlap of regions: rectangles and polygons, and rectangles in place of polygons.

A region is a row of four numbers, x, y, w, h, or of the 2 N numbers x1, y1, .. xN, yN of a polygon's corners, in pixels, 0-based. A size is
that of the picture, (width, height); what lies outside the picture does not count.
"""

import numpy as np
from numba import njit

SMALLEST = 1e-6  # area in pixels
SHORTEST = 1e-6  # side of a polygon, in pixels: of one whose corner just leaves the picture a shorter one may be left, of no sure direction


def raster_overlap(region_a: np.ndarray, region_b: np.ndarray, size: tuple[int, int]) -> float:
    """Overlap in whole pixels, by the rules of the VOT toolkit 0.7.4.

    All numbers are rounded; a polygon fills, row by row, from node to node, both included. Two regions that together span no more than
    one column or row are equal; two that do so only inside the picture have no overlap.

    Parameters
    ----------
    region_a, region_b : array_like, (4,) or (2 N,)
    size : (int, int)

    Returns
    -------
    float
        Pixels in both over pixels in one of them; 0 if a region holds NaN or infinity.
    """
    a, b = (np.round(np.asarray(region, np.float32)).astype(float) for region in (region_a, region_b))
    return _raster_overlap(a, b, *size) if np.isfinite(a).all() and np.isfinite(b).all() else 0.0


@njit(cache=True)
def _raster_overlap(a, b, width, height):
    (left_a, top_a, right_a, bottom_a), (left_b, top_b, right_b, bottom_b) = pixel_bounds(a), pixel_bounds(b)
    left, top, right, bottom = min(left_a, left_b), min(top_a, top_b), max(right_a, right_b), max(bottom_a, bottom_b)
    if right <= left or bottom <= top:
        return 1.0
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, width - 1), min(bottom, height - 1)
    if right <= left or bottom <= top:
        return 0.0
    row_a, row_b = np.empty(int(right - left) + 1, np.bool_), np.empty(int(right - left) + 1, np.bool_)
    both = either = 0
    for y in range(int(bottom - top) + 1):
        fill_row(row_a, a, left, top, y)
        fill_row(row_b, b, left, top, y)
        both += (row_a & row_b).sum()
        either += (row_a | row_b).sum()
    return both / either if either else 0.0


@njit(cache=True)
def pixel_bounds(region):
    """First and last column and row of a region of whole numbers: left, top, right, bottom."""
    if len(region) == 4:
        return region[0], region[1], region[0] + region[2] - 1, region[1] + region[3] - 1
    return region[0::2].min(), region[1::2].min(), region[0::2].max(), region[1::2].max()


@njit(cache=True)
def fill_row(row, region, left, top, y):
    """Mark in `row`, (W,), the pixels that a region of whole numbers has `y` rows below `top`, from the column `left` on."""
    row[:] = False
    if len(region) == 4:
        if region[1] - top <= y < region[1] + region[3] - top:
            row[int(max(region[0] - left, 0)) : int(max(region[0] + region[2] - left, 0))] = True
        return
    xs, ys = region[0::2] - left, region[1::2] - top
    nodes, count = np.empty(len(xs), np.int64), 0
    for i in range(len(xs)):
        if min(ys[i - 1], ys[i]) <= y <= max(ys[i - 1], ys[i]):
            rise = ys[i - 1] - ys[i]
            nodes[count] = int(xs[i] + (y - ys[i]) / rise * (xs[i - 1] - xs[i]) if rise else xs[i])
            count += 1
    nodes[:count].sort()
    i = 0
    while i < count - 1:
        if nodes[i] == nodes[i + 1] and i < count - 2:  # two edges meet here: one node
            i += 1
        else:
            row[max(nodes[i], 0) : max(nodes[i + 1] + 1, 0)] = True
            i += 2


def polygon_overlap(region_a: np.ndarray, region_b: np.ndarray, size: tuple[int, int]) -> float:
    """Overlap of areas: intersection over union of what lies in the picture, [0, width] x [0, height].

    Parameters
    ----------
    region_a, region_b : array_like, (4,) or (2 N,)
        Convex, in either direction.
    size : (int, int)

    Returns
    -------
    float
        In [0, 1]; 0 if a region holds NaN or infinity, or both together have no more than a millionth of a pixel in the picture.
    """
    picture = corners((0, 0, *size))
    a, b = (corners(region) for region in (region_a, region_b))
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return 0.0
    a, b = clip(a, picture), clip(b, picture)
    shared = area(clip(a, b))
    union = area(a) + area(b) - shared
    return float(shared / union) if union > SMALLEST else 0.0


def corners(region: np.ndarray) -> np.ndarray:
    """Corners of a region, float64, (N, 2), in the direction in which its `area` is not negative."""
    numbers = np.asarray(region, float)
    if len(numbers) == 4:
        x, y, w, h = numbers
        numbers = np.array([x, y, x + w, y, x + w, y + h, x, y + h])
    points = numbers.reshape(-1, 2)
    return points if area(points) >= 0 else np.ascontiguousarray(points[::-1])


@njit(cache=True)
def area(polygon):
    """Area of a polygon (N, 2), negative for one that turns from y to x."""
    total = 0.0
    for i in range(len(polygon)):
        total += (polygon[i - 1, 0] - polygon[0, 0]) * (polygon[i, 1] - polygon[0, 1])
        total -= (polygon[i, 0] - polygon[0, 0]) * (polygon[i - 1, 1] - polygon[0, 1])
    return total / 2


@njit(cache=True)
def clip(polygon, window):
    """The part of a convex polygon (N, 2) within another (M, 2), both of positive area (Sutherland and Hodgman, 1974)."""
    for k in range(len(window)):
        edge, begin = window[k] - window[k - 1], window[k - 1]
        if max(abs(edge[0]), abs(edge[1])) < SHORTEST:
            continue
        inside = edge[0] * (polygon[:, 1] - begin[1]) - edge[1] * (polygon[:, 0] - begin[0])
        kept, count = np.empty((2 * len(polygon), 2)), 0
        for i in range(len(polygon)):
            if (inside[i - 1] < 0) != (inside[i] < 0):
                share = inside[i - 1] / (inside[i - 1] - inside[i])
                kept[count] = polygon[i - 1] + share * (polygon[i] - polygon[i - 1])
                count += 1
            if inside[i] >= 0:
                kept[count] = polygon[i]
                count += 1
        polygon = kept[:count]
    return polygon


def bounding_rectangles(polygons: np.ndarray) -> np.ndarray:
    """Smallest upright x, y, w, h (..., 4) around polygons (..., 2 N), w the difference of two corners: what TraX gives to trackers."""
    xs, ys = polygons[..., 0::2], polygons[..., 1::2]
    low = np.stack([xs.min(axis=-1), ys.min(axis=-1)], axis=-1)
    high = np.stack([xs.max(axis=-1), ys.max(axis=-1)], axis=-1)
    return np.concatenate([low, high - low], axis=-1)


def equal_area_rectangles(polygons: np.ndarray) -> np.ndarray:
    """Upright x, y, w, h (..., 4) with the centre, the area and the proportions of the bounds of turned rectangles (..., 8).

    The corners are centres of pixels, as in pysot and the GOT-10k toolkit: sides have one pixel more than the difference of two corners.
    """
    points = polygons.reshape(*polygons.shape[:-1], 4, 2)
    sides = np.linalg.norm(points[..., :2, :] - points[..., 1:3, :], axis=-1)
    bounds = bounding_rectangles(polygons)[..., 2:]
    shape = bounds * np.sqrt(sides.prod(axis=-1) / bounds.prod(axis=-1))[..., None] + 1
    return np.concatenate([points.mean(axis=-2) - (shape - 1) / 2, shape], axis=-1)
