"""Accuracies that others published, on whole data sets."""

import json
from dataclasses import dataclass, field
from pathlib import Path

FILE = Path(__file__).with_name("published.json")


@dataclass(frozen=True)
class Published:
    """A tracker on one data set. All but the speed are fractions.

    Attributes
    ----------
    tracker, variant, source : str
    auc : float
    p20 : float or None
    fps : float or None
        On one core of the authors' machine.
    attributes : dict of str to float
        AUC on the targets of an attribute.
    """

    tracker: str
    variant: str
    source: str
    auc: float
    p20: float | None = None
    fps: float | None = None
    attributes: dict[str, float] = field(default_factory=dict)

    def same(self, trackers: list[str]) -> str | None:
        """The one of these trackers that has this name; case does not matter."""
        return next((tracker for tracker in trackers if tracker.lower() == self.tracker.lower()), None)


def published(dataset: str) -> list[Published]:
    """What was published on a data set, by the name of its folder of results; the best first."""
    rows = [row for row in json.loads(FILE.read_text()) if dataset in row["auc"]]
    found = [
        Published(
            row["tracker"],
            row["variant"],
            row["source"],
            row["auc"][dataset] / 100,
            row["p20"][dataset] / 100 if "p20" in row else None,
            row.get("fps"),
            {name: auc / 100 for name, auc in row.get("attributes", {}).get(dataset, {}).items()},
        )
        for row in rows
    ]
    return sorted(found, key=lambda row: -row.auc)
