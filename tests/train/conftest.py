"""A small labelled set of real faces that everyone has: shipped pictures, our own labels."""

from __future__ import annotations

import shutil

import cv2
import pytest

from asmnet import samples
from asmnet.edge_runtime import FaceDetector, Landmarker


@pytest.fixture(scope="session")
def labelled_faces(tmp_path_factory):
    """A flat folder of 70 picture + .pts pairs; the shipped model made the labels."""
    folder = tmp_path_factory.mktemp("labelled")
    landmarker, detector = Landmarker.load(), FaceDetector.load()
    for picture in sorted(samples.LONDON.glob("*.jpg"))[:70]:
        image = cv2.imread(str(picture))
        crop = detector.detect(image)[0].to_crop(landmarker.spec.margin)
        rows = "".join(f"{x + 1:.3f} {y + 1:.3f}\n" for x, y in landmarker(image, crop).landmarks)
        shutil.copy(picture, folder)
        (folder / picture.name).with_suffix(".pts").write_text(
            f"version: 1\nn_points: 68\n{{\n{rows}}}\n"
        )
    return folder
