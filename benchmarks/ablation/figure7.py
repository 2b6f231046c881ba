"""Figure 7: success plots on OTB-2013."""

import sys

from benchmarks.ablation.paper import dataset, drawing, script, tracking
from benchmarks.ablation.success import TRACKERS, draw

main = script(__doc__, dataset("otb2013"), tracking(TRACKERS), drawing("figure7.png"))(draw)

if __name__ == "__main__":
    sys.exit(main())
