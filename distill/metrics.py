"""A file of metrics, one JSON object a line."""

import json
import os
from pathlib import Path


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
