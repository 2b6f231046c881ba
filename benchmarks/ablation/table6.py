"""Table VI: accuracy, robustness and expected average overlap on VOT-2016 and VOT-2017 (``--dataset vot2016``, ``vot2017``)."""

import sys

from benchmarks import peers, runner
from benchmarks.ablation.paper import NOT_PUBLISHED, dataset, script, show, targets, tracking
from benchmarks.vot.report import table, trackers_in


@script(__doc__, dataset("vot2017"), tracking("fECO,fDeepSTRCF,ECOHC,STRCF"))
def main(given) -> None:
    """Track with VOT's resets, and print."""
    found = targets(given)
    for name, reason in runner.run(found, peers.parse(given.trackers, given.models), given.results[0], given.jobs, "vot").items():
        print(f"{name} failed: {reason}")
    show(table(trackers_in(given.results[0] / found.directory), found.sequences, found.name))
    print(NOT_PUBLISHED)


if __name__ == "__main__":
    sys.exit(main())
