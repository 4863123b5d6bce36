from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from asmnet import models
from asmnet.core import Crop, UserError, extract
from asmnet.edge_runtime import FaceDetector
from asmnet.edge_runtime import detector as module
from asmnet.edge_runtime.detector import Detection, iou
from asmnet.edge_runtime.interpreter import Network


def only(faces: list[Detection]) -> Detection:
    assert len(faces) == 1
    return faces[0]


def turned(image: np.ndarray, angle: float) -> np.ndarray:
    """The picture turned clockwise about its centre."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -angle, 1.0)
    return cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


def test_each_portrait_has_one_face_with_its_parts_in_place(
    detector: FaceDetector, portrait: np.ndarray
):
    face = only(detector.detect(portrait))
    right_eye, left_eye, nose, mouth, right_ear, left_ear = face.keypoints
    left, top, right, bottom = face.box
    assert face.score > 0.7
    assert right_eye[0] < nose[0] < left_eye[0] and right_ear[0] < left_ear[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < mouth[1]
    for eye in (right_eye, left_eye):
        assert left < eye[0] < right and top < eye[1] < (top + bottom) / 2
    assert right - left == pytest.approx(bottom - top, rel=0.02)


def eye_line(face: Detection) -> float:
    """Degrees that the line between the eyes is rotated clockwise."""
    dx, dy = face.keypoints[1] - face.keypoints[0]
    return float(np.degrees(np.arctan2(dy, dx)))


@pytest.mark.parametrize("angle", [-25, 25])
def test_the_eyes_follow_the_picture(detector: FaceDetector, portrait: np.ndarray, angle: float):
    """Within 8 degrees: the keypoints of a turned face lag behind a little."""
    head = detector.detect(portrait)[0]
    square = extract(portrait, head.to_crop(2.5), 256)
    face = only(detector.detect(turned(square, angle)))
    assert eye_line(face) - eye_line(only(detector.detect(square))) == pytest.approx(angle, abs=8)


def test_a_region_finds_a_face_too_small_for_the_whole_picture(
    detector: FaceDetector, astronaut: np.ndarray
):
    large = np.full((1080, 1920, 3), 90, np.uint8)
    large[500:700, 1500:1700] = cv2.resize(astronaut, (200, 200), interpolation=cv2.INTER_AREA)
    assert detector.detect(large) == []
    face = only(detector.detect(large, Crop(1600, 600, 200)))
    small, crop = only(detector.detect(astronaut)).to_crop(1.0), face.to_crop(1.0)
    assert (crop.cx, crop.cy) == pytest.approx(
        (1500 + small.cx * 200 / 512, 500 + small.cy * 200 / 512), abs=3
    )
    assert crop.side == pytest.approx(small.side * 200 / 512, abs=4)


@pytest.mark.parametrize("kind", ["black", "noise", "ramp"])
def test_no_face_is_found_where_none_is(
    detector: FaceDetector, turned_detector: FaceDetector, kind: str
):
    picture = {
        "black": np.zeros((240, 320, 3), np.uint8),
        "noise": np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8),
        "ramp": np.tile(np.linspace(0, 255, 320).astype(np.uint8)[:, None], (240, 1, 3)),
    }[kind]
    assert detector.detect(picture) == turned_detector.detect(picture) == []


def test_both_detectors_mean_the_same_by_a_box(
    detector: FaceDetector, turned_detector: FaceDetector, portrait: np.ndarray
):
    face, same = only(detector.detect(portrait)), only(turned_detector.detect(portrait))
    assert iou(face.box, same.box[None])[0] > 0.75 and same.score > 0.7
    assert len(same.keypoints) == 0


def test_the_detector_of_turned_faces_finds_a_small_profile(
    detector: FaceDetector, turned_detector: FaceDetector, profile: np.ndarray
):
    assert only(turned_detector.detect(profile)).score > 0.8
    assert detector.detect(profile) == []


def test_the_detector_of_turned_faces_sees_faces_of_half_the_size(
    detector: FaceDetector, turned_detector: FaceDetector, astronaut: np.ndarray
):
    large = cv2.copyMakeBorder(astronaut, 700, 700, 700, 700, cv2.BORDER_REPLICATE)
    assert detector.detect(large) == []
    head = only(detector.detect(astronaut)).box + 700
    assert iou(head, only(turned_detector.detect(large)).box[None])[0] > 0.6


def test_two_faces_side_by_side_are_two(detector: FaceDetector, astronaut: np.ndarray):
    head = astronaut[30:230, 100:340]
    faces = detector.detect(np.hstack([head, head]))
    assert len(faces) == 2
    assert abs(faces[0].box[0] - faces[1].box[0]) == pytest.approx(240, abs=10)


def test_grey_and_transparent_pictures_serve_too(detector: FaceDetector, astronaut: np.ndarray):
    reference = only(detector.detect(astronaut)).box
    for code in (cv2.COLOR_BGR2GRAY, cv2.COLOR_BGR2BGRA):
        other = only(detector.detect(cv2.cvtColor(astronaut, code))).box
        assert iou(reference, other[None])[0] > 0.8


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((4, 4), np.uint16),
        7,
    ],
    ids=["float", "empty", "two channels", "16 bit", "a number"],
)
def test_other_arrays_are_refused_with_the_reason(detector: FaceDetector, picture: object):
    with pytest.raises(UserError, match="picture"):
        detector.detect(picture)


def test_another_network_is_refused_with_the_size_that_is_expected():
    with pytest.raises(UserError, match=r"expected \(1, 128, 128, 3\); it is another model"):
        FaceDetector.load(models.find())


def test_a_detector_takes_one_thread_unless_told(monkeypatch: pytest.MonkeyPatch):
    taken = []

    def network(path: Path, threads: int) -> Network:
        taken.append(threads)
        return Network(path, threads)

    monkeypatch.setattr(module, "Network", network)
    FaceDetector.load()
    FaceDetector.load(models.DETECTOR, 3)
    assert taken == [1, 3]


def test_iou_of_known_boxes():
    boxes = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]], float)
    np.testing.assert_allclose(iou(boxes[0], boxes), [1, 1 / 3, 0])


def test_the_detectors_crop_has_no_bias_on_labelled_faces(
    detector: FaceDetector, research_data: Path
):
    """Every tenth training picture of 300-W: mean errors within 2 % of the box's side."""
    subsets = ("afw", "helen/trainset", "lfpw/trainset")
    files = [f for s in subsets for f in sorted((research_data / "300w" / s).glob("*.pts"))]
    errors = []
    for path in files[::10]:
        numbers = path.read_text().split("{")[1].split("}")[0].split()
        truth = Crop.around(np.array(numbers, float).reshape(-1, 2) - 1, 1.0)
        crop = detector.detect(cv2.imread(str(path.with_suffix(".jpg"))))[0].to_crop(1.0)
        shift = (crop.cx - truth.cx, crop.cy - truth.cy, crop.side - truth.side)
        errors.append(np.array(shift) / truth.side)
    assert np.abs(np.mean(errors, axis=0)).max() < 0.02
    assert np.std(errors, axis=0).max() < 0.1
