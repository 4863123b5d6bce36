"""Contact sheets show the faces that they say, with their landmarks where they are."""

import numpy as np
import pytest

from asmnet.core import IBUG68
from asmnet.evaluate.plots import contact_sheet


@pytest.fixture
def sheet():
    images = np.zeros((5, 20, 20, 3), np.uint8)
    points = np.zeros((5, 68, 2), np.float32)
    points[3] = 0.25
    titles = [f"{index} px" for index in range(5)]
    rows = [("worst", np.array([3, 1, 0])), ("best", np.array([4]))]
    return contact_sheet(images, rows, titles, [(points, "red", 1.0)], IBUG68)


def test_each_face_has_its_rows_word_and_its_title(sheet):
    titles = [axes.get_title() for axes in sheet.axes]
    assert titles == ["worst 3 px", "worst 1 px", "worst 0 px", "best 4 px", "", ""]


def test_landmarks_lie_on_the_pixels_of_their_crop(sheet):
    """Crop units: the middle of 20 pixels is 9.5, a quarter of the side to the right 14.5."""
    first, second = (axes.collections[-1].get_offsets() for axes in sheet.axes[:2])
    np.testing.assert_allclose(first, 14.5)
    np.testing.assert_allclose(second, 9.5)
