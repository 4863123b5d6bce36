"""What the tests of the runtime share: the shipped model, detector, pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from asmnet import models, samples
from asmnet.edge_runtime import FaceDetector, Landmarker


@pytest.fixture(scope="session")
def model() -> Path:
    """The shipped int8 model."""
    return models.find()


@pytest.fixture(scope="session")
def landmarker(model: Path) -> Landmarker:
    return Landmarker.load(model)


@pytest.fixture(scope="session")
def detector() -> FaceDetector:
    return FaceDetector.load()


@pytest.fixture(scope="session")
def turned_detector() -> FaceDetector:
    return FaceDetector.load(models.TURNED_DETECTOR)


@pytest.fixture
def profile() -> np.ndarray:
    """(360, 480, 3) uint8 BGR: a small face, turned by 80 degrees.  CC BY 4.0, see NOTICE."""
    return cv2.imread(str(Path(__file__).with_name("profile.jpg")))


@pytest.fixture(params=["astronaut.jpg", "biden_official.jpg", "obama_official.jpg"])
def portrait(request: pytest.FixtureRequest) -> np.ndarray:
    """Each shipped portrait, (H, W, 3) uint8 BGR."""
    return cv2.imread(str(samples.PORTRAITS / request.param))


@pytest.fixture
def astronaut() -> np.ndarray:
    return cv2.imread(str(samples.PORTRAITS / "astronaut.jpg"))
