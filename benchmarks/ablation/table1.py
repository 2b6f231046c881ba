"""Table I: VGG-M against CF-VGG, and the trackers on each: time and size."""

import sys

from benchmarks.ablation.paper import NOT_PUBLISHED, dataset, script, show, targets, timing
from benchmarks.speed.paper import features, trackers


@script(__doc__, dataset("otb"), timing)
def main(given) -> None:
    """Measure and print."""
    print("Table I:", NOT_PUBLISHED, "The published values below are those of the text.\n")
    found = targets(given).sequences
    show(features(10 * given.rounds), trackers("I", found, given.rounds, given.frames))


if __name__ == "__main__":
    sys.exit(main())
