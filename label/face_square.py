"""How large a labelled face is, and the square that teachers' crops are told by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from asmnet.core import Crop, Scheme

__all__ = ["face_size", "tight_square"]


def face_size(points: np.ndarray) -> float:
    """Geometric mean of the sides of the box around points (N, 2), in their unit.

    Unlike the eyes' distance, it lasts in profile.
    """
    return max(float(np.sqrt(np.prod(np.ptp(points, axis=0)))), 1e-6)


def tight_square(points: np.ndarray, scheme: Scheme) -> Crop:
    """The upright square about landmarks (N, 2); its angle is the tilt of the eyes' line.

    In profile that line tells nothing, and the angle is 0.
    """
    far = scheme.interocular(points) > 0.2 * face_size(points)
    return replace(Crop.around(points, 1.0), angle=scheme.eyes_angle(points) if far else 0.0)
