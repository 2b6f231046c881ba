"""First-frame adaptation: the correlation filter against plain numpy and the KCF's, its gradients, the crops, and what adapting does."""

import subprocess
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchmarks.synthetic import Scene, sequence
from cfvgg.network import Network
from cfvgg.weights import load, save
from distill import checkpoints, correlation
from distill.adaptation import Config, adapt, taught
from distill.config import Config as TrainingConfig
from distill.errors import DistillationError
from distill.lessons import Fidelity, read_lesson
from distill.objective import Objective
from distill.surroundings import Crops, Surroundings
from tests import networks
from trackers import ECOHC, fDeepSTRCF, fECO, fKCF
from trackers.errors import UnknownOptionError
from trackers.filters import ridge

SIZES = [(1, 5, 6), (3, 6, 5), (4, 7, 7), (2, 8, 8)]


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def plain_response(z, x, label, regularisation):
    """The definition, by full transforms: W_d = conj(Y) Z_d / (sum |Z|^2 + lambda), R = sum conj(W_d) X_d."""
    z, x, label = np.fft.fft2(z), np.fft.fft2(x), np.fft.fft2(label)
    filter_ = label.conj() * z / ((np.abs(z) ** 2).sum(0) + regularisation)
    return np.fft.ifft2((filter_.conj() * x).sum(0))


# the filter


@pytest.mark.parametrize("shape", SIZES)
def test_response_equals_its_definition(shape):
    z, x, label = random(1, *shape), random(3, *shape, seed=1), random(*shape[1:], seed=2)
    found = correlation.respond(z, x, label, 0.01)
    for response, sample in zip(found, x, strict=True):
        expected = plain_response(z[0].numpy(), sample.numpy(), label.numpy(), 0.01 * z.numel())
        np.testing.assert_allclose(response, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", SIZES)
def test_response_is_that_of_kcf_with_the_linear_kernel(shape):
    z, x = random(1, *shape), random(1, *shape, seed=1)
    y = correlation.gaussian(shape[1:], 0.8, torch.zeros(1, 2, dtype=torch.float64))[0]
    kcf = ridge.KernelFilter(ridge.linear, 0.01)
    kcf.learn(z[0].numpy(), np.fft.rfft2(y), [], 1.0)
    np.testing.assert_allclose(correlation.respond(z, x, y, 0.01)[0], kcf.respond(x[0].numpy()), rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(6, 9), (7, 8)])
def test_labels_are_those_of_kcf(shape):
    places = torch.tensor([[0.0, 0.0], [1.25, -2.5]], dtype=torch.float64)
    for found, place in zip(correlation.gaussian(shape, 0.7, places), places.tolist(), strict=True):
        np.testing.assert_allclose(found, np.fft.irfft2(ridge.gaussian_label(shape, 0.7, place), shape), rtol=0, atol=1e-6)


@pytest.mark.parametrize("shift", [(0, 0), (2, -3), (-4, 1)])
def test_peak_is_at_the_shift(shift):
    z = random(1, 3, 11, 12)
    y = correlation.gaussian((11, 12), 0.8, torch.zeros(1, 2, dtype=torch.float64))[0]
    response = correlation.respond(z, z.roll(shift, (2, 3)), y, 1e-4)[0]
    assert np.unravel_index(response.argmax().item(), (11, 12)) == (shift[0] % 11, shift[1] % 12)
    assert response.max() == pytest.approx(1, abs=0.01)


def test_prepared_features_have_unit_energy_under_a_cosine_window():
    window = np.outer(np.hanning(8)[1:-1], np.hanning(9)[1:-1])
    found = correlation.prepare(random(2, 3, 6, 7)).numpy() / window
    np.testing.assert_allclose((found**2).mean((1, 2, 3)), 1)
    assert np.isfinite(correlation.prepare(torch.zeros(1, 2, 4, 4)).numpy()).all()


def test_a_level_that_is_zero_has_finite_gradients():
    features = torch.zeros(1, 2, 4, 4, requires_grad=True)
    correlation.prepare(features).sum().backward()
    assert torch.isfinite(features.grad).all()


