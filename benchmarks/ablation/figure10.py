"""Figure 10: real-time trackers by the attributes of OTB-2015; Table VII has the numbers."""

import sys

from benchmarks.ablation.paper import dataset, drawing, save, script, tracked, tracking
from benchmarks.ablation.success import TRACKERS
from benchmarks.report import plots


@script(__doc__, dataset("otb"), tracking(TRACKERS), drawing("figure10.png"))
def main(given) -> None:
    """Track, and draw."""
    save(plots.attributes(tracked(given).evaluation), given.out)


if __name__ == "__main__":
    sys.exit(main())
