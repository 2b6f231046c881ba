"""Distillation: pictures, losses, students, checkpoints and the training on tiny data."""

import argparse
import json
import signal

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cfvgg import weights
from cfvgg.architecture import LEVELS, channels, filter_shapes
from cfvgg.network import Network
from distill import losses, train
from distill.command import add_arguments, run
from distill.data import pictures
from distill.data.store import Store
from distill.errors import DistillationError
from distill.students import centred_filters, fresh_student, mean_picture

TINY = train.Config(steps=4, batch=2, side=64, validate_every=2, validation_crops=4)


def random_weights(ratio=64):
    rng = np.random.default_rng(1)
    shapes = filter_shapes(channels(ratio))
    filters = tuple(rng.normal(0, np.prod(shape[1:]) ** -0.5, shape).astype(np.float32) for shape in shapes)
    biases = tuple(rng.normal(0, 0.1, shape[0]).astype(np.float32) for shape in shapes)
    return weights.Weights(filters, biases, np.full((3, 1, 1), 120, np.float32))


@pytest.fixture
def teacher(tmp_path):
    path = tmp_path / "teacher.safetensors"
    weights.save(random_weights(), path)
    return path


@pytest.fixture
def data(tmp_path):
    """Eight pictures, two of them held out: one by its name, one by its folder."""
    rng = np.random.default_rng(2)
    folder = tmp_path / "pictures"
    for name in ("a.png", "b.png", "c.jpg", "d.JPG", "e.png", "deep/f.png", "deep/g.jpg", "clip/h.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture = cv2.resize(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8), (80, 60))
        cv2.imwrite(str(folder / name), picture)
    (folder / "validation.txt").write_text("b.png\nclip\n")
    return folder


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# pictures


def test_find_holds_out_files_and_folders(data):
    training, validation = pictures.find(data)
    assert {file.name for file in validation.files} == {"b.png", "h.png"}
    assert {file.name for file in training.files} == {"a.png", "c.jpg", "d.JPG", "e.png", "f.png", "g.jpg"}


def test_crops_depend_on_the_seed_alone(data):
    first, again, other = (pictures.find(data)[0].crops(5, 32, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert first.shape == (5, 3, 32, 32) and first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_crops_do_not_depend_on_the_cache(data):
    cached = pictures.find(data)[0]
    uncached = pictures.Pictures(cached.files, Store(capacity=0))
    np.testing.assert_array_equal(*(some.crops(12, 16, np.random.default_rng(0)) for some in (cached, uncached)))


def test_pictures_are_rgb(tmp_path):
    cv2.imwrite(str(tmp_path / "red.png"), np.full((8, 8, 3), (0, 0, 255), np.uint8))
    picture = pictures.Pictures([tmp_path / "red.png"]).draw(np.random.default_rng(0))
    np.testing.assert_array_equal(picture[0, 0], (255, 0, 0))


def test_broken_pictures_are_skipped_and_counted(data):
    whole = pictures.find(data)[0]
    (data / "broken.jpg").write_bytes(b"no picture")
    training, _ = pictures.find(data)
    crops = training.crops(40, 16, np.random.default_rng(0))
    assert len(crops) == 40
    assert training.broken == set(training.files) - set(whole.files) == {data / "broken.jpg"}


def test_only_broken_pictures(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"")
    with pytest.raises(DistillationError, match="none of the 1 pictures can be read"):
        pictures.Pictures([tmp_path / "broken.jpg"]).draw(np.random.default_rng(0))


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (40, 30), (30, 40), (300, 200)])
def test_random_square_replicates_the_border(shape):
    """In a picture that rises linearly along both axes, a square rises too, and never leaves the picture's values."""
    height, width = shape
    ramp = np.add.outer(np.linspace(0, 100, height), np.linspace(0, 100, width)).astype(np.uint8)
    rng = np.random.default_rng(5)
    for _ in range(30):
        crop = pictures.random_square(np.repeat(ramp[:, :, None], 3, axis=2), 24, rng)
        assert crop.shape == (24, 24, 3)
        assert ramp.min() <= crop.min() and crop.max() <= ramp.max()
        rises = [np.diff(crop.astype(int), axis=axis) for axis in (0, 1)]
        assert min(rise.min() for rise in rises) >= -1  # OpenCV rounds each value on its own


def test_variations_occur_as_often_as_they_should():
    rng = np.random.default_rng(6)
    crop = rng.integers(1, 120, (16, 16, 3), dtype=np.uint8)
    varied = [pictures.vary(crop, rng) for _ in range(2000)]
    grey = np.mean([(v[..., 0] == v[..., 1]).all() and (v[..., 1] == v[..., 2]).all() for v in varied])
    same = np.mean([(v == crop).all() or (v == crop[:, ::-1]).all() for v in varied])
    assert abs(grey - 0.15) < 0.03
    assert abs(same - 0.85 * 0.5 * 0.85) < 0.04


# losses


def test_fidelity_of_identical_networks_is_zero():
    network = Network(random_weights())
    with torch.no_grad():
        outputs = network(torch.randn(2, 3, 64, 64), rectified=False)
    assert losses.fidelity(outputs, outputs, losses.channel_spread(outputs)) == 0
    assert losses.r_squared(outputs, outputs) == dict.fromkeys(LEVELS, 1.0)


def test_fidelity_by_hand():
    teacher = {"one": torch.tensor([[[[1.0, 3.0]], [[0.0, 20.0]]]]), "two": torch.tensor([[[[0.0, 4.0]]]])}
    student = {"one": torch.tensor([[[[1.0, 6.0]], [[5.0, 20.0]]]]), "two": torch.tensor([[[[2.0, 2.0]]]])}
    spreads = losses.channel_spread(teacher)
    assert spreads["one"].tolist() == [1.5, 10.0]  # 1 and 10, the first lifted to 15 % of the second
    assert spreads["two"].tolist() == [2.0]
    one, two = ((3 / 1.5) ** 2 + (5 / 10) ** 2) / 4, 1.0
    assert losses.fidelity(student, teacher, spreads).item() == pytest.approx((one + two) / 2)
    assert losses.r_squared(student, teacher) == pytest.approx({"one": 1 - (9 + 25) / (2 + 200), "two": 0.0})


# students


def test_filters_are_centred():
    filters = centred_filters((6, 3, 5, 5), np.random.default_rng(0))
    np.testing.assert_allclose(filters.mean(axis=(1, 2, 3)), 0, atol=1e-7)
    assert filters.dtype == np.float32


def test_fresh_student_varies_as_its_teacher():
    source = random_weights()
    batch = np.random.default_rng(0).integers(0, 256, (4, 3, 96, 96), dtype=np.uint8)
    teacher = Network(source)
    spreads = losses.channel_spread(teacher(torch.from_numpy(batch) - mean_picture(teacher, 96), rectified=False))
    student = fresh_student(source, batch, spreads, np.random.default_rng(1))
    assert student.mean.shape == (3, 14, 14)
    with torch.no_grad():
        outputs = student(torch.from_numpy(batch) - mean_picture(student, 96), rectified=False)
    for level, spread in spreads.items():
        assert outputs[level].var(dim=(0, 2, 3)).mean().item() == pytest.approx(spread.square().mean().item(), rel=1e-3)
        assert (outputs[level].amax(dim=(0, 2, 3)) > 0).all(), f"dead channels in {level}"


# training


def test_the_loss_falls_and_the_weights_are_written(teacher, data, tmp_path):
    config = train.Config(steps=40, batch=4, side=64, validate_every=10, validation_crops=4)
    out = tmp_path / "new folder" / "student.safetensors"
    result = train.train(config, teacher, data, out)
    stored = weights.load(out)
    for got, expected in zip(stored.filters, result.filters, strict=True):
        np.testing.assert_array_equal(got, expected)
    assert (
        stored.metadata["command"]
        == "cfvgg distill --teacher teacher.safetensors --data pictures --out student.safetensors --steps 40 --seed 0"
    )
    metrics = [json.loads(line) for line in out.with_suffix(".jsonl").read_text().splitlines()]
    assert [line["step"] for line in metrics] == [10, 20, 30, 40]
    assert metrics[-1]["loss"] < 0.7 * metrics[0]["loss"]
    final = json.loads(stored.metadata["validation_r_squared"])
    assert final == pytest.approx(metrics[-1]["r_squared"], abs=1e-4) and list(final) == list(LEVELS)


def test_learning_rate_is_half_a_cosine():
    config = train.Config(steps=100, learning_rate=2.0)
    assert [config.rate(step) for step in (0, 50, 100)] == pytest.approx([2.0, 1.0, 0.0])


def test_resumed_training_is_bit_equal(teacher, data, tmp_path):
    def distillation():
        return train.Distillation(TINY, weights.load(teacher), *pictures.find(data))

    straight, first, second = distillation(), distillation(), distillation()
    expected = [straight.advance() for _ in range(4)]
    start = [first.advance() for _ in range(2)]
    first.save(tmp_path / "checkpoint", {})
    second.restore(tmp_path / "checkpoint", {})
    assert start + [second.advance() for _ in range(2)] == expected
    assert second.validate() == straight.validate()


def interrupt_after(steps, monkeypatch):
    """Let Ctrl-C come in the middle of a step."""
    advance = train.Distillation.advance

    def interrupted(self):
        if self.step == steps - 1:
            signal.raise_signal(signal.SIGINT)
        return advance(self)

    monkeypatch.setattr(train.Distillation, "advance", interrupted)


def test_interrupt_leaves_a_checkpoint_to_resume(teacher, data, tmp_path, monkeypatch):
    whole, parts = tmp_path / "whole.safetensors", tmp_path / "parts.safetensors"
    expected = train.train(TINY, teacher, data, whole)
    with monkeypatch.context() as patch:
        interrupt_after(3, patch)
        with pytest.raises(KeyboardInterrupt):
            train.train(TINY, teacher, data, parts)
    assert not parts.exists()
    handler = signal.getsignal(signal.SIGINT)
    result = train.train(TINY, teacher, data, parts, resume=True)
    assert signal.getsignal(signal.SIGINT) is handler
    for got, wanted in zip(result.filters + result.biases, expected.filters + expected.biases, strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert [json.loads(line)["step"] for line in parts.with_suffix(".jsonl").read_text().splitlines()] == [2, 4]


def test_metrics_after_the_checkpoint_are_written_again(tmp_path):
    metrics = train.Metrics(tmp_path / "metrics.jsonl")
    for step in (2, 4, 6):
        metrics.add(step, loss=1.0)
    metrics.rewind(4)
    assert [json.loads(line)["step"] for line in metrics.path.read_text().splitlines()] == [2, 4]


# errors


@pytest.mark.parametrize(
    "setting", [{"steps": 0}, {"batch": -1}, {"learning_rate": float("nan")}, {"seed": -1}, {"side": 10}, {"validate_every": 0}]
)
def test_settings_that_make_no_sense(setting):
    with pytest.raises(DistillationError, match=next(iter(setting))):
        train.Config(**setting)


def test_folder_without_pictures(teacher, tmp_path):
    with pytest.raises(DistillationError, match="no folder"):
        train.train(TINY, teacher, tmp_path / "nowhere", tmp_path / "out.safetensors")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DistillationError, match="validation.txt"):
        train.train(TINY, teacher, empty, tmp_path / "out.safetensors")
    (empty / "validation.txt").write_text("")
    with pytest.raises(DistillationError, match="holds 0 pictures"):
        train.train(TINY, teacher, empty, tmp_path / "out.safetensors")


def test_teacher_of_another_width(data, tmp_path):
    weights.save(random_weights(ratio=96), tmp_path / "narrow.safetensors")
    with pytest.raises(DistillationError, match=r"\(12, 32, 64, 64, 64\)"):
        train.train(TINY, tmp_path / "narrow.safetensors", data, tmp_path / "out.safetensors")


def test_out_of_another_format(teacher, data, tmp_path):
    with pytest.raises(DistillationError, match="safetensors"):
        train.train(TINY, teacher, data, tmp_path / "out.mat")


def test_loss_that_is_no_number(teacher, data, tmp_path):
    with pytest.raises(DistillationError, match="loss of step"):
        train.train(train.Config(steps=20, batch=2, side=64, learning_rate=1e30), teacher, data, tmp_path / "out.safetensors")


def test_checkpoint_that_cannot_be_used(teacher, data, tmp_path):
    out = tmp_path / "out.safetensors"
    with pytest.raises(DistillationError, match="nothing to resume"):
        train.train(TINY, teacher, data, out, resume=True)
    out.with_suffix(".checkpoint").write_bytes(b"nothing of the kind")
    with pytest.raises(DistillationError, match="not a readable checkpoint"):
        train.train(TINY, teacher, data, out, resume=True)
    train.train(TINY, teacher, data, out)
    with pytest.raises(DistillationError, match="steps was 4, is now 10000"):
        train.train(train.Config(batch=2, side=64, validate_every=2, validation_crops=4), teacher, data, out, resume=True)


# command


def parsed(*arguments):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


def test_command(teacher, data, tmp_path, monkeypatch, capsys):
    arguments = ["--teacher", str(teacher), "--data", str(data), "--out", str(tmp_path / "out.safetensors"), "--steps", "2", "--seed", "7"]
    start, again = parsed(*arguments), parsed(*arguments, "--resume")
    monkeypatch.setattr("distill.command.Config", lambda **given: train.Config(**given, batch=2, side=64, validation_crops=4))
    with monkeypatch.context() as patch:
        interrupt_after(1, patch)
        assert run(start) == 130
    assert "--resume" in capsys.readouterr().err
    assert run(again) == 0
    assert "conv5" in capsys.readouterr().out
    assert json.loads(weights.load(tmp_path / "out.safetensors").metadata["settings"])["seed"] == 7
