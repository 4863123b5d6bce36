"""Pictures come as pixels, as paths, or as PIL images; all give the same faces."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from asmnet import samples
from asmnet.core import UserError
from asmnet.edge_runtime import Landmarker
from asmnet.edge_runtime.images import as_bgr

PICTURE = samples.PORTRAITS / "astronaut.jpg"


class PilImage:
    """What is asked of Pillow's images, which a device need not have."""

    def __init__(self, rgb: np.ndarray) -> None:
        self.rgb = rgb

    def convert(self, mode: str) -> np.ndarray:
        assert mode == "RGB"
        return self.rgb


@pytest.mark.parametrize("given", [PICTURE, str(PICTURE)], ids=["path", "name"])
def test_a_path_is_read(given: Path | str, astronaut: np.ndarray) -> None:
    assert np.array_equal(as_bgr(given), astronaut)


def test_a_pil_image_is_turned_to_bgr(astronaut: np.ndarray) -> None:
    image = PilImage(cv2.cvtColor(astronaut, cv2.COLOR_BGR2RGB))
    assert np.array_equal(as_bgr(image), astronaut)


def test_a_path_that_is_no_picture_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere.jpg"):
        as_bgr(tmp_path / "nowhere.jpg")


def test_a_face_as_plain_numbers_is_json(landmarker: Landmarker) -> None:
    (face,) = landmarker(PICTURE)
    plain = json.loads(json.dumps(face.to_dict()))
    assert list(plain) == ["id", "score", "box", "landmarks", "pose"]
    assert np.allclose(plain["landmarks"], face.landmarks, atol=0.006)
    assert list(plain["pose"]) == ["yaw", "pitch", "roll"]
    assert np.allclose(list(plain["pose"].values()), face.pose, atol=0.006)