def test_loss_has_the_gradient_of_its_definition():
    z, x = random(1, 2, 5, 6), random(2, 2, 5, 6, seed=1)
    places = torch.tensor([[1.0, -1.5], [0.0, 0.5]], dtype=torch.float64)
    y, g = correlation.gaussian((5, 6), 0.7, places[:1] * 0), correlation.gaussian((5, 6), 0.7, places)

    def loss(z, x):
        return correlation.tracking_loss({"conv2": z}, {"conv2": x}, {"conv2": y}, {"conv2": g}, 0.01)

    assert torch.autograd.gradcheck(loss, (z.requires_grad_(), x.requires_grad_()))


def test_loss_sums_levels_in_units_of_the_label():
    features = {"conv1": random(1, 2, 9, 9), "conv5": random(1, 3, 5, 5)}
    y = correlation.labels(features, 5.0, torch.zeros(1, 2, dtype=torch.float64))
    nothing = {level: torch.zeros_like(block) for level, block in features.items()}
    assert correlation.tracking_loss(features, nothing, y, y).item() == pytest.approx(2)
    assert correlation.tracking_loss(features, features, y, y, 1e-9).item() < 1e-6


# the crops

SCENE = Scene(frames=1, size=(120, 160), target_size=0.2, distractors=3, occlusion=0)


@pytest.fixture(scope="module")
def first():
    made = sequence(SCENE)
    return np.ascontiguousarray(made.frames[0][:, :, ::-1]), tuple(made.boxes[0])


def marked(box):
    """A picture that is black but for a white dot in the middle of the box."""
    image = np.zeros((120, 160, 3), np.uint8)
    row, column = round(box[1] + (box[3] - 1) / 2), round(box[0] + (box[2] - 1) / 2)
    image[row - 1 : row + 2, column - 1 : column + 2] = 255
    return image


@pytest.mark.parametrize("box", [(70, 50, 21, 21), (3, 80, 31, 15), (120, 4, 11, 33)])
def test_crops_show_the_target_where_they_say_and_negatives_do_not_show_it(box):
    surroundings = Surroundings(marked(box), box, 96, 2.0)
    rng = np.random.default_rng(0)
    for _ in range(20):
        view, place = surroundings.positive(rng)
        grid = np.indices(view.shape[:2])
        centre = (grid * view[:, :, 0]).sum((1, 2)) / view[:, :, 0].sum(dtype=float)
        np.testing.assert_allclose(centre, place, atol=0.6)
        assert not surroundings.negative(rng).any()


def test_a_target_that_fills_the_picture_has_no_negatives():
    surroundings = Surroundings(np.zeros((40, 40, 3), np.uint8), (-5, -5, 50, 50), 96, 2.0)
    assert not surroundings.has_negatives
    assert len(Crops(surroundings, 3, np.random.default_rng(0)).pictures) == 1 + 3


# adapting

QUICK = Config(iterations=3, crops=6, held_out=6, side=80)


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip((*one.filters, *one.biases), (*other.filters, *other.biases), strict=True))


def test_adaptation_lowers_the_loss_on_crops_it_has_not_seen(first):
    weights = load()
    adaptation = adapt(weights, *first, config=QUICK)
    assert not adaptation.undone
    assert adaptation.after.positive < adaptation.before.positive
    assert adaptation.after.negative < adaptation.before.negative
    assert adaptation.before.fidelity == 0 < adaptation.after.fidelity
    assert not same(adaptation.weights, weights)
    assert same(weights, load())


def test_adaptation_depends_on_the_seed_alone(first):
    one, again, other = (adapt(load(), *first, seed, QUICK).weights for seed in (1, 1, 2))
    assert same(one, again)
    assert not same(one, other)


def test_an_adaptation_that_harms_is_undone(first):
    weights = load()
    adaptation = adapt(weights, *first, config=replace(QUICK, rate=1.0))
    assert adaptation.undone
    assert adaptation.weights is weights


# teachers


