"""Every shipped model answers as recorded, under whichever interpreter is installed.

`tests/golden/make_golden.py` made the record.  Nothing here needs TensorFlow, so
the same file runs on a device.
"""

from pathlib import Path

import cv2
import numpy as np
import pytest

from asmnet import models, samples
from asmnet.core import Crop
from asmnet.edge_runtime import Landmarker
from asmnet.edge_runtime.interpreter import interpreter_version

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="module", params=models.shipped())
def model(request):
    return request.param


@pytest.fixture(scope="module")
def landmarker(model):
    return Landmarker.load(model)


@pytest.fixture(scope="module")
def golden(model, landmarker):
    crops, answers = (
        np.load(GOLDEN / f"{name}.npz") for name in (f"crops-{landmarker.spec.input_size}", model)
    )
    return {**crops, **answers}


@pytest.fixture(scope="module")
def answers(golden, landmarker):
    """Landmarks in crop units and pose in degrees of each recorded crop."""
    found = [landmarker.raw(crop) for crop in golden["crops"]]
    return tuple(np.stack(part) for part in zip(*found, strict=True))


def test_crops_are_cut_as_recorded(golden, landmarker):
    for name, place, expected in zip(
        golden["pictures"], golden["places"], golden["crops"], strict=True
    ):
        image = cv2.imread(str(samples.LONDON.parent / str(name)))
        found = landmarker.extract(image, Crop(*place)).astype(int)
        difference = np.abs(found - expected)
        # OpenCV 4 rounds sampling positions to 1/32 pixel, OpenCV 5 does not.
        levels = 1 if int(cv2.__version__.split(".")[0]) >= 5 else 8
        assert (difference <= levels).mean() >= 0.999, str(name)
        assert difference.mean() < 0.5


def test_int8_answers_as_recorded(golden, landmarker, answers):
    points, pose = answers
    shift = np.linalg.norm(points - golden["int8_landmarks"], axis=-1) * landmarker.spec.input_size
    turn = np.abs(pose - golden["int8_pose"])
    if "litert" in interpreter_version():
        assert shift.max() < 0.01 and turn.max() < 0.01
    else:
        # Other kernels round differently, layer by layer.
        assert shift.mean() < 0.5 and shift.max() < 2.5
        assert turn.max() < 1.0


def test_int8_is_the_float_model_to_a_viewer(golden, landmarker, answers):
    points, pose = answers
    shift = np.linalg.norm(points - golden["float_landmarks"], axis=-1) * landmarker.spec.input_size
    turn = np.abs(pose - golden["float_pose"])
    assert shift.mean() < 1.0 and shift.max() < 5.0
    assert turn.mean() < 0.5 and turn.max() < 2.0
