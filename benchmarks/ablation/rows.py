"""The rows: those of Wang et al. 2020, Tables III (compression) and IV (losses), with the accuracies published for them, and some more."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from distill.siamese import ADAPTIVE_HARD, TARGET_RESPONSE, TEACHER_SOFT


@dataclass(frozen=True)
class Row:
    """A row.

    Attributes
    ----------
    name : str
    what : str
        How the network came about.
    changes : mapping of str to object
        Fields of `distill.config.Config` that are this row's own.
    classifier : bool
        Trained to classify instead: see `distill.classifier`.
    adapt : bool
        The network is adapted to each target on its first frame.
    of : str or None
        Another row whose weights it shares.
    """

    name: str
    what: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    classifier: bool = False
    adapt: bool = False
    of: str | None = None

    @property
    def weights(self) -> str:
        """Name of its file of weights, without the suffix."""
        return self.of or self.name


_TABLE_IV = (
    Row("tiny", "pretrained tiny model", classifier=True),
    Row("fidelity", "only fidelity", {"tracking": 0.0}),
    Row("single", "only tracking, conv5", {"fidelity": 0.0, "levels": ("conv5",)}),
    Row("several", "only tracking, conv1 conv2 conv5", {"fidelity": 0.0}),
    Row("both", "fidelity and tracking"),
    Row("adapted", "both, adapted on the first frame", of="both", adapt=True),
)
# 68.2 for ratio 64 is also what Table IV has for offline and online training, so Table III is read as with adaptation.
_TABLE_III = (
    Row("ratio16", "compression 16, adapted", {"ratio": 16.0}, adapt=True),
    Row("ratio32", "compression 32, adapted", {"ratio": 32.0}, adapt=True),
    Row("ratio64", "compression 64, adapted", of="both", adapt=True),
    Row("ratio96", "compression 96, adapted", {"ratio": 96.0}, adapt=True),
)
# Shen et al. 2022, with the weights of `distill.siamese`.
_SIAMESE = (
    Row("target-response", "both, and target response", {"target_response": TARGET_RESPONSE}),
    Row("teacher-soft", "both, and teacher soft", {"teacher_soft": TEACHER_SOFT}),
    Row("adaptive-hard", "both, and adaptive hard", {"adaptive_hard": ADAPTIVE_HARD}),
    Row("sharing", "both, and shared with a student of ratio 16", {"sharing_ratio": 16.0}),
)
ROWS = {row.name: row for row in (*_TABLE_IV, *_TABLE_III, *_SIAMESE)}

# A tracker of `trackers.create`, and options, by the name of its table. Table V has fKCF on one level at a time.
TRACKERS: dict[str, tuple[str, dict[str, Any]]] = {
    "fECO": ("fECO", {}),
    "fDeepSTRCF": ("fDeepSTRCF", {}),
    "fKCF": ("fKCF", {"preset": "conv2"}),
    "fKCF-conv1": ("fKCF", {"preset": "conv1"}),
    "fKCF-conv5": ("fKCF", {"preset": "conv5"}),
}

DATASETS = ("OTB-2013", "OTB-2015", "TC-128")

# AUC in percent on the whole of `DATASETS`, None where nothing is published. Table V does not name its data set in the text at hand; nor
# does it speak of adaptation.
PUBLISHED: dict[str, dict[str, tuple[float | None, ...]]] = {
    "fECO": {
        "tiny": (66.0, 65.5, 55.4),
        "fidelity": (66.1, 65.1, 55.0),
        "single": (65.2, 64.6, 54.6),
        "several": (66.3, 65.9, 55.9),
        "both": (68.4, 67.9, 57.4),
        "adapted": (68.5, 68.2, 57.4),
        "ratio16": (None, 69.0, None),
        "ratio32": (None, 68.5, None),
        "ratio64": (None, 68.2, None),
        "ratio96": (None, 66.9, None),
        "ECO": (71.0, 69.4, 60.3),
        "ECOhc": (65.6, 64.6, 54.7),
        "ratio1": (None, 69.6, None),
    },
    "fDeepSTRCF": {
        "tiny": (65.1, 65.2, 55.2),
        "fidelity": (65.6, 65.5, 55.1),
        "single": (65.7, 65.4, 54.8),
        "several": (66.9, 66.0, 55.5),
        "both": (69.4, 67.8, 56.9),
        "adapted": (70.3, 68.6, 57.3),
        "DeepSTRCF": (69.2, 68.5, 59.9),
        "STRCF": (66.5, 64.8, 54.9),
    },
    "fKCF": {"both": (None, 51.0, None), "KCF": (None, 50.6, None)},
    "fKCF-conv1": {"both": (None, 46.8, None), "KCF": (None, 48.0, None)},
    "fKCF-conv5": {"both": (None, 47.1, None), "KCF": (None, 49.2, None)},
}

# What is published without a row here.
OTHERS = {
    "ECO": "VGG-M itself",
    "ECOhc": "no network",
    "ratio1": "compression 1, adapted",
    "DeepSTRCF": "VGG-M itself",
    "STRCF": "no network",
    "KCF": "VGG-M itself",
}
