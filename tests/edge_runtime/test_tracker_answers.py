"""What the tracker adds to a face: its place before the camera, and how open its mouth is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from asmnet.edge_runtime import Face, FaceDetector, FaceTracker, Landmarker


@pytest.fixture
def tracked(landmarker: Landmarker, detector: FaceDetector):
    """The one face of a picture, with so many pixels around."""

    def track(image: np.ndarray, across: int = 0, down: int = 0) -> Face:
        framed = cv2.copyMakeBorder(image, down, down, across, across, cv2.BORDER_REPLICATE)
        [face] = FaceTracker(landmarker, detector).update(framed, 0.0)
        return face

    return track


def test_a_face_is_at_the_same_place_in_an_upright_picture(tracked, astronaut: np.ndarray):
    """The field of view is that of the longer side."""
    wide, tall = tracked(astronaut, across=100), tracked(astronaut, down=100)
    np.testing.assert_allclose(wide.position, tall.position, rtol=0.05, atol=10)


def test_an_open_mouth_is_as_open_far_as_near(tracked, astronaut: np.ndarray):
    near = tracked(astronaut)
    small = cv2.resize(astronaut, (384, 384), interpolation=cv2.INTER_AREA)
    far = tracked(small, across=64, down=64)
    assert far.position[2] == pytest.approx(4 / 3 * near.position[2], rel=0.05)
    assert near.mouth > 0.3 and far.mouth == pytest.approx(near.mouth, abs=0.1)


@pytest.mark.parametrize("fov", [1, 170])
def test_extreme_lenses_are_believed(landmarker: Landmarker, detector: FaceDetector, fov: float):
    assert FaceTracker(landmarker, detector, fov=fov).fov == fov
