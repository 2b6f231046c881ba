"""Distillation: settings, losses, students, the joint objective, and single steps of a training, on tiny data."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cfvgg import weights
from cfvgg.architecture import LEVELS, STRIDES
from cfvgg.network import Network
from distill import checkpoints, correlation, losses, objective, train
from distill.config import Config
from distill.correlation import prepare, respond
from distill.data.datasets import open_dataset
from distill.data.pairs import PairBatch
from distill.errors import DistillationError
from distill.lessons import Fidelity, read_lesson
from distill.objective import Objective, tensors
from distill.processes import Processes
from distill.siamese import MARGIN
from distill.students import SPREADS, centred_filters, fresh_student, mean_picture, random_student
from distill.train import Training, drawn_ahead, joined
from tests.trainings import assert_equal, random_weights, save_pictures, save_teacher, tiny

WIDTHS = (12, 32, 64, 64, 64)

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def small_sample(monkeypatch):
    monkeypatch.setattr(train, "SAMPLE", 8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("training")


@pytest.fixture(scope="module")
def dataset(folder):
    return joined([open_dataset(save_pictures(folder / "pictures"))])


@pytest.fixture(scope="module")
def lessons(folder):
    """A teacher of the student's shape, and a wider one that teaches conv1 and conv5 through lifts."""
    same, wide = (save_teacher(folder / f"{ratio}.safetensors", ratio) for ratio in (64, 32))
    return [read_lesson(spec, WIDTHS) for spec in (same, f"{wide}:conv1=norm1,conv5=relu5")]


def advanced(training, steps):
    """The parts of the loss in some steps."""
    return [training.advance(training.draw(training.step)) for _ in range(steps)]


# settings


@pytest.mark.parametrize(
    "setting",
    [
        {"epochs": 0}, {"epochs": 2.5}, {"batch": -1}, {"pairs": 0}, {"rate": float("nan")}, {"rate": 0}, {"fall": 0.5}, {"warmup": -1},
        {"momentum": 1.0}, {"average": 1}, {"decay": float("inf")}, {"seed": -1}, {"side": 24}, {"search_area": 1.5}, {"ratio": 0.5},
        {"validation": 0}, {"optimiser": "adam"}, {"precision": "half"}, {"levels": ("conv6",)}, {"levels": ("conv1", "conv1")},
        {"tracking": "1"}, {"fidelity": -1.0},
    ],
)  # fmt: skip
def test_settings_that_make_no_sense(setting):
    with pytest.raises(DistillationError, match=next(iter(setting))):
        Config(**setting)


@pytest.mark.parametrize("setting", [{"tracking": 0.0}, {"levels": ()}])
def test_a_training_needs_a_loss(setting):
    with pytest.raises(DistillationError, match="nothing to learn from"):
        Config(fidelity=0.0, **setting)


def test_the_paper_settings_are_the_defaults():
    config = Config()
    assert (config.optimiser, config.epochs, config.momentum, config.decay) == ("sgd", 50, 0.9, 0.005)
    assert (config.ratio, config.levels) == (64, ("conv1", "conv2", "conv5"))


def test_learning_rates():
    """They rise in a line, and then every step of 25 falls by the same part: 100 times in all, 10 times in the first half."""
    config = Config(epochs=5, pairs=23, batch=4, rate=2.0, fall=100.0, warmup=3)
    assert (config.epoch_steps, config.steps) == (5, 25)
    rates = [config.rate_at(step) for step in range(25)]
    assert rates[12] == pytest.approx(0.2) and rates[24] == pytest.approx(0.02)
    falling = [2.0 * 100 ** (-step / 24) for step in range(25)]
    assert rates[:4] == pytest.approx([falling[0] / 4, falling[1] / 2, falling[2] * 3 / 4, falling[3]])
    assert rates[3:] == pytest.approx(falling[3:])
    assert Config(epochs=1, pairs=1, batch=8, rate=2.0, warmup=0).rate_at(0) == 2.0


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


# objective


