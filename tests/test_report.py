"""Tables by hand, plots, and the page as a browser would read it."""

import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from benchmarks.datasets import load
from benchmarks.metrics import frame_values
from benchmarks.protocols import starts
from benchmarks.report import contents, keyframes, plots
from benchmarks.report.conventions import CONVENTIONS, got10k
from benchmarks.report.evaluation import BINS, Evaluation, Track
from benchmarks.report.gather import gather
from benchmarks.report.published import published
from benchmarks.report.tables import Column, Table, comma_separated, markdown, percent, plain
from benchmarks.results import write_result
from benchmarks.sequences import Sequence
from cfvgg.cli import main
from trackers.errors import UnknownOptionError, UnknownTrackerError, VideoError

BOX = (10.0, 10.0, 10.0, 10.0)
HALF = (15.0, 10.0, 10.0, 10.0)  # overlap 50 / 150 with BOX, centre error 5 pixels, half the width
AWAY = (100.0, 100.0, 10.0, 10.0)
NASTY = '<b>"it\'s" & $co_'


def target(name="Cup", frames=4, video=None, attributes=()):
    boxes = np.tile(BOX, (frames, 1))
    return Sequence(name, video or name, (), boxes, np.full(frames, True), attributes=frozenset(attributes))


def track(sequence, box, seconds=None):
    boxes = np.tile(box, (len(sequence), 1))
    return Track(boxes, seconds, CONVENTIONS["otb"](boxes, sequence))


def evaluation(targets, **boxes):
    """Trackers by keyword: a box for all frames, or one for each target."""
    many = {name: given if isinstance(given, list) else [given] * len(targets) for name, given in boxes.items()}
    tracks = {
        name: {sequence.name: track(sequence, box) for sequence, box in zip(targets, given, strict=True)} for name, given in many.items()
    }
    return Evaluation.of(targets, tracks)


# numbers


def test_numbers_of_a_target_by_hand():
    found = evaluation([target()], half=HALF, best=BOX)
    assert list(found.tracks) == ["best", "half"]
    best, half = (
        dict(zip([column.name for column in contents.overall(found).columns], row, strict=True)) for row in contents.overall(found).rows
    )
    assert best["AUC"] == pytest.approx(20 / 21)
    assert [best[name] for name in ("P20", "Pnorm@0.2", "Pnorm-AUC", "SR0.5", "AO")] == [1] * 5
    assert half["AUC"] == pytest.approx((20 + 3 * 7) / (4 * 21))  # the first frame counts as perfect; a third exceeds 0, ..., 0.3
    assert half["P20"] == 1
    assert half["Pnorm@0.2"] == half["SR0.5"] == 0.25
    assert half["Pnorm-AUC"] == pytest.approx((51 + 3) / (4 * 51))  # half the width is not above the last threshold
    assert half["AO"] == pytest.approx((1 + 3 / 3) / 4)
    assert half["from"] is half["to"] is half["fps"] is None


def test_speed_by_hand():
    first, second = target("A"), target("B", 2)
    seconds = {"A": np.array([1, 0.01, 0.02, 0.03]), "B": np.array([3, 0.04])}
    tracks = {each.name: track(each, BOX, seconds[each.name]) for each in (first, second)}
    speed = Evaluation.of([first, second], {"one": tracks}).speed("one")
    assert (speed.fps, speed.median, speed.first) == pytest.approx((4 / 0.1, 25, 2000))
    assert speed.p95 == pytest.approx(30 + 0.85 * 10)  # of 10, 20, 30, 40: place 0.95 * 3
    tracks["B"] = track(second, BOX)
    assert Evaluation.of([first, second], {"one": tracks}).speed("one") is None


