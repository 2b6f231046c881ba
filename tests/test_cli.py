import importlib.util
import os
import signal
import subprocess
import sys
import types
from contextlib import nullcontext, suppress

import numpy as np
import pytest

import trackers
from cfvgg import __version__, architecture, weights
from cfvgg.cli import VERBS, main
from trackers import run, video
from trackers.errors import InvalidImageError
from trackers.opencv import cv2

BOX = "20,10,16,24"


class Drift:
    """A stand-in for a tracker: the box moves by a quarter pixel a frame, and the target is lost in every fifth."""

    score = 1.0

    def __init__(self, **options):
        self.options = options

    def init(self, image, box):
        self.shape, self.box, self.count = image.shape, box, 0

    def update(self, image):
        if image.shape != self.shape:
            raise InvalidImageError(f"size {image.shape}")
        self.count += 1
        self.box = (self.box[0] + 0.25, *self.box[1:])
        return self.count % 5 > 0, self.box


@pytest.fixture
def made(monkeypatch):
    """Trackers that the command asked for, as (name, options)."""
    asked = []

    def create(name, **options):
        asked.append((name, options))
        return Drift(**options)

    monkeypatch.setattr(trackers, "create", create)
    return asked


@pytest.fixture
def folder(tmp_path):
    """Twelve pictures 0.png .. 11.png of 48 x 64 pixels with a moving square."""
    path = tmp_path / "pictures"
    path.mkdir()
    for i in range(12):
        picture = np.full((48, 64, 3), 40, np.uint8)
        picture[10:34, 20 + i // 4 : 36 + i // 4] = np.random.default_rng(0).integers(0, 256, (24, 16, 3))
        cv2.imwrite(str(path / f"{i}.png"), picture)
    return path


def expected(count):
    return [f"{20 + 0.25 * i:.4f},10.0000,16.0000,24.0000" for i in range(count)]


def test_track_prints_boxes_if_no_output_is_named(folder, made, capsys):
    assert main(["track", str(folder), "--box", BOX]) == 0
    output = capsys.readouterr()
    assert output.out.splitlines() == expected(12)
    assert output.err == ""  # no progress where stderr is no terminal
    assert made == [("fECO", {})]


def test_track_writes_boxes_and_video(folder, made, tmp_path, capsys):
    out, boxes = tmp_path / "out.mp4", tmp_path / "boxes.txt"
    assert main(["track", str(folder / "*.png"), "--box", BOX, "--out", str(out), "--boxes", str(boxes)]) == 0
    assert boxes.read_text().splitlines() == expected(12)
    written = list(video.open_source(out))
    assert len(written) == 12
    original = video.read_picture(folder / "0.png")
    assert np.abs(written[0].astype(int) - original)[33, 21:35].mean() > 50  # the box is drawn on its bottom row
    assert capsys.readouterr().out == ""
    assert sorted(os.listdir(tmp_path)) == ["boxes.txt", "out.mp4", "pictures"]


def test_track_hands_its_options_on(folder, made, tmp_path):
    arguments = ["--tracker", "ECO", "--weights", "net.mat", "--preset", "vot", "--boxes", str(tmp_path / "b.txt")]
    assert main(["track", str(folder), "--box=-2.5,3,20,20", *arguments]) == 0
    assert made == [("ECO", {"backbone": "net.mat", "preset": "vot"})]
    assert (tmp_path / "b.txt").read_text().startswith("-2.5000,3.0000,20.0000,20.0000\n")


@pytest.mark.parametrize("box", ["1,2,3", "1,2,3,4,5", "a,b,c,d", "", "1 2 3 4"])
def test_a_box_that_is_not_four_numbers_is_wrong_usage(folder, box, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["track", str(folder), f"--box={box}"])
    assert stop.value.code == 2
    assert "not four numbers x,y,w,h" in capsys.readouterr().err


@pytest.mark.parametrize("box", ["nan,1,20,20", "1,1,inf,20", "1,1,0,20", "1,1,20,-3", "500,500,10,10"])
def test_a_box_that_cannot_be_tracked_fails_and_writes_nothing(folder, tmp_path, box, capsys):
    outputs = ["--out", str(tmp_path / "a.mp4"), "--boxes", str(tmp_path / "a.txt")]
    assert main(["track", str(folder), f"--box={box}", *outputs]) == 1
    assert capsys.readouterr().err.startswith("cfvgg: box ")
    assert os.listdir(tmp_path) == ["pictures"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.mp4", "--box", BOX], "no file or folder at none.mp4"),
        (["{folder}", "--box", BOX, "--tracker", "fECHO"], "did you mean fECO?"),
        (["{folder}", "--box", BOX, "--weights", "none.mat"], "no file of weights at none.mat"),
        (["{folder}", "--box", BOX, "--out", "none/a.mp4"], "there is no folder none"),
        (["{folder}", "--box", BOX, "--out", "a.gif"], "ends in .avi"),
        (["{folder}", "--box", BOX, "--boxes", "none/a.txt"], "there is no folder none"),
        (["{folder}", "--box", BOX, "--show"], "display"),
        (["{folder}"], "display"),
    ],
)
def test_what_cannot_work_fails_with_one_line(folder, arguments, message, capsys):
    assert main(["track", *(text.format(folder=folder) for text in arguments)]) == 1
    output = capsys.readouterr()
    assert message in output.err
    assert output.err.startswith("cfvgg: ")
    assert output.err.count("\n") == 1
    assert output.out == ""