@pytest.fixture
def checkpoint(tmp_path):
    """The path of a training's checkpoint, and its teacher: a SqueezeNet that teaches conv1 through a lift."""
    np.savez(tmp_path / "teacher.npz", **networks.drawn(networks.squeezenet_shapes()))
    teachers, student = [str(tmp_path / "teacher.npz")], Network(load())
    fidelity = Fidelity([read_lesson(spec, load().widths) for spec in teachers], load().widths, np.random.default_rng(1))
    objective = Objective(student, fidelity, TrainingConfig())
    objective.calibrate(np.random.default_rng(2).integers(0, 256, (4, 3, 224, 224), np.uint8))
    checkpoints.save(tmp_path / "student.checkpoint", {"objective": objective.state_dict(), "settings": {}})
    return tmp_path / "student.checkpoint", teachers, fidelity


def test_a_teacher_guides_through_the_lifts_of_its_training(first, checkpoint):
    path, teachers, fidelity = checkpoint
    guide = taught(path, teachers)
    for name, value in fidelity.state_dict().items():
        np.testing.assert_array_equal(guide.state_dict()[name], value)
    alone, guided = (adapt(load(), *first, config=QUICK, guide=given) for given in (None, guide))
    assert guided.before.fidelity > 0 == alone.before.fidelity
    assert (guided.before.positive, guided.before.negative) == (alone.before.positive, alone.before.negative)
    assert not guided.undone and not same(guided.weights, alone.weights)


def test_a_checkpoint_of_another_training(checkpoint, tmp_path):
    with pytest.raises(DistillationError, match="no checkpoint at"):
        taught(tmp_path / "none.checkpoint", [])
    weights = tmp_path / "other.safetensors"
    save(load(), weights)
    with pytest.raises(DistillationError, match="is not of a training with the teachers"):
        taught(checkpoint[0], [str(weights)])


@pytest.mark.parametrize(
    ("shape", "box"),
    [((30, 30, 1), (-5, -5, 40, 40)), ((9, 200, 3), (190, 2, 6, 5)), ((1, 1, 3), (0, 0, 1, 1)), ((90, 90, 3), (40, 40, 0.01, 0.02))],
)
def test_any_picture_and_box_will_do(shape, box):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    assert np.isfinite(adapt(load(), image, box, config=QUICK).weights.filters[0]).all()


# trackers


quickly = partial(adapt, config=QUICK)


@pytest.mark.parametrize("tracker", [fECO, fDeepSTRCF, fKCF])
def test_trackers_adapt_a_copy_to_each_target(tracker, first):
    image, box = first
    made, plain = tracker(adapt=quickly, channel_order="RGB"), tracker(channel_order="RGB")
    shared = made._shared.weights
    for given in (box, (20, 20, 30, 30)):
        made.init(image, given)
        plain.init(image, given)
        expected = quickly(load(), image, given)
        assert same(made.adaptation.weights, expected.weights) and made.adaptation.after == expected.after
        assert same(shared, load())
        moved = np.roll(image, 2, axis=1)
        assert made.update(moved) != plain.update(moved)
    assert plain.adaptation is None
    assert made.adaptation.seconds > 0


@pytest.mark.parametrize(
    ("make", "message"),
    [(lambda: ECOHC(adapt=True), "ECOHC has no network to adapt"), (lambda: fECO(adapt=1), "adapt=1; True, False or a function")],
)
def test_adaptation_refuses_what_it_cannot_do(make, message):
    with pytest.raises(UnknownOptionError, match=message):
        make()


def test_true_is_the_adaptation_of_the_paper(monkeypatch, first):
    monkeypatch.setattr("distill.adaptation.adapt", quickly)
    tracker = fECO(adapt=True, channel_order="RGB")
    tracker.init(*first)
    assert same(tracker.adaptation.weights, quickly(load(), *first).weights)


def test_without_torch_the_error_says_what_to_install():
    code = "import sys; sys.modules['torch'] = None; import trackers; trackers.fECO(); trackers.fECO(adapt=True)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "UnknownOptionError: adapt=True needs PyTorch: pip install cfvgg[train]" in done.stderr
