"""Data sets are read from trees like those that are published, whole or in part."""

import json
import pickle
import re
from collections import Counter

import cv2
import numpy as np
import pytest

from benchmarks.datasets import NAMES, canonical, lasot, load, otb, tc128, uav123, vot
from benchmarks.metrics import auc, frame_values
from benchmarks.protocols import starts
from tests.sequences import save_sequences
from trackers.errors import UnknownOptionError, VideoError

BOXES = np.array([(3, 4, 20, 10), (4, 4, 20, 11), (5, 6, 21, 12), (6, 6, 20, 10), (7, 8, 20, 10)], float)  # as in files


@pytest.fixture
def root(tmp_path, video):
    return save_sequences(tmp_path / "root", *video)


def save(folder, numbers=range(1, 6), pattern="{:04d}.jpg"):
    """Pictures of these numbers, each of its own grey."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        cv2.imwrite(str(folder / pattern.format(number)), np.full((32, 48, 3), number % 250, np.uint8))


def write(path, rows, separator=",", end="\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(separator.join(f"{value:g}" for value in row) + end for row in rows).encode())


def grey(sequence):
    """Grey values of the pictures."""
    return [round(frame.mean()) for frame in sequence.frames()]


# the layout of OTB


def test_any_folder_laid_out_like_otb(root, video):
    frames, boxes = video
    dataset = load("folder", root)
    assert [(target.name, target.video) for target in dataset.sequences] == [("Cup", "Cup"), ("Two-1", "Two"), ("Two-2", "Two")]
    assert (dataset.total, dataset.missing, dataset.broken, dataset.convention) == (3, [], {}, "otb")
    for target in dataset.sequences:
        np.testing.assert_allclose(target.boxes, boxes, atol=1e-6)
        assert target.valid.all() and target.origin == 1 and target.first == 1
        assert [file.name for file in target.files] == [f"{number:04d}.jpg" for number in range(1, 8)]
        assert np.abs(next(target.frames()).astype(int) - frames[0]).mean() < 5  # of the JPEG
    assert dataset["two.2"] is dataset.sequences[2]


@pytest.mark.parametrize("separator", [",", "\t", " ", ", ", " \t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n", " \r\n\r\n", ",\n"])
def test_whatever_is_between_the_numbers(tmp_path, separator, end):
    save(tmp_path / "Cup" / "img")
    write(tmp_path / "Cup" / "groundtruth_rect.txt", BOXES, separator, end)
    np.testing.assert_array_equal(load("folder", tmp_path).sequences[0].boxes, BOXES - (1, 1, 0, 0))


def test_annotations_that_are_none(tmp_path):
    """OTB calls a box invalid in which any of the 1-based numbers is not above zero; a file without lines is no target."""
    rows = np.array([(1, 1, 5, 6), (0, 3, 5, 6), (0, 0, 0, 0), (8, 9, 0, 5), (np.nan, 1, 1, 1)])
    save(tmp_path / "Cup" / "img")
    write(tmp_path / "Cup" / "groundtruth_rect.2.txt", rows)
    (tmp_path / "Cup" / "groundtruth_rect.1.txt").write_text("\r\n \n")
    (cup,) = load("folder", tmp_path).sequences
    assert cup.name == "Cup-2"
    np.testing.assert_array_equal(cup.valid, [True, False, False, False, False])
    np.testing.assert_array_equal(cup.boxes, rows - (1, 1, 0, 0))


def test_a_sequence_begins_with_its_first_box(tmp_path):
    save(tmp_path / "Cup" / "img")
    write(tmp_path / "Cup" / "groundtruth_rect.txt", [(0, 0, 0, 0), *BOXES[1:]])
    (cup,) = load("folder", tmp_path).sequences
    assert (len(cup), cup.first, grey(cup)) == (4, 2, [2, 3, 4, 5])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1,2,3\n", r"groundtruth_rect.txt, line 1: '1,2,3'; every line must be 4 numbers"),
        (b"1,2,3,4\n\n1,2,3,x\n", "line 3: '1,2,3,x'; every line must be 4 numbers"),
        (b"0,0,0,0\n" * 7, "Cup has no frame with a box"),
        (b"1,2,3,4\n" * 9, "has 9 boxes, .*img has 7 pictures"),
        (b"1,2,3,4\n" * 4, "has 4 boxes, .*img has 7 pictures"),
        (b"1,2,3,4\n\xff\xfe\x00", "cannot read .*groundtruth_rect.txt"),
    ],
)
def test_a_broken_sequence_is_named_and_the_rest_is_read(root, content, message):
    (root / "Cup" / "groundtruth_rect.txt").write_bytes(content)
    dataset = load("folder", root)
    assert [target.name for target in dataset.sequences] == ["Two-1", "Two-2"]
    assert list(dataset.broken) == ["Cup"] and re.search(message, dataset.broken["Cup"])


def test_a_sequence_without_pictures_is_broken(tmp_path):
    write(tmp_path / "Cup" / "groundtruth_rect.txt", BOXES)
    assert "img: No such file" in load("folder", tmp_path).broken["Cup"]


# OTB


def test_sets_of_otb_are_those_that_are_published():
    assert {name: len(targets) for name, targets in otb.SETS.items()} == {"otb2013": 51, "otb50": 50, "otb": 100}
    videos = {name: len({otb.TARGETS[target]["folder"] for target in targets}) for name, targets in otb.SETS.items()}
    assert videos == {"otb2013": 50, "otb50": 49, "otb": 98}
    assert sum(last - first + 1 for first, last in (about["frames"] for about in otb.TARGETS.values())) == 59040
    cut = {name: about["frames"] for name, about in otb.TARGETS.items() if about["frames"][0] > 1}
    assert cut == {"David": [300, 770], "BlurCar1": [247, 988], "BlurCar3": [3, 359], "BlurCar4": [18, 397]}
    assert sum("omitted" in about for about in otb.TARGETS.values()) == 27


@pytest.mark.parametrize(
    ("labels", "counts"),
    [("text", (38, 65, 49, 44, 31, 43, 51, 64, 14, 32, 10)), ("matlab", (38, 65, 51, 44, 31, 42, 51, 61, 14, 31, 10))],
)
def test_attributes_of_otb_are_as_many_as_are_published(labels, counts):
    found = Counter(name for target in otb.TARGETS for name in otb.attributes(target, labels))
    assert found == dict(zip(otb.ATTRIBUTES, counts, strict=True))


def otb_tree(root, name, numbers, rows, annotation="groundtruth_rect.txt"):
    save(root / name / "img", numbers)
    write(root / name / annotation, rows)


def boxes(count):
    return np.tile([3, 4, 20, 10], (count, 1))


def test_frames_of_otb(tmp_path):
    otb_tree(tmp_path, "Tiger1", range(1, 355), boxes(354))
    otb_tree(tmp_path, "David", range(1, 771), boxes(471))
    otb_tree(tmp_path, "Diving", range(1, 232), boxes(215))
    otb_tree(tmp_path, "BlurCar1", range(247, 989), boxes(742))
    otb_tree(tmp_path, "Board", range(1, 699), boxes(697))
    otb_tree(tmp_path, "Human4", range(1, 668), boxes(667), "groundtruth_rect.2.txt")
    (tmp_path / "Human4" / "groundtruth_rect.1.txt").touch()
    dataset = load("otb", tmp_path)
    found = {target.name: (target.files[0].stem, target.files[-1].stem, len(target), target.first) for target in dataset.sequences}
    assert found == {
        "Tiger1": ("0006", "0354", 349, 6),  # as the toolkit's own results
        "David": ("0300", "0770", 471, 1),
        "Diving": ("0001", "0215", 215, 1),
        "BlurCar1": ("0247", "0988", 742, 1),
        "Board": ("0001", "0697", 697, 1),
        "Human4-2": ("0001", "0667", 667, 1),
    }
    assert not dataset.broken and len(dataset.missing) == 94 and dataset.total == 100
    assert dataset["Tiger1"].omitted[:2] == ((-4, 0), (4, 10))  # 1 to 5, 9 to 15 of the annotation
    assert starts(dataset["Tiger1"], "tre")[0].frame == 0


def test_copies_of_otb_that_differ(tmp_path):
    otb_tree(tmp_path, "david", range(300, 470), boxes(170))  # cut, and in small letters
    otb_tree(tmp_path, "Human4", range(1, 668), boxes(667))  # its only annotation
    otb_tree(tmp_path, "Jogging-1", range(1, 308), boxes(307))  # a folder of its own
    otb_tree(tmp_path, "Couple", range(1, 141), boxes(100))
    otb_tree(tmp_path, "Dancer", range(3, 12), boxes(9))
    write(tmp_path / "Dancer" / "init_omit.txt", [(3, 4), (7, 7)], " ")  # by the numbers of pictures
    dataset = load("otb", tmp_path)
    assert {target.name: len(target) for target in dataset.sequences} == {"Dancer": 7, "David": 170, "Human4-2": 667, "Jogging-1": 307}
    assert dataset["David"].files[0].stem == "0300"
    assert dataset["Dancer"].files[0].stem == "0005"
    np.testing.assert_array_equal(dataset["Dancer"].usable, [True, True, False, True, True, True, True])
    assert re.search("Couple.groundtruth_rect.txt has 100 boxes, .* has 140 pictures", dataset.broken["Couple"])


def test_the_sequences_at_hand(shared):
    """Their README says how many frames each has; David is cut, and its pictures begin with the 300th."""
    dataset = load("otb", shared("data/otb"))
    assert (len(dataset.sequences), dataset.total, len(dataset.missing), dataset.broken) == (19, 100, 81, {})
    assert not {target.name for target in dataset.sequences} & set(dataset.missing)
    assert [len(dataset[name]) for name in ("David", "Diving", "Football1", "Jogging-2", "Woman")] == [170, 215, 74, 180, 150]
    assert dataset["David"].files[0].stem == "0300"
    assert {target.name for target in load("otb2013", shared("data/otb")).sequences} < {target.name for target in dataset.sequences}
    for target in dataset.sequences:
        assert auc(frame_values(target.boxes, target)[0]) == 20 / 21


# other data sets


def test_names_of_tc128():
    newer = [name for name in tc128.TARGETS if "_ce" in name]
    assert (len(tc128.TARGETS), len(newer)) == (129, 78)
    assert {"Jogging1", "Jogging2", "Skating2", "Yo-yos_ce3", "Carchasing_ce4"} < set(tc128.TARGETS)
    assert not {"Jogging", "Carchasing_ce2", "Plane_ce1"} & set(tc128.TARGETS)


@pytest.fixture
def tc128_tree(tmp_path):
    """Four folders, with frames as in the real ones; one annotation is short."""
    ranges = (("Hurdle_ce2", 27, 330, 304), ("Jogging1", 1, 307, 307), ("Yo-yos_ce3", 1, 201, 201), ("Bee_ce", 1, 9, 7))
    for name, first, last, count in ranges:
        save(tmp_path / name / "img", range(1, last + 1))
        (tmp_path / name / f"{name}_frames.txt").write_text(f"{first},{last}\r\n")
        write(tmp_path / name / f"{name}_gt.txt", boxes(count) + np.arange(count)[:, None] % 7, end="\r\n")
    return tmp_path


def test_tc128(tc128_tree):
    dataset = load("tc128", tc128_tree)
    assert (dataset.total, len(dataset.missing), list(dataset.broken)) == (129, 125, ["Bee_ce"])
    assert "has 7 boxes" in dataset.broken["Bee_ce"]
    assert [(target.name, target.video, len(target)) for target in dataset.sequences] == [
        ("Hurdle_ce2", "Hurdle_ce2", 304),
        ("Jogging1", "Jogging", 307),
        ("Yo-yos_ce3", "Yo-yos_ce3", 201),
    ]
    hurdle = dataset["hurdle-ce2"]
    assert (hurdle.files[0].stem, hurdle.files[-1].stem, hurdle.origin) == ("0027", "0330", 1)
    np.testing.assert_array_equal(hurdle.boxes[1], [3, 4, 21, 11])


def test_tc128_is_read_as_by_the_got10k_toolkit(tc128_tree):
    theirs = pytest.importorskip("got10k.datasets").TColor128(str(tc128_tree), download=False)
    for target in load("tc128", tc128_tree).sequences:
        files, rows = theirs[theirs.seq_names.index(target.name)]
        assert files == list(map(str, target.files))
        np.testing.assert_array_equal(rows - (1, 1, 0, 0), target.boxes)


def test_vot(tmp_path):
    assert len(vot.SETS["vot2016"]) == len(vot.SETS["vot2017"]) == 60
    square = [(10, 10, 30, 10, 30, 20, 10, 20)] * 4
    save(tmp_path / "bag" / "color", range(1, 5), "{:08d}.jpg")
    write(tmp_path / "bag" / "groundtruth.txt", [*square, (10, 10, 20, 0, 30, 10, 20, 20)][1:])
    (tmp_path / "bag" / "occlusion.tag").write_text("0\n1\n1\n0\n")
    (tmp_path / "bag" / "camera_motion.tag").write_text("0\n0\n0\n0\n")
    save(tmp_path / "book", range(1, 5), "{:08d}.jpg")  # as before 2017
    write(tmp_path / "book" / "groundtruth.txt", boxes(4), end="\r\n")
    save(tmp_path / "ants1", range(1, 5), "{:08d}.jpg")
    write(tmp_path / "ants1" / "groundtruth.txt", square[:3])
    dataset = load("vot2017", tmp_path)
    assert (dataset.total, len(dataset.missing), list(dataset.broken), dataset.convention) == (60, 57, ["ants1"], "vot")
    bag, book = dataset.sequences
    assert bag.origin == book.origin == 0 and bag.attributes == {"occlusion"}
    np.testing.assert_array_equal(bag.polygons[:3], square[:3])
    np.testing.assert_allclose(bag.boxes[0], [10, 10, 21, 11])  # the corners are centres of pixels
    np.testing.assert_allclose(bag.boxes[3, 2:], np.sqrt(200) + 1)  # a square on a corner: its area, and one pixel more
    np.testing.assert_allclose(bag.boxes[3, :2] + (bag.boxes[3, 2:] - 1) / 2, [20, 10])
    assert book.polygons is None and grey(book) == [1, 2, 3, 4]
    np.testing.assert_array_equal(book.boxes, boxes(4))
    (tmp_path / "list.txt").write_text("book\r\nbag\n\ngone\n")
    listed = load("vot", tmp_path)
    assert ([target.name for target in listed.sequences], listed.missing) == (["book", "bag"], ["gone"])


def test_vot_at_hand(shared):
    dataset = load("vot", shared("data/vot"))
    assert {target.name: len(target) for target in dataset.sequences} == {"bag": 196, "book": 110}
    assert dataset["book"].attributes == {"camera_motion", "motion_change", "size_change"}
    np.testing.assert_array_equal(dataset["bag"].polygons[0], [291.827, 203.603, 396.382, 264.289, 442.173, 185.397, 337.618, 124.711])


@pytest.fixture
def got10k_tree(tmp_path):
    for split in ("val", "test"):
        for number in (1, 2):
            name = f"GOT-10k_{split.capitalize()}_{number:06d}"
            save(tmp_path / split / name, range(1, 6), "{:08d}.jpg")
            write(tmp_path / split / name / "groundtruth.txt", BOXES if split == "val" else BOXES[:1])
            write(tmp_path / split / name / "cover.label", [[8], [8], [0], [3], [8]])
        (tmp_path / split / "list.txt").write_text(f"GOT-10k_{split.capitalize()}_000001\r\nGOT-10k_{split.capitalize()}_000002\r\n")
    return tmp_path


def test_got10k(got10k_tree):
    dataset = load("got10k-val", got10k_tree)
    assert (dataset.total, dataset.broken, dataset.layout) == (2, {}, "GOT-10k")
    first = dataset.sequences[0]
    assert (first.name, first.origin, grey(first)) == ("GOT-10k_Val_000001", 0, [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(first.boxes, BOXES)
    np.testing.assert_array_equal(first.valid, [True, True, False, True, True])
    assert [target.name for target in load("got10k-val", got10k_tree / "val").sequences] == [target.name for target in dataset.sequences]

    secret = load("got10k-test", got10k_tree).sequences[1]
    assert len(secret) == 5
    np.testing.assert_array_equal(secret.boxes[0], BOXES[0])
    assert np.isnan(secret.boxes[1:]).all() and secret.valid.tolist() == [True] + 4 * [False]

    write(got10k_tree / "val" / first.name / "groundtruth.txt", BOXES[:1])
    (got10k_tree / "val" / "list.txt").write_text(f"{first.name}\nGOT-10k_Val_000003\n")
    short = load("got10k-val", got10k_tree)
    assert (short.sequences, list(short.broken), short.missing) == ([], [first.name], ["GOT-10k_Val_000003"])
    (got10k_tree / "val" / "list.txt").unlink()
    with pytest.raises(VideoError, match="cannot read .*list.txt"):
        load("got10k-val", got10k_tree)


def test_got10k_is_read_as_by_its_toolkit(got10k_tree):
    theirs = pytest.importorskip("got10k.datasets").GOT10k(str(got10k_tree), "val")
    for target in load("got10k-val", got10k_tree).sequences:
        files, rows = theirs[target.name]
        assert files == list(map(str, target.files))
        np.testing.assert_array_equal(rows, target.boxes)


def test_lasot(tmp_path):
    assert len(lasot.TARGETS) == 280 and {"airplane-1", "zebra-17"} < set(lasot.TARGETS)
    for name in ("bird/bird-2", "zebra-10", "zebra/zebra-14"):
        save(tmp_path / name / "img", range(1, 6), "{:08d}.jpg")
        write(tmp_path / name / "groundtruth.txt", BOXES)
        (tmp_path / name / "full_occlusion.txt").write_text("0,0,1,0,0")
        (tmp_path / name / "out_of_view.txt").write_text("0,0,0,0,1\n")
    (tmp_path / "zebra" / "zebra-14" / "out_of_view.txt").write_text("1\n")
    dataset = load("lasot", tmp_path)
    assert [target.name for target in dataset.sequences] == ["bird-2", "zebra-10"]
    assert (dataset.total, len(dataset.missing)) == (280, 277) and "has 1 flags for 5 frames" in dataset.broken["zebra-14"]
    bird = dataset["Bird_2"]
    np.testing.assert_array_equal(bird.boxes, BOXES - (1, 1, 0, 0))
    np.testing.assert_array_equal(bird.visible, [True, True, False, True, False])
    np.testing.assert_array_equal(bird.valid, bird.visible)


def test_uav123(tmp_path):
    assert {name: len(targets) for name, targets in uav123.SETS.items()} == {"uav123": 123, "uav20l": 20}
    video, first, last = uav123.SETS["uav123"]["bird1_2"]
    assert (video, first, last) == ("bird1", 775, 1477)
    rows = boxes(last - first + 1).astype(float)
    rows[3] = np.nan
    save(tmp_path / "data_seq" / "UAV123" / "bird1", range(700, 1500), "{:06d}.jpg")
    write(tmp_path / "anno" / "UAV123" / "bird1_2.txt", rows)
    write(tmp_path / "anno" / "UAV123" / "bird1_3.txt", rows)  # the pictures behind 1499 are not there
    dataset = load("uav123", tmp_path)
    assert (dataset.total, len(dataset.missing), list(dataset.broken)) == (123, 121, ["bird1_3"])
    bird = dataset.sequences[0]
    assert (bird.name, bird.video, bird.files[0].stem, bird.files[-1].stem) == ("bird1_2", "bird1", "000775", "001477")
    assert np.isnan(bird.boxes[3]).all() and not bird.valid[3] and bird.valid.sum() == len(bird) - 1
    with pytest.raises(VideoError, match="no sequence"):
        load("uav20l", tmp_path)


def test_generated_sequences():
    dataset = load("synthetic")
    assert dataset.total == len(dataset.sequences) >= 8
    for target in dataset.sequences:
        picture = next(target.frames())
        assert picture.shape == (240, 320, 3) and picture.dtype == np.uint8
        assert len(target) == len(target.boxes) == 100 and target.valid[0] and target.attributes <= set(otb.ATTRIBUTES)
    later = dataset["Motion"].since(97)
    assert [len(list(sequence.frames())) for sequence in (later, dataset["Motion"])] == [3, 100]
    np.testing.assert_array_equal(next(later.frames()), list(dataset["Motion"].frames())[97])
    third = dataset["Motion"].every(3)
    assert len(list(third.frames())) == len(third) == 34
    np.testing.assert_array_equal(next(third.since(2).frames()), list(dataset["Motion"].frames())[6])
    copied = pickle.loads(pickle.dumps(later))
    np.testing.assert_array_equal(next(copied.frames()), next(later.frames()))


# names and errors


@pytest.mark.parametrize(
    ("given", "name"),
    [(spelling, "Jogging-1") for spelling in ("Jogging-1", "Jogging.1", "Jogging_1", "jogging_1", "jogging1", "jogging-1")]
    + [("faceocc1", "FaceOcc1"), ("carDark", "CarDark"), ("human4", "Human4-2"), ("Human4.2", "Human4-2"), ("skating2.1", "Skating2-1")],
)
def test_spellings_of_otb(given, name):
    assert canonical(given, otb.TARGETS) == name


def test_spellings_of_others():
    assert canonical("Skating2", tc128.TARGETS) == "Skating2"
    assert canonical("Jogging1", tc128.TARGETS) == "Jogging1" == canonical("Jogging-1", tc128.TARGETS)
    assert canonical("Yo_yos_ce1", tc128.TARGETS) == "Yo-yos_ce1"
    assert canonical("car1_1", uav123.SETS["uav123"]) == "car1_1" and canonical("car11", uav123.SETS["uav123"]) == "car11"
    for name in ("Skating2", "Jogging"):  # two targets each
        with pytest.raises(UnknownOptionError, match=f"no target '{name}'; the nearest are .*{name}-"):
            canonical(name, otb.TARGETS)
    with pytest.raises(UnknownOptionError, match="no target '7'$"):
        canonical("7", otb.TARGETS)


def test_targets_at_hand_have_the_names_of_the_list(shared):
    given = json.loads(shared("data/otb_lists.json").read_text())
    assert set(otb.SETS["otb2013"]) == set(given["otb2013"]["targets"]) and set(otb.SETS["otb50"]) == set(given["tb50"]["targets"])
    for name, about in given["sequences"]["items"].items():
        assert otb.attributes(name) == set(about["attributes"])


@pytest.mark.parametrize("name", [name for name in NAMES if name != "synthetic"])
def test_a_missing_folder_is_said(name, tmp_path):
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(VideoError, match=f"no sequence in {root} that belongs to the data set {name}"):
            load(name, root)
    with pytest.raises(VideoError, match=f"the data set {name} needs a folder"):
        load(name)


def test_an_unknown_data_set_is_said():
    with pytest.raises(UnknownOptionError, match="no data set 'imagenet'; there are otb2013, otb50, otb, folder"):
        load("imagenet")
