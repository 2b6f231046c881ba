"""Readers of videos with a box in every frame.

Every reader takes the folder of a data set and a list, to which it adds annotation files that cannot be read, and returns clips. Pictures
are named by the annotations and not looked for, where the format numbers them.
"""

import re
from pathlib import Path

from distill.data.clips import Clip, Frames
from distill.data.tables import gather, pictures, read_boxes, read_flags


def got10k(folder: Path, broken: list[Path]) -> list[Clip]:
    """GOT-10k: ``[train/, val/] list.txt, <video>/groundtruth.txt, absence.label, %08d.jpg``; 1-based.

    The test split, of which only the first boxes are public, is left out.
    """
    splits = [folder / name for name in ("train", "val") if (folder / name).is_dir()] or [folder]
    files = [file for split in splits for file in _got10k_files(split)]
    return gather(files, _got10k_video, broken)


def _got10k_files(split: Path) -> list[Path]:
    listed = split / "list.txt"
    if not listed.is_file():
        return sorted(split.glob("*/groundtruth.txt"))
    return [split / name / "groundtruth.txt" for name in listed.read_text().split()]


def _got10k_video(file: Path) -> list[Clip]:
    folder = file.parent
    boxes = read_boxes(file, 1, read_flags(folder / "absence.label"))
    about = folder / "meta_info.ini"
    found = re.search(r"^object_class: *(\S.*?)\s*$", about.read_text(), re.MULTILINE) if about.is_file() else None
    return [Clip(Frames(folder, "{:08d}.jpg", range(1, len(boxes) + 1)), boxes, found and found[1], str(folder))]


def lasot(folder: Path, broken: list[Path]) -> list[Clip]:
    """LaSOT: ``[<class>/] <class>-<k>/groundtruth.txt, full_occlusion.txt, out_of_view.txt, img/%08d.jpg``; 1-based.

    All that lies there is read. Videos that are to be tested on belong into ``validation.txt``.
    """
    files = sorted({*folder.glob("*/groundtruth.txt"), *folder.glob("*/*/groundtruth.txt")})
    return gather(files, _lasot_video, broken)


def _lasot_video(file: Path) -> list[Clip]:
    folder = file.parent
    hidden, outside = (read_flags(folder / name) for name in ("full_occlusion.txt", "out_of_view.txt"))
    absent = hidden if outside is None else outside if hidden is None else hidden | outside
    boxes = read_boxes(file, 1, absent)
    frames = Frames(folder / "img", "{:08d}.jpg", range(1, len(boxes) + 1))
    return [Clip(frames, boxes, folder.name.rpartition("-")[0] or None, str(folder))]


def trackingnet(folder: Path, broken: list[Path]) -> list[Clip]:
    """TrackingNet: ``[TRAIN_<k>/] anno/<video>.txt, frames/<video>/<n>.jpg`` with n from 0; 0-based.

    The test split, of which only the first boxes are public, is left out.
    """
    return gather(sorted({*folder.glob("anno/*.txt"), *folder.glob("TRAIN_*/anno/*.txt")}), _trackingnet_video, broken)


def _trackingnet_video(file: Path) -> list[Clip]:
    folder, boxes = file.parents[1] / "frames" / file.stem, read_boxes(file, 0)
    return [Clip(Frames(folder, "{}.jpg", range(len(boxes))), boxes, None, str(folder))]


def otb(folder: Path, broken: list[Path]) -> list[Clip]:
    """Folders laid out as OTB's: ``[<video>/] img/, groundtruth_rect*.txt``; 1-based.

    Meant for people's own videos, to develop on. Videos of OTB, TC-128 or VOT must not be trained on: the trackers are tested on them.
    A video with more pictures than lines is cut.
    """
    return gather(sorted({*folder.glob("groundtruth_rect*.txt"), *folder.glob("*/groundtruth_rect*.txt")}), _otb_video, broken)


def _otb_video(file: Path) -> list[Clip]:
    boxes, frames = read_boxes(file, 1), pictures(file.parent / "img")
    if len(frames) < len(boxes):
        raise ValueError(f"{file}: {len(boxes)} boxes for {len(frames)} pictures")
    return [Clip(frames[: len(boxes)], boxes, None, str(file.parent))]


def windows(folder: Path, broken: list[Path]) -> list[Clip]:
    """The videos of this project's own layout: ``video/<clip>/boxes.txt`` and pictures beside it; 0-based.

    Clips whose names differ in a last ``_s<k>`` only are parts of one video.
    """
    return gather(sorted(folder.glob("video/*/boxes.txt")), _window, broken)


def _window(file: Path) -> list[Clip]:
    boxes, frames = read_boxes(file, 0), pictures(file.parent)
    if len(frames) != len(boxes):
        raise ValueError(f"{file}: {len(boxes)} boxes for {len(frames)} pictures")
    return [Clip(frames, boxes, None, re.sub(r"_s\d+$", "", str(file.parent)))]
