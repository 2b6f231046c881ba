"""Figure 9: success plots on Temple-Color."""

import sys

from benchmarks.ablation.paper import dataset, drawing, script, tracking
from benchmarks.ablation.success import TRACKERS, draw

main = script(__doc__, dataset("tc128"), tracking(TRACKERS), drawing("figure9.png"))(draw)

if __name__ == "__main__":
    sys.exit(main())
