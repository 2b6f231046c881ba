"""What Figures 7, 8 and 9 have in common: success plots of all trackers on a data set."""

from benchmarks.ablation.paper import save, show, tracked
from benchmarks.report import plots
from benchmarks.report.contents import published_table
from benchmarks.report.published import published

# Those of the paper's real-time trackers that can be run; the raw results of others may stand beside them, see --results.
TRACKERS = "fECO,fDeepSTRCF,BACF,KCF,CSR-DCF=opencv:CSRT"


def draw(given) -> None:
    """Track, draw the success plots, and print the published areas under them beside ours."""
    gathered = tracked(given)
    show(published_table(gathered.evaluation, published(gathered.dataset.directory)))
    save(plots.success(gathered.evaluation), given.out)
