"""Ridge regression and points as complex numbers."""

import numpy as np

from asmnet.core import from_complex, ridge_regression, to_complex


def test_without_a_penalty_it_finds_the_line(rng):
    features = rng.normal(size=(50, 3)) + 10
    kernel, bias = ridge_regression(features, features @ [[1], [2], [-1]] + 5, 1e-9)
    assert np.allclose(kernel[:, 0], [1, 2, -1]) and np.allclose(bias, 5)


def test_a_penalty_shrinks_the_kernel_and_leaves_the_mean(rng):
    features, targets = rng.normal(size=(50, 3)), rng.normal(size=(50, 2)) + 7
    kernel, bias = ridge_regression(features, targets, 1e9)
    assert np.abs(kernel).max() < 1e-6 and np.allclose(bias, targets.mean(axis=0))


def test_it_is_the_solution_of_the_normal_equations(rng):
    """Against the textbook: the constant as a column whose penalty is 0."""
    features, targets = rng.normal(size=(40, 4)), rng.normal(size=(40, 2))
    columns = np.hstack([features, np.ones((40, 1))])
    penalty = np.diag([3.0] * 4 + [0])
    expected = np.linalg.solve(columns.T @ columns + penalty, columns.T @ targets)
    kernel, bias = ridge_regression(features, targets, 3.0)
    assert np.allclose(np.vstack([kernel, bias]), expected)


def test_points_survive_the_way_through_complex_numbers(rng):
    points = rng.normal(size=(3, 68, 2))
    assert np.array_equal(from_complex(to_complex(points)), points)
    quarter = from_complex(to_complex(points) * 1j)
    assert np.allclose(quarter, np.stack([-points[..., 1], points[..., 0]], -1))