def test_the_source_is_never_overwritten(folder, made, tmp_path, capsys):
    source = tmp_path / "in.mp4"
    with video.VideoWriter(source) as writer:
        for frame in video.open_source(folder):
            writer.write(frame)
    content = source.read_bytes()
    assert main(["track", str(source), "--box", BOX, "--out", str(tmp_path / "pictures" / ".." / "in.mp4")]) == 1
    assert "would overwrite the source" in capsys.readouterr().err
    assert source.read_bytes() == content


def test_what_was_tracked_before_a_broken_picture_is_written(folder, made, tmp_path, capsys):
    (folder / "7.png").write_bytes(b"")
    out, boxes = tmp_path / "out.avi", tmp_path / "boxes.txt"
    assert main(["track", str(folder), "--box", BOX, "--out", str(out), "--boxes", str(boxes)]) == 1
    assert "7.png is empty" in capsys.readouterr().err
    assert boxes.read_text().splitlines() == expected(7)
    assert len(list(video.open_source(out))) == 7


def test_what_was_tracked_before_the_size_changed_is_written(folder, made, tmp_path, capsys):
    cv2.imwrite(str(folder / "5.png"), np.zeros((40, 64, 3), np.uint8))
    assert main(["track", str(folder), "--box", BOX, "--boxes", str(tmp_path / "b.txt")]) == 1
    assert "(40, 64, 3)" in capsys.readouterr().err
    assert (tmp_path / "b.txt").read_text().splitlines() == expected(5)


class User:
    """Draws the box in the window, and closes that after four frames."""

    shown = 0

    def select(self, frame):
        return 20.0, 10.0, 16.0, 24.0

    def show(self, frame):
        self.shown += 1
        return self.shown < 4


@pytest.mark.parametrize(("options", "count"), [([], 12), (["--show"], 4)])
def test_box_by_mouse_and_a_window_that_the_user_closes(folder, made, tmp_path, monkeypatch, options, count):
    monkeypatch.setattr(run, "check_display", lambda: None)
    monkeypatch.setattr(run, "Window", lambda title: nullcontext(User()))
    assert main(["track", str(folder), "--boxes", str(tmp_path / "b.txt"), *options]) == 0
    assert (tmp_path / "b.txt").read_text().splitlines() == expected(count)


