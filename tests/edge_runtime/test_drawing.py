from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from asmnet.core import IBUG68, Crop
from asmnet.edge_runtime import Face, draw

SIDE = 200


def face(
    pose: tuple[float, float, float] = (0, 0, 0), at: tuple[float, float] = (320, 240)
) -> Face:
    """68 points spread over a square around `at`."""
    rng = np.random.default_rng(0)
    points = (at + rng.uniform(-SIDE / 2, SIDE / 2, (68, 2))).astype(np.float32)
    points[list(IBUG68.groups["nose"])] = at
    return Face(points, np.array(pose, np.float32), Crop(*at, 1.25 * SIDE))


def axis_tip(pose: tuple[float, float, float], channel: int) -> np.ndarray:
    """Mean offset from the nose of the pixels of one axis (BGR channel 0 = z, 1 = y, 2 = x)."""
    plain, drawn = (np.zeros((480, 640, 3), np.uint8) for _ in range(2))
    draw(drawn, [face(pose)], replace_edges())
    pixels = drawn.astype(int)
    others = [c for c in range(3) if c != channel]
    mask = (pixels[..., channel] > 150) & (pixels[..., others].max(axis=-1) < 140)
    rows, columns = np.nonzero(mask & (plain.sum(axis=-1) == 0))
    return np.array([columns.mean() - 320, rows.mean() - 240])


def replace_edges():
    """The scheme without lines, so that nothing but the axes has their colours."""
    return replace(IBUG68, edges=())


def test_axes_point_as_the_convention_says():
    """Yaw > 0: nose to the image's left; pitch > 0: up; roll > 0: clockwise."""
    assert axis_tip((40, 0, 0), 0)[0] < -10
    assert axis_tip((0, 40, 0), 0)[1] < -10
    up = axis_tip((0, 0, 30), 1)
    assert up[0] > 5 and up[1] < -5
    right = axis_tip((0, 0, 30), 2)
    assert right[0] > 5 and right[1] > 5


@pytest.mark.parametrize("shape", [(480, 640, 3), (1080, 1920, 3)])
def test_the_drawing_covers_the_face_and_spares_the_rest(shape: tuple[int, int, int]):
    image = np.full(shape, 100, np.uint8)
    centre = (shape[1] / 2, shape[0] / 2)
    draw(image, [face(at=centre)])
    changed = (image != 100).any(axis=-1)
    x, y = (int(c) for c in centre)
    assert changed[y - 100 : y + 100, x - 100 : x + 100].mean() > 0.1
    assert not changed[:, : x - 130].any()


@pytest.mark.parametrize("at", [(-300, -300), (5, 5), (639, 479), (1e9, 0)])
def test_faces_partly_or_wholly_outside_do_no_harm(at: tuple[float, float]):
    draw(np.zeros((480, 640, 3), np.uint8), [face(at=at)], IBUG68)


def test_pictures_of_a_few_pixels_do_no_harm():
    draw(np.zeros((5, 3, 3), np.uint8), [face()], IBUG68)


@pytest.mark.parametrize("row", [240, 60, 440])
def test_the_numbers_of_two_faces_do_not_cover_each_other(row: int):
    image = np.full((480, 640, 3), 100, np.uint8)
    draw(image, [face(at=(200, row)), face(at=(230, row))], replace_edges())
    assert not (image == 100 // 3 // 3).any()  # darkened twice
    assert (image == 100 // 3).sum() > 5000
