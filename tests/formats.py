"""Tiny data sets in every format that `distill.data` reads, as their publishers lay them out, with what is to be read from them."""

import json
from pathlib import Path

import cv2
import numpy as np

ABSENT = (np.nan,) * 4
RNG = np.random.default_rng(0)


def picture(path: Path, shape=(40, 60)) -> None:
    """Write a picture of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imencode(".jpg", RNG.integers(0, 256, (*shape, 3), dtype=np.uint8))[1].tofile(path)


def text(path: Path, content: str) -> None:
    """Write a text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def xml(path: Path, filename: str, *items: str) -> None:
    """Write an annotation of PASCAL VOC."""
    text(path, f"<annotation><filename>{filename}</filename>{''.join(items)}</annotation>")


def item(name: str, corners: tuple, track: int | None = None) -> str:
    """An object of an annotation: its first and last pixel."""
    bounds = "".join(f"<{side}>{value}</{side}>" for side, value in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True))
    track = "" if track is None else f"<trackid>{track}</trackid>"
    return f"<object>{track}<name>{name}</name><bndbox>{bounds}</bndbox></object>"


def vid(root: Path) -> list:
    """Two tracks, the second one from the second frame on and with a gap."""
    name = "train/ILSVRC2015_VID_train_0000/ILSVRC2015_train_00000000"
    second = {1: (5, 6, 24, 15), 3: (7, 8, 26, 17)}
    for index in range(4):
        picture(root / f"Data/VID/{name}/{index:06d}.JPEG")
        items = [item("n01503061", second[index], 1)] if index in second else []
        xml(root / f"Annotations/VID/{name}/{index:06d}.xml", f"{index:06d}", item("n02691156", (index, 0, index + 9, 19), 0), *items)
    frames = [f"Data/VID/{name}/{index:06d}.JPEG" for index in range(4)]
    return [
        (frames, [(index, 0, 10, 20) for index in range(4)], "n02691156"),
        (frames[1:], [(5, 6, 20, 10), ABSENT, (7, 8, 20, 10)], "n01503061"),
    ]


def got10k(root: Path) -> list:
    """One video, absent in its second frame by its label and in its third by an empty box."""
    name = "GOT-10k_Train_000001"
    for index in (1, 2, 3):
        picture(root / f"train/{name}/{index:08d}.jpg")
    text(root / "train/list.txt", f"{name}\n")
    text(root / f"train/{name}/groundtruth.txt", "11.0000,6.0000,20.5000,10.0000\n11.0,6.0,20.0,10.0\n0.0,0.0,0.0,0.0\n")
    text(root / f"train/{name}/absence.label", "0\n1\n0\n")
    text(root / f"train/{name}/meta_info.ini", "[METAINFO]\nurl: x\nobject_class: polar bear\n")
    return [([f"train/{name}/{index:08d}.jpg" for index in (1, 2, 3)], [(10, 5, 20.5, 10), ABSENT, ABSENT], "polar bear")]


def lasot(root: Path) -> list:
    """One video, hidden in its first frame and out of view in its third."""
    for index in (1, 2, 3):
        picture(root / f"bear/bear-12/img/{index:08d}.jpg")
    text(root / "bear/bear-12/groundtruth.txt", "1,1,8,9\n2,3,10,11\n4,4,5,5\n")
    text(root / "bear/bear-12/full_occlusion.txt", "1,0,0")
    text(root / "bear/bear-12/out_of_view.txt", "0,0,1")
    return [([f"bear/bear-12/img/{index:08d}.jpg" for index in (1, 2, 3)], [ABSENT, (1, 2, 10, 11), ABSENT], "bear")]


def trackingnet(root: Path) -> list:
    """Eleven frames, whose names are not in the order of the alphabet."""
    for index in range(11):
        picture(root / f"TRAIN_0/frames/video_1/{index}.jpg")
    text(root / "TRAIN_0/anno/video_1.txt", "".join(f"{index}.5,3.25,10.0,12.0\n" for index in range(11)))
    return [([f"TRAIN_0/frames/video_1/{index}.jpg" for index in range(11)], [(index + 0.5, 3.25, 10, 12) for index in range(11)], None)]


