"""Which face of a picture is meant, where files show one each."""

from __future__ import annotations

import numpy as np
import pytest

from asmnet.core import Crop
from asmnet.edge_runtime.detector import Detection, find_face


class Known:
    """A detector that finds its faces, in this order, where they take 10 to 60 % of the square."""

    def __init__(self, *faces: tuple[float, float, float]) -> None:
        self.faces = faces  # x, y, side

    def detect(self, image: np.ndarray, square: Crop) -> list[Detection]:
        def found(x: float, y: float, side: float) -> bool:
            inside = max(abs(x - square.cx), abs(y - square.cy)) < square.side / 2
            return inside and 0.1 <= side / square.side <= 0.6

        assert image.shape[2] == 3
        return [
            Detection(np.array([x - s / 2, y - s / 2, x + s / 2, y + s / 2]), 0.9, np.empty((0, 2)))
            for x, y, s in self.faces
            if found(x, y, s)
        ]


def find(
    *faces: tuple[float, float, float],
    size: tuple[int, int] = (100, 100),
    wanted: Crop | None = None,
) -> tuple[float, float] | None:
    """The middle of the face that is found in a picture of so many pixels across and down."""
    face = find_face(np.empty((size[1], size[0], 3), np.uint8), Known(*faces), wanted)
    return None if face is None else tuple((face.box[:2] + face.box[2:]) / 2)


def test_the_first_face_is_the_pictures():
    assert find((30, 40, 30), (70, 60, 30)) == (30, 40)


@pytest.mark.parametrize("x", [-0.25, 99.25])
@pytest.mark.parametrize("y", [-0.25, 99.25])
def test_a_small_face_is_found_in_every_corner(x: float, y: float):
    assert find((x, y, 12)) == (x, y)


@pytest.mark.parametrize(("size", "place"), [((100, 60), (99, 30)), ((60, 100), (30, 99))])
def test_it_is_found_at_the_far_end_of_a_long_picture(size, place):
    assert find((*place, 12), size=size) == place


def test_a_picture_that_is_all_face_is_seen_as_a_part_of_a_larger_one():
    assert find((50, 50, 110)) == (50, 50)


def test_a_picture_without_a_face_has_none():
    assert find() is find((50, 50, 130)) is find((50, 50, 9)) is None


@pytest.mark.parametrize("x", [60.5, 79.5])
def test_a_wanted_face_has_its_middle_where_it_is_wanted(x: float):
    wanted = Crop(70, 50, 20)
    assert find((58, 50, 20), (x, 50, 20), wanted=wanted) == (x, 50)
    assert find((59.5, 50, 20), (80.5, 50, 20), wanted=wanted) is None


@pytest.mark.parametrize(("side", "meant"), [(4, True), (42, True), (43, False)])
def test_a_wanted_face_may_be_smaller_or_twice_as_large(side: float, meant: bool):
    assert (find((70, 50, side), wanted=Crop(70, 50, 20)) == (70, 50)) == meant
