"""The command ``cfvgg distill``: its files, interruptions of all kinds, several processes, errors, and the way from VGG-M to a tracker."""

import argparse
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

torch = pytest.importorskip("torch")

from cfvgg import weights
from cfvgg.architecture import LEVELS, channels
from cfvgg.cli import main
from distill import checkpoints, record, train
from distill.command import add_arguments, run
from distill.data.datasets import open_dataset
from distill.data.pairs import PairBatch
from distill.errors import DistillationError
from distill.lessons import read_lesson
from distill.metrics import Metrics, plot
from distill.processes import Processes
from distill.students import SPREADS, random_student
from tests.test_weights import matconvnet
from tests.trainings import Rank, assert_equal, metrics, options, save_pictures, save_teacher, tiny
from trackers import fECO
from trackers.opencv import cv2

WIDTHS = channels(64)
ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.usefixtures("one_thread", "quick_training")


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Teachers and data, as `train` takes them: the first teacher needs lifts."""
    folder = tmp_path_factory.mktemp("given")
    teachers = [save_teacher(folder / f"{ratio}.safetensors", ratio) for ratio in (32, 64)]
    return [f"{teachers[0]}:conv1=norm1,conv5=relu5", teachers[1]], [save_pictures(folder / "pictures")]


@pytest.fixture(scope="module")
def whole(given, tmp_path_factory):
    """The path of the weights of a training that nothing has interrupted."""
    out = tmp_path_factory.mktemp("whole") / "new folder" / "student.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "SAMPLE", 8)
        train.train(tiny(average=0.9), *given, out)
    return out


# files


def test_what_a_training_leaves(whole):
    suffixes = [".checkpoint", ".jsonl", ".png", ".safetensors"]
    assert sorted(whole.parent.iterdir()) == [whole.with_suffix(suffix) for suffix in suffixes]
    lines = metrics(whole)
    assert [line["step"] for line in lines] == [0, 1, 2, 3, 4]
    assert [list(line["loss"]) for line in lines[1:]] == [["fidelity", "tracking"]] * 4
    for line in lines:
        assert ("localisation" in line) == (line["step"] % 2 == 0)
    names = ["vgg-m/conv1", "vgg-m/conv5", *(f"vgg-m-2/{level}" for level in LEVELS)]
    assert list(lines[-1]["fidelity"]) == list(lines[-1]["r_squared"]) == names
    assert list(lines[-1]["localisation"]) == list(LEVELS) and lines[-1]["unreadable"] == 0
    stored = weights.load(whole)
    assert json.loads(stored.metadata["validation"]) == {kind: lines[-1][kind] for kind in ("fidelity", "r_squared", "localisation")}
    settings = json.loads(stored.metadata["settings"])
    assert settings["teachers"].startswith("32.safetensors:conv1=norm1,conv5=relu5 64.safetensors:conv1=conv1,")
    assert (settings["data"], settings["clips"], settings["average"]) == ("pictures", "6 to train on, 2 held out", 0.9)
    assert stored.metadata["steps"] == "4 of 4"
    picture = cv2.imread(str(whole.with_suffix(".png")))
    assert picture.shape[1] > 4 * picture.shape[0] and (picture.min(axis=(0, 1)) < 200).all()  # four panels in a row


def test_the_plot_takes_any_metrics(tmp_path):
    """Many steps, values that come and go, and nothing at all."""
    recorded = Metrics(tmp_path / "a.jsonl")
    plot(recorded, tmp_path / "none.png")
    recorded.add(0, localisation={"conv1": 0.5})
    for step in range(1, 1001):
        recorded.add(step, loss={"fidelity": 1 / step} | ({"tracking": 1.0} if step > 10 else {}), unreadable=step)
    plot(recorded, tmp_path / "a.png")
    assert all(cv2.imread(str(tmp_path / name)) is not None for name in ("none.png", "a.png"))


def test_without_matplotlib_there_is_no_plot(tmp_path, capsys):
    record.Record(tmp_path / "a.safetensors").plot()
    assert "pip install cfvgg[report]" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_metrics_behind_the_checkpoint_are_cut(tmp_path):
    recorded = Metrics(tmp_path / "a.jsonl")
    recorded.rewind(5)
    for step in (2, 4, 6):
        recorded.add(step, loss={"fidelity": 0.1})
    with recorded.path.open("a") as file:
        file.write('{"step": 8, "lo')
    recorded.rewind(4)
    assert recorded.path.read_text() == '{"step": 2, "loss": {"fidelity": 0.1}}\n{"step": 4, "loss": {"fidelity": 0.1}}\n'


# interruptions


KILLED = """
import itertools, os, signal, sys
import torch
torch.set_num_threads(1)
from distill import checkpoints, record, train
from tests.trainings import tiny
train.SAMPLE, record.find_spec = 8, lambda name: None
moment, out, *given = sys.argv[1:]
save, advance, saves = torch.save, train.Training.advance, itertools.count()

