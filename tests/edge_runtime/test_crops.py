"""The crops of the device are the crops of `asmnet.core`."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from asmnet.core import Crop, extract
from asmnet.edge_runtime.crops import OPENCV, OPENCV_PADDED

# OpenCV 4 steps through the picture in 1/32 pixel.
STEP = 1 if int(cv2.__version__.split(".")[0]) >= 5 else 6


@pytest.mark.parametrize("angle", [0.0, 17.0, -90.0])
@pytest.mark.parametrize("side", [60.0, 150.5, 224.0, 470.0, 900.0])
def test_opencv_kernels_agree_with_core(portrait: np.ndarray, side: float, angle: float):
    """From enlarged to eight times shrunk, inside and across the border."""
    height, width = portrait.shape[:2]
    for cx, cy in ((width / 2, height / 3), (10.3, 20.7)):
        crop = Crop(cx, cy, side, angle)
        ours = extract(portrait, crop, 112, OPENCV).astype(int)
        difference = np.abs(ours - extract(portrait, crop, 112))
        assert (difference <= STEP).mean() >= 0.999
        assert difference.mean() < 0.5


def test_a_ramp_is_sampled_without_any_shift():
    """A crop of a linear ramp is that ramp: half a pixel of shift would show as 0.5 levels."""
    ramp = np.repeat(np.arange(200, dtype=np.uint8)[None, :, None], 200, axis=0).repeat(3, axis=2)
    cut = extract(ramp, Crop(99.5, 99.5, 112.0), 56, OPENCV)
    expected = 99.5 + (np.arange(56) - 27.5) * 2
    assert np.abs(cut[28, :, 0] - expected).max() <= 0.5


def test_the_detectors_crop_is_black_outside_the_picture():
    white = np.full((50, 100, 3), 255, np.uint8)
    square = extract(white, Crop(49.5, 24.5, 100.0), 128, OPENCV_PADDED)
    assert square[:30].max() == 0 and square[98:].max() == 0
    assert square[40:88, 2:-2].min() == 255
