"""Table VIII: fECO and fDeepSTRCF against their teachers by the attributes of OTB-2015."""

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
from benchmarks.report.tables import Cell, Table

TEACHERS = {"fECO": "ECO", "fDeepSTRCF": "DeepSTRCF"}


@script(__doc__, dataset("otb"), tracking("fECO,fDeepSTRCF", {name: (name, {}) for name in TEACHERS.values()}))
def main(given) -> None:
    """Track, and print."""
    evaluation, rows = tracked(given).evaluation, []
    here = {tracker: our_attributes(evaluation, tracker) for tracker in evaluation.tracks}
    theirs = {row.tracker: published_attributes(row) for row in published("OTB2015") if row.attributes}
    for source, found in (("here", here), ("published", theirs)):
        for student, teacher in TEACHERS.items():
            rows += compared(student, teacher, found, source)
    note = f"Published: all of OTB-2015, students adapted. Targets here: {counts(evaluation)}."
    show(Table("table8", "Table VIII: AUC in percent", attribute_columns(), rows, note))


def compared(student: str, teacher: str, found: dict[str, list], source: str) -> list[list[Cell]]:
    """Rows of a teacher, its student and what lies between them, of those that are there."""
    rows = [[name, source, *found[name]] for name in (teacher, student) if name in found]
    if len(rows) == 2:
        pairs = zip(found[student], found[teacher], strict=True)
        rows.append(["difference", source, *(None if None in pair else pair[0] - pair[1] for pair in pairs)])
    return rows


if __name__ == "__main__":
    sys.exit(main())
