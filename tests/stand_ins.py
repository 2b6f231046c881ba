"""Trackers whose boxes are known beforehand, as ``module:factory`` of the benchmarks; processes of their own can import them."""

import os
import signal
from pathlib import Path

import cv2
import numba


class Still:
    """Stays where it was put. With a `log`, it adds the box there that it was put on, which tells runs apart."""

    def __init__(self, log=None):
        self.log = log

    def init(self, image, box):
        self.box, self.frame = tuple(box), 0
        if self.log:
            with open(self.log, "a") as file:
                file.write(f"{box[0]:.2f}\n")

    def update(self, image):
        self.frame += 1
        return True, self.box


class Counts(Still):
    """Its boxes say how often any of its kind was asked."""

    asked = 0

    def update(self, image):
        Counts.asked += 1
        return True, (float(Counts.asked), 0.0, 1.0, 1.0)


class Raises(Still):
    """Fails in the third frame."""

    def update(self, image):
        if self.frame == 1:
            raise ZeroDivisionError("no  such\nnumber")
        return super().update(image)


class Interrupted(Still):
    """Ctrl-C comes on a target that begins at `x`."""

    def __init__(self, x, log=None):
        super().__init__(log)
        self.x = x

    def update(self, image):
        if round(self.box[0]) == self.x:
            raise KeyboardInterrupt
        return super().update(image)


class Dies(Still):
    """Takes its process with it on a target that begins at `x`, if the file `once` is not there yet."""

    def __init__(self, x, once=None, log=None):
        super().__init__(log)
        self.x, self.once = x, once

    def update(self, image):
        if round(self.box[0]) == self.x and not (self.once and Path(self.once).exists()):
            if self.once:
                Path(self.once).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().update(image)


class Threads(Still):
    """Tells by its boxes how many threads the process has."""

    def update(self, image):
        return True, (numba.get_num_threads(), cv2.getNumThreads(), int(os.environ["OMP_NUM_THREADS"]), os.getpid())
