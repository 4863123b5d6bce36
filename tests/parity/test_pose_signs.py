"""Every shipped model's angles have the documented signs, on shipped pictures."""

import cv2
import numpy as np
import pytest

from asmnet import models, samples
from asmnet.core import wflw98_to_ibug68
from asmnet.edge_runtime import FaceDetector, Landmarker

PICTURES = [samples.PORTRAITS / "astronaut.jpg", *sorted(samples.LONDON.glob("*.jpg"))[:3]]


@pytest.fixture(scope="module", params=models.shipped())
def look(request):
    """A function from a picture to its face."""
    landmarker, detector = Landmarker.load(request.param), FaceDetector.load()
    return lambda image: landmarker(
        image, detector.detect(image)[0].to_crop(landmarker.spec.margin)
    )


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_turning_the_picture_clockwise_adds_roll(look, path):
    image = cv2.imread(str(path))
    height, width = image.shape[:2]
    for angle in (-20, 20):
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), -angle, 1)
        turned = cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
        assert look(turned).pose[2] - look(image).pose[2] == pytest.approx(angle, abs=4)


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_mirroring_flips_yaw_and_roll(look, path):
    image = cv2.imread(str(path))
    mirrored = look(np.ascontiguousarray(image[:, ::-1])).pose
    np.testing.assert_allclose(mirrored, look(image).pose * [-1, 1, -1], atol=4)


def test_positive_yaw_points_the_nose_to_the_left(look):
    yaws, noses = [], []
    for path in sorted(samples.LONDON.glob("*.jpg")):
        face = look(cv2.imread(str(path)))
        points = face.landmarks
        points = points if len(points) == 68 else wflw98_to_ibug68(points)
        right, left = points[36], points[45]
        across = (left - right) / np.linalg.norm(left - right) ** 2
        yaws.append(face.pose[0])
        noses.append((points[30] - (right + left) / 2) @ across)
    assert np.corrcoef(yaws, noses)[0, 1] < -0.6
