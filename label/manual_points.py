"""98-point labels that agree with manual labels of 68 points."""

from __future__ import annotations

import numpy as np

from asmnet.core import IBUG68, from_complex, to_complex, wflw98_to_ibug68

__all__ = ["align_to_manual"]


def align_to_manual(points: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Move 98-point labels so that their 68 agree with better known ones.

    The 30 points that the 68 do not tell follow their three nearest neighbours among
    them, weighted by inverse distance.

    Args:
        points: (M, 98, 2) picture pixels.
        known: (M, 68, 2) picture pixels.

    Returns:
        (M, 98, 2) picture pixels.
    """
    first = wflw98_to_ibug68(points)
    z = to_complex(first)
    right, left = IBUG68.outer_eyes
    # Deviations in each face's own frame: a complex division by the eyes' vector.
    eyes = (z[:, left] - z[:, right])[:, None]
    away = (to_complex(known) - z) / eyes
    away = (away - away.mean(axis=0)) * eyes
    distance = np.linalg.norm(points[:, :, None] - first[:, None], axis=-1)
    nearest = np.argsort(distance, axis=-1)[..., :3]
    weight = 1 / (np.take_along_axis(distance, nearest, -1) + 1e-6)
    weight = weight / weight.sum(axis=-1, keepdims=True)
    moved = (np.take_along_axis(away[:, None, :], nearest, -1) * weight).sum(axis=-1)
    return points + from_complex(moved)
