"""Evidence for and against a face, number by number."""

from __future__ import annotations

import numpy as np
import pytest

from asmnet.core import Crop
from asmnet.edge_runtime import Face
from asmnet.edge_runtime.tracking.association import (
    correlation,
    search_regions,
    square_box,
    suspicious,
    zscore,
)

FRAME = np.zeros((100, 200, 3), np.uint8)


def face(left: float, top: float, width: float = 40, height: float = 40) -> Face:
    """A face with this tight box."""
    corners = np.array([[left, top], [left + width, top + height]], np.float32)
    return Face(corners, np.zeros(3, np.float32), Crop.around(corners, 1.25))


def pixels(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)


def test_likeness_is_the_correlation():
    one, other = pixels(0), pixels(0) // 2 + pixels(1) // 3
    expected = np.corrcoef(one.ravel(), other.ravel())[0, 1]
    assert correlation(zscore(one), zscore(other)) == pytest.approx(expected, abs=1e-5)


def test_light_does_not_change_what_a_face_looks_like():
    bright = pixels(0) // 2
    dim = bright // 2 + 100
    assert correlation(zscore(bright), zscore(dim)) > 0.999


def test_a_picture_of_one_grey_is_like_nothing():
    """A wall, or a camera with its lid on."""
    wall = zscore(np.full((16, 16, 3), 77, np.uint8))
    assert correlation(wall, wall) == 0
    assert correlation(wall, zscore(pixels(0))) == 0


def test_a_face_that_hardly_moves_is_not_suspicious():
    assert not suspicious(face(60, 30), face(62, 29), FRAME)


@pytest.mark.parametrize(
    ("off", "expected"), [(10, False), (10.5, True), (-10, False), (-10.5, True)]
)
@pytest.mark.parametrize("axis", [0, 1], ids=["across", "down"])
def test_a_move_by_a_quarter_of_the_face_is_suspicious(off: float, expected: bool, axis: int):
    new = face(60 + off, 30) if axis == 0 else face(60, 30 + off)
    assert suspicious(face(60, 30), new, FRAME) == expected


@pytest.mark.parametrize(
    ("growth", "expected"), [(0.8, True), (0.82, False), (1.2, False), (1.25, True)]
)
def test_a_change_of_size_by_a_quarter_is_suspicious(growth: float, expected: bool):
    """The middle stays; what counts is the root of the area, so a face may turn narrow."""
    side = 40 * growth
    corner = 80 - side / 2, 50 - side / 2
    assert suspicious(face(60, 30), face(*corner, side, side), FRAME) == expected
    narrow = face(80 - side / 4, 50 - side, side / 2, side * 2)
    assert suspicious(face(60, 30), narrow, FRAME) == expected


@pytest.mark.parametrize(("share", "expected"), [(0.59, True), (0.6, False)])
@pytest.mark.parametrize("edge", ["left", "top", "right", "bottom"])
def test_a_face_of_which_two_fifths_are_outside_is_suspicious(
    share: float, expected: bool, edge: str
):
    outside = 40 * (1 - share)
    there = {
        "left": face(-outside, 30),
        "top": face(60, -outside),
        "right": face(160 + outside, 30),
        "bottom": face(60, 60 + outside),
    }[edge]
    assert suspicious(there, there, FRAME) == expected


def test_a_face_outside_at_two_edges_is_suspicious():
    """70 % of its width and 70 % of its height are inside, so 49 % of it."""
    assert suspicious(face(-12, -12), face(-12, -12), FRAME)
    assert suspicious(face(-60, -60), face(-60, -60), FRAME)


def test_a_face_outside_is_suspicious_however_narrow():
    assert suspicious(face(-5, 30, 1, 40), face(-5, 30, 1, 40), FRAME)
    assert suspicious(face(60, -5, 40, 1), face(60, -5, 40, 1), FRAME)


def test_a_face_of_half_a_pixel_that_stays_is_not_suspicious():
    assert not suspicious(face(60, 30, 0.5, 0.5), face(60, 30, 0.5, 0.5), FRAME)


def test_landmarks_in_one_point_are_suspicious_and_no_error():
    point = face(60, 30, 0, 0)
    assert suspicious(face(60, 30), point, FRAME)
    assert suspicious(point, face(60, 30), FRAME)


@pytest.mark.parametrize(
    ("size", "squares"),
    [((100, 100), 0), ((100, 101), 2), ((175, 100), 2), ((177, 100), 3), ((100, 300), 4)],
)
def test_squares_along_the_longer_side(size: tuple[int, int], squares: int):
    """They cover the picture, and neighbours share at least a quarter of their side."""
    height, width = size
    whole, *regions = search_regions(np.zeros((height, width, 3), np.uint8))
    assert whole is None and len(regions) == squares
    if not regions:
        return
    side = min(size)
    assert all(region.side == side and region.angle == 0 for region in regions)
    centres = np.array([[region.cx, region.cy] for region in regions])
    assert centres[0] == pytest.approx([(side - 1) / 2] * 2)
    assert centres[-1] == pytest.approx([width - (side + 1) / 2, height - (side + 1) / 2])
    steps = np.diff(centres, axis=0).max(axis=1)
    assert (steps > 0).all() and (steps <= 0.75 * side).all()


def test_the_box_of_a_crop():
    np.testing.assert_array_equal(square_box(Crop(50, 30, 20)), [40, 20, 60, 40])
