"""The loss against a plain numpy transcription of the paper's Eqs. 6-12."""

import numpy as np
import pytest
from keras import ops

from asmnet.train.loss import alpha_at, facial_loss, pose_loss, total_loss


def numpy(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


def test_alpha_follows_the_thirds_of_the_epochs():
    assert [alpha_at(e, 9) for e in range(9)] == [2, 2, 2, 1, 1, 1, 0.5, 0.5, 0.5]
    assert [alpha_at(e, 150) for e in (0, 49, 50, 99, 100, 149)] == [2, 2, 1, 1, 0.5, 0.5]
    assert alpha_at(0, 1) == 2
    assert alpha_at(9, 9) == 0.5, "should a run go on beyond its end"


@pytest.mark.parametrize("alpha", [0.0, 0.5, 2.0])
def test_total_loss_equals_the_transcription(rng, alpha):
    s, a, p = (rng.normal(0, 0.1, (6, 136)).astype(np.float32) for _ in range(3))
    pose, found = (rng.normal(0, 20, (6, 3)).astype(np.float32) for _ in range(2))
    # Eqs. 7-12 for a batch, read as mean squares.
    facial = np.mean((p - s) ** 2, axis=1) + alpha * np.mean((p - a) ** 2, axis=1)
    angles = np.mean(np.radians(found - pose) ** 2, axis=1)
    targets = {"landmarks": s, "smoothed": a, "pose": pose}
    loss = total_loss(targets, {"landmarks": p, "pose": found}, alpha, "squared")
    assert float(loss) == pytest.approx(np.mean(facial + 0.5 * angles), rel=1e-4)


def test_norm_reading_is_the_mean_distance(rng):
    s, p = (rng.normal(0, 0.1, (4, 136)).astype(np.float32) for _ in range(2))
    expected = np.linalg.norm((p - s).reshape(4, 68, 2), axis=-1).mean(axis=1)
    np.testing.assert_allclose(numpy(facial_loss(s, s, p, 0.0, "norm")), expected, rtol=1e-4)


@pytest.mark.parametrize("distance", ["squared", "norm", "wing"])
def test_a_perfect_answer_costs_nothing(distance):
    points = np.full((1, 136), 0.3, np.float32)
    assert float(facial_loss(points, points, points, 2.0, distance)[0]) == pytest.approx(
        0, abs=1e-5
    )


@pytest.mark.parametrize("distance", ["squared", "norm", "wing"])
def test_a_point_counts_by_its_weight(distance, rng):
    s, p = (rng.normal(0, 0.1, (2, 136)).astype(np.float32) for _ in range(2))
    full = np.ones((2, 68), np.float32)
    whole = numpy(facial_loss(s, s, p, 0.5, distance))
    quarter = numpy(facial_loss(s, s, p, 0.5, distance, full / 4))
    np.testing.assert_allclose(quarter, whole / 4, rtol=1e-4)
    full[:, 30] = 0
    moved = p.copy()
    moved[:, 60:62] += 9
    np.testing.assert_array_equal(
        numpy(facial_loss(s, s, moved, 0.5, distance, full)),
        numpy(facial_loss(s, s, p, 0.5, distance, full)),
    )


def test_wing_is_continuous_and_linear_far_out():
    def at(pixels):
        x = np.full((1, 136), pixels / 224, np.float32)
        zero = np.zeros_like(x)
        return float(facial_loss(zero, zero, x, 0.0, "wing")[0])

    assert at(0) == 0
    assert at(9.999) == pytest.approx(at(10.001), abs=5e-3)
    assert at(30) - at(20) == pytest.approx(10, abs=1e-3)
    assert at(1) > 2, "small errors still pull"


@pytest.mark.parametrize("pixels", [0.5, 4.0, 9.0, 11.0, 60.0])
def test_wing_loss_equals_its_formula(pixels):
    """Feng et al., CVPR 2018, with w = 10 and epsilon = 2."""
    x = np.full((1, 136), pixels / 224, np.float32)
    loss = float(facial_loss(np.zeros_like(x), np.zeros_like(x), -x, 0.0, "wing")[0])
    constant = 10 - 10 * np.log(1 + 10 / 2)
    expected = 10 * np.log(1 + pixels / 2) if pixels < 10 else pixels - constant
    assert loss == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("distance", ["squared", "norm", "wing"])
def test_the_asm_term_counts_by_its_weight(rng, distance):
    s, a, p = (rng.normal(0, 0.1, (4, 136)).astype(np.float32) for _ in range(3))
    labels, targets = (numpy(facial_loss(x, x, p, 0.0, distance)) for x in (s, a))
    both = numpy(facial_loss(s, a, p, 0.5, distance))
    np.testing.assert_allclose(both, labels + 0.5 * targets, rtol=1e-4)


def test_the_pose_loss_beside_wing_is_in_degrees():
    labels, found = np.float32([[10, -20, 30]]), np.float32([[13, -20, 24]])
    for distance in ("wing", "norm"):
        assert float(pose_loss(labels, found, distance)[0]) == pytest.approx(3.0)
    radians = np.radians([3, 0, -6])
    assert float(pose_loss(labels, found)[0]) == pytest.approx(np.mean(radians**2), rel=1e-4)


def test_mean_squares_are_the_default(rng):
    s, a, p = (rng.normal(0, 0.1, (4, 136)).astype(np.float32) for _ in range(3))
    pose = np.float32(rng.normal(0, 20, (4, 3)))
    targets = {"landmarks": s, "smoothed": a, "pose": pose}
    outputs = {"landmarks": p, "pose": pose + 1}
    chosen = total_loss(targets, outputs, 1.0, "squared")
    assert float(total_loss(targets, outputs, 1.0)) == pytest.approx(float(chosen))
    default = numpy(facial_loss(s, a, p, 1.0))
    np.testing.assert_allclose(default, numpy(facial_loss(s, a, p, 1.0, "squared")))


@pytest.mark.parametrize("distance", ["squared", "norm", "wing"])
def test_faces_without_pose_labels_cost_nothing(rng, distance):
    found = rng.normal(0, 20, (3, 3)).astype(np.float32)
    labels = np.float32([[1, 2, 3], [np.nan] * 3, [4, 5, 6]])
    loss = numpy(pose_loss(labels, found, distance))
    assert loss[1] == 0 and (loss[[0, 2]] > 0).all()
