"""What a training leaves on disk: weights, checkpoint, metrics and their plot, side by side."""

import json
import sys
from abc import abstractmethod
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from cfvgg import files, weights
from distill import checkpoints
from distill.errors import DistillationError
from distill.metrics import Metrics, plot

Values = dict[str, dict[str, float]]  # by kind and name


class Recorded(Protocol):
    """A training, as far as its record goes; `distill.train.Training` is one."""

    step: int  # steps done
    steps: int  # of the whole training
    seconds: float  # that they took
    unreadable: int  # files

    @abstractmethod
    def validate(self) -> Values:
        """Measures of the student on held-out data."""

    @abstractmethod
    def exports(self) -> dict[str, weights.Weights]:
        """The students, by what is added to the name of the file and to those of their measures."""

    @abstractmethod
    def state(self) -> checkpoints.State:
        """What changes from step to step."""


class Record:
    """The files of a training: weights, as of its last whole epoch, and beside them ``.checkpoint``, ``.jsonl`` and ``.png``.

    Parameters
    ----------
    out : Path
        Of the weights.

    Raises
    ------
    DistillationError
        If `out` does not end in ``.safetensors``, or is a folder.
    """

    def __init__(self, out: Path):
        if out.suffix != ".safetensors" or out.is_dir():
            raise DistillationError(f"{out}: weights are written as .safetensors, into a file")
        self.out, self.checkpoint, self.metrics = out, out.with_suffix(".checkpoint"), Metrics(out.with_suffix(".jsonl"))
        self._settings: dict[str, str | float] = {}

    def check(self, resume: bool) -> None:
        """See to it that the files can be written, and that no unfinished training is lost.

        Raises
        ------
        DistillationError
        """
        try:
            self.out.parent.mkdir(parents=True, exist_ok=True)
            files.check_writable(self.out)
        except OSError as error:
            raise DistillationError(f"cannot write beside {self.out}: {error}") from error
        if self.checkpoint.exists() and not resume:
            stored = checkpoints.load(self.checkpoint)
            if stored.get("step", 0) < stored.get("steps", 0):
                raise DistillationError(
                    f"{self.checkpoint} is of a training that has done {stored['step']} of {stored['steps']} steps: "
                    "go on with it (--resume), remove it, or write elsewhere"
                )

    def begin(self, training: Recorded, settings: dict[str, str | float]) -> None:
        """Keep the metrics up to the present step; without one, validate the student as it starts, and write the first checkpoint.

        Parameters
        ----------
        training : Recorded
        settings : dict of str to str or number
            For the checkpoints, and the metadata of the weights.
        """
        self._settings = settings
        if training.step:
            self.metrics.rewind(training.step)
        else:
            self.metrics.rewind(-1)
            self.metrics.add(0, **training.validate(), unreadable=training.unreadable)
            self.save(training)

    def add(self, training: Recorded, loss: dict[str, float], ended: bool) -> None:
        """Write the metrics of a step, and where it has ended an epoch, validation and weights."""
        if not ended:
            self.metrics.add(training.step, loss=loss)
            return
        found = training.validate()
        self.metrics.add(training.step, loss=loss, **found, unreadable=training.unreadable, seconds=round(training.seconds, 1))
        self.write(training, found)

    def save(self, training: Recorded) -> None:
        """Write a checkpoint."""
        checkpoints.save(self.checkpoint, {**training.state(), "steps": training.steps, "settings": self._settings})

    def write(self, training: Recorded, found: Values) -> None:
        """Write the weights, with what validation has `found` in their metadata."""
        for suffix, export in training.exports().items():
            pruned = {name: text for name, text in export.metadata.items() if name == "pruned"}  # the rest is about the teacher
            own = {kind: values for kind, values in found.items() if kind.endswith(suffix)}
            about = {
                "source": "trained by cfvgg distill", "steps": f"{training.step} of {training.steps}",
                "settings": json.dumps(self._settings), "validation": json.dumps(own),
            }  # fmt: skip
            weights.save(replace(export, metadata=pruned | about), self.out.with_stem(self.out.stem + suffix))

    def plot(self) -> None:
        """Plot the metrics, if that is possible."""
        if find_spec("matplotlib"):
            plot(self.metrics, self.out.with_suffix(".png"))
        else:
            print("no plot of the metrics: pip install cfvgg[report]", file=sys.stderr)
