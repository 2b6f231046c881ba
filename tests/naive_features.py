"""Twins of the network, the patches and the features: plain loops in double precision, written from PORTING.md.

Where the published program's arithmetic decides a byte or a bin, the twin takes that one step in single precision and says so.
"""

import math
from collections.abc import Sequence

import numpy as np

from trackers.opencv import cv2

# Products.


def combine(matrix: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """matrix (M, K) times rows (K, N)."""
    out = np.zeros((len(matrix), rows.shape[1]))
    for m, k in np.ndindex(*matrix.shape):
        out[m] += float(matrix[m, k]) * rows[k].astype(float)
    return out


def inner_products(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Inner product of every row of `left` with every row of `right`."""
    return np.array([[sum(float(x) * float(y) for x, y in zip(a, b, strict=True)) for b in right] for a in left])


def weighted_dot(left: np.ndarray, right: np.ndarray, weights: np.ndarray) -> float:
    """Sum of left right weights."""
    return sum(float(x) * float(y) * float(w) for x, y, w in zip(left, right, weights, strict=True))


# The network (PORTING 1).


def subtract_mean(picture: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Picture (H, W, 3) minus mean (3, H, W), as planes (3, H, W)."""
    out = np.zeros(mean.shape)
    for c, y, x in np.ndindex(*mean.shape):
        out[c, y, x] = float(picture[y, x, c]) - float(mean[c, y, x])
    return out


def split_phases(planes: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """Pixel (y, x) of the zero-padded planes goes to phase (y % stride, x % stride), place (y // stride, x // stride)."""
    padded = np.pad(planes, [(0, 0), (padding, padding), (padding, padding)])
    count, height, width = padded.shape
    out = np.zeros((count, stride, stride, math.ceil(height / stride), math.ceil(width / stride)))
    for c, y, x in np.ndindex(*padded.shape):
        out[c, y % stride, x % stride, y // stride, x // stride] = padded[c, y, x]
    return out


def picture_phases(picture: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Phases by two of a picture (H, W, 3 or 1) less a mean picture (3, H, W)."""
    return split_phases(subtract_mean(np.broadcast_to(picture, (*picture.shape[:2], 3)), mean), 2, 0)


def accumulate(flat: np.ndarray, starts: np.ndarray, taps: np.ndarray, bias: np.ndarray, count: int) -> np.ndarray:
    """out[m, j] = bias[m] + sum over k of taps[m, k] flat[starts[k] + j], j < count."""
    out = np.zeros((len(taps), count))
    for m in range(len(taps)):
        out[m] = bias[m]
        for k, start in enumerate(starts):
            out[m] += float(taps[m, k]) * flat[start : start + count].astype(float)
    return out


def convolve(planes: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """Cross-correlation of planes (C, H, W) with filters (out, C, k, k): no kernel flip, floor((n + pads - k) / s) + 1 outputs a side."""
    padded = np.pad(planes.astype(float), [(0, 0), (padding, padding), (padding, padding)])
    kernel = weight.shape[2]
    rows, columns = ((side - kernel) // stride + 1 for side in padded.shape[1:])
    out = np.zeros((len(weight), rows, columns))
    for m, y, x in np.ndindex(*out.shape):
        window = padded[:, y * stride : y * stride + kernel, x * stride : x * stride + kernel]
        out[m, y, x] = (weight[m] * window).sum() + bias[m]
    return out


def rectify(planes: np.ndarray) -> np.ndarray:
    """max(x, 0)."""
    out = np.zeros(planes.shape)
    for place in np.ndindex(*planes.shape):
        out[place] = max(float(planes[place]), 0.0)
    return out


def rectify_normalise(planes: np.ndarray) -> np.ndarray:
    """y = x (2 + 1e-4 sum of x^2 over channels c-2 .. c+2 that exist)^-0.75 of the rectified x; alpha is not divided by 5."""
    positive = rectify(planes)
    out = np.zeros(planes.shape)
    for c, y, x in np.ndindex(*planes.shape):
        total = sum(positive[other, y, x] ** 2 for other in range(c - 2, c + 3) if 0 <= other < len(planes))
        out[c, y, x] = positive[c, y, x] * (2 + 1e-4 * total) ** -0.75
    return out


def pool(planes: np.ndarray) -> np.ndarray:
    """Maximum over 3 x 3 windows, stride 2, pad 1 below and right; padding is never the maximum."""
    count, height, width = planes.shape
    out = np.zeros((count, (height + 1 - 3) // 2 + 1, (width + 1 - 3) // 2 + 1))
    for c, y, x in np.ndindex(*out.shape):
        out[c, y, x] = planes[c, 2 * y : 2 * y + 3, 2 * x : 2 * x + 3].max()
    return out


def network(picture: np.ndarray, filters: list[np.ndarray], biases: list[np.ndarray], mean: np.ndarray) -> list[np.ndarray]:
    """The five levels of a picture (H, W, 3), layer by layer after the table of PORTING 1."""
    planes, levels = subtract_mean(picture, mean), []
    for number, (stride, padding) in enumerate([(2, 0), (2, 1), (1, 1), (1, 1), (1, 1)]):
        planes = convolve(planes, filters[number], biases[number], stride, padding)
        planes = rectify_normalise(planes) if number < 2 else rectify(planes)
        levels.append(planes)
        planes = pool(planes) if number < 2 else planes
    return levels


def resize_mean(mean: np.ndarray, height: int, width: int) -> np.ndarray:
    """MATLAB's imresize of (3, h, w): bicubic a = -0.5, widened when shrinking, border 1 2 .. n n .. 2 1, pixel i at i/s + (1 - 1/s)/2."""

    def cubic(x: float) -> float:
        x = abs(x)
        return 1.5 * x**3 - 2.5 * x**2 + 1 if x <= 1 else -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x <= 2 else 0.0

    def along_rows(picture: np.ndarray, target: int) -> np.ndarray:
        source = picture.shape[1]
        scale = target / source
        narrow = min(scale, 1.0)
        mirror = [*range(1, source + 1), *range(source, 0, -1)]
        out = np.zeros((picture.shape[0], target, picture.shape[2]))
        for i in range(1, target + 1):
            place, weights = i / scale + (1 - 1 / scale) / 2, 0.0
            for pixel in range(math.floor(place - 2 / narrow) - 1, math.ceil(place + 2 / narrow) + 2):
                weight = cubic(narrow * (place - pixel))
                weights += weight
                out[:, i - 1] += weight * picture[:, mirror[(pixel - 1) % (2 * source)] - 1]
            out[:, i - 1] /= weights
        return out

    rows = along_rows(np.asarray(mean, float), height)
    return along_rows(rows.transpose(0, 2, 1), width).transpose(0, 2, 1)


# Patches (PORTING 2).


def gather(image: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """image[rows][:, columns]."""
    out = np.zeros((len(rows), len(columns), image.shape[2]), np.uint8)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            out[i, j] = image[row, column]
    return out


def square(image: np.ndarray, place: tuple[int, int], shape: tuple[int, int], before: tuple[int, int]) -> np.ndarray:
    """Rows place + (1 .. n) - before, columns likewise, indices clamped to the picture (0-based)."""
    rows, columns = (
        [min(max(p + k - b, 0), side - 1) for k in range(1, n + 1)]
        for p, n, b, side in zip(place, shape, before, image.shape[:2], strict=True)
    )
    return gather(image, rows, columns)


def sample_patch(image: np.ndarray, centre: tuple[float, float], side: float, output: int) -> np.ndarray:
    """PORTING 2.1, 0-based: decimate the whole picture, crop, INTER_LINEAR."""
    place = [math.floor(c) for c in centre]
    step = max(math.floor(side / output - 0.1), 1)
    offset = [p % step for p in place]
    image = image[offset[0] :: step, offset[1] :: step]
    place = [(p - o) // step for p, o in zip(place, offset, strict=True)]
    count = max(math.floor(side / step + 0.5), 2)
    patch = square(image, place, (count, count), ((count + 1) // 2,) * 2)
    return patch if count == output else cv2.resize(patch, (output, output), interpolation=cv2.INTER_LINEAR).reshape(output, output, -1)


def scale_patches(image: np.ndarray, centre: tuple[float, float], base: tuple[float, float], factors: np.ndarray, model: tuple[int, int]):
    """PORTING 5, "Sample", 0-based: a list of patches of the model's size, the target at every factor."""
    step = max(math.floor(min(factors)), 1)
    image, place = image[::step, ::step], [math.floor(c / step) for c in centre]
    patches = []
    for factor in factors / step:
        shape = [math.floor(side * factor) for side in base]
        patch = square(image, place, shape, [n // 2 for n in shape])
        linear = model[1] > shape[0]  # PORTING 2.3: target width against source height
        patches.append(cv2.resize(patch, (model[1], model[0]), interpolation=cv2.INTER_LINEAR if linear else cv2.INTER_AREA))
    return [patch.reshape(*model, image.shape[2]) for patch in patches]


def bilinear(region: np.ndarray, middle: np.ndarray, sides: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """`trackers.patch.bilinear` before it rounds, as a sum over all pixels, each with a tent of its own."""

    def tents(count: int, output: int, centre: float, side: float) -> np.ndarray:
        """Share of each pixel in each place of the output, (output, count)."""
        places = centre + side * ((np.arange(output) + 0.5) / output - 0.5)
        return np.maximum(1 - np.abs(places[:, None] - (np.arange(count) + 0.5)), 0)

    out = []
    for height, width in sides:
        down, right = tents(len(region), rows, middle[0], height), tents(region.shape[1], columns, middle[1], width)
        out.append(np.einsum("yi,xj,ijc->yxc", down, right, region.astype(float)))
    return np.stack(out)


def box_means(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Means (h, w, C) over equal boxes that fill an image (H, W, C), each pixel weighted by its covered part."""

    def cover(source: int, target: int) -> np.ndarray:
        """Share of each source pixel in each box."""
        edges = np.arange(target + 1) * source / target
        pixels = np.arange(source)
        parts = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
        return np.maximum(parts, 0) * target / source

    return np.einsum("yi,xj,ijc->yxc", cover(len(image), shape[0]), cover(image.shape[1], shape[1]), image.astype(float))


def resize_nested_24(patch: np.ndarray, shapes: Sequence[tuple[int, int]], output: tuple[int, int]) -> np.ndarray:
    """`trackers.patch.resize_nested` with INTER_AREA of OpenCV 2.4: tests of the scale filter put it in there."""
    resized = []
    for height, width in shapes:
        top, left = (whole // 2 - part // 2 for whole, part in zip(patch.shape, (height, width), strict=False))
        middle = np.ascontiguousarray(patch[top : top + height, left : left + width])
        linear = output[1] > height  # PORTING 2.3
        small = cv2.resize(middle, output[::-1], interpolation=cv2.INTER_LINEAR) if linear else area_resize_24(middle, output)
        resized.append(small.reshape(*output, -1))
    return np.stack(resized)


def area_resize_24(patch: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """INTER_AREA of OpenCV 2.4 (PORTING 2.3), (H, W, C) uint8 to (h, w, C), in its single precision; where a side grows, today's cv2."""
    (height, width), (h, w) = patch.shape[:2], shape
    if h > height or w > width or (h, w) == (height, width):
        return cv2.resize(patch, (w, h), interpolation=cv2.INTER_AREA).reshape(h, w, -1)
    return _area_columns(_area_rows(patch, w), h)


def _area_rows(patch: np.ndarray, w: int) -> np.ndarray:
    """Row pass: each target column is the mean of the source pixels under it, weighted by their covered part."""
    single, (height, width, channels) = np.float32, patch.shape
    step = width / w
    out = np.zeros((height, w, channels), single)
    for d in range(w):
        first, last = d * step, (d + 1) * step
        cell = min(step, width - first)
        stop = min(math.floor(last), width - 1)
        start = min(math.ceil(first), stop)
        if start - first > 1e-3:
            out[:, d] += patch[:, start - 1].astype(single) * single((start - first) / cell)
        for x in range(start, stop):
            out[:, d] += patch[:, x].astype(single) * single(1 / cell)
        if last - stop > 1e-3:
            out[:, d] += patch[:, stop].astype(single) * single(min(last - stop, 1.0, cell) / cell)
    return out


def _area_columns(rows: np.ndarray, h: int) -> np.ndarray:
    """Column pass: rows are summed up; a row across the border of two target rows is shared."""
    single, height = np.float32, len(rows)
    step = single(height / h)
    out = np.zeros((h, *rows.shape[1:]), np.uint8)
    total, d = np.zeros(rows.shape[1:], single), 0
    for y, row in enumerate(rows):
        if single(d + 1) * step > single(y + 1) and y < height - 1:
            total = total + row
            continue
        share = max(single(y + 1) - single(d + 1) * step, single(0))
        size = min(step, single(height) - single(d) * step)
        whole = share < 1e-3
        out[d] = np.clip(np.rint((total + (row if whole else (1 - share) * row)) / size), 0, 255)
        total, d = (np.zeros_like(total) if whole else share * row), d + 1
        if d == h:
            break
    return out


# FHOG (PORTING 3.1).


def steepest_gradient(patch: np.ndarray, y: int, x: int) -> tuple[float, float, float]:
    """Squared length, gx and gy at one pixel: central differences / 2, one-sided at borders; the first channel of the longest."""
    height, width, channels = patch.shape
    values = patch.astype(float)
    best = (-1.0, 0.0, 0.0)
    for c in range(channels):
        left, right, above, below = max(x - 1, 0), min(x + 1, width - 1), max(y - 1, 0), min(y + 1, height - 1)
        gx = (values[y, right, c] - values[y, left, c]) / (right - left)
        gy = (values[below, x, c] - values[above, x, c]) / (below - above)
        if gx * gx + gy * gy > best[0]:
            best = (gx * gx + gy * gy, gx, gy)
    return best


def orientation(gx: float, gy: float) -> int:
    """Nearest of 18 orientations, through the truncated cosine.

    The angle is rounded to single precision, for gx = 0 lies on the border of two bins. The cosine is not: that changes no bin of any
    gradient of bytes (all were tried).
    """
    length = math.hypot(gx, gy)
    cosine = math.trunc(gx / length * 10000) if length else 0
    cosine = -cosine if gy < 0 else cosine
    angle = np.float32(min(math.acos(cosine / 10000), math.pi - 1e-6)) + np.float32(math.pi if gy < 0 else 0)
    return int(angle * (np.float32(18) / np.float32(2 * math.pi)) + np.float32(0.5)) % 18


def split_channels(patch: np.ndarray) -> np.ndarray:
    """Planes (channels, H, W) of a patch (H, W, channels)."""
    return np.moveaxis(patch, 2, 0).astype(np.float64)


def cell_histograms(patch: np.ndarray, cell: int) -> np.ndarray:
    """Histograms (h, w, 18): weight |g| / cell^2, bilinear between cells, outer cells times 8/7 on each side."""
    rows, columns = patch.shape[0] // cell, patch.shape[1] // cell
    out = np.zeros((rows, columns, 18))
    for y, x in np.ndindex(rows * cell, columns * cell):
        squared, gx, gy = steepest_gradient(patch, y, x)
        bin_ = orientation(gx, gy)
        at_y, at_x = (y + 0.5) / cell - 0.5, (x + 0.5) / cell - 0.5
        for i in (math.floor(at_y), math.floor(at_y) + 1):
            for j in (math.floor(at_x), math.floor(at_x) + 1):
                if 0 <= i < rows and 0 <= j < columns:
                    out[i, j, bin_] += math.sqrt(squared) / cell**2 * (1 - abs(at_y - i)) * (1 - abs(at_x - j))
    for side in (out[0], out[-1], out[:, 0], out[:, -1]):
        side *= 8 / 7
    return out


def normalise_blocks(histogram: np.ndarray, epsilon: float) -> np.ndarray:
    """Channels (31, h, w) of cell histograms (h, w, 18), h, w >= 2: steps 4 to 6."""
    rows, columns, _ = histogram.shape
    unsigned = histogram[:, :, :9] + histogram[:, :, 9:]
    norms = np.zeros((rows - 1, columns - 1))
    for y, x in np.ndindex(*norms.shape):
        norms[y, x] = 1 / math.sqrt((unsigned[y : y + 2, x : x + 2] ** 2).sum() + epsilon)
    norms = np.pad(norms, 1, mode="edge")  # norms[y + 1, x + 1]: the group whose top left cell is (y, x)
    out = np.zeros((31, rows, columns))
    for y, x in np.ndindex(rows, columns):
        for i, norm in enumerate((norms[y + 1, x + 1], norms[y, x + 1], norms[y + 1, x], norms[y, x])):
            signed = np.minimum(histogram[y, x] * norm, 0.2)
            out[:18, y, x] += 0.5 * signed
            out[18:27, y, x] += 0.5 * np.minimum(unsigned[y, x] * norm, 0.2)
            out[27 + i, y, x] = 0.2357 * signed.sum()
    return out


def fhog_stack(patches: np.ndarray, cell: int) -> np.ndarray:
    """FHOG (N, 31, h, w) of patches (N, H, W, channels)."""
    return np.stack([normalise_blocks(cell_histograms(patch, cell), 1e-4 / 4 / cell**4) for patch in patches])


# Colours (PORTING 3.2 to 3.4).


def grey_means(patch: np.ndarray, cell: int) -> np.ndarray:
    """Cell means (1, h, w) of 0.299 R + 0.587 G + 0.114 B (to ten digits), or of the grey value, over 255, minus 0.5."""
    height, width = patch.shape[0] // cell, patch.shape[1] // cell
    out = np.zeros((1, height, width))
    for y in range(height * cell):
        for x in range(width * cell):
            if patch.ndim == 3:
                red, green, blue = (int(value) for value in patch[y, x])
                value = 0.2989360213 * red + 0.5870430745 * green + 0.1140209043 * blue
            else:
                value = int(patch[y, x])
            out[0, y // cell, x // cell] += value / 255 / cell**2
    return out - 0.5


def table_means(patch: np.ndarray, table: np.ndarray, cell: int) -> np.ndarray:
    """Cell means (C, h, w) of the table's rows at R // 8 + 32 (G // 8) + 1024 (B // 8), or at the grey value."""
    height, width = patch.shape[0] // cell, patch.shape[1] // cell
    out = np.zeros((table.shape[1], height, width))
    for y in range(height * cell):
        for x in range(width * cell):
            if patch.ndim == 3:
                red, green, blue = (int(value) for value in patch[y, x])
                row = red // 8 + 32 * (green // 8) + 1024 * (blue // 8)
            else:
                row = int(patch[y, x])
            out[:, y // cell, x // cell] += np.float64(table[row]) / cell**2
    return out


def name_probabilities(colours: np.ndarray, survey: list[np.ndarray], bandwidth: float) -> np.ndarray:
    """Posterior (N, terms) of equally likely terms, each a mean of Gaussians around its colours `survey[term]` in CIELAB."""
    from skimage.color import rgb2lab

    out = np.zeros((len(colours), len(survey)))
    for n, colour in enumerate(colours):
        for term, samples in enumerate(survey):
            distances = np.linalg.norm(rgb2lab(colour / 255) - rgb2lab(samples / 255), axis=1)
            out[n, term] = np.mean(np.exp(-((distances / bandwidth) ** 2) / 2))
        out[n] /= out[n].sum()
    return out
