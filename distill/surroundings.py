"""Crops of the first frame of a video for the adaptation of a network: the target, changed views of it, and its surroundings."""

import math

import numpy as np
import torch

from trackers.opencv import cv2
from trackers.patch import crop, resize, round_half_away

REACH = 5.0  # target sizes between the target and the centres of the negatives, at most
SHIFT = 0.4  # of a positive, in target sizes, at most
FLIPPED, BLURRED, BRIGHTENED = 0.5, 0.3, 0.7  # how often each change is made
BLUR_SIGMA = (0.5, 2.0)  # pixels of the crop
BRIGHTNESS = (0.6, 1.4)


class Surroundings:
    """The target and what is around it, resized so that crops of one size hold the target in one size.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, C)
        R, G, B or grey.
    box : (float, float, float, float)
    side : int
        Pixels of a crop.
    search_area : float
        Side of a crop over that of the target, sqrt(w h).

    Attributes
    ----------
    target : float
        Pixels of the target's side, in a crop.
    """

    def __init__(self, image: np.ndarray, box: tuple[float, float, float, float], side: int, search_area: float):
        x, y, width, height = box
        size, centre, limit = np.array([height, width]), np.array([y + (height - 1) / 2, x + (width - 1) / 2]), np.array(image.shape[:2])
        self._side, self.target = side, side / search_area
        pixels = max(math.sqrt(width * height), 1.0)  # less would be magnified without bound
        scale, reach = self.target / pixels, (REACH + search_area / 2) * pixels
        start = np.clip(np.floor(centre - reach), 0, limit - 1).astype(int)
        end = np.clip(np.ceil(centre + reach) + 1, start + 1, limit).astype(int)
        shape = np.maximum(np.rint((end - start) * scale), 1).astype(int)
        cut = image[start[0] : end[0], start[1] : end[1]]
        self._picture = resize(cut, tuple(shape.tolist()), cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        factors = shape / (end - start)
        self._centre, self._half = (centre - start + 0.5) * factors - 0.5, size * factors / 2
        self._places = self._empty_places()

    def template(self) -> tuple[np.ndarray, np.ndarray]:
        """The crop (side, side, C) around the target, and the target's place (row, column) in it."""
        first = self._first(self._centre)
        return crop(self._picture, first, (self._side, self._side)), self._centre - first

    def positive(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A changed view of the target (side, side, C), and the target's place (row, column) in it."""
        first = self._first(self._centre + rng.uniform(-SHIFT, SHIFT, 2) * self.target)
        view, place = crop(self._picture, first, (self._side, self._side)), self._centre - first
        if rng.random() < FLIPPED:
            view, place = view[:, ::-1], np.array([place[0], self._side - 1 - place[1]])
        return vary(view, rng), place

    def negative(self, rng: np.random.Generator) -> np.ndarray:
        """A changed view (side, side, C) of what is around the target."""
        centre = self._places[rng.integers(len(self._places))]
        view = crop(self._picture, self._first(centre), (self._side, self._side))
        return vary(view[:, ::-1] if rng.random() < FLIPPED else view, rng)

    @property
    def has_negatives(self) -> bool:
        """Whether there is anything but the target in the picture."""
        return len(self._places) > 0

    def _empty_places(self) -> np.ndarray:
        """Centres (N, 2) of crops without the target; where the picture has no room for them, of boxes of its size without it."""
        rows, columns = (np.arange(0, n, 4) for n in self._picture.shape[:2])
        grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1).reshape(-1, 2)
        distance = np.abs(grid - self._centre)
        near = (distance <= REACH * self.target).all(1)
        for half in (np.full(2, self._side / 2), self._half):
            found = grid[near & (distance >= half + self._half).any(1)]
            if len(found):
                break
        return found

    def _first(self, centre: np.ndarray) -> tuple[int, int]:
        return tuple(round_half_away(c - (self._side - 1) / 2) for c in centre.tolist())


def vary(view: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur, and brighten or darken, a crop (side, side, C) uint8, each by chance."""
    shape = view.shape
    if rng.random() < BLURRED:
        view = cv2.GaussianBlur(view, (0, 0), rng.uniform(*BLUR_SIGMA))
    if rng.random() < BRIGHTENED:
        view = cv2.convertScaleAbs(view, alpha=rng.uniform(*BRIGHTNESS))
    return view.reshape(shape)


class Crops:
    """A template, changed views of the target, and surroundings, as one batch.

    Parameters
    ----------
    surroundings : Surroundings
    count : int
        Positives, and as many negatives where there are any.
    rng : numpy.random.Generator

    Attributes
    ----------
    pictures : tensor, float32, (1 + N, 3, side, side)
        R, G, B, 0 .. 255. The template is the first, and then the positives come.
    shifts : tensor (count, 2)
        Of the target in the positives against the template; rows and columns, in pixels.
    """

    def __init__(self, surroundings: Surroundings, count: int, rng: np.random.Generator):
        template, place = surroundings.template()
        views, places = zip(*(surroundings.positive(rng) for _ in range(count)), strict=True)
        negatives = [surroundings.negative(rng) for _ in range(count)] if surroundings.has_negatives else []
        pictures = np.stack([template, *views, *negatives])
        pictures = np.repeat(pictures, 3, axis=3) if pictures.shape[3] == 1 else pictures
        self.pictures = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
        self.shifts = torch.from_numpy((np.stack(places) - place).astype(np.float32))
