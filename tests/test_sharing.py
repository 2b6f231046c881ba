"""Two students of unlike size that are trained together and share what they find; the terms of the loss themselves are in test_siamese."""

import argparse
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cfvgg import weights
from cfvgg.architecture import LEVELS, channels
from cfvgg.network import Network
from distill import checkpoints, mutual, train
from distill.adaptation import taught
from distill.command import add_arguments, run
from distill.correlation import labels, responses
from distill.data.datasets import open_dataset
from distill.data.pairs import Pairs
from distill.errors import DistillationError
from distill.lessons import Fidelity, read_lesson
from distill.mutual import MutualObjective
from distill.objective import Objective, tensors
from distill.sharing import GAP
from distill.train import Training, joined
from tests.trainings import assert_equal, metrics, options, random_weights, save_pictures, save_teacher, tiny

WIDTHS = channels(64)

pytestmark = pytest.mark.usefixtures("one_thread", "quick_training")


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """A teacher that both need lifts for, one of the first one's shape, and data."""
    folder = tmp_path_factory.mktemp("given")
    wide, same = (save_teacher(folder / f"{ratio}.safetensors", ratio) for ratio in (16, 64))
    return [f"{wide}:conv2=norm2", same], [save_pictures(folder / "pictures")]


@pytest.fixture(scope="module")
def dataset(given):
    return joined([open_dataset(given[1][0])])


@pytest.fixture
def lessons(given):
    return [read_lesson(spec, WIDTHS) for spec in given[0]]


def near(wanted, amount, seed):
    """A network like another, with some noise."""
    rng = np.random.default_rng(seed)
    filters = tuple((block * (1 + amount * rng.standard_normal(block.shape))).astype(np.float32) for block in wanted.filters)
    return Network(weights.Weights(filters, wanted.biases, wanted.mean))


# losses


def test_each_follows_the_other_where_that_is_about_as_good_as_the_teacher(lessons, dataset):
    """(28) to (31), pair by pair: f(e) |r_1 - r_2|^2 / |y|^2 for the small student, half of it for the large one; all else as if alone."""
    config = tiny(sharing_ratio=16.0, epochs=5, levels=("conv1", "conv2"), teacher_soft=0.5)
    students = near(random_weights(), 0.05, 1), near(random_weights(), 0.05, 2)
    first, second = (Objective(student, Fidelity(lessons[1:], WIDTHS, np.random.default_rng(0)), config) for student in students)
    batch = tensors(Pairs(dataset.training, 64).batch(8, np.random.default_rng(0)), torch.device("cpu"))
    both = MutualObjective(first, second, config)
    both.calibrate(batch[1].numpy())
    with torch.no_grad():
        loss, parts = both(*batch, epoch=2)
        alone = [objective(*batch)[1] for objective in (first, second)]

        z, x = (pictures.float() - 120 for pictures in batch[:2])
        found = []
        for network in (Network(random_weights()), *students):
            levels = [network(pictures, ("conv1", "conv2")) for pictures in (z, x)]
            y, g = (labels(levels[0], 0.1 * 64 / 5, places) for places in (torch.zeros(1, 2), batch[2]))
            found.append(responses(*levels, y))

    def distance(one, other, n):
        return sum(((one[level][n] - other[level][n]) ** 2).sum().item() / (y[level] ** 2).sum().item() for level in y)

    expected, followed = [0.0, 0.0], []
    for n in range(8):
        bound, *own = (distance(network, g, n) for network in found)
        followed.append([loss - bound < GAP for loss in own])
        expected[0] += 0.1 * followed[-1][1] * distance(found[1], found[2], n) / 8
        expected[1] += 0.5 * 0.1 * followed[-1][0] * distance(found[2], found[1], n) / 8
    assert 0 < np.sum(followed) < 16  # some are worth following, some are not
    assert [parts["sharing"].item(), parts["sharing-16"].item()] == pytest.approx(expected, rel=1e-4) and min(expected) > 0
    assert {name: parts[name] for name in alone[0]} == alone[0]
    assert {name: parts[f"{name}-16"] for name in alone[1]} == alone[1]
    assert list(parts) == [*alone[0], "sharing", *(f"{name}-16" for name in alone[1]), "sharing-16"]
    assert loss.item() == pytest.approx(sum(parts.values()).item())


