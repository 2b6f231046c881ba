"""Which data set a folder is, and which of its clips are held out."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from distill.data import annotations, stills, videos
from distill.data.clips import Clip, Dataset
from distill.data.tables import SUFFIXES
from distill.errors import DistillationError

HELD_OUT = "validation.txt"
VALIDATION = re.compile(r"val(id(ation)?)?\d*", re.IGNORECASE)  # folder of a validation split
HELD_OUT_EACH = 20  # where nothing says what is held out


@dataclass(frozen=True)
class Kind:
    """A format.

    Attributes
    ----------
    marks : tuple of str
        Patterns below the folder; one that finds something tells the format.
    read : function
        Of the folder and a list for annotation files that cannot be read; returns clips.
    """

    marks: tuple[str, ...]
    read: Callable[[Path, list[Path]], list[Clip]]


def _own(folder: Path, broken: list[Path]) -> list[Clip]:
    return videos.windows(folder, broken) + stills.listed(folder, broken)


# In the order in which they are tried: the plainest is last.
KINDS = {
    "clips": Kind(("video/*/boxes.txt", "stills/boxes.csv"), _own),
    "vid": Kind(("Annotations/VID",), annotations.vid),
    "got10k": Kind(("*/absence.label", "train/*/absence.label", "val/*/absence.label"), videos.got10k),
    "lasot": Kind(("*/full_occlusion.txt", "*/*/full_occlusion.txt"), videos.lasot),
    "trackingnet": Kind(("anno/*.txt", "TRAIN_*/anno/*.txt"), videos.trackingnet),
    "coco": Kind(stills.COCO, stills.coco),
    "voc": Kind(tuple(f"{name}/*.xml" for name in annotations.FOLDERS), annotations.voc),
    "otb": Kind(("groundtruth_rect*.txt", "*/groundtruth_rect*.txt"), videos.otb),
    "pictures": Kind(tuple(f"**/*{case}" for suffix in SUFFIXES for case in (suffix, suffix.upper())), stills.plain),
}


def open_dataset(folder: str | os.PathLike, kind: str | None = None) -> Dataset:
    """Index a data set. No picture is opened.

    Held out for validation are the clips whose pictures, or folders of pictures, the folder's ``validation.txt`` names, one a line and
    relative to it; without that file those in a folder named ``val``, ``val2017`` or the like; without those every twentieth video or
    picture.

    Parameters
    ----------
    folder : path
    kind : str or None
        One of `KINDS`; None: the first of them that fits.

    Raises
    ------
    DistillationError
        If there is no such folder or kind, no kind fits, or there is not one box.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DistillationError(f"no folder of pictures at {folder}")
    if kind is not None and kind not in KINDS:
        raise DistillationError(f"no data set of the kind {kind!r}; there are {', '.join(KINDS)}")
    kind = kind or next((name for name, tried in KINDS.items() if _fits(folder, tried)), None)
    if kind is None:
        looked_for = "; ".join(f"{' or '.join(tried.marks)} ({name})" for name, tried in KINDS.items())
        raise DistillationError(f"{folder} is no data set of a known kind; looked for {looked_for}")
    broken: list[Path] = []
    clips = [clip for clip in KINDS[kind].read(folder, broken) if len(clip.usable(0))] if _fits(folder, KINDS[kind]) else []
    if not clips:
        unreadable = f"; {len(broken)} of its annotations cannot be read, the first is {broken[0]}" if broken else ""
        raise DistillationError(f"{folder} holds no target of the kind {kind}; looked for {' or '.join(KINDS[kind].marks)}{unreadable}")
    held_out = _held_out(folder, clips)
    parts = ([clip for clip in clips if (clip.source in held_out) == wanted] for wanted in (False, True))
    return Dataset(kind, *parts, broken)


def _fits(folder: Path, kind: Kind) -> bool:
    return any(next(folder.glob(mark), None) is not None for mark in kind.marks)


def _held_out(folder: Path, clips: list[Clip]) -> set[str]:
    """Sources of the clips that are held out. Whole sources, so that no object is both trained and validated on."""
    listed = folder / HELD_OUT
    if listed.is_file():
        named = {folder / line.strip() for line in listed.read_text().splitlines() if line.strip()}
        return {clip.source for clip in clips if not named.isdisjoint((clip.frames[0], *clip.frames[0].parents))}
    split = {clip.source for clip in clips if any(map(VALIDATION.fullmatch, clip.frames[0].relative_to(folder).parent.parts))}
    return split or set(sorted({clip.source for clip in clips})[1::HELD_OUT_EACH])
