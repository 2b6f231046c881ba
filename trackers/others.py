"""What a picture shows beside the target: what stood there already when the target was surely elsewhere is something else."""

import math

import numpy as np

from trackers.past import REACH, SIDE, Past, cut, holds, thinned, wide

AGAIN = 0.8  # correlation with what has been taken for something else before
FLAT = 1.0  # standard deviation, in grey values, of a patch that shows nothing
MOST = 5  # things of which it is known where they are
EVERY, KEPT = 10, 3  # pictures with a sure target, of which one is kept; how many of these, beside the last


class Others:
    """Other things than the target, by what the picture showed where they are now when the target was elsewhere.

    Look-alikes are told apart by where they are, not by what they look like: patches of grey pixels are compared, not features. One that is
    looked at again and again is known by where it was then, so it may move. Ground that the target hid in the last picture is told by
    older ones.

    Attributes
    ----------
    frames : int
        That have passed since the target was surely seen.
    """

    def __init__(self):
        self._pasts: list[Past] = []  # the last first
        self.frames = 0
        self._count = 0  # of sure pictures
        # What has been looked at since: a picture by `thinned`, where in it, and where that is in the last of the pasts.
        self._met: list[tuple[np.ndarray, tuple[float, float], tuple[float, float]]] = []

    def remember(self, image: np.ndarray, target: tuple[float, float], sides: tuple[float, float]) -> None:
        """Take in a picture (H, W, C) in which the target, of a height and a width, surely is at a row and column.

        One that shows the same as the last, to the last pixel, is frozen: it says nothing of where things are now.
        """
        now = Past(image, target, sides)
        if self._pasts and now.same(self._pasts[0]):
            return
        older = self._pasts if self._count % EVERY == 0 else self._pasts[1:]
        for past in older:
            past.forget_camera()
        self._pasts = [now, *older[:KEPT]]
        self._count += 1
        self._met, self.frames = [], 0

    def pass_frame(self) -> None:
        """Another picture has come."""
        self.frames += 1

    def moved(self, position: tuple[float, float]) -> float:
        """Pixels that the target has moved, beside the camera, since it was surely seen, if it now is at a row and column; 0 if unknown."""
        return self._pasts[0].distance(position) if self._pasts else 0.0

    def watch(self, image: np.ndarray) -> None:
        """Follow the camera, in a picture (H, W, C) in which the target is not surely seen."""
        views = {step: wide(thinned(image, step)) for step in {past.step for past in self._pasts}}
        for past in self._pasts:
            past.follow_camera(views[past.step])

    def include(self, image: np.ndarray, position: tuple[float, float], sides: tuple[float, float], angle: float) -> bool:
        """Whether what is seen now was there before, and so is something else.

        Parameters
        ----------
        image : ndarray, uint8, (H, W, C)
        position : (float, float)
            Row and column of the centre of what is seen.
        sides : (float, float)
            Its height and width in pixels.
        angle : float
            By which it is turned, in radians.
        """
        pasts = [past for past in self._pasts if past.apart(position, sides)]
        if not pasts or math.sqrt(math.prod(sides)) < SIDE:
            return False
        last = self._pasts[0]
        place, picture = last.place(position), thinned(image, last.step)
        around = cut(picture, last.step, position, sides, angle)
        room = (len(around) - SIDE) // 2
        patch = around[room:-room, room:-room]
        if patch.std() < FLAT:
            return False
        others = []
        for then, there, its_place in self._met:
            near = math.dist(place, its_place) < REACH * last.size
            if not (near and holds(cut(then, last.step, there, sides, angle), patch, AGAIN)):
                others.append((then, there, its_place))
        if len(others) == len(self._met) and not any(past.shows(patch, position, sides, angle) for past in pasts):
            return False
        self._met = [(picture, position, place), *others][:MOST]
        return True
