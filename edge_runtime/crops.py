"""The device's crops: `asmnet.core.extract` with OpenCV's pixel operations, and where the next is.

Calibration and evaluation import the same kernels, so the network is measured on
what it sees at run time.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from asmnet.core import Crop, PixelOps

__all__ = ["OPENCV", "OPENCV_PADDED", "next_crop"]

LEAST_SIDE = 8.0  # pixels; a network's answer may lie in one place


def next_crop(landmarks: np.ndarray, margin: float) -> Crop:
    """The crop to see a face in once more, around the landmarks (N, 2) that were found in it."""
    crop = Crop.around(landmarks, margin)
    return replace(crop, side=max(crop.side, LEAST_SIDE))


def _shrink(image: np.ndarray, k: int) -> np.ndarray:
    height, width = image.shape[:2]
    return cv2.resize(image, (width // k, height // k), interpolation=cv2.INTER_AREA)


def _warp(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    return cv2.warpAffine(
        image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def _warp_padded(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    return cv2.warpAffine(
        image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )


# For the landmark network: edge pixels are repeated outside the picture, as core does.
OPENCV = PixelOps(shrink=_shrink, warp=_warp)
# For the detector, which was trained on letterboxed pictures: black outside.
OPENCV_PADDED = PixelOps(shrink=_shrink, warp=_warp_padded)
