"""Pairs on disk with what teachers make of them: what is kept, a training that is killed while it is filled, others and broken ones."""

import os
import shutil
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cfvgg import weights
from cfvgg.architecture import LEVELS, STRIDES, channels, flops, level_sizes
from cfvgg.cli import main
from distill import cache, train
from distill.cache import BLOCK, Cache, slow_outputs
from distill.data.datasets import open_dataset
from distill.data.pairs import PairBatch, Pairs
from distill.errors import DistillationError
from distill.lessons import Fidelity, Lesson, read_lesson
from distill.processes import Processes
from distill.teachers import Backbone
from distill.train import Training, joined
from tests.trainings import Rank, assert_equal, metrics, options, random_weights, save_pictures, save_teacher, tiny

ROOT = Path(__file__).resolve().parents[1]
WIDTHS = channels(64)
COUNT = 20  # pairs: two blocks
OUTPUTS = ["vgg-m/norm1@2", "vgg-m/relu4@16"]

pytestmark = pytest.mark.usefixtures("one_thread", "quick_training")


@pytest.fixture(autouse=True)
def slow_teachers(monkeypatch):
    """Every teacher is slow."""
    monkeypatch.setattr(cache, "SLOW", 0)


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """A teacher, and data, as `train` takes them."""
    folder = tmp_path_factory.mktemp("given")
    return [save_teacher(folder / "32.safetensors", 32) + ":conv1=norm1,conv4=relu4,conv5=relu4"], [save_pictures(folder / "pictures")]


@pytest.fixture(scope="module")
def dataset(given):
    return joined([open_dataset(given[1][0])])


@pytest.fixture(scope="module")
def fidelity(given):
    return Fidelity([read_lesson(given[0][0], WIDTHS)], WIDTHS, np.random.default_rng(0))


@pytest.fixture(scope="module")
def filled(given, dataset, fidelity, tmp_path_factory):
    """The folder of a full cache."""
    folder = tmp_path_factory.mktemp("filled") / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "SLOW", 0)
        Cache(folder, tiny(cached_pairs=COUNT), Pairs(dataset.training, 64), [fidelity]).fill(Processes())
    return folder


@pytest.fixture
def opened(filled, dataset, fidelity):
    return Cache(filled, tiny(cached_pairs=COUNT), Pairs(dataset.training, 64), [fidelity])


# what is kept


def test_pairs_and_outputs_are_those_of_the_teachers(opened, dataset, fidelity):
    """Every pass has all pairs once, in an order of its own; a batch may be of two passes."""
    first, again, second = opened.batch(0, COUNT), opened.batch(0, COUNT), opened.batch(COUNT, COUNT)
    drawn = [Pairs(dataset.training, 64).batch(BLOCK, np.random.default_rng((0, 0, 1, number))) for number in range(2)]
    drawn = PairBatch(*(np.concatenate([getattr(part, name) for part in drawn])[:COUNT] for name in PairBatch.__annotations__))
    orders = []
    for batch in (first, second):
        order = [next(n for n in range(COUNT) if (drawn.x[n] == crop).all()) for crop in batch.x]
        for name in PairBatch.__annotations__:
            np.testing.assert_array_equal(getattr(batch, name), getattr(drawn, name)[order])
        wanted = fidelity.outputs(torch.from_numpy(np.concatenate([batch.z, batch.x])).float())
        assert list(batch.outputs) == list(wanted) == OUTPUTS
        for name, output in wanted.items():
            assert batch.outputs[name].dtype == np.float16
            np.testing.assert_allclose(batch.outputs[name], output, rtol=2**-11, atol=1e-5 * output.abs().max().item())
        orders.append(order)
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(COUNT))
    assert orders[0] != orders[1] and orders[0] != sorted(orders[0])
    np.testing.assert_array_equal(again.x, first.x)
    across = opened.batch(COUNT - 3, 5)
    np.testing.assert_array_equal(across.x, np.concatenate([first.x[-3:], second.x[:2]]))
    np.testing.assert_array_equal(across.outputs[OUTPUTS[1]][5:8], first.outputs[OUTPUTS[1]][-3:])  # those of x are behind those of z


def test_a_step_is_that_of_the_same_pairs_with_their_teachers(filled, given, dataset, monkeypatch):
    """And no teacher is run in it."""
    config = tiny(cached_pairs=COUNT, target_response=1.0)
    kept, plain = (Training(config, [read_lesson(given[0][0], WIDTHS)], dataset, cache=filled) for _ in range(2))
    batches = [kept.draw(step) for step in range(2)]
    expected = [plain.advance(PairBatch(*(getattr(batch, name) for name in PairBatch.__annotations__))) for batch in batches]
    monkeypatch.setattr(Backbone, "compute", lambda *_: pytest.fail("a teacher was run"))
    found = [kept.advance(batch) for batch in batches]
    assert found[0] == pytest.approx(expected[0], rel=1e-4) and found[1] == pytest.approx(expected[1], rel=1e-3)


