"""What students learn from a teacher's maps and responses, and from one another: against plain loops, hand values and the equations."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from distill import correlation, sharing, siamese

SIZES = [(1, 4, 5), (3, 5, 4), (2, 6, 6), (4, 7, 7)]


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def levels(*shapes: tuple[int, ...], seed: int = 0) -> dict[str, torch.Tensor]:
    return {f"conv{i}": random(*shape, seed=seed + i) for i, shape in enumerate(shapes, 1)}


def dot(cell: tuple[int, int], size: tuple[int, int], channel: int = 0, channels: int = 1) -> torch.Tensor:
    """Features (1, C, h, w) that are zero but in one cell of one channel."""
    features = torch.zeros(1, channels, *size, dtype=torch.float64)
    features[0, channel][cell] = 3
    return features


# twins: one sample each, in loops


def plain_map(features):
    rows, columns = features.shape[1:]
    return np.array([[sum(abs(channel[r, c]) for channel in features) for c in range(columns)] for r in range(rows)])


def plain_weight(z, x):
    """How z, with its middle laid on each cell of x, agrees with it."""
    channels, rows, columns = z.shape
    weight = np.zeros((rows, columns))
    for u in range(rows):
        for v in range(columns):
            for k in range(channels):
                for r in range(rows):
                    for c in range(columns):
                        weight[u, v] += z[k, r, c] * x[k, (r + u - rows // 2) % rows, (c + v - columns // 2) % columns]
    return weight


def plain_maps(z, x):
    """The maps that (15) and (16) compare: of z, and of x."""
    window = np.outer(np.hanning(z.shape[1] + 2)[1:-1], np.hanning(z.shape[2] + 2)[1:-1])
    z, x = (features / np.sqrt((features**2).mean()) * window for features in (z, x))
    maps = plain_map(z), plain_map(plain_weight(z, x) * x)
    return [block / np.sqrt((block**2).mean()) for block in maps]


def plain_error(found, wanted, label):
    error = energy = 0.0
    for cell in np.ndindex(label.shape):
        error += (found[cell] - wanted[cell]) ** 2
        energy += label[cell] ** 2
    return error / energy


def plain_hard(student, teacher, wanted, label, margin):
    """(18), less what the loss is at the bound."""
    own, bound = (plain_error(found, wanted, label) for found in (student, teacher))
    return own - max(bound - margin, 0) if bound - own < margin else 0.0


# target response


@pytest.mark.parametrize("shape", SIZES)
def test_maps_and_weights_equal_their_loops(shape):
    z, x = random(2, *shape), random(2, *shape, seed=1)
    for one, other, found in zip(z.numpy(), x.numpy(), siamese.search_weight(z, x), strict=True):
        np.testing.assert_allclose(found, plain_weight(one, other), rtol=0, atol=1e-12)
    for one, found in zip(z.numpy(), siamese.activation_map(z), strict=True):
        np.testing.assert_allclose(found, plain_map(one), rtol=1e-12)


@pytest.mark.parametrize("size", [(7, 9), (6, 8)])
@pytest.mark.parametrize("shift", [(0, 0), (2, -1), (-3, 3)])
def test_weight_peaks_where_the_middle_of_z_went(size, shift):
    z = random(1, 4, *size)
    weight = siamese.search_weight(z, z.roll(shift, (2, 3)))[0]
    assert np.unravel_index(weight.argmax().item(), size) == tuple((n // 2 + s) % n for n, s in zip(size, shift, strict=True))


def test_target_response_equals_its_loops():
    """On levels of different sizes, with teachers of other widths."""
    student = levels((2, 2, 5, 4), (2, 3, 4, 4)), levels((2, 2, 5, 4), (2, 3, 4, 4), seed=10)
    teacher = levels((2, 5, 5, 4), (2, 1, 4, 4), seed=20), levels((2, 5, 5, 4), (2, 1, 4, 4), seed=30)
    found = siamese.target_response(*student, *teacher)
    for n in range(2):
        expected = 0.0
        for level in ("conv1", "conv2"):
            own, wanted = (plain_maps(*(block[level][n].numpy() for block in network)) for network in (student, teacher))
            expected += sum(((a - b) ** 2).mean() for a, b in zip(own, wanted, strict=True))
        assert found[n].item() == pytest.approx(expected, rel=1e-10)


def test_target_response_depends_on_neither_widths_nor_scales():
    student, teacher = (levels((3, 2, 6, 5)), levels((3, 2, 6, 5), seed=1)), (levels((3, 4, 6, 5), seed=2), levels((3, 4, 6, 5), seed=3))
    wider = ({level: torch.cat([block, -block, block], 1) * 7 for level, block in branch.items()} for branch in teacher)
    np.testing.assert_allclose(siamese.target_response(*student, *teacher), siamese.target_response(*student, *wider), rtol=1e-12)


@pytest.mark.parametrize("size", [(5, 5), (8, 6), (31, 20)])
def test_maps_that_share_no_cell_count_two_on_grids_of_any_size(size):
    middle = size[0] // 2, size[1] // 2
    z, x, other = ({"conv2": dot(cell, size)} for cell in (middle, (1, 2), (3, 3)))
    assert siamese.target_response(z, x, z, other).item() == pytest.approx(2)
    assert siamese.target_response(x, z, other, z).item() == pytest.approx(2)


def test_what_does_not_look_like_the_target_does_not_count_in_x():
    """A distractor shines in another channel than the target."""
    z, target = (dot(cell, (7, 7), 0, 2) for cell in ((3, 3), (2, 4)))
    distractor = dot((5, 1), (7, 7), 1, 2)
    weighted = siamese.target_response({"conv5": z}, {"conv5": target + distractor}, {"conv5": z}, {"conv5": target})
    assert weighted.item() == pytest.approx(0, abs=1e-12)


def test_levels_without_a_map_have_finite_losses_and_gradients():
    """An x that has nothing in common with z anywhere has no weights."""
    z, x = dot((3, 3), (7, 7), 0, 2), dot((2, 4), (7, 7), 1, 2).requires_grad_()
    teacher = {"conv5": random(1, 3, 7, 7)}
    loss = siamese.target_response({"conv5": z}, {"conv5": x}, teacher, teacher)
    loss.sum().backward()
    assert loss.isfinite().all() and x.grad.isfinite().all()


# responses


def responses(count: int = 3):
    """Student's, teacher's and wanted responses of two levels, and labels."""
    shapes = (count, 5, 6), (count, 4, 4)
    places = random(count, 2, seed=9)
    g = {level: correlation.gaussian(block.shape[1:], 0.8, places) for level, block in levels(*shapes).items()}
    y = {level: correlation.gaussian(block.shape[1:], 0.8, places[:1] * 0) for level, block in g.items()}
    student, teacher = ({level: g[level] + 0.2 * block for level, block in levels(*shapes, seed=seed).items()} for seed in (3, 6))
    return student, teacher, g, y


def test_losses_of_responses_equal_their_loops():
    student, teacher, g, y = responses()
    soft, hard = siamese.teacher_soft(student, teacher, y), siamese.adaptive_hard(student, teacher, g, y, 0.1)
    for n in range(3):
        rows = [(student[level][n].numpy(), teacher[level][n].numpy(), g[level][n].numpy(), y[level][0].numpy()) for level in g]
        assert soft[n].item() == pytest.approx(sum(plain_error(own, wanted, label) for own, wanted, _, label in rows))
        assert hard[n].item() == pytest.approx(sum(plain_hard(*row, 0.1) for row in rows))


def test_the_error_of_a_response_is_that_of_the_tracking_loss():
    z, x = levels((1, 2, 6, 5), (1, 3, 4, 4)), levels((2, 2, 6, 5), (2, 3, 4, 4), seed=5)
    places = torch.tensor([[1.0, -0.5], [0.0, 1.5]], dtype=torch.float64)
    y, g = (correlation.labels(x, 6.0, where) for where in (places[:1] * 0, places))
    found = {level: correlation.respond(correlation.prepare(z[level]), correlation.prepare(x[level]), y[level][0], 1e-3) for level in g}
    np.testing.assert_allclose(siamese.response_loss(found, g, y), correlation.tracking_loss(z, x, y, g, 1e-3), rtol=1e-12)
    each = {level: block.expand(2, -1, -1) for level, block in y.items()}
    np.testing.assert_allclose(siamese.response_loss(found, g, each), siamese.response_loss(found, g, y), rtol=1e-12)


def hard(own: float, bound: float, margin: float) -> float:
    """Adaptive hard loss of a student and a teacher whose errors are known: a response of (1 - a) g has the error a^2."""
    g = {"conv1": correlation.gaussian((6, 7), 0.8, torch.zeros(1, 2, dtype=torch.float64))}
    student, teacher = ({"conv1": (1 - error**0.5) * g["conv1"]} for error in (own, bound))
    return siamese.adaptive_hard(student, teacher, g, g, margin).item()


@pytest.mark.parametrize(
    ("own", "bound", "expected"),
    [
        (0.5, 0.25, 0.3),  # worse than the teacher
        (0.25, 0.25, 0.05),  # as good: better by the margin is asked for
        (0.2 + 1e-9, 0.25, 1e-9),  # the bound, from above,
        (0.2, 0.25, 0),
        (0.2 - 1e-9, 0.25, 0),  # and from below
        (0.1, 0.25, 0),
        (0.03, 0.04, 0.03),  # no student is better by the margin than this teacher
        (0, 0.04, 0),
    ],
)
def test_hard_loss_is_what_exceeds_the_bound(own, bound, expected):
    assert hard(own, bound, 0.05) == pytest.approx(expected, abs=1e-12)


def test_hard_loss_has_the_gradient_of_its_equation():
    """(18) as printed: L_r where the gap to the teacher is below the margin, else nothing."""
    student, teacher, g, y = responses(20)
    student = {level: block.requires_grad_() for level, block in student.items()}
    own, bound = (siamese.response_errors(network, g, y) for network in (student, teacher))
    printed = sum((own[level] * (bound[level] - own[level] < 0.1)).sum() for level in g)
    expected = torch.autograd.grad(printed, list(student.values()))
    found = torch.autograd.grad(siamese.adaptive_hard(student, teacher, g, y, 0.1).sum(), list(student.values()))
    for gradient, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(gradient, wanted, atol=1e-12)
        zero = wanted.abs().sum(dim=(1, 2)) == 0
        assert 0 < zero.sum() < 20


def test_a_teacher_may_lack_levels():
    student, teacher, g, y = responses()
    one = {"conv2": teacher["conv2"]}
    assert (siamese.teacher_soft(student, one, y) < siamese.teacher_soft(student, teacher, y)).all()
    alone = siamese.adaptive_hard({"conv2": student["conv2"]}, one, {"conv2": g["conv2"]}, {"conv2": y["conv2"]})
    np.testing.assert_array_equal(siamese.adaptive_hard(student, one, g, y), alone)


def test_a_student_that_equals_its_teacher_has_nothing_to_learn_from_it():
    student, _, _, y = responses()
    z, x = levels((2, 3, 5, 6)), levels((2, 3, 5, 6), seed=1)
    assert not siamese.target_response(z, x, z, x).any()
    assert not siamese.teacher_soft(student, student, y).any()
    assert not sharing.sharing([student, student], y, torch.ones(2, 2, 3, dtype=torch.float64)).any()


# gradients


def test_gradients_are_those_of_the_losses():
    z, x = random(1, 2, 4, 5), random(1, 2, 4, 5, seed=1)
    teacher = {"conv1": random(1, 3, 4, 5, seed=2)}, {"conv1": random(1, 3, 4, 5, seed=3)}

    def target(z, x):
        return siamese.target_response({"conv1": z}, {"conv1": x}, *teacher)

    assert torch.autograd.gradcheck(target, (z.requires_grad_(), x.requires_grad_()))
    student, wiser, g, y = ({"conv1": block["conv1"]} for block in responses())
    weights = 0.3 * random(2, 2, 3).abs()
    for loss in (
        lambda found: siamese.teacher_soft({"conv1": found}, wiser, y),
        lambda found: siamese.adaptive_hard({"conv1": found}, wiser, g, y, 0.1),
        lambda found: sharing.sharing([{"conv1": found}, wiser], y, weights)[0],
    ):
        assert torch.autograd.gradcheck(loss, (student["conv1"].requires_grad_(),))


def test_teachers_get_no_gradient():
    student, teacher, g, y = responses()
    z, x = levels((3, 2, 5, 6)), levels((3, 2, 5, 6), seed=1)
    z_teacher, x_teacher = levels((3, 4, 5, 6), seed=2), levels((3, 4, 5, 6), seed=3)
    for block in (student, teacher, z, x, z_teacher, x_teacher):
        for tensor in block.values():
            tensor.requires_grad_()
    loss = siamese.target_response(z, x, z_teacher, x_teacher) + siamese.teacher_soft(student, teacher, y)
    (loss + siamese.adaptive_hard(student, teacher, g, y)).sum().backward()
    for learns, block in ((True, student), (True, z), (True, x), (False, teacher), (False, z_teacher), (False, x_teacher)):
        assert all((tensor.grad is not None) == learns for tensor in block.values())


# sharing


def test_sharing_decays_geometrically():
    assert [sharing.decay(epoch, 3) for epoch in range(3)] == pytest.approx([1, 0.1, 0.01])
    found = np.array([sharing.decay(epoch, 50) for epoch in range(50)])
    np.testing.assert_allclose(found[1:] / found[:-1], 0.01 ** (1 / 49))
    assert sharing.decay(0, 1) == 1
    assert sharing.decay(4, 5, fall=16) == 1 / 16


def test_only_those_near_the_teacher_are_followed():
    losses = torch.tensor([[0.25, 0.5, 0.75, 0.875, float("nan")], [0.0, 1.0, 0.5, 0.5, 0.5]])
    teacher = torch.tensor([0.5, 0.5, 0.5, 0.875, 0.5])
    expected = [[True, True, False, True, False], [True, False, True, True, True]]
    assert sharing.reliable(losses, teacher, 0.25).tolist() == expected  # 0.75 is at the gap: not below it
    assert sharing.reliable(losses[0], teacher, 0.25).tolist() == expected[0]


def test_larger_students_trust_smaller_ones_less():
    assert sharing.discounts([10, 30]) == [[0, 1], [0.5, 0]]
    assert sharing.discounts([30, 10, 20, 20], 0.25) == [[0, 0.25, 0.25, 0.25], [1, 0, 1, 1], [1, 0.25, 0, 1], [1, 0.25, 1, 0]]


def test_weights_of_two_students_are_those_of_their_equations():
    """(28) to (30): the first, the smaller one, follows the second with f(e), the second the first with beta f(e)."""
    losses, teacher = torch.tensor([[0.5, 0.9], [0.9, 0.5]]), torch.tensor([0.5, 0.5])
    found = sharing.sharing_weights(losses, teacher, sharing.discounts([10, 30]), 0.1)
    np.testing.assert_allclose(found, [[[0, 0], [0, 0.1]], [[0.05, 0], [0, 0]]], rtol=1e-6)


def test_weights_of_more_students_are_divided_by_the_others():
    losses = torch.tensor([[0.5], [0.505 + 1e-6], [0.504]], dtype=torch.float64)
    found = sharing.sharing_weights(losses, torch.tensor([0.5], dtype=torch.float64), sharing.discounts([30, 10, 20]), 0.8)
    np.testing.assert_allclose(found[:, :, 0], [[0, 0, 0.2], [0.4, 0, 0.4], [0.4, 0, 0]], rtol=1e-12)
    assert not sharing.sharing_weights(losses[:1], losses[0], sharing.discounts([30]), 1.0).any()


def test_sharing_equals_its_loops():
    one, other, third, y = responses()
    students, weights = [one, other, third], random(3, 3, 3).abs()
    found = sharing.sharing(students, y, weights)
    for i, j in np.ndindex(3, 3):
        expected = sum(
            weights[i, k, j].item() * plain_error(students[i][level][j].numpy(), students[k][level][j].numpy(), y[level][0].numpy())
            for k in range(3)
            for level in y
        )
        assert found[i, j].item() == pytest.approx(expected)


def test_sharing_trains_the_one_that_follows_alone():
    one, other, g, y = responses()
    for block in (*one.values(), *other.values()):
        block.requires_grad_()
    losses = torch.stack([siamese.response_loss(student, g, y) for student in (one, other)])
    weights = sharing.sharing_weights(losses, losses[0], sharing.discounts([10, 30]), 1.0, gap=10)
    assert not weights.requires_grad
    sharing.sharing([one, other], y, weights)[0].sum().backward()
    assert all(block.grad is not None for block in one.values())
    assert not any(block.grad is not None and block.grad.any() for block in other.values())