def test_ctrl_c_in_process_returns_130_and_keeps_what_was_tracked(folder, made, tmp_path, monkeypatch):
    update = Drift.update

    def interrupted(self, image):
        if self.count == 4:
            raise KeyboardInterrupt
        return update(self, image)

    monkeypatch.setattr(Drift, "update", interrupted)
    out = tmp_path / "out.mp4"
    assert main(["track", str(folder), "--box", BOX, "--boxes", str(tmp_path / "b.txt"), "--out", str(out)]) == 130
    assert (tmp_path / "b.txt").read_text().splitlines() == expected(5)
    assert len(list(video.open_source(out))) == 5


def hear_interrupts():
    """What a shell runs in the background ignores Ctrl-C, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def command(*arguments):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-m", "cfvgg", *arguments], preexec_fn=hear_interrupts, **pipes)


def opened_by(process, path):
    """Our end of a named pipe, once the process reads from it."""
    while process.poll() is None:
        with suppress(OSError):
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    pytest.fail(process.stderr.read())


def test_sigint_leaves_the_files(folder, tmp_path):
    (folder / "11.png").unlink()
    os.mkfifo(folder / "11.png")  # reading it blocks, so that the signal comes when eleven pictures are tracked
    out, boxes = tmp_path / "out.mp4", tmp_path / "boxes.txt"
    process = command("track", str(folder), "--box", BOX, "--out", str(out), "--boxes", str(boxes))
    pipe = opened_by(process, folder / "11.png")
    process.send_signal(signal.SIGINT)
    os.close(pipe)  # where the signal came just before the process began to read, this wakes it
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 130
    assert errors == "cfvgg: stopped\n"
    assert len(boxes.read_text().splitlines()) == 11
    assert len(list(video.open_source(out))) == 11


def test_tracking_does_not_import_torch_or_plotting(folder, tmp_path):
    script = (
        "import sys; from cfvgg.cli import main; code = main(sys.argv[1:]);"
        "print(code, sorted({'torch', 'matplotlib', 'skimage', 'benchmarks', 'distill'} & set(sys.modules)))"
    )
    arguments = ["track", str(folder), "--box", BOX, "--boxes", str(tmp_path / "b.txt")]
    result = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    assert result.stdout == "0 []\n"
    boxes = np.loadtxt(tmp_path / "b.txt", delimiter=",")
    assert boxes.shape == (12, 4)
    assert np.abs(boxes[:, 0] - (20 + np.arange(12) // 4)).max() < 1.5  # the square moves by two pixels


def test_a_reader_that_leaves_early_is_no_error_message(folder):
    process = command("track", str(folder), "--box", BOX)
    process.stdout.close()
    assert process.wait(timeout=300) == 1
    assert process.stderr.read() == ""


@pytest.mark.parametrize("verb", [None, *VERBS])
def test_help_has_an_example(verb, capsys):
    if verb == "distill":
        pytest.importorskip("torch")
    with pytest.raises(SystemExit) as stop:
        main(["--help"] if verb is None else [verb, "--help"])
    assert stop.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert all(name in text for name in VERBS) if verb is None else f"example: cfvgg {verb} " in text


@pytest.mark.parametrize("arguments", [[], ["fly"], ["track"], ["convert", "a.mat"], ["prune", "a", "b", "--ratio", "x"]])
def test_wrong_usage_exits_with_2(arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"{__version__}\n"


def test_distill_without_torch_names_the_extra(monkeypatch, capsys):
    for module in [name for name in sys.modules if name.split(".")[0] == "distill" or name == "cfvgg.network"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["distill", "--help"]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith("cfvgg: ")
    assert "torch" in errors
    assert errors.endswith(": pip install cfvgg[train]\n")


def test_missing_opencv_names_the_wheels(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    spec = importlib.util.find_spec("trackers.opencv")
    with pytest.raises(ImportError, match="opencv-python, opencv-contrib-python, opencv-python-headless") as missing:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert missing.value.name == "cv2"


def test_demo_runs_the_benchmarks_demo(monkeypatch, tmp_path):
    demo = types.ModuleType("benchmarks.demo")
    demo.run = lambda output: 7 if output == tmp_path / "x" else 0
    monkeypatch.setitem(sys.modules, "benchmarks.demo", demo)
    monkeypatch.setattr("benchmarks.demo", demo, raising=False)
    assert main(["demo", "--output", str(tmp_path / "x")]) == 7


def random_weights(ratio=64.0, mean_side=20):
    rng = np.random.default_rng(1)
    shapes = architecture.filter_shapes(architecture.channels(ratio))
    filters = tuple(rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    biases = tuple(rng.standard_normal(shape[0]).astype(np.float32) for shape in shapes)
    rows, columns = np.mgrid[90 : 130 : mean_side * 1j, 90 : 130 : mean_side * 1j]
    return weights.Weights(filters, biases, np.stack([rows, columns, np.full_like(rows, 100)]).astype(np.float32))


def test_convert_reduces_the_mean_picture_and_keeps_the_rest(tmp_path):
    given = random_weights()
    weights.save(given, tmp_path / "a.safetensors")
    assert main(["convert", str(tmp_path / "a.safetensors"), str(tmp_path / "b.safetensors"), "--mean-size", "10"]) == 0
    converted = weights.load(tmp_path / "b.safetensors")
    for one, other in zip(given.filters + given.biases, converted.filters + converted.biases, strict=True):
        np.testing.assert_array_equal(one, other)
    assert converted.mean.shape == (3, 10, 10)
    # halving a ramp averages neighbours; away from the border a symmetric kernel does so exactly
    pairs = given.mean[0, :, 0].reshape(10, 2).mean(1)
    np.testing.assert_allclose(converted.mean[0, 2:8, 4], pairs[2:8], rtol=1e-5)
    np.testing.assert_allclose(converted.mean[2], 100, rtol=1e-6)


def test_convert_never_enlarges_the_mean_picture(tmp_path):
    weights.save(random_weights(mean_side=1), tmp_path / "a.safetensors")
    assert main(["convert", str(tmp_path / "a.safetensors"), str(tmp_path / "b.safetensors")]) == 0
    assert weights.load(tmp_path / "b.safetensors").mean.shape == (3, 1, 1)


def test_info_tells_what_a_file_holds(tmp_path, capsys):
    given = random_weights()
    weights.save(weights.Weights(given.filters, given.biases, given.mean, {"source": "made up"}), tmp_path / "a.safetensors")
    assert main(["info", str(tmp_path / "a.safetensors")]) == 0
    text = capsys.readouterr().out
    lines = [line.split() for line in text.splitlines()]
    assert [line[:2] for line in lines[1:6]] == [["conv1", "12"], ["conv2", "32"], ["conv3", "64"], ["conv4", "64"], ["conv5", "64"]]
    assert "103,760" in text
    assert "415,040 bytes" in text
    assert "20 x 20, 4,800 bytes" in text
    # by hand: 2 (109^2 148 12 + 26^2 301 32 + 13^2 (289 + 2 * 577) 64)
    assert f"{2 * (109**2 * 148 * 12 + 26**2 * 301 * 32 + 13**2 * (289 + 2 * 577) * 64) / 1e6:.1f} MFLOPs" in text
    assert lines[-1] == ["source", "made", "up"]


def test_info_without_a_file_tells_about_the_shipped_weights(capsys):
    assert main(["info"]) == 0
    assert "conv5" in capsys.readouterr().out


def test_prune_writes_a_smaller_network(tmp_path, capsys):
    weights.save(random_weights(16), tmp_path / "a.safetensors")
    assert main(["prune", str(tmp_path / "a.safetensors"), str(tmp_path / "b.safetensors"), "--ratio", "64", "--seed", "3"]) == 0
    assert weights.load(tmp_path / "b.safetensors").widths == (12, 32, 64, 64, 64)
    assert main(["prune", str(tmp_path / "b.safetensors"), str(tmp_path / "c.safetensors"), "--ratio", "16"]) == 1
    assert "conv1 has 12 filters" in capsys.readouterr().err
