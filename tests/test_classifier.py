"""Pretraining by classification: two classes that differ in colour, on tiny pictures."""

import json
import signal
from dataclasses import replace

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cfvgg import weights
from cfvgg.architecture import channels
from distill import classifier
from distill.classifier import Config, Training, frequent_labels
from distill.data.clips import Clip
from distill.data.datasets import open_dataset
from distill.errors import DistillationError
from tests.trainings import assert_equal, metrics, random_weights

TINY = Config(epochs=2, pairs=8, batch=4, boxes=6, side=48)
COLOURS = {"blue": (200, 60, 40), "red": (40, 60, 200)}  # B, G, R

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def data(tmp_path):
    """Eight pictures, each with a red and a blue box and one of a rare label; two of them are held out."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "boxes"
    (folder / "stills").mkdir(parents=True)
    lines = ["file,x,y,w,h,label"]
    for number in range(8):
        picture = rng.integers(90, 160, (60, 120, 3), dtype=np.uint8)
        for x, (label, tint) in zip((10, 70), COLOURS.items(), strict=True):
            picture[15:45, x : x + 30] = np.clip(picture[15:45, x : x + 30] - 125.0 + tint, 0, 255).astype(np.uint8)
            lines.append(f"{number}.png,{x},15,30,30,{label}")
        lines.append(f"{number}.png,0,0,20,20,{'rare' if number < 5 else ''}")
        cv2.imwrite(str(folder / "stills" / f"{number}.png"), picture)
    (folder / "stills" / "boxes.csv").write_text("\n".join(lines) + "\n")
    (folder / "validation.txt").write_text("stills/6.png\nstills/7.png\n")
    return folder


@pytest.fixture(autouse=True)
def small_sample(monkeypatch):
    monkeypatch.setattr(classifier, "SAMPLE", 8)


def validated(out):
    """Steps and accuracies of the metrics beside some weights."""
    return {line["step"]: line["accuracy"] for line in metrics(out) if "accuracy" in line}


def test_colours_are_told_apart(data, tmp_path):
    out = tmp_path / "tiny.safetensors"
    made = classifier.train(replace(TINY, epochs=3, pairs=40), [data], out)
    assert made.widths == channels(64)
    assert_equal(weights.load(out), made)
    found = validated(out)
    assert list(found) == [0, 10, 20, 30]
    assert found[0] == {"all": 0.5, "blue": 1.0, "red": 0.0}  # nothing is known
    assert found[30] == {"all": 1.0, "blue": 1.0, "red": 1.0}
    losses = [line["loss"]["classes"] for line in metrics(out)[1:]]
    assert losses[0] == pytest.approx(np.log(2))
    assert np.mean(losses[-10:]) < np.mean(losses[:10])
    assert out.with_suffix(".png").is_file()


def test_files_say_what_they_are(data, tmp_path):
    out = tmp_path / "tiny.safetensors"
    classifier.train(TINY, [data], out)
    about = weights.load(out).metadata
    assert "in place of ImageNet" in about["source"] and "no teacher" in about["source"]
    assert (about["classes"], about["steps"], about["held_out"]) == ("blue red", "4 of 4", "4 boxes")
    assert set(json.loads(about["validation"])["accuracy"]) == {"all", "blue", "red"}
    assert {"seed": 0, "rate": 0.001, "data": "boxes", "start": ""}.items() <= json.loads(about["settings"]).items()


def test_every_class_weighs_alike(data):
    """Five times as many blue boxes as red ones: the red one of a batch counts five times as much."""
    dataset = open_dataset(data)
    dataset.training.extend(4 * [clip for clip in dataset.training if clip.label == "blue"])
    training = Training(TINY, dataset)
    training.classifier.head.bias.data = torch.tensor([2.0, 0.0])  # whatever the crop shows is called blue
    labels = [clip.label for clip in dataset.training if clip.label in COLOURS]
    batch = replace(training.draw(0).first(2), clips=np.array([labels.index("blue"), labels.index("red")]))
    right, wrong = np.log1p(np.exp(-2)), np.log1p(np.exp(2))
    assert training.advance(batch) == {"classes": pytest.approx((right + 5 * wrong) / 6, rel=1e-5)}


def test_crops_and_their_labels(data):
    """Both crops of a pair show the box of their label, twice as wide as it, the held-out ones in the middle and unchanged."""
    training = Training(TINY, open_dataset(data))
    assert training.classes == ["blue", "red"]
    assert training.held_out == 4
    middle = training._crops[:, :, 16:32, 16:32].mean(axis=(2, 3))
    edge = training._crops[:, :, [2, -3]].mean(axis=(2, 3))
    for crop, label in zip(middle, training._truth, strict=True):
        np.testing.assert_allclose(crop, COLOURS[training.classes[label]][::-1], atol=5)
    np.testing.assert_allclose(edge, 125, atol=5)


def test_training_depends_on_the_seed_alone(data, tmp_path):
    made = []
    for seed, disturbance in ((0, 1), (0, 2), (1, 3)):
        torch.manual_seed(disturbance)
        made.append(classifier.train(replace(TINY, seed=seed), [data], tmp_path / f"{disturbance}.safetensors"))
    assert_equal(made[0], made[1])
    assert not np.array_equal(made[0].filters[0], made[2].filters[0])


def test_resumed_training_gives_the_same_bits(data, tmp_path, monkeypatch):
    whole, parts = tmp_path / "whole.safetensors", tmp_path / "parts.safetensors"
    wanted, usual = classifier.train(TINY, [data], whole), Training.advance

    def interrupted(training, batch):
        if training.step == 2:
            signal.raise_signal(signal.SIGINT)
        return usual(training, batch)

    with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
        context.setattr(Training, "advance", interrupted)
        classifier.train(TINY, [data], parts)
    assert weights.load(parts).metadata["steps"] == "2 of 4"
    with pytest.raises(DistillationError, match="3 of 4 steps: go on with it"):
        classifier.train(TINY, [data], parts)
    assert_equal(classifier.train(TINY, [data], parts, resume=True), wanted)
    assert metrics(parts) == metrics(whole)
    assert weights.load(parts).metadata["steps"] == "4 of 4"
    with pytest.raises(DistillationError, match="another training: rate was 0.001, is now 0.1"):
        classifier.train(replace(TINY, rate=0.1), [data], parts, resume=True)


def test_start_is_where_it_begins(data, tmp_path):
    start, out = tmp_path / "start.safetensors", tmp_path / "tiny.safetensors"
    weights.save(random_weights(), start)
    classifier.train(replace(TINY, epochs=1, pairs=4, rate=1e-9, decay=0), [data], out, start)
    for one, other in zip(weights.load(start).filters, weights.load(out).filters, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-7)
    with pytest.raises(DistillationError, match="compression 16 means"):
        classifier.train(replace(TINY, ratio=16), [data], out, start)


def test_frequent_labels():
    clips = [Clip(("a",), None, label, "a") for label in ["b"] * 3 + ["a"] * 2 + ["c"] + [None] * 5]
    assert frequent_labels(clips, 2) == ["a", "b"]
    with pytest.raises(
        DistillationError, match=r"1 classes have at least 3 boxes, two are needed; the most frequent: b \(3\), a \(2\), c \(1\)"
    ):
        frequent_labels(clips, 3)
    with pytest.raises(DistillationError, match="no label at all"):
        frequent_labels(clips[-5:], 1)


@pytest.mark.parametrize(
    ("change", "message"), [({"rate": 0}, "rate is 0"), ({"side": 8}, "side is 8"), ({"boxes": float("nan")}, "boxes is nan")]
)
def test_settings_that_make_no_sense(change, message):
    with pytest.raises(DistillationError, match=message):
        replace(TINY, **change)


def test_what_cannot_be_trained_is_said(data, tmp_path, monkeypatch):
    with pytest.raises(DistillationError, match="written as .safetensors"):
        classifier.train(TINY, [data], tmp_path / "tiny.mat")
    with pytest.raises(DistillationError, match="at least one folder"):
        classifier.train(TINY, [], tmp_path / "tiny.safetensors")
    (tmp_path / "file").touch()
    with pytest.raises(DistillationError, match="cannot write"):
        classifier.train(TINY, [data], tmp_path / "file" / "tiny.safetensors")
    with (
        monkeypatch.context() as context,
        pytest.raises(DistillationError, match="the loss of step 0 is {'classes': nan}; try a rate below"),
    ):
        context.setattr(classifier.F, "cross_entropy", lambda *arguments: torch.tensor(torch.nan))
        classifier.train(TINY, [data], tmp_path / "nan.safetensors")
    boxes = data / "stills" / "boxes.csv"
    boxes.write_text(boxes.read_text() + "unlabelled.png,0,0,20,20,\n")
    (data / "validation.txt").write_text("stills/unlabelled.png\n")
    with pytest.raises(DistillationError, match="16 boxes of blue, red to train on, 0 held out"):
        classifier.train(TINY, [data], tmp_path / "tiny.safetensors")
