"""Metrics against values worked out by hand."""

import numpy as np
import pytest

from asmnet.core import IBUG68, auc, ced, failure_rate, jitter, nme, pose_mae


@pytest.fixture
def face():
    points = np.zeros((68, 2))
    points[36], points[45] = (10, 0), (60, 0)  # 50 pixels apart
    return points


def test_nme_is_percent_of_the_outer_eye_distance(face):
    assert nme(face + (3, 4), face, IBUG68) == pytest.approx(10.0)
    assert nme(np.stack([face, face + (5, 0)]), np.stack([face, face]), IBUG68) == pytest.approx(
        [0, 10]
    )


def test_nme_is_the_same_in_any_unit(face, rng):
    noisy = face + rng.normal(size=face.shape)
    assert nme(noisy / 7, face / 7, IBUG68) == pytest.approx(nme(noisy, face, IBUG68))


def test_nme_refuses_wrong_shapes(face):
    with pytest.raises(ValueError, match="68"):
        nme(face[:60], face[:60], IBUG68)


def test_failures_and_area_under_the_ced():
    errors = np.array([2.0, 4.0, 10.0, 30.0])
    assert failure_rate(errors) == 25.0
    assert auc(errors) == pytest.approx((0.8 + 0.6 + 0 + 0) / 4)


def test_auc_is_the_area_under_the_drawn_ced(rng):
    errors = rng.gamma(4, 1.5, 300)
    x, y = ced(errors)
    assert x[0] == 0 and x[-1] == 10 and (np.diff(x) >= 0).all() and (np.diff(y) >= 0).all()
    assert y[-1] == pytest.approx(1 - failure_rate(errors) / 100)
    area = (np.diff(x) * (y[:-1] + y[1:]) / 2).sum()
    assert area / 10 == pytest.approx(auc(errors))


def test_an_error_at_the_limit_is_no_failure_and_on_the_curve():
    assert failure_rate(np.array([10.0])) == 0
    x, y = ced(np.array([10.0]))
    assert (x[-1], y[-1]) == (10, 1)


def test_pose_mae_is_per_angle():
    truth = np.array([[10, 20, -30], [0, 0, 0]])
    found = truth + [[1, -2, 3], [-1, 2, 5]]
    np.testing.assert_allclose(pose_mae(found, truth), [1, 2, 4])


def test_jitter_of_a_known_shake(face, rng):
    assert jitter(np.stack([face] * 5), IBUG68) == 0
    assert jitter(np.stack([face, face + (2, 0)]), IBUG68) == pytest.approx(2), "1 px of 50"
    shaken = face + rng.normal(0, 0.5, (4000, 68, 2))
    assert jitter(shaken, IBUG68) == pytest.approx(100 * 0.5 * np.sqrt(2) / 50, rel=0.02)