def test_only_slow_teachers_are_kept(monkeypatch):
    """By the operations of all convolutions, which `flops` counts with biases but without normalisation, for each number that is kept."""
    slow, fast = Backbone(random_weights()), Backbone(random_weights(32))  # conv1 alone takes 2 x 3 x 7^2, and its normalisation
    lessons = [Lesson(slow, {level: level for level in LEVELS}), Lesson(fast, {"conv1": "norm1"})]
    made, sizes = Fidelity(lessons, WIDTHS, np.random.default_rng(0)), level_sizes(96)
    operations = flops(WIDTHS, 96) / sum(width * sizes[level] ** 2 for width, level in zip(WIDTHS, LEVELS, strict=True)) - 2
    monkeypatch.setattr(cache, "SLOW", 0.99 * operations)
    assert slow_outputs(made, 96) == {
        f"vgg-m/{level}@{STRIDES[level]}": (width, sizes[level], sizes[level]) for level, width in zip(LEVELS, WIDTHS, strict=True)
    }
    monkeypatch.setattr(cache, "SLOW", 1.1 * operations)
    assert slow_outputs(made, 96) == {}


def test_two_students_share_a_cache(given, dataset, tmp_path, monkeypatch):
    training = Training(tiny(cached_pairs=4, sharing_ratio=32.0), [read_lesson(given[0][0], WIDTHS)], dataset, cache=tmp_path / "cache")
    calls, compute = [], Backbone.compute
    monkeypatch.setattr(Backbone, "compute", lambda self, *given: calls.append(1) or compute(self, *given))
    training.cache.fill(Processes())
    assert len(calls) == 1
    monkeypatch.setattr(Backbone, "compute", lambda *_: pytest.fail("a teacher was run"))
    assert list(training.draw(0).outputs) == OUTPUTS
    assert "fidelity-32" in training.advance(training.draw(0))


def test_two_processes_share_the_work(given, dataset, tmp_path):
    lessons = [read_lesson(given[0][0], WIDTHS)]
    places = {"one": Processes(), "both": Rank(0), "both again": Rank(1)}
    alone, *both = (
        Training(tiny(cached_pairs=COUNT), lessons, dataset, None, place, tmp_path / name.split()[0]) for name, place in places.items()
    )
    alone.cache.fill(places["one"])
    for rank, training in enumerate(both):
        training.cache.fill(Rank(rank))
        assert len(list((tmp_path / "both").glob("*.npy"))) == rank + 1
    for file in (tmp_path / "one").iterdir():
        assert (tmp_path / "both" / file.name).read_bytes() == file.read_bytes()
    np.testing.assert_array_equal(np.concatenate([training.draw(6).x for training in both]), alone.draw(6).x)


# a training


KILLED = """
import os, signal, sys
import numpy as np, torch
from distill import cache, train
from tests.trainings import tiny
torch.set_num_threads(1)
train.SAMPLE, cache.SLOW = 8, 0
save, saved = np.save, []

def half_saved(file, arr):
    save(file, arr)
    saved.append(file)
    if len(saved) == 2:
        file.truncate(file.tell() // 2)
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

np.save = half_saved
out, folder, teacher, data = sys.argv[1:]
train.train(tiny(average=0.9, cached_pairs=20, epochs=1, pairs=32), [teacher], [data], out, cache=folder)
"""


