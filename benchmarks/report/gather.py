"""Finds results and compares them with the truth."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from benchmarks import results
from benchmarks.datasets import Dataset, load, otb
from benchmarks.report.conventions import CONVENTIONS
from benchmarks.report.evaluation import Evaluation, Track
from benchmarks.report.robustness import robustness
from trackers.errors import UnknownOptionError, UnknownTrackerError, VideoError


@dataclass(frozen=True, eq=False)
class Gathered:
    """What was found.

    Attributes
    ----------
    dataset : Dataset
    evaluation : Evaluation
    convention : str
        One of `CONVENTIONS`, by which it is scored.
    problems : list of str
        What is not in it, and why.
    robustness : dict of str to dict of str to (float or None)
        AUC by tracker and protocol, ``sre`` and ``tre``.
    """

    dataset: Dataset
    evaluation: Evaluation
    convention: str
    problems: list[str]
    robustness: dict[str, dict[str, float | None]]

    @property
    def title(self) -> str:
        """Data set and number of targets."""
        counted, total = len(self.evaluation.targets), self.dataset.total
        if self.is_whole:
            return f"{self.dataset.directory}, {total} targets"
        return f"{self.dataset.directory}, {counted} of {total} targets, not comparable with published figures"

    @property
    def is_whole(self) -> bool:
        """Whether these are all targets of the data set."""
        return len(self.evaluation.targets) == self.dataset.total


def gather(
    name: str,
    root: Path | None,
    folders: Sequence[Path],
    wanted: Sequence[str] | None = None,
    convention: str | None = None,
    labels: str = "text",
    allow_short: bool = False,
) -> Gathered:
    """Score all trackers that have results.

    Parameters
    ----------
    name, root
        Of the data set: see `benchmarks.datasets.load`.
    folders : sequence of Path
        Of results. What lies in a folder of the data set's name within them, or in them; of two trackers of one name the later one is
        called ``name (folder)``.
    wanted : sequence of str or None
        Trackers; None stands for all.
    convention : str or None
        One of `CONVENTIONS`; None stands for the data set's own.
    labels : str
        Of the attributes of OTB: those of the project's page, ``text``, or of the ``matlab`` toolkit.
    allow_short : bool
        Frames that a file lacks are misses, not an error.

    Raises
    ------
    UnknownTrackerError
        If one of the wanted trackers has no results.
    TrackerError
        If the data set cannot be read, or there is no target that all trackers have.
    """
    dataset = _labelled(load(name, root), labels)
    convention = convention or (dataset.convention if dataset.convention in CONVENTIONS else "otb")
    found, problems = _trackers(dataset, folders), [f"{target}: {reason}" for target, reason in dataset.broken.items()]
    problems += [f"{target.name} has no true boxes but the first" for target in dataset.sequences if not target.valid[1:].any()]
    dataset = replace(dataset, sequences=[target for target in dataset.sequences if target.valid[1:].any()])
    for tracker in wanted or ():
        if tracker not in found:
            raise UnknownTrackerError(f"no results of {tracker!r} in {_listed(folders)}; there are {', '.join(found)}")
    tracks = {tracker: {} for tracker in wanted or found}
    with tqdm(total=len(tracks) * len(dataset.sequences), unit="target", disable=None, leave=False) as bar:
        for tracker, scored in tracks.items():
            for target in dataset.sequences:
                bar.update()
                try:
                    result = found[tracker].read(target, allow_short=allow_short)
                except VideoError as error:
                    problems.append(str(error))
                    continue
                if result is not None:
                    scored[target.name] = Track(result.boxes, result.seconds, CONVENTIONS[convention](result.boxes, target))
    present = _present(tracks, dataset, problems)
    if wanted and len(present) < len(tracks):
        raise VideoError("; ".join(problems))
    evaluation = Evaluation.of(dataset.sequences, present)
    if not evaluation.targets:
        counts = ", ".join(f"{tracker} has {len(scored)}" for tracker, scored in tracks.items())
        raise VideoError(f"no target of {dataset.directory} that all trackers have; {counts}. Choose some of them with --trackers")
    shifted = {
        tracker: {protocol: robustness(found[tracker], evaluation.targets, protocol) for protocol in ("sre", "tre")}
        for tracker in evaluation.tracks
    }
    return Gathered(dataset, evaluation, convention, problems, shifted)


def _labelled(dataset: Dataset, labels: str) -> Dataset:
    """The same with the attributes of `labels`."""
    if labels == "text":
        return dataset
    if dataset.name not in otb.SETS:
        raise UnknownOptionError(f"--attributes {labels}: {dataset.name} has one version; two have {', '.join(otb.SETS)}")
    return replace(dataset, sequences=[replace(each, attributes=otb.attributes(each.name, labels)) for each in dataset.sequences])


def _trackers(dataset: Dataset, folders: Sequence[Path]) -> dict[str, results.Tracks]:
    """Results of all folders by tracker."""
    found: dict[str, results.Tracks] = {}
    for folder in folders:
        below = folder / dataset.directory
        for tracker, tracks in results.trackers_in(below if below.is_dir() else folder).items():
            found[f"{tracker} ({folder})" if tracker in found else tracker] = tracks
    if not found:
        raise VideoError(f"no results in {_listed(folders)}; looked for <tracker>/<target>.txt there and below {dataset.directory}")
    return found


def _present(tracks: dict[str, dict[str, Track]], dataset: Dataset, problems: list[str]) -> dict[str, dict[str, Track]]:
    """Trackers that have any target; who lacks which becomes a problem."""
    present = {tracker: scored for tracker, scored in tracks.items() if scored}
    problems += [f"{tracker} has no target of {dataset.directory} and is left out" for tracker in tracks if tracker not in present]
    for tracker, scored in present.items():
        if lacking := [target.name for target in dataset.sequences if target.name not in scored]:
            problems.append(f"{tracker} lacks {', '.join(lacking)}; left out for all trackers")
    if not present:
        raise VideoError("; ".join(problems))
    return present


def _listed(folders: Sequence[Path]) -> str:
    return ", ".join(map(str, folders))
