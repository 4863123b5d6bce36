"""The square crop that the network sees: one geometry for training, calibration and runtime.

Pixel coordinates are 0-based, x right, y down, pixel centres at integers.
Network outputs are in *crop units* u: origin at the crop's centre, 1.0 = the
crop's side.  A crop of `size` pixels has its centre at pixel (size - 1) / 2:

    crop pixel    = u * size + (size - 1) / 2
    picture pixel = centre + side * rotate(u, angle)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

__all__ = ["Crop", "PixelOps", "NUMPY", "extract"]


@dataclass(frozen=True)
class Crop:
    """A square of a picture.

    Attributes:
        cx, cy: centre, in picture pixels.
        side: side length, in picture pixels.
        angle: degrees that the square is turned clockwise in the picture.
    """

    cx: float
    cy: float
    side: float
    angle: float = 0.0

    @classmethod
    def around(cls, points: np.ndarray, margin: float, angle: float = 0.0) -> Crop:
        """The crop around landmarks (N, 2): `margin` x the longer side of their tight box.

        With `angle`, the tight box is taken in the turned frame.
        """
        points = np.asarray(points, np.float64)
        turn = _rotation(angle)
        turned = points @ turn  # rows times R = R^T applied to each point
        low, high = turned.min(axis=0), turned.max(axis=0)
        centre = turn @ ((low + high) / 2)
        return cls(float(centre[0]), float(centre[1]), float(margin * (high - low).max()), angle)

    def matrix(self, size: int) -> np.ndarray:
        """(2, 3) float64 affine from picture pixels to pixels of the `size` x `size` crop."""
        linear = _rotation(self.angle).T * (size / self.side)
        offset = (size - 1) / 2 - linear @ (self.cx, self.cy)
        return np.column_stack([linear, offset])

    def to_picture(self, units: np.ndarray) -> np.ndarray:
        """Crop units (..., 2) to picture pixels, float64."""
        return np.asarray(units, np.float64) @ _rotation(self.angle).T * self.side + (
            self.cx,
            self.cy,
        )

    def to_units(self, points: np.ndarray) -> np.ndarray:
        """Picture pixels (..., 2) to crop units, float64; the inverse of `to_picture`."""
        shifted = np.asarray(points, np.float64) - (self.cx, self.cy)
        return shifted @ _rotation(self.angle) / self.side


def _rotation(angle: float) -> np.ndarray:
    """Turns clockwise as seen in the picture (y points down)."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return np.array([[c, -s], [s, c]])


class PixelOps(NamedTuple):
    """The two pixel operations of `extract`, so that a device can bring faster ones.

    shrink(image, k): mean of k x k blocks, rounded to uint8; height and width
        are multiples of k.
    warp(image, matrix, size): bilinear sampling with the edge pixels repeated
        outside; `matrix` (2, 3) maps picture to crop pixels.
    """

    shrink: Callable[[np.ndarray, int], np.ndarray]
    warp: Callable[[np.ndarray, np.ndarray, int], np.ndarray]


def _shrink(image: np.ndarray, k: int) -> np.ndarray:
    height, width, channels = image.shape
    blocks = image.reshape(height // k, k, width // k, k, channels)
    mean = blocks.sum(axis=(1, 3), dtype=np.uint32) / np.float32(k * k)
    return (mean + np.float32(0.5)).astype(np.uint8)


def _warp(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    height, width = image.shape[:2]
    inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
    column, row = np.meshgrid(np.arange(size), np.arange(size))
    x = inverse[0, 0] * column + inverse[0, 1] * row + inverse[0, 2]
    y = inverse[1, 0] * column + inverse[1, 1] * row + inverse[1, 2]
    x0, y0 = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    fx = (x - x0).astype(np.float32)[..., None]
    fy = (y - y0).astype(np.float32)[..., None]
    left, right = np.clip(x0, 0, width - 1), np.clip(x0 + 1, 0, width - 1)
    top, bottom = np.clip(y0, 0, height - 1), np.clip(y0 + 1, 0, height - 1)
    upper = image[top, left] * (1 - fx) + image[top, right] * fx
    lower = image[bottom, left] * (1 - fx) + image[bottom, right] * fx
    return (upper * (1 - fy) + lower * fy + np.float32(0.5)).astype(np.uint8)


NUMPY = PixelOps(shrink=_shrink, warp=_warp)


def extract(image: np.ndarray, crop: Crop, size: int, kernels: PixelOps = NUMPY) -> np.ndarray:
    """Cut `crop` out of a picture and resample it to `size` x `size`.

    A crop at least twice as large as the output is first averaged over k x k
    blocks, k = floor(side / size): bilinear sampling alone would skip pixels,
    and skipped pixels become jitter of the landmarks.

    Args:
        image: (H, W, 3) uint8; channel order is kept.
        crop: where; it may reach outside, where edge pixels are repeated.
        size: output side in pixels.
        kernels: the pixel operations; `edge_runtime` passes OpenCV's.

    Returns:
        (size, size, 3) uint8.

    Raises:
        ValueError: the image is not (H, W, 3) uint8 or the crop is not a finite square.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"expected a (H, W, 3) uint8 image, got {image.dtype} {image.shape}")
    if not (np.isfinite([crop.cx, crop.cy, crop.side, crop.angle]).all() and crop.side > 0):
        raise ValueError(f"expected a finite crop with a positive side, got {crop}")
    matrix = crop.matrix(size)
    k = int(crop.side // size)
    if k > 1:
        image, x0, y0 = _around(image, crop, k)
        if min(image.shape[:2]) >= k:
            # Block i covers picture pixels x0 + k*i .. x0 + k*i + k-1, centred at + (k-1)/2.
            to_picture = np.array([[k, 0, x0 + (k - 1) / 2], [0, k, y0 + (k - 1) / 2], [0, 0, 1]])
            image = kernels.shrink(image, k)
        else:
            to_picture = np.array([[1, 0, x0], [0, 1, y0], [0, 0, 1]])
        matrix = matrix @ to_picture
    return kernels.warp(image, matrix, size)


def _around(image: np.ndarray, crop: Crop, k: int) -> tuple[np.ndarray, int, int]:
    """The part of the picture under the crop, its sides trimmed to multiples of k."""
    height, width = image.shape[:2]
    # Half the diagonal of the turned square, and two blocks for the bilinear reach.
    c, s = abs(np.cos(np.radians(crop.angle))), abs(np.sin(np.radians(crop.angle)))
    reach = crop.side / 2 * (c + s) + 2 * k
    x0 = int(np.clip(np.floor(crop.cx - reach), 0, max(width - k, 0)))
    y0 = int(np.clip(np.floor(crop.cy - reach), 0, max(height - k, 0)))
    x1 = int(np.clip(np.ceil(crop.cx + reach), x0 + k, max(width, x0 + k)))
    y1 = int(np.clip(np.ceil(crop.cy + reach), y0 + k, max(height, y0 + k)))
    part = image[y0:y1, x0:x1]
    rows, columns = part.shape[0] // k * k, part.shape[1] // k * k
    return (part[:rows, :columns] if rows and columns else part), x0, y0
