"""Twins of `trackers.confidence`."""

import numpy as np


def unit_cells(block, top, left, rows, columns):
    """Between the four cells around each place, less each channel's mean, over the length."""
    out = np.zeros((len(block), rows, columns))
    for channel, y, x in np.ndindex(*out.shape):
        row, column = top + y, left + x
        for i in range(block.shape[1]):
            for j in range(block.shape[2]):
                out[channel, y, x] += max(1 - abs(row - i), 0) * max(1 - abs(column - j), 0) * float(block[channel, i, j])
    for channel in out:
        channel -= channel.mean()
    length = np.sqrt((out**2).sum())
    return out / length if length > 0 else out


def cosine(a, b):
    """Of the angle between two arrays."""
    a, b = np.ravel(a).astype(float), np.ravel(b).astype(float)
    return sum(a * b) / np.sqrt(sum(a * a) * sum(b * b)) if a.any() and b.any() else 0.0


def sidelobe(response, row, column, rows, columns):
    """Mean and standard deviation of the cells that are farther away than that, the short way round."""
    far, (height, width) = [], response.shape
    for i, j in np.ndindex(height, width):
        down, across = abs(i - row), abs(j - column)
        if min(down, height - down) > rows or min(across, width - across) > columns:
            far.append(float(response[i, j]))
    return np.mean(far), np.std(far)
