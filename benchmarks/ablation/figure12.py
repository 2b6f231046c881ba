"""Figure 12: failures of fECO."""

import sys

import numpy as np

from benchmarks.ablation.paper import dataset, drawing, lacking, save, script, tracked, tracking
from benchmarks.ablation.pictures import frames

NAMED = ("Freeman4", "Ironman")


@script(__doc__, dataset("otb"), tracking("fECO,fDeepSTRCF"), drawing("figure12.png"))
def main(given) -> None:
    """Track, and draw the paper's two targets, or in place of what is not there the worst of the first tracker."""
    evaluation = tracked(given).evaluation
    lacking(NAMED, (target.name for target in evaluation.targets))
    worst = [evaluation.targets[place] for place in np.argsort(evaluation.values(next(iter(evaluation.tracks))), kind="stable")]
    chosen = sorted(worst, key=lambda target: target.name not in NAMED)[: len(NAMED)]
    save(frames(evaluation, chosen), given.out)


if __name__ == "__main__":
    sys.exit(main())