def test_what_is_not_shared_changes_nothing(lessons, dataset, monkeypatch):
    """Without the sharing the first student goes its way, whoever is trained along, but for the rounding of sums."""
    seen = []
    monkeypatch.setattr(mutual, "decay", lambda epoch, epochs: seen.append((epoch, epochs)) or 0.0)
    single, both = (Training(tiny(average=0.9, **setting), lessons, dataset) for setting in ({}, {"sharing_ratio": 32.0}))
    for step in range(4):
        alone, parts = (training.advance(training.draw(step)) for training in (single, both))
        assert {name: parts[name] for name in alone} == pytest.approx(alone, rel=1e-5)
    for one, other in zip(both.export().filters, single.export().filters, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5 * np.abs(other).max())
    assert seen == [(0, 2), (0, 2), (1, 2), (1, 2)]
    assert both.validate().keys() >= single.validate().keys()


def test_teachers_are_run_once_for_both(lessons, dataset):
    training = Training(tiny(sharing_ratio=32.0), lessons[:1], dataset)
    calls, compute = [], lessons[0].teacher.compute
    lessons[0].teacher.compute = lambda pictures, names: calls.append(names) or compute(pictures, names)
    training.advance(training.draw(0))
    assert calls == [["norm2"]]


def test_default_lessons_suit_each_student(lessons, dataset):
    """Channel by channel where there are as many, else through lifts; what was named stays."""
    objective = Training(tiny(sharing_ratio=32.0), lessons, dataset).objective
    taps = [[pair.tap for pair in each.fidelity.pairs] for each in (objective, objective.second)]
    assert taps == [["norm2", *LEVELS], ["norm2", "norm1", "norm2", "relu3", "relu4", "relu5"]]


# a training


def test_files_and_resumption(given, tmp_path, monkeypatch):
    """Both students' weights and measures; interrupted after three of four steps and resumed, all is the same bit by bit."""
    out, cut = tmp_path / "student.safetensors", tmp_path / "cut.safetensors"
    config = tiny(average=0.9, sharing_ratio=32.0)
    train.train(config, *given, out)
    advance = Training.advance

    def interrupted(self, batch):
        if self.step == 3:
            raise KeyboardInterrupt
        return advance(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(train, "CHECKPOINT_SECONDS", 0)
        patch.setattr(Training, "advance", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train.train(config, *given, cut)
    assert checkpoints.load(cut.with_suffix(".checkpoint"))["step"] == 3
    train.train(config, *given, cut, resume=True)
    assert metrics(cut) == metrics(out)

    for suffix, ratio in (("", 64), ("-32", 32)):
        first, second = (weights.load(path.with_stem(path.stem + suffix)) for path in (out, cut))
        assert_equal(first, second)
        assert first.widths == channels(ratio)
        found = json.loads(first.metadata["validation"])
        assert list(found[f"localisation{suffix}"]) == list(LEVELS) and f"r_squared{suffix}" in found
        assert ("localisation" in found) == (suffix == "")
    names = ["fidelity", "tracking", "sharing"]
    assert list(metrics(out)[1]["loss"]) == [*names, *(f"{name}-32" for name in names)]

    guide = taught(out.with_suffix(".checkpoint"), given[0])  # the lifts of the first
    stored = checkpoints.load(out.with_suffix(".checkpoint"))["objective"]
    for name, value in guide.state_dict().items():
        assert torch.equal(value, stored[f"fidelity.{name}"])


def test_command(given, tmp_path, capsys):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    arguments = ["--teacher", given[0][1], "--data", given[1][0], "--out", str(tmp_path / "a.safetensors"), *options(epochs=1)]
    assert run(parser.parse_args([*arguments, "--sharing-ratio", "96"])) == 0
    assert weights.load(tmp_path / "a-96.safetensors").widths == channels(96)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"sharing_ratio": -1.0}, "sharing_ratio is -1.0"),
        ({"sharing_ratio": 0.5}, "compression ratio 0.5 is not a number >= 1"),
        ({"sharing_ratio": 16.0, "levels": ("conv3",)}, "the teachers teach conv2, and are to be compared on conv3"),
        ({"sharing_ratio": 16.0, "fidelity": 0.0, "lessons": []}, "no teacher; what compares"),
    ],
)
def test_what_does_not_fit(setting, message, lessons, dataset):
    chosen = setting.pop("lessons", lessons[:1])
    with pytest.raises((DistillationError, weights.WeightsError), match=message):
        Training(tiny(**setting), chosen, dataset)
