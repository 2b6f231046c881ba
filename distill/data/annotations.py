"""Readers of annotations in the XML of PASCAL VOC, which ILSVRC uses too."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from distill.data.clips import Clip, Frames
from distill.data.tables import UNREADABLE, clean, gather, pictures

FOLDERS = ("Annotations", "annotations", "annots")
PICTURES = ("JPEGImages", "images", ".")


def voc(folder: Path, broken: list[Path]) -> list[Clip]:
    """VOC-style stills: ``Annotations/*.xml`` (or annotations, annots), ``JPEGImages/`` (or images, or the folder itself); 1-based.

    A picture is found by the name that its annotation gives, or else by the annotation's own. One clip a box.
    """
    annotated = next(folder / name for name in FOLDERS if (folder / name).is_dir())
    stills = pictures(next(folder / name for name in PICTURES if (folder / name).is_dir()))
    by_name = {file.stem: file for file in stills} | {file.name: file for file in stills}
    return gather(sorted(annotated.glob("*.xml")), lambda file: _voc_still(file, by_name), broken)


def _voc_still(file: Path, by_name: dict[str, Path]) -> list[Clip]:
    root = ElementTree.parse(file).getroot()
    picture = by_name.get(root.findtext("filename", "").strip()) or by_name[file.stem]
    found = ((item.findtext("name"), clean(_corners(item)[None] - (1, 1, 0, 0))) for item in root.findall("object"))
    return [Clip((picture,), box, label, str(picture)) for label, box in found]


def _corners(item: ElementTree.Element) -> np.ndarray:
    """x, y, w, h of an object; its corners are those of its first and its last pixel. ValueError or TypeError if one is missing."""
    left, top, right, bottom = (float(item.findtext(f"bndbox/{name}")) for name in ("xmin", "ymin", "xmax", "ymax"))
    return np.array([left, top, right - left + 1, bottom - top + 1])


def vid(folder: Path, broken: list[Path]) -> list[Clip]:
    """ILSVRC2015-VID: ``Annotations/VID/**/<video>/%06d.xml``, ``Data/VID/**/<video>/%06d.JPEG``; 0-based. One clip a track."""
    annotated = folder / "Annotations" / "VID"
    videos = sorted({file.parent for file in annotated.rglob("*.xml")})
    return [clip for video in videos for clip in _vid_tracks(video, folder / "Data" / "VID" / video.relative_to(annotated), broken)]


def _vid_tracks(annotated: Path, frames: Path, broken: list[Path]) -> list[Clip]:
    files = sorted(file for file in annotated.glob("*.xml") if file.stem.isdecimal())
    tracks: dict[int, dict[int, np.ndarray]] = {}
    labels: dict[int, str | None] = {}
    for index, file in enumerate(files):
        try:
            items = ElementTree.parse(file).getroot().findall("object")
            found = [(int(item.findtext("trackid")), item.findtext("name"), _corners(item)) for item in items]
        except UNREADABLE:
            broken.append(file)
            continue
        for track, label, box in found:
            tracks.setdefault(track, {})[index] = box
            labels[track] = label
    clips = []
    for track, boxes in tracks.items():
        first, last = min(boxes), max(boxes)
        rows = np.full((last - first + 1, 4), np.nan)
        rows[[index - first for index in boxes]] = list(boxes.values())
        numbers = [int(file.stem) for file in files[first : last + 1]]
        clips.append(Clip(Frames(frames, "{:06d}.JPEG", numbers), clean(rows), labels[track], str(frames)))
    return clips