def test_differences_are_paired_and_clustered():
    targets = [target(f"T{number}") for number in range(10)]
    found = evaluation(targets, best=BOX, half=HALF)
    difference = found.difference("best", "half")
    gap = 20 / 21 - 41 / 84
    assert difference.mean == pytest.approx(gap)
    assert difference.interval == pytest.approx((gap, gap))
    assert (difference.wins, difference.ties, difference.losses, difference.verdict) == (10, 0, 0, "better")
    assert found.difference("half", "best").verdict == "worse"
    assert found.difference("best", "best").interval == (0, 0)
    assert difference.p == pytest.approx(2 / 2**10)  # all ten signs alike, on either side
    mixed = evaluation(targets, one=[BOX] * 4 + [HALF] * 3 + [AWAY] * 3, other=[HALF] * 4 + [HALF] * 3 + [BOX] * 3).difference(
        "one", "other"
    )
    assert (mixed.wins, mixed.ties, mixed.losses, mixed.verdict) == (4, 3, 3, "open")
    assert mixed.p == 1  # 4 against 3
    assert mixed.interval[0] < 0 < mixed.interval[1]


def test_fewer_than_ten_videos_give_no_interval():
    targets = [target(f"T{number}", video=f"V{number % 9}") for number in range(12)]
    found = evaluation(targets, best=BOX, half=HALF)
    assert found.difference("best", "half").interval is None
    assert found.difference("best", "half").verdict == "open"
    assert contents.overall(found).rows[0][2:4] == [None, None]
    assert "9 videos are fewer than 10" in contents.differences(found, [("best", "half")]).note
    assert plots.differences(found) is None


def test_attributes_have_the_papers_order_and_targets_the_worst_first():
    targets = [target("A", attributes={"LR", "IV"}), target("B", attributes={"OCC", "IV"}), target("C", attributes={"own"})]
    found = evaluation(targets, one=[HALF, AWAY, BOX])
    table = contents.attributes(found)
    assert [row[:2] for row in table.rows] == [["IV", 2], ["OCC", 1], ["LR", 1], ["own", 1], ["all", 3]]
    away = 20 / 21 / 4  # the first frame
    assert [row[2] for row in table.rows] == pytest.approx([(41 / 84 + away) / 2, away, 41 / 84, 20 / 21, (41 / 84 + away + 20 / 21) / 3])
    assert [row[0] for row in contents.targets(found).rows] == ["B", "A", "C"]
    assert contents.targets(found).rows[0][1:3] == [4, "IV OCC"]


def test_only_targets_that_all_trackers_have_count():
    targets = [target("A"), target("B")]
    tracks = {"all": {each.name: track(each, BOX) for each in targets}, "one": {"B": track(targets[1], HALF)}}
    found = Evaluation.of(targets, tracks)
    assert [each.name for each in found.targets] == ["B"]
    assert list(found.tracks["all"]) == ["B"]


