"""Trackers by what a command line calls them: those of this project, of OpenCV, and of anybody."""

import importlib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

import trackers
from trackers.errors import UnknownOptionError, UnknownTrackerError, VideoError
from trackers.opencv import cv2

OPENCV = ("KCF", "CSRT", "MIL", "MOSSE", "Nano")
NANO = ("nanotrack_backbone_sim.onnx", "nanotrack_head_sim.onnx")  # as OpenCV's model zoo calls them

_NAME = re.compile(r"\s*(?:([\w.+-]+)=)?([\w.]+(?::\w+)?)\s*")
_END = re.compile(r"\s*(?:,|$)")


class Trackable(Protocol):
    """What all benchmarks run; the trackers of this project are such."""

    def init(self, image: np.ndarray, box: Sequence[float]) -> None:
        """Begin with the target in `box`, x, y, w, h, 0-based; `image` is BGR uint8 (H, W, 3)."""

    def update(self, image: np.ndarray) -> tuple[bool, Sequence[float]]:
        """Whether the target was found in the next picture, and its box."""


@dataclass(frozen=True)
class Spec:
    """A tracker as a command line names it.

    Attributes
    ----------
    label : str
        What tables and the folder of its results call it.
    name : str
        One of `trackers.names`, ``opencv:NAME`` or ``module:factory``.
    options : dict
        Keyword arguments of what makes it.
    models : Path or None
        Folder of the networks that OpenCV's trackers need.
    """

    label: str
    name: str
    options: dict[str, Any] = field(default_factory=dict)
    models: Path | None = None


def parse(text: str, models: Path | None = None) -> list[Spec]:
    """Read ``fECO,ECOHC{"published":true},opencv:CSRT,mine=module:factory``.

    An entry is a name, options as JSON in braces, and before them a label and ``=`` if the name and the options are not to be it.

    Raises
    ------
    UnknownOptionError
        If the text is not of that form, or two entries have one label.
    """
    specs, at = [], 0
    while at < len(text) or not specs:
        entry, options = _NAME.match(text, at), {}
        if not entry:
            raise UnknownOptionError(f"trackers {text!r}: a name is needed at {text[at:]!r}, such as fECO, opencv:CSRT or module:factory")
        at = entry.end()
        if text[at : at + 1] == "{":
            try:
                options, at = json.JSONDecoder().raw_decode(text, at)
            except json.JSONDecodeError as error:
                raise UnknownOptionError(f'trackers {text!r}: options are JSON, such as {{"preset": "vot"}}: {error}') from None
        end = _END.match(text, at)
        if not end:
            raise UnknownOptionError(f"trackers {text!r}: a comma is needed before {text[at:]!r}")
        at = end.end()
        specs.append(_spec(entry[1], entry[2], options, models))
    labels = [spec.label for spec in specs]
    if twice := {label for label in labels if labels.count(label) > 1}:
        raise UnknownOptionError(f"trackers {text!r}: {', '.join(sorted(twice))} stands twice; give one of them a label: label=name")
    return specs


def make(spec: Spec | str) -> Trackable:
    """A new tracker.

    Raises
    ------
    UnknownTrackerError
        If there is none of that name.
    TrackerError
        If it does not take its options.
    """
    if isinstance(spec, str):
        (spec,) = parse(spec)
    module, _, name = spec.name.partition(":")
    if not name:
        return trackers.create(spec.name, **spec.options)
    if module == "opencv":
        return OpenCV(name, spec.models, **spec.options)
    return _factory(module, name)(**spec.options)


class OpenCV:
    """One of OpenCV's trackers. When it gives up, it keeps its last box.

    Parameters
    ----------
    name : str
        One of `OPENCV`, or another that this OpenCV has and that needs no settings.
    models : Path or None
        Folder of the files `NANO`.

    Attributes
    ----------
    files : tuple of Path
        Models that it was made of.

    Raises
    ------
    UnknownTrackerError, VideoError
        If this OpenCV has no such tracker, or a model is missing.
    """

    def __init__(self, name: str, models: Path | None = None):
        owner = next((owner for owner in (cv2, getattr(cv2, "legacy", None)) if hasattr(owner, f"Tracker{name}_create")), None)
        if owner is None:
            raise UnknownTrackerError(f"OpenCV here has no Tracker{name}; {', '.join(OPENCV)} come with opencv-contrib-python")
        self.files = tuple((models or Path()) / file for file in NANO) if name == "Nano" else ()
        for file in self.files:
            if not file.is_file():
                raise VideoError(f"opencv:Nano needs {file}; --models names the folder of {' and '.join(NANO)}")
        arguments = []
        if self.files:
            arguments.append(cv2.TrackerNano_Params())
            arguments[0].backbone, arguments[0].neckhead = map(str, self.files)
        self._tracker = getattr(owner, f"Tracker{name}_create")(*arguments)
        self._number = round if owner is cv2 else float  # the older interface takes fractions

    def init(self, image: np.ndarray, box: Sequence[float]) -> None:
        """Begin with the target in `box`, which most of them round; once only."""
        self._box = tuple(self._number(float(value)) for value in box)
        self._tracker.init(_coloured(image), self._box)

    def update(self, image: np.ndarray) -> tuple[bool, tuple[float, ...]]:
        """Whether the target was found, and its box or the last one."""
        found, box = self._tracker.update(_coloured(image))
        if found and min(box[2:]) > 0:
            self._box = tuple(box)
        return found, self._box


def _coloured(image: np.ndarray) -> np.ndarray:
    grey = isinstance(image, np.ndarray) and image.ndim == 2
    return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if grey else image


def _spec(label: str | None, name: str, options: dict, models: Path | None) -> Spec:
    name = {known.lower(): known for known in trackers.names()}.get(name.lower(), name)
    written = name + (json.dumps(options) if options else "")
    return Spec(label or re.sub(r"[^\w.+]+", "-", written).strip("-"), name, options, models)


def _factory(module: str, name: str) -> Any:
    """A function or class of a module, which may lie in the present folder."""
    if "" not in sys.path:
        sys.path.append("")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        known = f"{', '.join(trackers.names())}, opencv:NAME and module:factory"
        raise UnknownTrackerError(f"no tracker {module}:{name}: {error}; there are {known}") from error
