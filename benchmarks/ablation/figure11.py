"""Figure 11: trackers on challenging targets of OTB-2015."""

import sys

import numpy as np

from benchmarks.ablation.paper import dataset, drawing, lacking, save, script, tracked, tracking
from benchmarks.ablation.pictures import frames
from benchmarks.ablation.success import TRACKERS

NAMED = ("Box", "Girl2", "Human3", "Soccer", "Tiger1")  # in the text; it has five more
COUNT = 10


@script(__doc__, dataset("otb"), tracking(TRACKERS), drawing("figure11.png"))
def main(given) -> None:
    """Track, and draw the targets that the text names, then those on which the trackers differ most."""
    evaluation = tracked(given).evaluation
    lacking(NAMED, (target.name for target in evaluation.targets))
    spread = np.std([evaluation.values(tracker) for tracker in evaluation.tracks], axis=0)
    order = sorted(range(len(spread)), key=lambda place: (evaluation.targets[place].name not in NAMED, -spread[place]))
    save(frames(evaluation, [evaluation.targets[place] for place in order[:COUNT]]), given.out)


if __name__ == "__main__":
    sys.exit(main())
