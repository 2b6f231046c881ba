"""Data sets: one reader for each, and one function that calls them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.datasets import generated, got10k, lasot, otb, tc128, uav123, vot
from benchmarks.datasets.names import canonical
from benchmarks.sequences import Sequence
from trackers.errors import UnknownOptionError, VideoError

__all__ = ["NAMES", "Dataset", "Sequence", "canonical", "load"]


@dataclass(frozen=True)
class Kind:
    """How a data set is read.

    Attributes
    ----------
    find : callable
        From the root to where each target lies, by name: what `read` takes, or None where a copy lacks the target.
    read : callable
        From a name and a place to a sequence, or to a VideoError.
    directory : str
        Folder of its results.
    convention : str
        By which it is scored.
    layout : str
        That of its results, see `benchmarks.results`.
    """

    find: Callable[[Path], Mapping[str, Any]]
    read: Callable[[str, Any], Sequence]
    directory: str
    convention: str = "otb"
    layout: str = "got10k"


KINDS = {
    "otb2013": Kind(partial(otb.find, names=otb.SETS["otb2013"]), otb.read, "OTB2013"),
    "otb50": Kind(partial(otb.find, names=otb.SETS["otb50"]), otb.read, "OTB50"),
    "otb": Kind(partial(otb.find, names=otb.SETS["otb"]), otb.read, "OTB2015"),
    "folder": Kind(otb.find_all, otb.read, "folder"),
    "tc128": Kind(tc128.find, tc128.read, "TColor128"),
    "vot2016": Kind(partial(vot.find, names=vot.SETS["vot2016"]), vot.read, "VOT2016", "vot"),
    "vot2017": Kind(partial(vot.find, names=vot.SETS["vot2017"]), vot.read, "VOT2017", "vot"),
    "vot": Kind(vot.find_all, vot.read, "VOT", "vot"),
    "got10k-val": Kind(partial(got10k.find, split="val"), got10k.read, "GOT-10k", layout="GOT-10k"),
    "got10k-test": Kind(partial(got10k.find, split="test"), got10k.read_first, "GOT-10k", layout="GOT-10k"),
    "lasot": Kind(lasot.find, lasot.read, "LaSOT"),
    "uav123": Kind(partial(uav123.find, version="uav123"), uav123.read, "UAV123"),
    "uav20l": Kind(partial(uav123.find, version="uav20l"), uav123.read, "UAV20L"),
    "synthetic": Kind(generated.find, generated.read, "synthetic"),
}
NAMES = tuple(KINDS)


@dataclass(frozen=True)
class Dataset:
    """What is there of a data set.

    Attributes
    ----------
    name : str
        One of `NAMES`.
    directory : str
        Folder of its results, as other toolkits call it.
    convention : str
        By which it is scored: ``otb`` or ``vot``.
    layout : str
        That of its results, see `benchmarks.results`.
    total : int
        Number of targets of the whole.
    sequences : list of Sequence
    missing : list of str
        Targets that this copy lacks.
    broken : dict of str to str
        Targets that are there and cannot be read, with the reason.
    """

    name: str
    directory: str
    convention: str
    layout: str
    total: int
    sequences: list[Sequence] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Sequence:
        """The sequence of a name, however it is spelt; UnknownOptionError if there is none."""
        by_name = {sequence.name: sequence for sequence in self.sequences}
        return by_name[canonical(name, by_name)]


def load(name: str, root: Path | None = None) -> Dataset:
    """Read the annotations of a data set; its pictures are read when they are needed.

    A sequence begins with its first frame that is annotated and not omitted: as in OTB's toolkit, Tiger1 begins with its sixth.

    Parameters
    ----------
    name : str
        One of `NAMES`; ``folder`` stands for everything in a folder laid out like OTB.
    root : Path or None
        Where a copy of it is, of the whole or a part; nothing for ``synthetic``.

    Raises
    ------
    UnknownOptionError
        If there is no such data set.
    VideoError
        If nothing of it is at `root`.
    """
    if name not in KINDS:
        raise UnknownOptionError(f"no data set {name!r}; there are {', '.join(NAMES)}")
    if root is None and name != "synthetic":
        raise VideoError(f"the data set {name} needs a folder")
    kind = KINDS[name]
    found = kind.find(root)
    dataset = Dataset(name, kind.directory, kind.convention, kind.layout, len(found))
    for target, place in found.items():
        if place is None:
            dataset.missing.append(target)
            continue
        try:
            dataset.sequences.append(_begun(kind.read(target, place)))
        except VideoError as error:
            dataset.broken[target] = str(error)
    if not dataset.sequences and not dataset.broken:
        raise VideoError(f"no sequence in {root} that belongs to the data set {name}")
    return dataset


def _begun(sequence: Sequence) -> Sequence:
    """The same from its first usable frame."""
    if not sequence.usable.any():
        raise VideoError(f"{sequence.name} has no frame with a box")
    return sequence.since(int(np.argmax(sequence.usable)))
