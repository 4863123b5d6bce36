from __future__ import annotations

import numpy as np
import pytest

from asmnet.edge_runtime.tracking.smoothing import OneEuro
from asmnet.edge_runtime.tracking.tracks import POINTS_FILTER

FPS = 30


def run(signal: np.ndarray, fps: float = FPS, scale: float = 1.0) -> np.ndarray:
    """Filter (T, N, 2) with the tracker's parameters."""
    smooth = OneEuro(*POINTS_FILTER)
    return np.array([smooth(points, k / fps, scale) for k, points in enumerate(signal)])


def noisy_still(seconds: float = 10, fps: float = FPS) -> np.ndarray:
    """68 points at rest, shaking by 0.3 % of the face, as an int8 model does on a webcam."""
    rng = np.random.default_rng(0)
    return 0.5 + 0.003 * rng.standard_normal((int(seconds * fps), 68, 2))


def test_still_points_shake_at_most_half_as_much():
    signal = noisy_still()
    assert run(signal)[FPS:].std(axis=0).mean() < 0.5 * signal[FPS:].std(axis=0).mean()


def test_a_moving_face_is_less_than_two_frames_late():
    """One face width per second, a quick turn of the head."""
    seconds = np.arange(60) / FPS
    signal = np.broadcast_to(seconds[:, None, None], (60, 68, 2))
    lag = (signal - run(signal))[30:].max()
    assert lag < 2 / FPS


def test_it_is_the_first_order_low_pass_of_the_paper():
    """At a fixed cutoff a step has arrived by 1 - 1/e after 1 / (2 pi cutoff) seconds."""
    smooth = OneEuro(min_cutoff=2.0, beta=0.0)
    steps = 1000
    smooth(np.zeros((1, 2)), 0.0)
    for k in range(1, steps + 1):
        value = smooth(np.ones((1, 2)), k / steps / (2 * np.pi * 2.0))
    np.testing.assert_allclose(value, 1 - 1 / np.e, atol=1e-3)


@pytest.mark.parametrize(("speed", "cutoff"), [(0.5, 1 + 20 * 0.5), (3, 1 + 20 * 3)])
def test_the_cutoff_grows_with_the_speed(speed: float, cutoff: float):
    """So the lag of a steady movement, 1 / (2 pi cutoff), shrinks; a point has one speed."""
    smooth = OneEuro(min_cutoff=1.0, beta=20.0)
    direction = np.array([[0.6, 0.8], [1.0, 0.0]])
    for k in range(3000):
        true = direction * speed * k / 1000
        late = np.linalg.norm(true - smooth(true, k / 1000), axis=1) / speed
    np.testing.assert_allclose(late, 1 / (2 * np.pi * cutoff), atol=1e-4)


def test_the_speed_passes_a_filter_of_its_own():
    """Of 1.5 Hz unless told; with a slower one a sudden movement is followed later."""

    def late(*speed_cutoff: float) -> float:
        smooth = OneEuro(0.5, 50.0, *speed_cutoff)
        for k in range(4):
            value = smooth(np.full((1, 2), 0.1 * k), k / FPS)
        return 0.3 - value[0, 0]

    assert late() == late(1.5)
    assert late(0.5) > 1.5 * late() and late(5) < late() / 1.5


def test_it_arrives():
    """After a jump the points settle where the face is: within 1 % in a fifth of a second."""
    signal = np.zeros((60, 5, 2))
    signal[20:] = 1.0
    assert np.abs(run(signal)[20 + FPS // 5 :] - 1.0).max() < 0.01


def test_the_first_value_passes_unchanged():
    signal = noisy_still()[:1]
    np.testing.assert_array_equal(run(signal), signal)


@pytest.mark.parametrize("scale", [0.01, 320.0])
def test_resolution_does_not_matter(scale: float):
    """The same face at another size is filtered alike."""
    signal = noisy_still(2)
    np.testing.assert_allclose(run(signal * scale, scale=scale), run(signal) * scale, rtol=1e-9)


def test_frame_rate_hardly_matters_to_a_slow_movement():
    """At 15 and at 60 frames per second the points follow a nod alike."""

    def nod(fps: float) -> np.ndarray:
        t = np.arange(0, 2, 1 / fps)
        signal = np.broadcast_to(0.2 * np.sin(np.pi * t)[:, None, None], (len(t), 4, 2))
        return run(signal, fps)[:: int(fps // 15)]

    assert np.abs(nod(15) - nod(60)).max() < 0.03


def test_after_a_reset_the_next_value_passes_unchanged():
    smooth = OneEuro(*POINTS_FILTER)
    for k in range(5):
        smooth(np.full((3, 2), k), k / FPS)
    smooth.reset()
    np.testing.assert_array_equal(smooth(np.full((3, 2), 99), 5 / FPS), np.full((3, 2), 99))


def test_another_number_of_points_starts_anew():
    smooth = OneEuro(*POINTS_FILTER)
    smooth(np.zeros((3, 2)), 0.0)
    np.testing.assert_array_equal(smooth(np.ones((4, 2)), 1 / FPS), np.ones((4, 2)))


def test_whole_numbers_are_filtered_as_real_ones_in_units_of_one():
    plain, exact = OneEuro(*POINTS_FILTER), OneEuro(*POINTS_FILTER)
    for k in range(4):
        ints = plain(np.full((1, 2), 3 * k), k / FPS)
        reals = exact(np.full((1, 2), 3.0 * k), k / FPS, 1.0)
        assert ints.dtype == np.float64
        np.testing.assert_array_equal(ints, reals)


def test_a_repeated_timestamp_changes_nothing_and_an_earlier_one_starts_anew():
    smooth = OneEuro(*POINTS_FILTER)
    smooth(np.zeros((3, 2)), 1.0)
    held = smooth(np.ones((3, 2)), 1.0)
    np.testing.assert_array_equal(held, np.zeros((3, 2)))
    np.testing.assert_array_equal(smooth(np.ones((3, 2)), 0.5), np.ones((3, 2)))