def test_killed_while_it_is_filled(given, tmp_path, capsys):
    """With the first of two blocks written and the second one half, a resumed training does what an uninterrupted one does, bit by bit."""
    out, folder, config = tmp_path / "student.safetensors", tmp_path / "cache", tiny(average=0.9, cached_pairs=COUNT, epochs=1, pairs=32)
    killed = subprocess.run([sys.executable, "-c", KILLED, out, folder, given[0][0], given[1][0]], cwd=ROOT, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert sorted(file.name for file in folder.iterdir()) == ["000000.npy", "000001.npy.partial", "cache.json"]
    first = (folder / "000000.npy").stat()
    train.train(config, *given, out, resume=True, cache=folder)
    assert (folder / "000000.npy").stat().st_mtime_ns == first.st_mtime_ns
    size = sum(file.stat().st_size for file in folder.glob("*.npy"))
    said = f"32 pairs and {', '.join(OUTPUTS)}, {size / 1e6:.0f} MB; 1 of 2 files are there"
    assert said in capsys.readouterr().err
    whole = tmp_path / "whole.safetensors"
    train.train(config, *given, whole, cache=tmp_path / "other", workers=3)
    assert metrics(out) == metrics(whole) and len(metrics(whole)) == 9
    assert_equal(weights.load(out), weights.load(whole))


def test_command(given, tmp_path, capsys):
    arguments = ["distill", "--teacher", given[0][0], "--data", given[1][0], "--out", str(tmp_path / "a.safetensors"), *options(epochs=1)]
    assert main([*arguments, "--cache", str(tmp_path / "cache"), "--cached-pairs", "5"]) == 0
    assert (tmp_path / "cache" / "000000.npy").is_file()
    for incomplete in (["--cached-pairs", "5"], ["--cache", str(tmp_path / "cache")]):
        assert main([*arguments, *incomplete]) == 1
        assert "needs both its folder (--cache) and the number of its pairs (--cached-pairs)" in capsys.readouterr().err


# other caches, and broken ones


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"seed": 1}, "cache is another cache.*: seed was 0, is now 1$"),
        ({"side": 96}, "side was 64, is now 96"),
        ({"search_area": 4.0}, "search_area was 5.0, is now 4.0$"),
        ({"clips": 3}, r"clips was 6 \(\w+\), is now 3"),
        ({"teacher": 2}, r"teachers was vgg-m/norm1@2 vgg-m/relu4@16 \(\w+\), is now vgg-m/norm1@2 vgg-m/relu4@16 \("),
        ({"mapping": "relu5"}, r"teachers was .*, is now vgg-m/relu5@16"),
    ],
)
def test_caches_of_others(setting, message, filled, dataset):
    config = tiny(cached_pairs=COUNT, **{name: value for name, value in setting.items() if name in ("seed", "side", "search_area")})
    mapping = {"conv5": setting["mapping"]} if "mapping" in setting else {"conv1": "norm1", "conv4": "relu4"}
    lesson = Lesson(Backbone(random_weights(32, setting.get("teacher", 1))), mapping)
    made = Fidelity([lesson], WIDTHS, np.random.default_rng(0))
    with pytest.raises(DistillationError, match=message):
        Cache(filled, config, Pairs(dataset.training[: setting.get("clips")], config.side, config.search_area), [made])


def test_more_pairs_use_those_that_are_there(filled, dataset, fidelity, tmp_path):
    folder = shutil.copytree(filled, tmp_path / "cache")
    before = {file.name: file.stat().st_mtime_ns for file in folder.glob("*.npy")}
    larger = Cache(folder, tiny(cached_pairs=40), Pairs(dataset.training, 64), [fidelity])
    larger.fill(Processes())
    after = {file.name: file.stat().st_mtime_ns for file in folder.glob("*.npy")}
    assert dict(after.items() - before.items()).keys() == {"000002.npy"} and len(after) == 3
    assert len(larger.batch(0, 40)) == 40


def test_folders_of_other_things(dataset, fidelity, tmp_path):
    def made(folder):
        return Cache(folder, tiny(cached_pairs=COUNT), Pairs(dataset.training, 64), [fidelity])

    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(DistillationError, match="holds other files than a cache"):
        made(tmp_path)
    with pytest.raises(DistillationError, match="cannot read .*thesis.tex/cache.json"):
        made(tmp_path / "thesis.tex")
    for text in ("{", "[]", "\x00"):
        (tmp_path / "cache.json").write_text(text)
        with pytest.raises(DistillationError, match="cannot read .*cache.json"):
            made(tmp_path)


@pytest.mark.parametrize("content", ["cut off", "garbage", "empty", "other"])
def test_broken_files_are_named(content, filled, dataset, fidelity, tmp_path):
    folder = shutil.copytree(filled, tmp_path / "cache")
    file = folder / "000001.npy"
    if content == "other":
        np.save(file, np.zeros(BLOCK))
    else:
        file.write_bytes({"cut off": file.read_bytes()[:-100], "garbage": b"nothing of the kind", "empty": b""}[content])
    found = Cache(folder, tiny(cached_pairs=COUNT), Pairs(dataset.training, 64), [fidelity])
    for use in (lambda: found.fill(Processes()), lambda: found.batch(0, COUNT)):
        with pytest.raises(DistillationError, match=r"000001.npy (is broken|holds no 16 pairs).*; remove it, and it is made again"):
            use()
    file.unlink()
    found.fill(Processes())
    assert file.read_bytes() == (filled / "000001.npy").read_bytes()


def test_no_room(dataset, fidelity, tmp_path, monkeypatch):
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda path: namedtuple("usage", "free")(1_000_000))
    found = Cache(tmp_path / "cache", tiny(cached_pairs=COUNT), Pairs(dataset.training, 64), [fidelity])
    with pytest.raises(DistillationError, match=r"needs another 3 MB; 1 MB are free"):
        found.fill(Processes())
    assert os.listdir(tmp_path / "cache") == ["cache.json"]


def test_outputs_that_are_too_large(dataset, tmp_path):
    given = random_weights()
    loud = weights.Weights(tuple(1000 * block for block in given.filters), given.biases, given.mean)
    made = Fidelity([Lesson(Backbone(loud), {"conv1": "conv1"})], WIDTHS, np.random.default_rng(0))
    with pytest.raises(DistillationError, match="vgg-m/conv1@2 is too large for the half precision"):
        Cache(tmp_path / "cache", tiny(cached_pairs=COUNT), Pairs(dataset.training, 64), [made]).fill(Processes())
