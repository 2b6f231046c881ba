"""Data sets: every format read back, what is held out, and what cannot be read."""

import cv2
import numpy as np
import pytest

from distill.data.clips import Frames
from distill.data.datasets import KINDS, open_dataset
from distill.data.pairs import Pairs
from distill.data.store import Store
from distill.errors import DistillationError
from tests.formats import FORMATS, item, picture, text, xml


def everything(dataset):
    """All clips, in an order that does not depend on the reader's."""
    return ordered([(list(clip.frames), clip.boxes, clip.label) for clip in dataset.training + dataset.validation])


def ordered(clips):
    return sorted(clips, key=lambda clip: (clip[0], str(clip[2]), np.nan_to_num(np.array(clip[1], float)).tolist()))


def test_there_is_an_example_of_every_kind():
    assert set(FORMATS) == set(KINDS)


@pytest.mark.parametrize("kind", FORMATS)
def test_format(kind, tmp_path, monkeypatch):
    """The kind is found out, paths, boxes and labels are right, and no picture is opened for it."""
    expected = FORMATS[kind](tmp_path)
    with monkeypatch.context() as patch:
        for name in ("imread", "imdecode"):
            patch.setattr(cv2, name, None)
        patch.setattr("distill.data.store.read_picture", None)
        dataset = open_dataset(tmp_path)
    assert dataset.kind == kind and dataset.broken == []
    wanted = ordered([([tmp_path / frame for frame in frames], boxes, label) for frames, boxes, label in expected])
    for (frames, boxes, label), (wanted_frames, wanted_boxes, wanted_label) in zip(everything(dataset), wanted, strict=True):
        assert frames == wanted_frames and all(frame.is_file() for frame in frames) and label == wanted_label
        assert (boxes is None) == (wanted_boxes is None)
        if boxes is not None:
            assert boxes.dtype == np.float64
            np.testing.assert_array_equal(boxes, wanted_boxes)


@pytest.mark.parametrize("kind", FORMATS)
def test_pairs_of_every_format(kind, tmp_path):
    """One sampler for all; targets of less than 8 pixels, which some of the examples have, are passed over."""
    FORMATS[kind](tmp_path)
    dataset = open_dataset(tmp_path)
    pairs = Pairs(dataset.training + dataset.validation, side=32)
    batch = pairs.batch(3, np.random.default_rng(0))
    assert batch.z.shape == batch.x.shape == (3, 3, 32, 32) and not pairs.broken


def test_numbered_frames(tmp_path):
    frames = Frames(tmp_path, "{:04d}.jpg", range(3, 9))
    assert len(frames) == 6 and frames[-1].name == "0008.jpg" and [frame.name for frame in frames][:2] == ["0003.jpg", "0004.jpg"]


# held out


def test_validation_txt_holds_out_files_and_folders(tmp_path):
    FORMATS["clips"](tmp_path)
    text(tmp_path / "validation.txt", "video/cup_s1\nstills/b.jpg\n")
    dataset = open_dataset(tmp_path)
    assert [clip.frames[0].name for clip in dataset.validation] == ["0001.jpg", "b.jpg"]
    assert [clip.frames[0].name for clip in dataset.training] == ["a.jpg"]


def test_what_shows_the_same_object_is_held_out_together(tmp_path):
    """Parts of one video, and boxes of one picture."""
    for name in ("cup_s1", "cup_s2", "dog_s1"):
        picture(tmp_path / f"video/{name}/1.jpg")
        text(tmp_path / f"video/{name}/boxes.txt", "1,1,9,9\n")
    text(tmp_path / "stills/boxes.csv", "file,x,y,w,h,label\na.jpg,0,1,12,13,dog\na.jpg,2,3,14,15,cat\n")
    text(tmp_path / "validation.txt", "video/cup_s2\nstills/a.jpg\n")
    dataset = open_dataset(tmp_path)
    assert [clip.frames[0].parent.name for clip in dataset.training] == ["dog_s1"]
    assert len(dataset.validation) == 4


def test_split_of_the_publisher_is_held_out(tmp_path):
    FORMATS["got10k"](tmp_path)
    text(tmp_path / "val/GOT-10k_Val_000001/groundtruth.txt", "1,1,10,10\n")
    text(tmp_path / "test/GOT-10k_Test_000001/groundtruth.txt", "1,1,10,10\n")
    dataset = open_dataset(tmp_path)
    assert [clip.source.rpartition("_")[0][-5:] for clip in (*dataset.training, *dataset.validation)] == ["Train", "k_Val"]