def half_saved(state, file):
    save(state, file)
    if next(saves) == 1:
        file.truncate(file.tell() // 2)
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

def told(self, batch):
    print("step", self.step, flush=True)
    return advance(self, batch)

if moment == "saving":
    torch.save = half_saved
else:
    train.Training.advance = told
train.train(tiny(average=0.9), given[:2], given[2:], out)
"""


@pytest.mark.parametrize("moment", ["saving", "any"])
def test_a_killed_training_goes_on_bit_by_bit(moment, given, whole, tmp_path):
    """Killed while it writes the checkpoint of the first epoch, or at some moment of the third step: losses and weights are the same."""
    out = tmp_path / "student.safetensors"
    command = [sys.executable, "-c", KILLED, moment, str(out), *given[0], *given[1]]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        if moment == "any":
            assert any(line == "step 2\n" for line in child.stdout)
            child.kill()
        assert child.wait() == -signal.SIGKILL
    assert checkpoints.load(out.with_suffix(".checkpoint"))["step"] == (0 if moment == "saving" else 2)
    assert_equal(train.train(tiny(average=0.9), *given, out, resume=True), weights.load(whole))
    assert_equal(weights.load(out), weights.load(whole))
    assert metrics(out) == metrics(whole)


def interrupt_after(steps, monkeypatch):
    """Let Ctrl-C come in the middle of a step."""
    advance = train.Training.advance

    def interrupted(self, batch):
        if self.step == steps - 1:
            signal.raise_signal(signal.SIGINT)
        return advance(self, batch)

    monkeypatch.setattr(train.Training, "advance", interrupted)


def test_an_interrupted_training_goes_on_bit_by_bit(given, whole, tmp_path, monkeypatch):
    out, handler = tmp_path / "student.safetensors", signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        interrupt_after(3, patch)
        with pytest.raises(KeyboardInterrupt):
            train.train(tiny(average=0.9), *given, out)
    assert signal.getsignal(signal.SIGINT) is handler
    assert metrics(out) == metrics(whole)[:4]
    assert weights.load(out).metadata["steps"] == "2 of 4"
    with pytest.raises(DistillationError, match=r"has done 3 of 4 steps: go on with it \(--resume\), remove it"):
        train.train(tiny(average=0.9), *given, out)
    train.train(tiny(average=0.9), *given, out, resume=True, workers=2)
    assert_equal(weights.load(out), weights.load(whole))
    assert metrics(out) == metrics(whole)
    out.unlink()
    train.train(tiny(average=0.9), *given, out, resume=True)  # nothing is left to do but to write
    assert_equal(weights.load(out), weights.load(whole))
    assert metrics(out) == metrics(whole)
    train.train(tiny(epochs=1), *given, out)  # what is finished may be written over
    assert [line["step"] for line in metrics(out)] == [0, 1, 2]


def test_a_checkpoint_every_minute(given, tmp_path, monkeypatch):
    times = iter(range(0, 10000, 40))
    monkeypatch.setattr(train.time, "monotonic", lambda: next(times))
    saved, save = [], checkpoints.save
    monkeypatch.setattr(checkpoints, "save", lambda path, state: saved.append(state["step"]) or save(path, state))
    train.train(tiny(epochs=1, pairs=24), *given, tmp_path / "a.safetensors")
    assert saved[0] == 0 and saved[-1] == 6 and 2 <= len(saved) - 2 <= 5


# several processes


def test_two_processes_are_one_with_the_pairs_of_both(given, tmp_path, monkeypatch):
    """The gradients are averaged, and both go on from the same weights: else the second and third step would differ."""
    monkeypatch.setattr(train, "SAMPLE", 64)  # as in the command
    out = tmp_path / "student.safetensors"
    config = {"epochs": 1, "pairs": 12, "average": 0.5}
    teachers = [word for teacher in given[0] for word in ("--teacher", teacher)]
    arguments = ["distill", *teachers, "--data", given[1][0], "--out", str(out), *options(**config)]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "cfvgg"]
    done = subprocess.run([*launch, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("wrote") == 1

    lessons, dataset = [read_lesson(spec, WIDTHS) for spec in given[0]], train.joined([open_dataset(given[1][0])])
    alone, *both = (train.Training(tiny(**config), lessons, dataset, place=place) for place in (None, Rank(0), Rank(1)))
    losses = []
    for step in range(3):
        parts = [one.draw(step) for one in both]
        losses.append(alone.advance(PairBatch(*(np.concatenate([getattr(p, name) for p in parts]) for name in PairBatch.__annotations__))))
    for line, loss in zip(metrics(out)[1:], losses, strict=True):
        assert line["loss"] == pytest.approx(loss, rel=1e-4)
    for got, wanted in zip(weights.load(out).filters, alone.export().filters, strict=True):
        np.testing.assert_allclose(got, wanted, atol=2e-5 * np.abs(wanted).max())


def test_a_process_alone_exchanges_nothing():
    place, values = Processes(), torch.ones(3)
    place.average([values])
    place.equalise([values])
    assert (place.count, place.rank, place.first, values.tolist()) == (1, 0, True, [1, 1, 1])
    assert place.any(True) and not place.any(False)


# errors


@pytest.mark.parametrize("content", [None, "garbage", "empty", "cut off"])
def test_checkpoints_that_cannot_be_read(content, given, whole, tmp_path):
    out = tmp_path / "student.safetensors"
    if content is not None:
        stored = whole.with_suffix(".checkpoint").read_bytes()
        written = {"garbage": b"nothing of the kind", "empty": b"", "cut off": stored[: len(stored) // 2]}[content]
        out.with_suffix(".checkpoint").write_bytes(written)
    with pytest.raises(DistillationError, match="no checkpoint at" if content is None else "not a readable checkpoint"):
        train.train(tiny(), *given, out, resume=True)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"rate": 2e-3}, "another training: rate was 0.001, is now 0.002$"),
        ({"levels": ("conv5",)}, "levels was conv1 conv2 conv5, is now conv5$"),
    ],
)
def test_a_checkpoint_of_other_settings(setting, message, given, whole):
    before = whole.with_suffix(".checkpoint").read_bytes()
    with pytest.raises(DistillationError, match=message):
        train.train(tiny(average=0.9, **setting), *given, whole, resume=True)
    with pytest.raises(DistillationError, match="teachers was 32.*, is now 64.*start was , is now 64.safetensors"):
        train.train(tiny(average=0.9), given[0][1:], given[1], whole, start=given[0][1], resume=True)
    assert whole.with_suffix(".checkpoint").read_bytes() == before


def test_places_that_cannot_be_written(given, tmp_path, monkeypatch):
    """Known before anything is trained."""
    monkeypatch.setattr(train.Training, "advance", lambda *_: pytest.fail("trained"))
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.safetensors").mkdir()
    wrong = {"a.mat": "written as .safetensors", "folder.safetensors": "into a file", "file/a.safetensors": "cannot write"}
    for name, message in wrong.items():
        with pytest.raises(DistillationError, match=message):
            train.train(tiny(), *given, tmp_path / name)


def test_data_that_are_none(given, tmp_path):
    teachers, out = given[0], tmp_path / "out.safetensors"

    def error(message, *folders):
        with pytest.raises(DistillationError, match=message):
            train.train(tiny(), teachers, folders, out)

    error("no data")
    error("no folder of pictures", tmp_path / "nowhere")
    (tmp_path / "pictures").mkdir()
    error("no data set of a known kind", tmp_path / "pictures")
    for name in "abc":
        (tmp_path / "pictures" / f"{name}.jpg").write_bytes(b"no picture")
    error("pictures cannot be read, the first is .*[abc].jpg", tmp_path / "pictures")
    (tmp_path / "pictures" / "validation.txt").write_text("")
    error("2 clips to train on|3 clips to train on and 0 held out; .*validation.txt", tmp_path / "pictures")
    assert not out.exists() and not out.with_suffix(".checkpoint").exists()


def test_unreadable_pictures_are_counted(given, tmp_path):
    folder = Path(save_pictures(tmp_path / "pictures"))
    (folder / "stills" / "0.png").write_bytes(b"no picture")
    (folder / "video" / "clip0" / "boxes.txt").write_text("1,2,3\n")
    train.train(tiny(epochs=1, pairs=80, batch=20), *given[:1], [folder], tmp_path / "a.safetensors")
    assert metrics(tmp_path / "a.safetensors")[-1]["unreadable"] == 2


def test_loss_that_is_no_number(given, tmp_path):
    with pytest.raises(DistillationError, match="loss of step"):
        train.train(tiny(epochs=9, rate=1e30), *given, tmp_path / "out.safetensors")


# command


def parsed(*arguments):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


def test_command(given, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out.safetensors"
    arguments = ["--teacher", given[0][1], "--data", given[1][0], "--out", str(out), "--levels", "conv1", *options(epochs=1, seed=7)]
    with monkeypatch.context() as patch:
        interrupt_after(1, patch)
        assert run(parsed(*arguments)) == 130
    assert "--resume" in capsys.readouterr().err
    assert main(["distill", *arguments, "--resume", "--workers", "2"]) == 0
    assert "conv5" in capsys.readouterr().out
    settings = json.loads(weights.load(out).metadata["settings"])
    assert (settings["seed"], settings["levels"], settings["rate"]) == (7, "conv1", 1e-3)
    assert main(["distill", "--data", given[1][0], "--out", str(out)]) == 1
    assert "no teacher" in capsys.readouterr().err
    assert main(["distill", *arguments, "--workers", "0"]) == 1
    assert "0 threads" in capsys.readouterr().err


# from VGG-M to a tracker


@pytest.mark.parametrize("ratio", [32, 64])
def test_from_vgg_m_to_a_tracker(ratio, given, video, tmp_path, monkeypatch):
    """A VGG-M in MatConvNet's file teaches a student pruned from it: nearer to it at every level of held-out pairs, the student tracks."""
    monkeypatch.setattr(train, "SAMPLE", 64)  # lifts fitted to eight pictures would fit no others
    pictures = np.random.default_rng(0).integers(0, 256, (2, 3, 64, 64), dtype=np.uint8)
    teacher = random_student(channels(1), np.full((3, 1, 1), 120, np.float32), pictures, SPREADS, np.random.default_rng(0)).export()
    savemat(tmp_path / "imagenet-vgg-m.mat", matconvnet(teacher))
    out = tmp_path / "student.safetensors"
    config = tiny(ratio=float(ratio), epochs=1, pairs=80, tracking=0.1, rate=2e-4)
    trained = train.train(config, [str(tmp_path / "imagenet-vgg-m.mat")], given[1], out)
    before, after = (line["fidelity"] for line in (metrics(out)[0], metrics(out)[-1]))
    assert list(after) == [f"vgg-m/{level}" for level in LEVELS]
    assert all(after[name] < before[name] for name in after), (before, after)
    assert trained.widths == channels(ratio) and weights.load(out).metadata["pruned"].startswith(f"ratio {ratio}")
    frames, boxes = video
    track = fECO(backbone=out).track(frames[:3], boxes[0])
    assert np.isfinite(track.boxes).all() and np.abs(track.boxes[2] - boxes[2]).max() < 10
