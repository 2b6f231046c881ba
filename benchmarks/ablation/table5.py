"""Table V: KCF on single levels of VGG-M and of CF-VGG: accuracy and speed."""

import sys

from benchmarks.ablation.paper import dataset, script, show, timing, tracked, tracking
from benchmarks.ablation.rows import PUBLISHED
from benchmarks.ablation.tables import MEASURED
from benchmarks.report.tables import Column, Table, percent
from benchmarks.speed.paper import trackers

LEVELS = ("conv1", "conv2", "conv5")
SMALL = ",".join(f'fKCF-{level}=fKCF{{"preset": "{level}"}}' for level in LEVELS)
LARGE = {f"KCF-{level}": ("fKCF", {"preset": level}) for level in LEVELS}


@script(__doc__, dataset("otb"), tracking(SMALL, LARGE), timing)
def main(given) -> None:
    """Track, time, and print."""
    gathered = tracked(given)
    tracks, rows = {tracker: gathered.evaluation.mean(tracker) for tracker in gathered.evaluation.tracks}, []
    for name, network, key in (("KCF", "VGG-M", "KCF"), ("fKCF", "CF-VGG", "both")):
        labels = [f"{name}-{level}" for level in LEVELS]
        published = [PUBLISHED["fKCF" if level == "conv2" else f"fKCF-{level}"][key][MEASURED] / 100 for level in LEVELS]
        rows.append([name, network, "here", *map(tracks.get, labels)])
        rows.append([name, network, "published", *published])
    columns = [Column("tracker"), Column("network"), Column(""), *map(percent, LEVELS)]
    show(Table("table5", "Table V: AUC in percent", columns, rows, "The text at hand names no data set for the published values."))
    if given.rounds:
        print()
        show(trackers("V", gathered.dataset.sequences, given.rounds, given.frames))


if __name__ == "__main__":
    sys.exit(main())