def test_every_twentieth_is_held_out_where_nothing_is_said(tmp_path):
    for index in range(45):
        picture(tmp_path / f"{index:02d}.jpg", (4, 4))
    dataset = open_dataset(tmp_path)
    assert [clip.frames[0].name for clip in dataset.validation] == ["01.jpg", "21.jpg", "41.jpg"]
    assert len(dataset.training) == 42


def test_training_pictures(shared):
    """Counts of their README."""
    dataset = open_dataset(shared("data/train"))
    clips = dataset.training + dataset.validation
    assert dataset.kind == "clips" and not dataset.broken
    assert sum(len(clip.frames) > 1 for clip in clips) == 91
    assert sum(len(clip.frames) for clip in clips if len(clip.frames) > 1) == 818
    assert sum(len(clip.frames) == 1 for clip in clips) == 3866
    assert sum(len(clip.frames) > 1 for clip in dataset.validation) == 12
    assert len({clip.source for clip in dataset.validation if len(clip.frames) == 1}) == 227


# what cannot be read


def test_no_data_set(tmp_path):
    with pytest.raises(DistillationError, match=r"looked for .*Annotations/VID \(vid\).*groundtruth_rect"):
        open_dataset(tmp_path)
    with pytest.raises(DistillationError, match="no folder"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(DistillationError, match="no data set of the kind 'oxuva'; there are clips, vid"):
        open_dataset(tmp_path, "oxuva")
    with pytest.raises(DistillationError, match=r"no target of the kind lasot; looked for .*full_occlusion.txt"):
        open_dataset(tmp_path, "lasot")


def test_kind_can_be_told(tmp_path):
    FORMATS["lasot"](tmp_path)
    dataset = open_dataset(tmp_path, "pictures")
    assert dataset.kind == "pictures" and len(everything(dataset)) == 3


@pytest.mark.parametrize(
    ("kind", "name", "content"),
    [
        ("got10k", "train/GOT-10k_Train_000001/groundtruth.txt", "1,2,3\n"),
        ("got10k", "train/GOT-10k_Train_000001/absence.label", "0\n1\n"),
        ("lasot", "bear/bear-12/groundtruth.txt", "1,1,8,nine\n"),
        ("trackingnet", "TRAIN_0/anno/video_1.txt", b"\xff\xfe\x00"),
        ("coco", "annotations/instances_train2017.json", "{"),
        ("coco", "annotations/instances_train2017.json", "[]"),
    ],
)
def test_only_broken_annotations(kind, name, content, tmp_path):
    FORMATS[kind](tmp_path)
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DistillationError, match="1 of its annotations cannot be read, the first is"):
        open_dataset(tmp_path)


def test_broken_annotations_are_skipped_and_counted(tmp_path):
    FORMATS["voc"](tmp_path)
    text(tmp_path / "Annotations/000003.xml", "<annotation>")
    xml(tmp_path / "Annotations/000004.xml", "missing.jpg", item("dog", (1, 1, 2, 2)))
    xml(tmp_path / "Annotations/000005.xml", "000001.jpg", "<object><name>dog</name></object>")
    dataset = open_dataset(tmp_path)
    assert [file.stem for file in dataset.broken] == ["000003", "000004", "000005"]
    assert len(everything(dataset)) == 3


def test_broken_frame_of_vid(tmp_path):
    """The target counts as absent there."""
    FORMATS["vid"](tmp_path)
    broken = next(tmp_path.rglob("000002.xml"))
    broken.write_text("")
    dataset = open_dataset(tmp_path)
    first = next(clip for clip in dataset.training + dataset.validation if clip.label == "n02691156")
    assert dataset.broken == [broken] and first.usable(1).tolist() == [0, 1, 3]


@pytest.mark.parametrize("content", [b"", b"no picture", "cut"])
def test_broken_pictures_are_none_and_counted(content, tmp_path):
    picture(tmp_path / "whole.jpg")
    whole = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "broken.jpg").write_bytes(whole[: len(whole) // 2] if content == "cut" else content)
    store = Store()
    assert store.read(tmp_path / "broken.jpg") is None and store.read(tmp_path / "missing.jpg") is None
    assert store.read(tmp_path / "whole.jpg").shape == (40, 60, 3)
    assert store.broken == {tmp_path / "broken.jpg", tmp_path / "missing.jpg"}


def test_store_keeps_what_there_is_room_for(tmp_path):
    for name in "ab":
        picture(tmp_path / f"{name}.jpg", (10, 10))
    store = Store(capacity=500)  # one picture has 300 bytes
    first, second = (store.read(tmp_path / f"{name}.jpg") for name in "ab")
    assert store.read(tmp_path / "a.jpg") is first and store.read(tmp_path / "b.jpg") is not second
