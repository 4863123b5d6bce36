"""The site as `make web` built it, and what networks are given and answer in Python."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "android_demo/tests"))
from support import SITE, Listener

from asmnet import models, samples
from asmnet.edge_runtime.detector import FaceDetector
from asmnet.edge_runtime.interpreter import Network
from asmnet.edge_runtime.landmarker import Landmarker

Inputs = Callable[[str], tuple[Path, np.ndarray, np.ndarray, list[str]]]


@pytest.fixture(scope="session")
def site() -> Path:
    """The built site."""
    if not (SITE / "files.js").exists():
        pytest.skip("needs the built site; run make web")
    return SITE


@pytest.fixture(scope="session")
def faces() -> Inputs:
    """Of a model: its file, what it is given for the shipped faces, its answers, their names."""
    pictures = [cv2.imread(str(path)) for path in sorted(samples.LONDON.glob("*.jpg"))]
    pictures += [cv2.imread(str(path)) for path in sorted(samples.PORTRAITS.glob("*.jpg"))]

    def of(model: str) -> tuple[Path, np.ndarray, np.ndarray, list[str]]:
        if model == "detector":
            path, names = models.DETECTOR, ["regressors", "classificators"]
            heard = Listener(Network(path), names)
            for picture in pictures:
                FaceDetector(heard).detect(picture)
        else:
            path = models.find(model)
            spec = Landmarker.load(path).spec
            names = [spec.landmarks_tensor, spec.pose_tensor]
            heard = Listener(Network(path), names)
            landmarker, detector = Landmarker(heard, spec), FaceDetector.load()
            for picture in pictures:
                for found in detector.detect(picture)[:1]:
                    crop = found.to_crop(spec.margin)
                    landmarker.raw(landmarker.extract(picture, crop))
        return path, np.array(heard.inputs), np.array(heard.answers), names

    return of
