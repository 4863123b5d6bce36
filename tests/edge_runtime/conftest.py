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


@pytest.fixture(params=["astronaut.jpg", "biden_official.jpg", "obama_official.jpg"])
def portrait(request: pytest.FixtureRequest) -> np.ndarray:
    """Each shipped portrait, (H, W, 3) uint8 BGR."""
    return cv2.imread(str(samples.PORTRAITS / request.param))


@pytest.fixture
def astronaut() -> np.ndarray:
    return cv2.imread(str(samples.PORTRAITS / "astronaut.jpg"))
