"""Twins of `benchmarks.regions`: sets of pixels, and polygons, in exact fractions, as the hull of the points that both have."""

import math
from collections.abc import Sequence
from fractions import Fraction

Point = tuple[Fraction, Fraction]


def rounded(region: Sequence[float]) -> list[int]:
    """Whole numbers, halves to the even one."""
    return [round(float(value)) for value in region]


def raster_overlap(a: Sequence[float], b: Sequence[float], size: tuple[int, int]) -> float:
    """By the rules of toolkit 0.7.4, as `benchmarks.regions` states them."""
    a, b = rounded(a), rounded(b)
    bounds = [pixel_bounds(a), pixel_bounds(b)]
    left, top = (min(bound[side] for bound in bounds) for side in (0, 1))
    right, bottom = (max(bound[side] for bound in bounds) for side in (2, 3))
    if right <= left or bottom <= top:
        return 1.0
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, size[0] - 1), min(bottom, size[1] - 1)
    if right <= left or bottom <= top:
        return 0.0
    width, height = right - left + 1, bottom - top + 1
    pixels_a, pixels_b = ({(x, y) for y in range(height) for x in fill_row(region, left, top, y, width)} for region in (a, b))
    return len(pixels_a & pixels_b) / len(pixels_a | pixels_b) if pixels_a | pixels_b else 0.0


def pixel_bounds(region: list[int]) -> tuple[int, int, int, int]:
    """First and last column and row."""
    if len(region) == 4:
        x, y, w, h = region
        return x, y, x + w - 1, y + h - 1
    return min(region[::2]), min(region[1::2]), max(region[::2]), max(region[1::2])


def fill_row(region: list[int], left: int, top: int, y: int, width: int) -> set[int]:
    """Columns of a row that a region has, both counted from `left` and `top`."""
    if len(region) == 4:
        x, first, w, h = region
        return {column for column in range(width) if x <= column + left < x + w and first <= y + top < first + h}
    points = [(x - left, v - top) for x, v in zip(region[::2], region[1::2], strict=True)]
    nodes = []
    for (xj, yj), (xi, yi) in zip([points[-1], *points], points, strict=False):
        if yi == yj == y:
            nodes.append(xi)
        elif yi != yj and min(yi, yj) <= y <= max(yi, yj):
            nodes.append(math.trunc(xi + (y - yi) / (yj - yi) * (xj - xi)))
    nodes.sort()
    filled = set()
    while len(nodes) > 1:
        first = nodes.pop(0)
        if first == nodes[0] and len(nodes) > 1:
            continue
        filled |= {column for column in range(width) if first <= column <= nodes[0]}
        nodes.pop(0)
    return filled


def polygon_overlap(a: Sequence[float], b: Sequence[float], size: tuple[int, int]) -> float:
    """Intersection over union of convex areas in the picture."""
    picture = corners([0, 0, *size])
    a, b = (clip(corners(region), picture) for region in (a, b))
    shared = area(clip(a, b))
    union = area(a) + area(b) - shared
    return float(shared / union) if union > 1e-6 else 0.0


def corners(region: Sequence[float]) -> list[Point]:
    """Corners of a region, those of a rectangle from its four numbers."""
    region = [Fraction(float(value)) for value in region]
    if len(region) == 4:
        x, y, w, h = region
        return [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
    return list(zip(region[::2], region[1::2], strict=True))


def area(polygon: list[Point]) -> float:
    """By the shoelace formula, of either direction."""
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip([*polygon[-1:], *polygon], polygon, strict=False))) / 2


def clip(polygon: list[Point], window: list[Point]) -> list[Point]:
    """Common part of two convex polygons: corners of one in the other, and crossings of sides."""
    points = [point for point in polygon if inside(point, window)] + [point for point in window if inside(point, polygon)]
    for a, b in zip([*polygon[-1:], *polygon], polygon, strict=False):
        for c, d in zip([*window[-1:], *window], window, strict=False):
            of_a, of_b = cross(c, d, a), cross(c, d, b)  # on which side of c d they lie, and how far
            if of_a * of_b < 0 and cross(a, b, c) * cross(a, b, d) < 0:
                share = of_a / (of_a - of_b)
                points.append((a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])))
    return hull(points)


def hull(points: list[Point]) -> list[Point]:
    """Corners of the convex hull, by Andrew's monotone chain."""
    chains = []
    for ordered in (sorted(set(points)), sorted(set(points), reverse=True)):
        chain = []
        for point in ordered:
            while len(chain) > 1 and cross(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        chains += chain[:-1]
    return chains


def inside(point: Point, polygon: list[Point]) -> bool:
    """Whether a point lies in a convex polygon of either direction, its border included."""
    turns = [cross(a, b, point) for a, b in zip([*polygon[-1:], *polygon], polygon, strict=False)]
    return all(turn >= 0 for turn in turns) or all(turn <= 0 for turn in turns)


def cross(origin: Point, a: Point, b: Point) -> float:
    """Twice the area of a triangle, with the sign of its direction."""
    return (a[0] - origin[0]) * (b[1] - origin[1]) - (a[1] - origin[1]) * (b[0] - origin[0])
