"""What the tracker compares to tell faces, and where it searches."""

from __future__ import annotations

import math

import numpy as np

from asmnet.core import Crop
from asmnet.edge_runtime.landmarker import Face

__all__ = [
    "MIN_CORRELATION",
    "MOST_GROWTH",
    "correlation",
    "search_regions",
    "square_box",
    "zscore",
    "suspicious",
]

# Suspicious: the share of the face inside the picture, the change of the box's size, and the
# move of its centre (in box sides) from one frame to the next.
LEAST_INSIDE, MOST_GROWTH, MOST_MOVE = 0.6, 1.25, 0.25
# The pixels under a face correlate less than this with the frame before: suspicious.
MIN_CORRELATION = 0.7


def zscore(pixels: np.ndarray) -> np.ndarray:
    """Zero mean, unit variance, in one row: see `correlation`."""
    values = pixels.astype(np.float32).ravel()
    values -= values.mean()
    values /= np.sqrt(values @ values / values.size) + np.float32(1e-6)
    return values


def correlation(thumbnail: np.ndarray, other: np.ndarray) -> float:
    """The correlation of two `zscore` thumbnails, -1 ... 1."""
    return float(thumbnail @ other) / thumbnail.size


def suspicious(old: Face, new: Face, frame: np.ndarray) -> bool:
    """Whether landmarks left the picture, changed size or jumped since the frame before."""
    # Plain numbers: numpy takes longer to start than to compute this.
    left, top, right, bottom = new.box.tolist()
    old_left, old_top, old_right, old_bottom = old.box.tolist()
    area = max((right - left) * (bottom - top), 1e-6)
    size = math.sqrt(max((old_right - old_left) * (old_bottom - old_top), 1e-6))
    growth = math.sqrt(area) / size
    across = abs(left + right - old_left - old_right) / 2
    down = abs(top + bottom - old_top - old_bottom) / 2
    height, width = frame.shape[:2]
    seen_across = max(min(right, width) - max(left, 0), 0)
    inside = seen_across * max(min(bottom, height) - max(top, 0), 0)
    return (
        inside < LEAST_INSIDE * area
        or not 1 / MOST_GROWTH < growth < MOST_GROWTH
        or max(across, down) > MOST_MOVE * size
    )


def search_regions(frame: np.ndarray) -> list[Crop | None]:
    """Where to search: the whole picture (None), and squares along it, larger, for small faces.

    Neighbouring squares share at least a quarter of their side.
    """
    height, width = frame.shape[:2]
    side = min(height, width)
    count = math.ceil((max(height, width) / side - 0.25) / 0.75)
    if count < 2:
        return [None]
    x, y, half = width - side, height - side, (side - 1) / 2
    steps = [k / (count - 1) for k in range(count)]
    return [None, *(Crop(half + x * step, half + y * step, side) for step in steps)]


def square_box(crop: Crop) -> np.ndarray:
    """(4,) left, top, right, bottom of an upright crop."""
    half = crop.side / 2
    return np.array([crop.cx - half, crop.cy - half, crop.cx + half, crop.cy + half])
