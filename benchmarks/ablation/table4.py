"""Table IV: what each part of the training gives."""

import sys

from benchmarks.ablation.paper import dataset, script, show, tracked, tracking, trained, training
from benchmarks.ablation.rows import DATASETS, PUBLISHED, ROWS
from benchmarks.report.tables import Column, Table, percent

# Rows without a training: what they are, and which tracker runs them.
BASELINES = {
    "fECO": {"ECO": ("VGG-M itself", "ECO"), "ECOhc": ("no network", "ECOHC")},
    "fDeepSTRCF": {"DeepSTRCF": ("VGG-M itself", "DeepSTRCF"), "STRCF": ("no network", "STRCF")},
}
TRAINED = ("tiny", "fidelity", "single", "several", "both", "adapted")
LARGE = {"ECO": ("ECO", {}), "DeepSTRCF": ("DeepSTRCF", {})}


@script(__doc__, dataset("otb"), tracking("fECO,ECOHC,fDeepSTRCF,STRCF", LARGE), training)
def main(given) -> None:
    """Track, and print."""
    evaluation = tracked(given).evaluation
    tracks, found = {tracker: evaluation.mean(tracker) for tracker in evaluation.tracks}, trained(given.ablation)
    columns = [Column("row"), Column("network"), percent("AUC"), *(percent(f"published {name}") for name in DATASETS)]
    for name, baselines in BASELINES.items():
        lines = [(row, what, tracks.get(tracker)) for row, (what, tracker) in baselines.items()]
        lines += [(row, ROWS[row].what, found.get(name, {}).get(row)) for row in TRAINED]
        rows = [[row, what, ours, *(value / 100 for value in PUBLISHED[name][row])] for row, what, ours in lines]
        rows.append([name, "the shipped one, not adapted", tracks.get(name), None, None, None])
        show(Table("table4", f"Table IV: {name}, AUC in percent", columns, rows))
        print()


if __name__ == "__main__":
    sys.exit(main())
