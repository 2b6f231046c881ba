"""Figure 8: success plots on OTB-2015."""

import sys

from benchmarks.ablation.paper import dataset, drawing, script, tracking
from benchmarks.ablation.success import TRACKERS, draw

main = script(__doc__, dataset("otb"), tracking(TRACKERS), drawing("figure8.png"))(draw)

if __name__ == "__main__":
    sys.exit(main())
