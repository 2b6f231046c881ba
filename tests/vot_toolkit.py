"""The VOT toolkit's numbers of the cases in ``tests/vot_cases.py``, which are in ``tests/vot_toolkit.json``.

Run in an environment of its own (``pip install vot-toolkit==0.7.4 attributee==0.1.9 vot-trax==4.0.2``), with the folder that
`tests.vot_cases.write` wrote; prints JSON. The toolkit is under the GPL: nothing of this project imports it, or this file.
"""

import json
import sys
import textwrap
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from vot.analysis.supervised import AverageAccuracyRobustness, EAOCurve
from vot.region.io import parse_region, read_trajectory
from vot.region.raster import calculate_overlap

SIZE, LOW, HIGH = (160, 120), 100, 356


class Sequence:
    """As much of a sequence as the toolkit's analyses ask for."""

    def __init__(self, truth: Path):
        self.name, self.size, self.truth = truth.stem, SIZE, read_trajectory(str(truth))

    def groundtruth(self) -> list:
        return self.truth

    def __len__(self) -> int:
        return len(self.truth)


class Experiment:
    """As much of an experiment as the toolkit's analyses ask for."""

    def gather(self, tracker: Path, sequence: Sequence) -> list:
        files = sorted((tracker / "baseline" / sequence.name).glob(f"{sequence.name}_0*.txt"))
        return [SimpleNamespace(regions=partial(read_trajectory, str(file))) for file in files]


def main(folder: Path) -> None:
    """Print the numbers of a folder."""
    pairs = [map(parse_region, line.split(";")) for line in (folder / "pairs.txt").read_text().splitlines()]
    sequences = [Sequence(folder / f"{name}.txt") for name in ("long", "longer", "short")]
    ar, experiment = AverageAccuracyRobustness(), Experiment()
    rows = [ar.analysis.subcompute(experiment, folder / "Careless", sequence, []) for sequence in sequences]
    accuracy, robustness, _, _ = ar.aggregate(None, sequences, rows)
    (curve,) = EAOCurve().subcompute(experiment, folder / "Careless", sequences, [])
    numbers = {
        "accuracy": accuracy,
        "robustness": robustness,
        "eao": float(curve[LOW : HIGH + 1].mean()),
        "curve": [round(float(value), 8) for value in curve],
        "overlaps": [calculate_overlap(a, b, SIZE) for a, b in pairs],
    }
    print(textwrap.fill(json.dumps(numbers), 140, break_on_hyphens=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
