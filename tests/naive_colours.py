"""Twins of the colour model, in double precision, from the definitions in Staple (Bertinetto et al. 2016, section 4.3)."""

import numpy as np


def colour_bin(pixel: np.ndarray, bins: int) -> int:
    """R, G and B in `bins` equal parts each, R the slowest."""
    red, green, blue = (int(value) // (256 // bins) for value in pixel)
    return red * bins**2 + green * bins + blue


def colour_shares(
    patch: np.ndarray, row: float, column: float, height: float, width: float, bins: int, inner: float = 0.8, outer: float = 1.2
) -> tuple[np.ndarray, np.ndarray]:
    """Relative histograms of the pixels within `inner` times a box around (row, column), and of those beyond `outer` times it."""
    counts = np.zeros((2, bins**3))
    for y, x in np.ndindex(*patch.shape[:2]):
        down, right = abs(y - row), abs(x - column)
        if down < inner * height / 2 and right < inner * width / 2:
            counts[0, colour_bin(patch[y, x], bins)] += 1
        elif down > outer * height / 2 or right > outer * width / 2:
            counts[1, colour_bin(patch[y, x], bins)] += 1
    inside, outside = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return inside, outside


def box_means_around(patch: np.ndarray, values: np.ndarray, half_height: int, half_width: int, step: int) -> np.ndarray:
    """Means of the pixels' values in boxes whose middles are off that of the patch by `step` times a shift; zeros around the patch."""
    bins, n = round(len(values) ** (1 / 3)), len(patch) // step
    seen = np.array([[float(values[colour_bin(pixel, bins)]) for pixel in line] for line in patch])
    margin = len(patch) + max(half_height, half_width)
    padded, middle = np.pad(seen, margin), margin + len(patch) // 2
    out = np.zeros((n, n))
    for down, right in np.ndindex(n, n):
        row, column = (middle + step * (shift - n // 2) for shift in (down, right))
        box = padded[row - half_height : row + half_height, column - half_width : column + half_width]
        out[(down - n // 2) % n, (right - n // 2) % n] = box.mean()
    return out