def coco(root: Path) -> list:
    """Two pictures, one with two boxes and a crowd."""
    for name in ("000000000001.jpg", "000000000002.jpg"):
        picture(root / "train2017" / name)
    boxes = [(1, [1.5, 2.0, 10.0, 12.25], 3, 0), (1, [0, 0, 40, 40], 3, 1), (2, [4, 5, 6, 7], 5, 0), (1, [9, 9, 9, 9], 5, 0)]
    annotations = [{"image_id": image, "bbox": box, "category_id": kind, "iscrowd": crowd} for image, box, kind, crowd in boxes]
    images = [{"id": index, "file_name": f"{index:012d}.jpg"} for index in (1, 2)]
    categories = [{"id": 3, "name": "car"}, {"id": 5, "name": "airplane"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    text(root / "annotations/instances_train2017.json", json.dumps(content))
    first, second = "train2017/000000000001.jpg", "train2017/000000000002.jpg"
    return [([first], [(1.5, 2, 10, 12.25)], "car"), ([second], [(4, 5, 6, 7)], "airplane"), ([first], [(9, 9, 9, 9)], "airplane")]


def voc(root: Path) -> list:
    """Two pictures; the second annotation names its picture wrongly."""
    for name in ("000001", "000002"):
        picture(root / f"JPEGImages/{name}.jpg")
    xml(root / "Annotations/000001.xml", "000001.jpg", item("dog", (1, 1, 10, 20)), item("cat", (5, 6, 24, 15)))
    xml(root / "Annotations/000002.xml", "elsewhere.png", item("dog", (3, 3, 12, 12)))
    first, second = "JPEGImages/000001.jpg", "JPEGImages/000002.jpg"
    return [([first], [(0, 0, 10, 20)], "dog"), ([first], [(4, 5, 20, 10)], "cat"), ([second], [(2, 2, 10, 10)], "dog")]


def otb(root: Path) -> list:
    """All three separators, two targets in one video, one of them absent once, and a target without lines."""
    tables = {"Cup/groundtruth_rect.txt": "1,2,10,12\n\n3,4,10,12\r\n", "Dog/groundtruth_rect.1.txt": "1\t1\t8\t8\n0\t0\t0\t0\n"}
    for name, table in (tables | {"Dog/groundtruth_rect.2.txt": "5 6 7 8\n9 8 7 6\n", "Dog/groundtruth_rect.3.txt": ""}).items():
        text(root / name, table)
    for name in ("Cup", "Dog"):
        for index in (1, 2, 3):
            picture(root / f"{name}/img/{index:04d}.jpg")
    cup, dog = ([f"{name}/img/{index:04d}.jpg" for index in (1, 2)] for name in ("Cup", "Dog"))
    boxes = [(0, 1, 10, 12), (2, 3, 10, 12)], [(0, 0, 8, 8), ABSENT], [(4, 5, 7, 8), (8, 7, 7, 6)]
    return [(cup, boxes[0], None), (dog, boxes[1], None), (dog, boxes[2], None)]


def clips(root: Path) -> list:
    """A video and two stills."""
    for index in (1, 2):
        picture(root / f"video/cup_s1/{index:04d}.jpg")
    for name in ("a.jpg", "b.jpg"):
        picture(root / "stills" / name)
    text(root / "video/cup_s1/boxes.txt", "1.25,2.00,20.00,10.00\n3.00,4.00,20.00,10.00\n")
    text(root / "stills/boxes.csv", "file,x,y,w,h,label\na.jpg,0,1,12,13,dog\nb.jpg,2.5,3,14,15,cat\n")
    video = [f"video/cup_s1/{index:04d}.jpg" for index in (1, 2)]
    stills = (["stills/a.jpg"], [(0, 1, 12, 13)], "dog"), (["stills/b.jpg"], [(2.5, 3, 14, 15)], "cat")
    return [(video, [(1.25, 2, 20, 10), (3, 4, 20, 10)], None), *stills]


def pictures(root: Path) -> list:
    """Three pictures in folders."""
    names = ("a.jpg", "deep/b.JPG", "deep/deeper/c.jpg")
    for name in names:
        picture(root / name)
    return [([name], None, None) for name in names]


FORMATS = {made.__name__: made for made in (clips, vid, got10k, lasot, trackingnet, coco, voc, otb, pictures)}
