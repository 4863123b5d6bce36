from __future__ import annotations

import cv2
import numpy as np
import pytest

from asmnet import samples
from asmnet.core import Crop, ModelSpec, UserError, nme
from asmnet.edge_runtime import Face, FaceDetector, Landmarker
from asmnet.edge_runtime.landmarker import input_table

SPEC = ModelSpec("test", "0", "ibug68", 224, "landmarks", "pose")


def face_of(landmarker: Landmarker, detector: FaceDetector, image: np.ndarray) -> Face:
    """The picture's best face, cropped anew around its own landmarks as the tracker does."""
    margin = landmarker.spec.margin
    face = landmarker(image, detector.detect(image)[0].to_crop(margin))
    return landmarker(image, Crop.around(face.landmarks, margin))


def test_landmarks_lie_on_the_face(
    landmarker: Landmarker, detector: FaceDetector, portrait: np.ndarray
):
    """Eye, nose and mouth points agree with the detector's keypoints, an independent network."""
    found = detector.detect(portrait)[0]
    face = face_of(landmarker, detector, portrait)
    points, side = face.landmarks, found.to_crop(1.0).side
    assert points.shape == (68, 2) and points.dtype == np.float32
    assert face.pose.shape == (3,) and face.pose.dtype == np.float32
    centres = (points[36:42], points[42:48], points[30:31], points[60:68])
    # The detector's nose and mouth are rough, most of all on a turned head.
    for part, keypoint, near in zip(centres, found.keypoints, (0.08, 0.08, 0.2, 0.2), strict=False):
        assert np.linalg.norm(part.mean(axis=0) - keypoint) < near * side
    np.testing.assert_allclose(face.box[:2], points.min(axis=0))


def test_the_official_portraits_look_at_the_camera(landmarker: Landmarker, detector: FaceDetector):
    image = cv2.imread(str(samples.PORTRAITS / "obama_official.jpg"))
    pose = face_of(landmarker, detector, image).pose
    assert np.abs(pose).max() < 20


def test_a_mirrored_picture_gives_the_mirrored_face(
    landmarker: Landmarker, detector: FaceDetector, astronaut: np.ndarray
):
    face = face_of(landmarker, detector, astronaut)
    mirrored = face_of(landmarker, detector, np.ascontiguousarray(astronaut[:, ::-1]))
    scheme = landmarker.spec.points
    back = mirrored.landmarks[scheme.mirror] * (-1, 1) + (astronaut.shape[1] - 1, 0)
    assert nme(back, face.landmarks, scheme) < 5
    np.testing.assert_allclose(mirrored.pose * (-1, 1, -1), face.pose, atol=8)


def test_a_turned_crop_finds_the_same_points_and_pose(
    landmarker: Landmarker, detector: FaceDetector, portrait: np.ndarray
):
    upright = face_of(landmarker, detector, portrait)
    turned = landmarker(portrait, Crop.around(upright.landmarks, landmarker.spec.margin, angle=12))
    assert nme(turned.landmarks, upright.landmarks, landmarker.spec.points) < 6
    np.testing.assert_allclose(turned.pose, upright.pose, atol=10)


def test_the_detectors_crop_is_close_to_the_landmarks_own(
    landmarker: Landmarker, detector: FaceDetector
):
    """On the shipped faces: centre within 10 % of the side, size within 20 %."""
    margin = landmarker.spec.margin
    for path in sorted(samples.LONDON.glob("*.jpg"))[::10]:
        image = cv2.imread(str(path))
        first = detector.detect(image)[0].to_crop(margin)
        final = face_of(landmarker, detector, image).crop
        assert np.hypot(first.cx - final.cx, first.cy - final.cy) < 0.1 * final.side
        assert first.side == pytest.approx(final.side, rel=0.2)


def test_floats_are_refused_because_their_range_is_unknown(landmarker: Landmarker):
    with pytest.raises(UserError, match="float64"):
        landmarker(np.zeros((10, 10, 3)), Crop(5, 5, 5))


def test_float_input_is_normalised_as_the_contract_says():
    table = input_table(SPEC, np.float32, 0.0, 0)
    np.testing.assert_allclose(table, (np.arange(256) - 127.5) / 127.5, rtol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "zero_point"), [(np.int8, -1), (np.int8, 0), (np.uint8, 127), (np.uint8, 128)]
)
def test_no_grey_levels_merge_when_the_input_is_quantized(dtype: type, zero_point: int):
    """[-1, 1] over 255 steps: every level is a tie between two integers, none may be lost."""
    table = input_table(SPEC, dtype, 2 / 255, zero_point).astype(int)
    assert (np.diff(table) == 1).all()
    real = (table - zero_point) * (2 / 255)
    np.testing.assert_allclose(real, (np.arange(256) - 127.5) / 127.5, atol=1 / 255 + 1e-6)


def test_a_narrow_quantized_input_saturates_instead_of_wrapping():
    table = input_table(SPEC, np.int8, 1 / 255, 0).astype(int)
    assert table[0] == -128 and table[-1] == 127 and (np.diff(table) >= 0).all()