def coarse(side, shift=(0, 0)):
    """A crop (3, side, side) of one coarse noise, moved by whole pixels."""
    picture = np.random.default_rng(0).integers(0, 256, (3, 24, 24), dtype=np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    top, left = 40 - shift[0], 40 - shift[1]
    return picture[:, top : top + side, left : left + side]


def moved(side, *shifts):
    """Pairs, of which x is z moved by rows and columns."""
    z, x = np.stack([coarse(side)] * len(shifts)), np.stack([coarse(side, shift) for shift in shifts])
    return PairBatch(z, x, np.array(shifts, np.float32), np.full((len(shifts), 2), side / 5, np.float32), np.zeros(len(shifts), int))


def test_the_peak_is_at_the_shift_and_there_the_loss_is_least():
    """Of the response of every level, learnt on z and searched in x; the labels of the loss expect it just there."""
    pairs, config = moved(112, (16, -16), (0, 0), (-16, 0)), Config(side=112, fidelity=0.0, levels=("conv1", "conv2"))
    student = random_student(WIDTHS, np.full((3, 1, 1), 120, np.float32), pairs.x, SPREADS, np.random.default_rng(0))
    measured = Objective(student, None, config)
    with torch.no_grad():
        z, x, shift = tensors(pairs, torch.device("cpu"))
        features = student(torch.cat([z, x]).float() - 120, ("conv1", "conv2"))
        for level, block in features.items():
            label = correlation.labels({level: block}, 2.24, torch.zeros(1, 2))[level][0]
            response = respond(prepare(block[:3]), prepare(block[3:]), label, correlation.REGULARISATION)
            peaks = np.unravel_index(response.flatten(1).argmax(1).numpy(), response.shape[1:])
            sides = np.array(label.shape)
            found = ((np.stack(peaks, 1) + sides // 2) % sides - sides // 2) * STRIDES[level]
            np.testing.assert_array_equal(found, pairs.shift, level)
        right, wrong = (measured(z, x, given)[0] for given in (shift, shift.flip(1) + 16))
    assert right < 0.8 * wrong


def small_objective(lessons=(), config=None, pictures=None):
    """In float64, of a student with a few channels."""
    config = config or Config(side=40, ratio=4000.0)
    pictures = moved(config.side, (0, 0), (8, -4), (3, 5), (1, 1)).x if pictures is None else pictures
    mean = np.full((3, 1, 1), 120, np.float32)
    student = random_student((2, 4, 8, 8, 8), mean, pictures, SPREADS, np.random.default_rng(0))
    fidelity = Fidelity(lessons, (2, 4, 8, 8, 8), np.random.default_rng(1)) if lessons else None
    made = Objective(student, fidelity, config)
    made.calibrate(pictures)
    return made.double()


def test_gradients_are_those_of_differences(folder):
    """Of the whole objective, by the filters of every layer and the lifts."""
    wide = save_teacher(folder / "narrow.safetensors", 600)
    made = small_objective([read_lesson(f"{wide}:conv1=norm1,conv3=conv3", (2, 4, 8, 8, 8))])
    z, x, shift = tensors(moved(40, (4, -3), (-2, 6)), torch.device("cpu"))
    parameters = {name: value.detach().clone().requires_grad_() for name, value in made.named_parameters() if value.requires_grad}
    assert any("lifts" in name for name in parameters) and any("conv" in name for name in parameters)

    def loss(*values):
        return torch.func.functional_call(made, dict(zip(parameters, values, strict=True)), (z, x, shift))[0]

    assert torch.autograd.gradcheck(loss, tuple(parameters.values()), fast_mode=True)
    assert all(gradient.abs().max() > 0 for gradient in torch.autograd.grad(loss(*parameters.values()), tuple(parameters.values())))


def test_parts_are_weighted_and_named(lessons):
    pairs = moved(64, (4, -3), (-2, 6))
    z, x, shift = tensors(pairs, torch.device("cpu"))
    student = Network(random_weights(seed=3))

    def parts(**setting):
        config = tiny(**setting)
        made = Objective(student, Fidelity(lessons, WIDTHS, np.random.default_rng(0)) if config.fidelity else None, config)
        made.calibrate(pairs.x)
        with torch.no_grad():
            loss, found = made(z, x, shift)
        assert loss.item() == pytest.approx(sum(found.values()).item())
        return {name: part.item() for name, part in found.items()}

    both = parts()
    assert parts(fidelity=2.0, tracking=3.0) == pytest.approx({"fidelity": 2 * both["fidelity"], "tracking": 3 * both["tracking"]})
    assert parts(tracking=0.0) == parts(levels=()) == {"fidelity": both["fidelity"]}
    singles = [parts(fidelity=0.0, levels=(level,))["tracking"] for level in ("conv1", "conv2", "conv5")]
    assert sum(singles) == pytest.approx(both["tracking"], rel=1e-5)


def test_a_student_that_is_its_teacher(lessons):
    """Nothing is left of what compares the two; the bounded loss stops a margin below the teacher's own."""
    z, x, shift = tensors(moved(64, (4, -3), (-2, 6)), torch.device("cpu"))
    config = tiny(fidelity=0.0, tracking=0.0, target_response=1.0, teacher_soft=1.0, adaptive_hard=2.0)

    def parts(seed):
        made = Objective(Network(random_weights(seed=seed)), Fidelity(lessons[:1], WIDTHS, np.random.default_rng(0)), config)
        with torch.no_grad():
            return {name: part.item() for name, part in made(z, x, shift)[1].items()}

    same, other = parts(1), parts(3)
    assert list(same) == ["target_response", "teacher_soft", "adaptive_hard"]
    assert same["target_response"] < 1e-6 and same["teacher_soft"] < 1e-6
    assert same["adaptive_hard"] == pytest.approx(2 * 3 * MARGIN, rel=1e-3)  # of three levels
    assert other["target_response"] > 1e-3 and other["teacher_soft"] > 1e-3


def test_teachers_that_are_not_on_the_levels_compared(dataset, lessons):
    with pytest.raises(DistillationError, match="the teachers teach conv1, conv5, and are to be compared on conv3"):
        Training(tiny(teacher_soft=1.0, levels=("conv3",)), lessons[1:], dataset)


def test_mixed_precision_is_for_the_networks_alone(lessons, monkeypatch):
    """bfloat16 has three digits: the networks' outputs show it; the filter and the losses compute in float32."""
    pairs, seen, student = moved(64, (4, -3), (-2, 6)), [], Network(random_weights(seed=3))
    real = objective.tracking_loss

    def watched(z, x, y, g):
        seen.append({block.dtype for part in (z, x, y, g) for block in part.values()})
        return real(z, x, y, g)

    monkeypatch.setattr(objective, "tracking_loss", watched)
    found = []
    for mixed in (False, True):
        made = Objective(student, Fidelity(lessons, WIDTHS, np.random.default_rng(0)), tiny(), mixed)
        made.calibrate(pairs.x)
        loss, parts = made(*tensors(pairs, torch.device("cpu")))
        loss.backward()
        found.append({name: part.item() for name, part in parts.items()})
        assert all(part.dtype == torch.float32 for part in parts.values())
    assert seen == [{torch.float32}, {torch.float32}]
    assert found[1] == pytest.approx(found[0], rel=0.05) and found[1] != found[0]


def test_distances_are_means_over_all_pictures(lessons, monkeypatch):
    pictures = moved(64, (4, -3), (-2, 6), (0, 0), (1, 2), (5, 5)).x
    made = Objective(Network(random_weights(seed=3)), Fidelity(lessons, WIDTHS, np.random.default_rng(0)), tiny())
    made.calibrate(pictures)
    whole = made.distances(pictures)
    monkeypatch.setattr(objective, "MEASURED", 2)
    parts = made.distances(pictures)
    assert list(whole["fidelity"]) == [*(f"vgg-m/{level}" for level in LEVELS), "vgg-m-2/conv1", "vgg-m-2/conv5"]
    assert parts["fidelity"] == pytest.approx(whole["fidelity"], rel=1e-5)
    assert all(0 < whole["r_squared"][name] <= 1 for name in ("vgg-m-2/conv1", "vgg-m-2/conv5"))  # these lifts were just fitted


# training


@pytest.mark.parametrize(
    "setting",
    [
        {}, {"fidelity": 0.0}, {"tracking": 0.0}, {"levels": ("conv5",)}, {"optimiser": "sgd", "rate": 1e-3, "decay": 0.005},
        {"average": 0.9}, {"ratio": 96.0}, {"fidelity": 0.0, "tracking": 0.0, "target_response": 1.0},
        {"fidelity": 0.0, "tracking": 0.0, "teacher_soft": 1.0}, {"fidelity": 0.0, "tracking": 0.0, "adaptive_hard": 1.0},
    ],
)  # fmt: skip
def test_the_loss_falls(setting, dataset, lessons):
    """On one batch, seen again and again."""
    training = Training(tiny(epochs=4, warmup=0, **setting), lessons, dataset)
    batch = training.draw(0)
    found = [sum(training.advance(batch).values()) for _ in range(8)]
    assert found[-1] < 0.97 * found[0]
    assert set(training.validate()) == ({"localisation"} | ({"fidelity", "r_squared"} if training.config.needs_teachers else set()))


def test_levels_without_a_loss_stay(dataset):
    """Only what the tracked level depends on is trained; also weight decay leaves the rest alone."""
    start = random_weights(seed=3)
    training = Training(tiny(fidelity=0.0, levels=("conv2",), decay=0.1), [], dataset, start)
    advanced(training, 2)
    changed = [(one != other).any() for one, other in zip(training.export().filters, start.filters, strict=True)]
    assert changed == [True, True, False, False, False]


def test_a_teacher_without_weight_still_gives_the_start(dataset, folder):
    wide = read_lesson(save_teacher(folder / "wide.safetensors", 16), WIDTHS)
    student = Training(tiny(fidelity=0.0), [wide], dataset).export()
    assert {row.tobytes() for row in student.filters[0]} <= {row.tobytes() for row in wide.teacher.weights.filters[0]}


def test_what_is_drawn_depends_on_seed_and_step(dataset):
    one, again, other = (Training(tiny(fidelity=0.0, seed=seed), [], dataset, random_weights()) for seed in (0, 0, 1))
    one.draw(0)
    np.testing.assert_array_equal(one.draw(3).x, again.draw(3).x)
    assert (one.draw(3).x != one.draw(2).x).any() and (one.draw(3).x != other.draw(3).x).any()
    with drawn_ahead(again, workers=3) as batches:
        ahead = [batch.x for batch in batches]
    assert len(ahead) == 4
    np.testing.assert_array_equal(ahead, [one.draw(step).x for step in range(4)])


def test_running_mean_by_hand(dataset):
    """It begins as a mean over the last tenth of the steps: 1/11, 2/12 and 3/13 are kept."""
    start = random_weights(seed=3)
    training = Training(tiny(fidelity=0.0, average=0.99), [], dataset, start)
    mean, kept = start.filters[0].astype(float), []
    for step in (1, 2, 3):
        advanced(training, 1)
        kept.append(training.student.convolutions[0].weight.detach().numpy().copy())
        mean += (1 - step / (step + 10)) * (kept[-1] - mean)
        np.testing.assert_allclose(training.export().filters[0], mean, rtol=1e-5, atol=1e-8)
    np.testing.assert_array_equal(training.student.convolutions[0].weight.detach().numpy(), kept[-1])
    advanced(training, 1)
    assert (training.student.convolutions[0].weight.detach().numpy() != kept[-1]).any()


@pytest.mark.parametrize("setting", [{}, {"optimiser": "sgd", "rate": 1e-3}, {"average": 0.9}])
def test_a_restored_training_goes_on_bit_by_bit(setting, dataset, lessons, tmp_path):
    straight, first, second = (Training(tiny(**setting), lessons, dataset) for _ in range(3))
    expected = advanced(straight, 4)
    begun = advanced(first, 2)
    checkpoints.save(tmp_path / "a", {**first.state(), "settings": {}})
    stored = checkpoints.load(tmp_path / "a")
    assert any("lifts" in name for name in stored["objective"])
    for level, weight in enumerate(first.export().filters):
        np.testing.assert_array_equal(stored["objective"][f"student.convolutions.{level}.weight"], weight)
    second.restore(stored)
    assert begun + advanced(second, 2) == expected
    assert_equal(second.export(), straight.export())
    assert second.validate() == straight.validate()


def test_a_state_of_another_training(dataset, lessons):
    training = Training(tiny(), lessons, dataset)
    for other in (Training(tiny(), lessons[:1], dataset), Training(tiny(optimiser="sgd"), lessons[:1], dataset)):
        with pytest.raises(DistillationError, match="of another training"):
            training.restore(other.state())
    with pytest.raises(DistillationError, match="of another training"):
        training.restore({"step": 1})


def test_loss_that_is_no_number(dataset):
    training = Training(tiny(fidelity=0.0, rate=1e30, warmup=0), [], dataset, random_weights())
    with pytest.raises(DistillationError, match=r"loss of step \d is .*nan.*try a rate below 1e\+30"):
        advanced(training, 4)


@pytest.mark.parametrize(
    ("setting", "given", "message"),
    [
        ({}, {}, "no teacher; what compares the student with one needs"),
        ({"fidelity": 0.0, "ratio": 96.0}, {"start": True}, r"has \(12, 32, .*\) channels; compression 96 means \(10, 26, 52, 52, 52\)"),
        ({"fidelity": 0.0, "teacher_soft": 1.0}, {}, "no teacher; what compares the student with one needs"),
        ({"fidelity": 0.0, "batch": 5}, {"processes": 2}, "5 pairs cannot be shared by 2 processes"),
    ],
)
def test_what_does_not_fit(setting, given, message, dataset):
    place = Processes()
    place.count = given.get("processes", 1)
    with pytest.raises(DistillationError, match=message):
        Training(tiny(**setting), [], dataset, random_weights() if "start" in given else None, place)


def test_shipped_weights_are_read_as_a_start(dataset):
    training = Training(tiny(fidelity=0.0), [], dataset, weights.load())
    assert_equal(training.export(), weights.load())
