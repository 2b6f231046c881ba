"""Table VII: real-time trackers by the attributes of OTB-2015."""

import sys

from benchmarks.ablation.paper import (
    attribute_columns,
    counts,
    dataset,
    our_attributes,
    published_attributes,
    script,
    show,
    tracked,
    tracking,
)
from benchmarks.report.published import published
from benchmarks.report.tables import Table

TRACKERS = "fECO,fDeepSTRCF,BACF,KCF,CSR-DCF=opencv:CSRT"
TEACHERS = ("ECO", "DeepSTRCF")  # not real-time: Table VIII


@script(__doc__, dataset("otb"), tracking(TRACKERS))
def main(given) -> None:
    """Track, and print."""
    evaluation = tracked(given).evaluation
    rows = [[tracker, "here", *our_attributes(evaluation, tracker)] for tracker in evaluation.tracks]
    theirs = [row for row in published("OTB2015") if row.attributes and row.tracker not in TEACHERS]
    rows += [[row.tracker, "published", *published_attributes(row)] for row in theirs]
    note = f"Published: all of OTB-2015, fECO and fDeepSTRCF adapted. Targets here: {counts(evaluation)}."
    show(Table("table7", "Table VII: AUC in percent", attribute_columns(), rows, note))


if __name__ == "__main__":
    sys.exit(main())
