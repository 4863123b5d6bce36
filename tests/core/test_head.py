"""Where a head is, from landmarks that a known camera would see."""

import numpy as np
import pytest

from asmnet.core import IBUG68, focal_length, head_position, rotation_from_euler
from asmnet.core.head import EYE_DISTANCE, SOLID, SOLID_POINTS

SIZE = (640, 480)


def seen(place, pose, size=SIZE, fov=65.0) -> np.ndarray:
    """(68, 2) pixels of the average head at `place`, mm; what is not solid is far off."""
    points = (rotation_from_euler(np.array(pose)) @ SOLID_POINTS.T).T * (1, -1, -1) + place
    landmarks = np.full((68, 2), 1e4)
    middle = (np.array(size) - 1) / 2
    landmarks[list(SOLID)] = focal_length(size, fov) * points[:, :2] / points[:, 2:] + middle
    return landmarks


@pytest.mark.parametrize("pose", [(0, 0, 0), (30, 0, 0), (-20, 15, 40), (5, -25, -10)])
@pytest.mark.parametrize("place", [(0, 0, 600), (150, -80, 450), (-300, 200, 1500)])
def test_a_head_is_where_it_was_put(place, pose):
    assert head_position(seen(place, pose), pose, SIZE) == pytest.approx(place, abs=1e-6)


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (1920, 1080)])
def test_any_picture_and_field_of_view(size):
    landmarks = seen((50, 20, 700), (10, 5, 0), size, 80.0)
    found = head_position(landmarks, np.array([10, 5, 0]), size, 80.0)
    assert found == pytest.approx((50, 20, 700), abs=1e-6)


@pytest.mark.parametrize(
    "size, fov, pixels", [((640, 480), 90.0, 320.0), ((480, 640), 60.0, 554.26)]
)
def test_the_field_of_view_is_that_of_the_longer_side(size, fov, pixels):
    assert focal_length(size, fov) == pytest.approx(pixels, abs=0.01)


def test_a_mirrored_face_is_on_the_other_side():
    landmarks = seen((120, 30, 600), (20, 5, 10))[IBUG68.mirror] * (-1, 1) + (SIZE[0] - 1, 0)
    found = head_position(landmarks, np.array([-20, 5, -10]), SIZE)
    assert found == pytest.approx((-120, 30, 600), abs=1e-6)


def test_points_in_one_place_are_no_error():
    middle = (np.array(SIZE) - 1) / 2
    assert np.isfinite(head_position(np.tile(middle, (68, 1)), np.zeros(3), SIZE)).all()


def test_the_average_heads_eyes_are_as_far_apart_as_stated():
    corners = SOLID_POINTS[[SOLID.index(k) for k in IBUG68.outer_eyes]]
    assert np.linalg.norm(corners[0] - corners[1]) == pytest.approx(EYE_DISTANCE, abs=0.2)