def test_overlap_over_time():
    sequence = target(frames=2 * BINS)
    boxes = sequence.boxes.copy()
    boxes[BINS + 1 :] = AWAY
    found = Track(boxes, None, CONVENTIONS["otb"](boxes, sequence)).over_time()
    np.testing.assert_array_equal(found, np.repeat([1, 0.5, 0], [BINS // 2, 1, BINS // 2 - 1]))
    short = target(frames=3)
    hidden = replace(short, valid=np.array([True, False, True]))
    np.testing.assert_array_equal(np.isnan(track(hidden, BOX).over_time()), np.arange(BINS) * 3 // BINS == 1)


def test_points_that_no_other_beats_in_both():
    assert plots.pareto([(5, 60), (1, 40), (2, 30), (5, 50), (9, 60), (8, 70)]) == [(1, 40), (5, 60), (8, 70)]


def test_the_convention_of_got10k_is_that_of_its_package():
    metrics = pytest.importorskip("got10k.utils.metrics")
    rng = np.random.default_rng(0)
    truth, boxes = (rng.integers(1, 40, (500, 4)).astype(float) for _ in range(2))
    boxes[5:50] = truth[5:50] + rng.integers(-2, 3, (45, 4)) * (1, 1, 0, 0)
    sequence = Sequence("A", "A", (), truth, np.full(500, True))
    found = got10k(boxes, sequence)
    boxes[0] = truth[0]
    np.testing.assert_array_equal(found.overlaps, metrics.rect_iou(boxes, truth))
    success = np.greater(metrics.rect_iou(boxes, truth)[:, None], np.linspace(0, 1, 21)).mean(axis=0)
    np.testing.assert_array_equal(found.success, success)
    np.testing.assert_array_equal(found.precision, (metrics.center_error(boxes, truth)[:, None] <= np.arange(51)).mean(axis=0))


def test_got10k_leaves_frames_without_annotation_out_and_counts_invalid_ones():
    sequence = target(frames=4)
    sequence.boxes[1], sequence.boxes[2, :2], sequence.valid[1:3] = np.nan, -3, False
    assert got10k(sequence.boxes, sequence).success[0] == 1
    assert CONVENTIONS["otb"](sequence.boxes, sequence).success[0] == 0.5
    assert frame_values(sequence.boxes, sequence)[0].tolist() == [1, -1, -1, 1]


# tables as text


TABLE = Table(
    "x", "Of |x|", [Column("name"), percent("AUC", signed=True), Column("n", 0)], [["a|b<", 0.1234, 2], ["c", None, 10]], "a note"
)


def test_texts_of_a_table():
    assert plain(TABLE).splitlines() == ["Of |x|", "", "name    AUC   n", "----  -----  --", "a|b<  +12.3   2", "c         -  10", "a note"]
    assert markdown(TABLE).splitlines()[2:6] == [
        "| name | AUC | n |",
        "| --- | ---: | ---: |",
        "| a\\|b&lt; | +12.3 | 2 |",
        "| c | - | 10 |",
    ]
    assert list(csv.reader(comma_separated(TABLE).splitlines())) == [["name", "AUC", "n"], ["a|b<", "0.1234", "2"], ["c", "", "10"]]
    assert TABLE.records()[1] == {"name": "c", "AUC": None, "n": 10}


def test_published_rows_stand_beside_ours():
    rows = published("OTB2015")
    assert {row.tracker: row.auc for row in rows if row.variant == "adapted on the first frame"} == pytest.approx(
        {"fECO": 0.682, "fDeepSTRCF": 0.686}
    )
    assert [row.auc for row in rows] == sorted((row.auc for row in rows), reverse=True)
    found = evaluation([target(attributes={"IV"})], ECOHC=BOX, other=HALF)
    table = contents.published_table(found, rows)
    (ours,) = [row for row in table.rows if row[6] is not None]
    assert ours[0] == "ECOhc" and [ours[2], *ours[6:]] == pytest.approx([0.646, 20 / 21, 20 / 21 - 0.646])
    assert [column.name for column in contents.attributes(evaluation([target()], fECO=BOX), rows).columns][2:] == [
        "fECO",
        "fECO (published)",
    ]
    assert not published("UAV123")


# files


@pytest.fixture
def root(tmp_path):
    """Ten videos of three frames, laid out like OTB; one has two targets."""
    names = [NASTY.replace('"', ""), *(f"Cup{number}" for number in range(9))]
    for number, name in enumerate(names):
        folder = tmp_path / "data" / name
        (folder / "img").mkdir(parents=True)
        for frame in range(3):
            cv2.imwrite(str(folder / "img" / f"{frame + 1:04d}.png"), np.full((40, 60, 3), 20 * number, np.uint8))
        for annotation in ("groundtruth_rect.1", "groundtruth_rect.2") if number == 1 else ("groundtruth_rect",):
            (folder / f"{annotation}.txt").write_text("11,11,10,10\n" * 3)
    return tmp_path / "data"


@pytest.fixture
def results(tmp_path, root):
    """Of a perfect tracker, one that is off by half a box, and one that lacks a target."""
    folder = tmp_path / "results"
    for tracker, box in (("good", BOX), (NASTY, HALF), ("partial", AWAY)):
        for number, sequence in enumerate(load("folder", root).sequences):
            if tracker != "partial" or number:
                write_result(folder / "folder" / tracker, sequence, np.tile(box, (3, 1)), np.array([0.1, 0.002, 0.002]))
    return folder


class Page(HTMLParser):
    """Collects what a page shows, loads and runs; unclosed elements are an error."""

    VOID = frozenset(("meta", "br", "link", "img"))

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text, self.addresses, self.handlers = [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "xlink:href", "action", "data")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.text.append(data)


def bench(*arguments):
    return main(["bench", *map(str, arguments)])


def test_a_report_from_results_to_the_page(tmp_path, root, results, capsys):
    out = tmp_path / "out"
    for frame in root.glob("Cup8/img/*.png"):  # one of the best; a report goes on without its pictures
        frame.write_bytes(b"")
    assert bench("report", "--dataset", "folder", "--root", root, "--results", results, "--trackers", f"good,{NASTY}", "--out", out) == 0
    printed = capsys.readouterr().out
    assert "good" in printed and "AUC on each target" in printed
    numbers = json.loads((out / "report.json").read_text())
    assert [row["tracker"] for row in numbers["overall"]] == ["good", NASTY]
    assert numbers["overall"][0]["AUC"] == pytest.approx(20 / 21)
    assert numbers["overall"][1]["fps"] == pytest.approx(500)
    assert [numbers["differences"][0][name] for name in ("from", "to")] == pytest.approx([20 / 21 - (20 + 14) / 63] * 2)
    assert {"overall.csv", "targets.csv", "report.md", "success.png", "success.pdf", "speed.png", "time.png"} <= {
        file.name for file in out.iterdir()
    }
    assert not list(out.glob("*.partial"))

    text = (out / "report.html").read_text()
    page = Page(text)
    shown = "".join(page.text)
    for name in ("good", NASTY, "Cup0-1", "Cup0-2", "Cup8", NASTY.replace('"', "")):
        assert name in shown
    assert page.tags.count("script") == 1 and "b" not in page.tags and not page.handlers
    assert page.tags.count("table") == 3 and page.tags.count("svg") == 5 + 5 * 2  # plots; two frames each of the three worst and two best
    assert re.search(r"Cup8 .*0002\.png is empty", shown)
    assert all(address.startswith(("#", "data:image/")) for address in page.addresses)
    assert not re.search(r"https?:|@import|url\((?!#)", text)
    assert '<meta name="viewport" content="width=device-width' in text and "prefers-color-scheme: dark" in text


def test_who_lacks_a_target_is_named(root, results):
    found = gather("folder", root, [results])
    first = load("folder", root).sequences[0].name
    assert found.problems == [f"partial lacks {first}; left out for all trackers"]
    assert found.title == "folder, 10 of 11 targets, not comparable with published figures"
    assert gather("folder", root, [results], ["good"]).title == "folder, 11 targets"


def test_the_same_name_in_two_folders(root, results):
    found = gather("folder", root, [results, results / "folder"])
    assert {"good", f"good ({results / 'folder'})"} <= found.evaluation.tracks.keys()


def test_a_broken_result_is_named_and_left_out(root, results, tmp_path):
    broken = results / "folder" / "good" / "Cup5.txt"
    broken.write_text("11,11,10,10\n")
    found = gather("folder", root, [results], ["good"])
    assert len(found.evaluation.targets) == 10 and str(broken) in found.problems[0]
    padded = gather("folder", root, [results], ["good"], allow_short=True)
    assert not padded.problems
    assert min(padded.evaluation.values("good")) == pytest.approx(20 / 21 / 3)
    broken.write_text("what is this\n")
    assert str(broken) in gather("folder", root, [results], ["good"]).problems[0]


def test_runs_from_other_beginnings(root, results):
    for sequence in load("folder", root).sequences:
        for start in starts(sequence, "sre", (40, 60)):
            write_result(results / "folder" / "good", sequence, np.tile(HALF, (3, 1)), start=start)
        for start in starts(sequence, "tre"):
            write_result(results / "folder" / "good", sequence, sequence.boxes[start.frame :], start=start)
    found = gather("folder", root, [results], ["good", NASTY])
    assert found.robustness["good"] == pytest.approx({"sre": (20 + 14) / 63, "tre": 20 / 21})
    assert found.robustness[NASTY] == {"sre": None, "tre": None}
    assert contents.tables(found.evaluation, (), found.robustness)[2].records()[0]["SRE"] == found.robustness["good"]["sre"]


def test_compare(root, results, capsys):
    assert bench("compare", "--dataset", "folder", "--root", root, "--results", results, "good", NASTY) == 0
    printed = capsys.readouterr().out
    gap = f"{100 * (20 / 21 - 34 / 63):+.1f}"
    assert re.search(rf"Cup0-2 +95\.2 +54\.0 +{re.escape(gap)}", printed)
    assert re.search(rf"{re.escape(gap)} +{re.escape(gap)} +{re.escape(gap)} +better +11 +0 +0", printed)


def test_key_frames_show_where_boxes_are(root, results):
    found = gather("folder", root, [results], ["good", NASTY]).evaluation
    worst, best = keyframes.ends(found)
    assert len({each.name for each in worst + best}) == 6
    tracks = {name: each[worst[0].name] for name, each in found.tracks.items()}
    frames = keyframes.key_frames(worst[0], tracks)
    assert [frame.number for frame in frames] == [2, 3]
    assert frames[0].size == (60, 40) and frames[0].jpeg[:2] == b"\xff\xd8"
    assert frames[0].truth.tolist() == list(BOX) and frames[0].boxes[NASTY].tolist() == list(HALF)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"folders": ["nothing"]}, VideoError, "nothing"),
        ({"folders": ["data/Cup3"]}, VideoError, "no results in .*Cup3"),
        ({"wanted": ["good", "bad"]}, UnknownTrackerError, "'bad' .* there are .*good"),
        ({"labels": "matlab"}, UnknownOptionError, "--attributes matlab.* otb"),
        ({"name": "nonsense"}, UnknownOptionError, "nonsense"),
    ],
)
def test_what_is_not_there_is_named(tmp_path, root, results, change, error, said):
    given = {"name": "folder", "root": root, "folders": [results], **change}
    given["folders"] = [tmp_path / folder for folder in given["folders"]]
    with pytest.raises(error, match=said):
        gather(**given)


def test_a_wanted_tracker_without_any_target(tmp_path, root, results):
    (tmp_path / "other" / "bad").mkdir(parents=True)
    (tmp_path / "other" / "bad" / "Cup3.txt").write_text("none\n")
    with pytest.raises(VideoError, match=r"Cup3.txt.* bad has no target of folder"):
        gather("folder", root, [results, tmp_path / "other"], ["good", "bad"])
    assert "bad has no target of folder and is left out" in gather("folder", root, [results, tmp_path / "other"]).problems


def test_no_common_target(tmp_path, root, results):
    for file in (results / "folder" / "good").glob("Cup*.txt"):
        file.unlink()
    with pytest.raises(VideoError, match=r"that all trackers have; good has 1, partial has 10"):
        gather("folder", root, [results], ["good", "partial"])


def test_errors_are_one_line(tmp_path, root, results, capsys):
    assert bench("compare", "--dataset", "folder", "--root", root, "--results", results, "good", "bad") == 1
    assert bench("report", "--dataset", "folder", "--root", root, "--results", tmp_path / "none") == 1
    assert [line[:7] for line in capsys.readouterr().err.splitlines()] == ["cfvgg: "] * 2
