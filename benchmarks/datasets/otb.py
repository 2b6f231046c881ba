"""OTB-2013, OTB-50 and OTB-2015, and folders laid out like theirs.

``<Name>/img/0001.jpg`` and ``<Name>/groundtruth_rect.txt``; for videos with several targets ``groundtruth_rect.1.txt`` and so on. Lines are
x, y, w, h, 1-based. Names, frames, attributes (those of the project page) and initOmit of the 100 targets are in ``otb.json``.
"""

import json
import re
from pathlib import Path

from benchmarks.datasets.files import check_lengths, folders, number, numbers, pictures
from benchmarks.sequences import Sequence

TARGETS: dict[str, dict] = json.loads((Path(__file__).parent / "otb.json").read_text())
SETS = {
    "otb2013": [name for name, about in TARGETS.items() if "otb2013" in about["sets"]],
    "otb50": [name for name, about in TARGETS.items() if "otb50" in about["sets"]],
    "otb": list(TARGETS),
}
ATTRIBUTES = ("IV", "SV", "OCC", "DEF", "MB", "FM", "IPR", "OPR", "OV", "BC", "LR")

# Where the labels that come with the MATLAB toolkit are others than those of the project page.
MATLAB_LABELS = {"Coke": (set(), {"BC"}), "Crossing": (set(), {"FM", "OPR"}), "Toy": ({"OCC"}, {"OPR"}), "Twinnings": ({"OCC"}, {"OPR"})}


def attributes(name: str, labels: str = "text") -> frozenset[str]:
    """Those of a target, by the project page's ``text`` or by the ``matlab`` toolkit; none for a target that is not OTB's."""
    more, less = MATLAB_LABELS.get(name, (set(), set())) if labels == "matlab" else (set(), set())
    return frozenset(TARGETS.get(name, {}).get("attributes", ())) - less | more


def find(root: Path, names: list[str]) -> dict[str, Path | None]:
    """The annotations of targets by name; None where the folder is not there."""
    there, found = folders(root), {}
    for name in names:
        video = TARGETS[name]["folder"]
        folder = there.get(video.lower(), there.get(name.lower()))
        found[name] = folder and _annotation(folder, name.removeprefix(video).removeprefix("-"))
    return found


def find_all(root: Path) -> dict[str, Path]:
    """The annotations of all targets in a folder; files without a line are left out."""
    found = {}
    for folder in folders(root).values():
        for path in sorted(folder.glob("groundtruth_rect*.txt")):
            if path.read_bytes().strip():
                target = re.sub(r"groundtruth_rect\.?", "", path.stem)
                found[f"{folder.name}-{target}" if target else folder.name] = path
    return found


def read(name: str, path: Path) -> Sequence:
    """A target.

    Raises
    ------
    VideoError
        If the annotation is none, or belongs to other pictures.
    """
    folder, about = path.parent / "img", TARGETS.get(name, {})
    boxes, files = numbers(path), pictures(folder)
    if len(files) > len(boxes) and about:
        first, last = about["frames"]
        files = [file for file in files if first <= number(file) <= last]
        if name == "Board" and len(files) == len(boxes) + 1:  # some copies lack its last line, which is 0 0 0 0
            files.pop()
    check_lengths(path, len(boxes), files, folder)
    video, omitted = path.parent.name, _omitted(path.parent, about, files)
    valid = (boxes > 0).all(axis=1)
    return Sequence(name, video, tuple(files), boxes - (1, 1, 0, 0), valid, 1, attributes=attributes(name), omitted=omitted)


def _annotation(folder: Path, target: str) -> Path:
    """The file of a target of a folder, "" of the only one; copies differ in the dot."""
    usual = folder / (f"groundtruth_rect.{target}.txt" if target else "groundtruth_rect.txt")
    others = (folder / f"groundtruth_rect{target}.txt", folder / "groundtruth_rect.txt")
    return next((path for path in (usual, *others) if path.is_file()), usual)


def _omitted(folder: Path, about: dict, files: list[Path]) -> tuple[tuple[int, int], ...]:
    """Ranges of frames, counted from 1: those of the table, or the copy's own, which count by the names of the pictures."""
    own = folder / "init_omit.txt"
    if "omitted" in about or not own.is_file():
        return tuple((first, last) for first, last in about.get("omitted", ()))
    return tuple((first - number(files[0]) + 1, last - number(files[0]) + 1) for first, last in numbers(own, (2,)).astype(int).tolist())
