"""Readers of single pictures, with boxes and without. See `distill.data.videos` for what a reader is."""

import csv
import json
from pathlib import Path

import numpy as np

from distill.data.clips import Clip
from distill.data.tables import SUFFIXES, clean, gather

COCO = ("annotations/instances*.json", "instances*.json")


def coco(folder: Path, broken: list[Path]) -> list[Clip]:
    """COCO-style stills: ``[annotations/] instances_<split>.json``; 0-based. One clip a box; crowds are left out.

    Pictures lie in ``<split>/``, ``images/<split>/``, ``images/`` or the folder itself: where the first one is.
    """
    files = sorted(file for pattern in COCO for file in folder.glob(pattern))
    return gather(files, lambda file: _instances(file, folder), broken)


def _instances(file: Path, folder: Path) -> list[Clip]:
    content = json.loads(file.read_text())
    images = {image["id"]: image["file_name"] for image in content["images"]}
    labels = {category["id"]: category["name"] for category in content.get("categories", ())}
    split = file.stem.removeprefix("instances").removeprefix("_")
    places = [folder / place for place in (split, f"images/{split}", "images", "")]
    first = next(iter(images.values()), "")
    place = next((place for place in places if (place / first).is_file()), places[0])
    clips = []
    for item in content["annotations"]:
        if not item.get("iscrowd"):
            picture = place / images[item["image_id"]]
            box = clean(np.array([item["bbox"]], float).reshape(1, 4))
            clips.append(Clip((picture,), box, labels.get(item.get("category_id")), str(picture)))
    return clips


def listed(folder: Path, broken: list[Path]) -> list[Clip]:
    """The stills of this project's own layout: ``stills/boxes.csv`` with file, x, y, w, h, label; 0-based. One clip a box."""
    return gather(folder.glob("stills/boxes.csv"), _listed, broken)


def _listed(file: Path) -> list[Clip]:
    clips = []
    with file.open(newline="") as lines:
        for row in csv.DictReader(lines):
            picture = file.parent / row["file"]
            box = clean(np.array([[float(row[name]) for name in "xywh"]]))
            clips.append(Clip((picture,), box, row.get("label") or None, str(picture)))
    return clips


def plain(folder: Path, broken: list[Path]) -> list[Clip]:
    """All pictures below a folder, without boxes."""
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    return [Clip((file,), None, None, str(file)) for file in files]
