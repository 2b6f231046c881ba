"""Any tracker in the got10k toolkit: ``ExperimentOTB(root).run(Adapter("fECO", origin=1))``. Needs ``pip install got10k six``."""

from collections.abc import Sequence

import numpy as np
from got10k.trackers import Tracker
from PIL import Image

from benchmarks.peers import Spec, make, parse


class Adapter(Tracker):
    """A tracker as got10k takes it.

    Parameters
    ----------
    spec : Spec or str
        See `benchmarks.peers.parse`.
    origin : int
        What the data set's annotation calls the first pixel, as the toolkit hands boxes on as they are: 1 for OTB, TC-128, UAV123 and
        LaSOT, 0 for VOT and GOT-10k.
    """

    def __init__(self, spec: Spec | str, origin: int = 0):
        self._spec = parse(spec)[0] if isinstance(spec, str) else spec
        self._shift = np.array([origin, origin, 0, 0])
        super().__init__(self._spec.label, is_deterministic=True)

    def init(self, image: Image.Image, box: Sequence[float]) -> None:
        """Begin with the target in `box`, x, y, w, h."""
        self._tracker = make(self._spec)
        self._tracker.init(_bgr(image), np.subtract(box, self._shift))

    def update(self, image: Image.Image) -> np.ndarray:
        """Box (4,) in the next picture."""
        return np.add(self._tracker.update(_bgr(image))[1], self._shift)


def _bgr(image: Image.Image) -> np.ndarray:
    return np.ascontiguousarray(np.asarray(image)[:, :, ::-1])
