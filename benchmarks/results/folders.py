"""Finds the results of trackers in a folder, whichever toolkit wrote them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.datasets.names import meant
from benchmarks.protocols import PROTOCOLS, Start
from benchmarks.results.matlab import read_json, read_matlab
from benchmarks.results.run import Result, Run
from benchmarks.results.text import read_text
from benchmarks.sequences import Sequence
from trackers.errors import VideoError

READERS = {".txt": read_text, ".json": read_json, ".mat": read_matlab}
OURS = "run.json"  # what a run was made with; no result


class Tracks:
    """The results of one tracker.

    Parameters
    ----------
    files : mapping of str to Path
        By names of targets, in whatever spelling; runs of SRE and TRE as ``sre/<target>_1`` and so on.
    """

    def __init__(self, files: Mapping[str, Path]):
        self._files = files

    def read(self, sequence: Sequence, start: Start | None = None, allow_short: bool = False) -> Result | None:
        """The run on a sequence, None if there is none.

        Parameters
        ----------
        sequence : Sequence
        start : Start or None
            Where the run began; None stands for OPE.
        allow_short : bool
            Frames behind the last line of a file are misses, not an error.

        Raises
        ------
        VideoError
            If a file cannot be read, or does not belong to this sequence.
        """
        path = self._path(sequence, start)
        return None if path is None else READERS[path.suffix](path, Run(sequence, start, allow_short))

    def _path(self, sequence: Sequence, start: Start | None) -> Path | None:
        """The file of a run: one of its own, or one that holds all runs."""
        names = [sequence.name]
        if start is not None and start.protocol != "ope":
            names = [f"{start.protocol}/{sequence.name}_{start.number}"]
            names += [sequence.name] * any(path.suffix != ".txt" for path in self._files.values())
        found = (meant(name, self._files) for name in names)
        return next((self._files[name] for name in found if name is not None), None)


def trackers_in(folder: Path) -> dict[str, Tracks]:
    """The trackers with results in a folder by name.

    Known are, for a tracker T on a target S: ``T/S.txt`` (got10k, pysot), ``T/S/S_001.txt`` (GOT-10k), ``T/P/S.txt`` with parameters P
    (pytracking; the tracker is called T/P), ``S_T.mat`` (OTB for MATLAB) and ``T/S.json`` (OTB for Python).

    Raises
    ------
    VideoError
        If the folder cannot be read.
    """
    if not folder.is_dir():
        raise VideoError(f"no folder of results at {folder}")
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.glob("*.mat")):
        target, _, tracker = path.stem.partition("_")
        found.setdefault(tracker, {})[target] = path
    for below in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = _files(below)
        if files:
            found[below.name] = files
            continue
        for parameters in sorted(path for path in below.iterdir() if path.is_dir()):
            if files := _files(parameters):
                found[f"{below.name}/{parameters.name}"] = files
    return {tracker: Tracks(files) for tracker, files in found.items()}


def read(folder: Path, sequences: Iterable[Sequence], allow_short: bool = False) -> dict[str, dict[str, Result]]:
    """The runs of OPE in a folder by tracker and name of the sequence; those that are there.

    Raises
    ------
    VideoError
        If a file cannot be read, or does not belong to its sequence.
    """
    sequences, results = list(sequences), {}
    for tracker, tracks in trackers_in(folder).items():
        found = {sequence.name: tracks.read(sequence, allow_short=allow_short) for sequence in sequences}
        results[tracker] = {name: result for name, result in found.items() if result is not None}
    return results


def _files(folder: Path) -> dict[str, Path]:
    """Files of boxes in the folder of a tracker."""
    found = {path.stem: path for path in sorted(folder.glob("*.json")) if path.name != OURS}
    found |= {path.stem: path for path in sorted(folder.glob("*.txt")) if not path.stem.endswith("_time")}
    found |= {path.parent.name: path for path in sorted(folder.glob("*/*_001.txt")) if path.stem == f"{path.parent.name}_001"}
    for protocol in PROTOCOLS:
        found |= {f"{protocol}/{path.stem}": path for path in sorted(folder.glob(f"{protocol}/*.txt"))}
    return found
