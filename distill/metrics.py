"""A file of metrics, one JSON object a line, and its plot."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from cfvgg.files import whole

LOSS = "loss"
POINTS = 100  # of a plotted loss, each the mean of its neighbours: single steps scatter


class Metrics:
    """Metrics of a training by step.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path):
        self.path = path

    def rewind(self, step: int) -> None:
        """Drop the lines after `step`: a training that is resumed there writes them again. OSError if the file cannot be written."""
        kept = (line for line in self.lines() if line["step"] <= step)
        with whole(self.path) as file:
            file.writelines(f"{json.dumps(line)}\n".encode() for line in kept)

    def add(self, step: int, **values) -> None:
        """Append a line."""
        with self.path.open("a") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")

    def lines(self) -> list[dict[str, Any]]:
        """All lines, as far as they are whole: the last one may have been cut off with the power."""
        found = []
        for line in self.path.read_text().splitlines() if self.path.is_file() else ():
            try:
                found.append(json.loads(line))
            except ValueError:
                break
        return found


def plot(metrics: Metrics, out: Path) -> None:
    """Draw metrics over the steps: a panel for everything that has a value by name, such as the parts of the loss or levels.

    Needs matplotlib.
    """
    from matplotlib.figure import Figure

    lines = metrics.lines()
    kinds = list(dict.fromkeys(kind for line in lines[::-1] for kind, value in line.items() if isinstance(value, dict)))  # the loss first
    figure = Figure((5 * max(len(kinds), 1), 3.5), layout="constrained")
    for axes, kind in zip(np.atleast_1d(figure.subplots(1, max(len(kinds), 1))), kinds, strict=False):
        having = [line for line in lines if kind in line]
        steps = np.array([line["step"] for line in having])
        near = max(len(steps) // POINTS, 1)
        blocks = np.split(np.arange(len(steps)), range(near, len(steps), near))
        style = "-" if len(blocks) > POINTS / 2 else ".-"
        for name in having[0][kind]:
            values = np.array([line[kind].get(name, np.nan) for line in having])
            axes.plot(*([numbers[block].mean() for block in blocks] for numbers in (steps, values)), style, label=name)
        if kind == LOSS:
            axes.set_yscale("log")
        axes.set(title=kind.replace("_", " "), xlabel="step")
        axes.legend()
    figure.savefig(out)
