"""The efficiency that Wang et al. 2020 report in Tables I, III and V, measured here. VGG-M and all ratios but 64 have random weights.

VGG-M's weights are not part of this project; time does not depend on them, accuracy does.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks import sequences
from benchmarks.flops import flops, parameters, vgg_m
from benchmarks.peers import Spec
from benchmarks.report.tables import Column, Table
from benchmarks.speed.alone import alone
from benchmarks.speed.tables import over_rounds, ratios
from benchmarks.speed.timing import take_turns
from benchmarks.vgg_m import PUBLISHED_MB, random_vgg_m
from cfvgg import weights
from cfvgg.architecture import RATIOS
from cfvgg.forward import Backbone
from cfvgg.pruning import prune

SHIPPED = 64  # the ratio whose weights come with the package
PUBLISHED_MS = {1: 76.0, 64: 76 / 8}  # features of a sample; 'around 76 ms ..., 8 times slower'
SIDE = 224  # pixels of a sample


@dataclass(frozen=True)
class Row:
    """A tracker of a table.

    Attributes
    ----------
    tracker : str
    options : dict
    ratio : int
        Compression of its network; 1 is VGG-M.
    fps : float
        Published, on one core of 4 GHz.
    against : int
        Place in the table of the one that it is compared with.
    """

    tracker: str
    options: dict[str, Any]
    ratio: int
    fps: float
    against: int = 0

    @property
    def label(self) -> str:
        """Tracker, its options and its network."""
        return " ".join([self.tracker, *map(str, self.options.values()), "VGG-M" if self.ratio == 1 else f"/{self.ratio}"])


_LEVELS = [{"preset": level} for level in ("conv1", "conv2", "conv5")]
TABLES = {
    "I": [Row("ECO", {}, 1, 5), Row("fECO", {}, 64, 27), Row("DeepSTRCF", {}, 1, 3, against=2), Row("fDeepSTRCF", {}, 64, 20, against=2)],
    "III": [Row("ECO", {}, 1, 5), *(Row("fECO", {}, ratio, fps) for ratio, fps in zip(RATIOS, (5, 9, 16, 27, 35), strict=True))],
    "V": [Row("fKCF", level, ratio, fps, against) for ratio, fps in ((1, 6), (64, 48)) for against, level in enumerate(_LEVELS)],
}


def trackers(table: str, targets: Sequence[sequences.Sequence], rounds: int, frames: int) -> Table:
    """The trackers of a table by turns.

    Parameters
    ----------
    table : str
        A key of `TABLES`.
    targets, rounds, frames
        See `benchmarks.speed.timing.take_turns`.
    """
    rows = TABLES[table]
    with TemporaryDirectory() as folder:
        networks = random_networks(Path(folder), {row.ratio for row in rows} - {SHIPPED})
        specs = [
            Spec(row.label, row.tracker, row.options | ({"backbone": str(networks[row.ratio])} if row.ratio in networks else {}))
            for row in rows
        ]
        runs = alone(take_turns, specs, targets, rounds, frames)
    lines = []
    for row in rows:
        base, found = rows[row.against], over_rounds(runs[row.label])
        times = np.median(ratios(runs[row.label], runs[base.label]), axis=0)
        compared = [base.label, float(np.median(times)), float(times.min()), float(times.max()), row.fps / base.fps]
        lines.append([row.label, found["median"], found["fps"], row.fps, *compared])
    columns = [
        Column("tracker and network"),
        Column("median, ms", 2),
        Column("fps", 1),
        Column("published fps", 0),
        Column("times as fast as"),
        *(Column(name, 2) for name in ("here", "low", "high")),
        Column("published", 1),
    ]
    note = "CPU time on one core; published: 4 GHz, and without the adaptation of the first frame. VGG-M and ratios but 64: random weights."
    return Table(f"table-{table}", f"Table {table}, speed", columns, lines, note)


def features(rounds: int) -> Table:
    """Networks by turns, all levels of a sample of `SIDE` pixels; sizes and costs beside."""
    with TemporaryDirectory() as folder:
        found = alone(feature_seconds, random_networks(Path(folder), RATIOS), rounds)
    columns = [
        Column("ratio", 0),
        Column("ms", 2),
        Column("published ms", 1),
        Column("times as fast", 1),
        Column("published times", 0),
        Column("MFLOP", 1),
        Column("parameters", 0),
        Column("MB of float32", 2),
        Column("published MB", 2),
    ]
    rows = []
    for ratio, seconds in found.items():
        network, published = vgg_m(ratio, SIDE), PUBLISHED_MS.get(ratio)
        times = published and PUBLISHED_MS[1] / published
        count = parameters(network)
        cost = [flops(network) / 1e6, count, 4e-6 * count, PUBLISHED_MB[ratio]]
        rows.append([ratio, 1000 * seconds, published, found[1] / seconds, times, *cost])
    note = (
        f"Features of {SIDE} x {SIDE} pixels; 1 is VGG-M, 64 CF-VGG, all with random weights. The published sizes are about 3.6 times the "
        "bytes of the float32 parameters, for all ratios alike: their files hold more."
    )
    return Table("features", "Time and size of networks", columns, rows, note)


def random_networks(folder: Path, wanted: Sequence[int]) -> dict[int, Path]:
    """Files of VGG-M with random weights, and of what is left of it at other ratios."""
    large, found = random_vgg_m(), {}
    for ratio in sorted(wanted):
        found[ratio] = folder / f"random-{ratio}.safetensors"
        weights.save(prune(large, ratio), found[ratio])
    return found


def feature_seconds(networks: Mapping[int, Path], rounds: int) -> dict[int, float]:
    """CPU time of the features of a sample by ratio, the median over rounds in which the networks take turns."""
    backbones = {ratio: Backbone(weights.load(path)) for ratio, path in networks.items()}
    picture = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    seconds: dict[int, list[float]] = {ratio: [] for ratio in backbones}
    for turn in range(rounds + 1):
        for ratio, backbone in backbones.items():
            start = time.process_time()
            backbone(picture)
            if turn:  # the first warms up
                seconds[ratio].append(time.process_time() - start)
    return {ratio: float(np.median(each)) for ratio, each in seconds.items()}
