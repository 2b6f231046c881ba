"""A file of metrics, one JSON object a line."""

import json
import os
from pathlib import Path

import numpy as np


class Metrics:
    """Metrics of a training by step.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path):
        self.path = path

    def rewind(self, step: int) -> None:
        """Drop the lines after `step`: a training that is resumed there writes them again."""
        lines = self.path.read_text().splitlines(keepends=True) if self.path.is_file() else []
        partial = self.path.with_name(self.path.name + ".partial")
        partial.write_text("".join(line for line in lines if json.loads(line)["step"] <= step))
        os.replace(partial, self.path)

    def add(self, step: int, **values) -> None:
        """Append a line."""
        with self.path.open("a") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")


def plot(path: Path, out: Path) -> None:
    """Draw a file of metrics: losses, localisation and what is explained of the teachers, over the steps."""
    import matplotlib.figure

    lines = [json.loads(line) for line in path.read_text().splitlines()]
    kinds = [kind for kind in ("loss", "localisation", "r_squared") if lines and kind in lines[0]]
    figure = matplotlib.figure.Figure((5 * max(len(kinds), 1), 3.5), layout="constrained")
    for axes, kind in zip(np.atleast_1d(figure.subplots(1, max(len(kinds), 1))), kinds, strict=False):
        for name in lines[0][kind]:
            axes.plot([line["step"] for line in lines], [line[kind][name] for line in lines], label=name)
        axes.set(title=kind.replace("_", " "), xlabel="step")
        axes.legend()
    figure.savefig(out)
