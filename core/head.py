"""Where a head is, in millimetres, from its landmarks and its pose.

A head of average size is laid over the landmarks, turned by the known pose: what remains is its
place, a linear least-squares problem.  The solid points are the mean head of 300-W's training
faces (`bench/head_shape.py` prints them); eyelids and mouth are left out.

Whoever's outer eye corners are not `EYE_DISTANCE` apart seems nearer or farther by that ratio,
and so does everybody under a wrong field of view.  Source of the distance: Farkas,
"Anthropometry of the Head and Face" (1994): 88 mm for women, 91 for men.
"""

from __future__ import annotations

import math

import numpy as np

from asmnet.core.landmarks import IBUG68, to_scheme
from asmnet.core.pose import rotation_from_euler

__all__ = [
    "EYE_DISTANCE",
    "FIELD_OF_VIEW",
    "ORIGIN",
    "SOLID",
    "SOLID_POINTS",
    "focal_length",
    "head_position",
]

# Degrees along the picture's longer side: what webcams and phones have, within ten degrees.
FIELD_OF_VIEW = 65.0
EYE_DISTANCE = 89.0
# The head's place, mm from the middle between the outer eye corners: inside the head, below and
# behind the eyes, where nodding and shaking move it little.
ORIGIN = np.array([0.0, -27.0, -32.0])
# Contour, brows, nose, corners of the eyes.
SOLID = (*range(37), 39, 42, 45)
_ROWS = np.array(SOLID)
# mm from `ORIGIN`: x to the picture's right, y up, z to the viewer, for the frontal head.
# fmt: off
SOLID_POINTS = np.array([
    (-73.1, 21.9, -19.6), (-72.4, 3.4, -14.7), (-70.4, -15.0, -10.6), (-66.7, -33.4, -6.1),
    (-59.5, -50.4, 1.8), (-48.1, -64.8, 13.1), (-33.8, -76.4, 26.0), (-18.0, -85.7, 39.2),
    (0.0, -88.5, 43.9), (18.0, -85.7, 39.2), (33.8, -76.4, 26.0), (48.1, -64.8, 13.1),
    (59.5, -50.4, 1.8), (66.7, -33.4, -6.1), (70.4, -15.0, -10.6), (72.4, 3.4, -14.7),
    (73.1, 21.9, -19.6), (-59.2, 39.0, 23.4), (-50.5, 47.7, 32.6), (-38.4, 51.1, 41.5),
    (-25.7, 50.2, 48.8), (-13.4, 46.7, 54.6), (13.4, 46.7, 54.6), (25.7, 50.2, 48.8),
    (38.4, 51.1, 41.5), (50.5, 47.7, 32.6), (59.2, 39.0, 23.4), (0.0, 31.1, 56.0),
    (0.0, 19.4, 63.8), (0.0, 7.9, 72.5), (0.0, -3.9, 80.9), (-13.8, -14.1, 60.1),
    (-7.3, -16.2, 63.7), (0.0, -18.2, 65.9), (7.3, -16.2, 63.7), (13.8, -14.1, 60.1),
    (-44.5, 27.0, 32.0), (-19.2, 25.8, 37.9), (19.2, 25.8, 37.9), (44.5, 27.0, 32.0),
])
# fmt: on


def focal_length(size: tuple[int, int], fov: float = FIELD_OF_VIEW) -> float:
    """In pixels.

    Args:
        size: the picture's width and height in pixels.
        fov: degrees along the longer side.
    """
    return max(size) / 2 / math.tan(math.radians(fov) / 2)


def head_position(
    landmarks: np.ndarray, pose: np.ndarray, size: tuple[int, int], fov: float = FIELD_OF_VIEW
) -> np.ndarray:
    """The head's place in the camera's frame.

    Args:
        landmarks: (68 or 98, 2) pixels.
        pose: (3,) yaw, pitch, roll in degrees.
        size: the picture's width and height in pixels.
        fov: degrees along the longer side.

    Returns:
        (3,) float64 mm from the camera: x to the picture's right, y down, z ahead.
    """
    width, height = size
    middle = ((width - 1) / 2, (height - 1) / 2)
    seen = to_scheme(np.asarray(landmarks, np.float64), IBUG68)[_ROWS]
    u, v = ((seen - middle) / focal_length(size, fov)).T
    x, y, z = rotation_from_euler(pose) @ SOLID_POINTS.T
    y, z = -y, -z  # y down, z ahead
    # u (z + Z) = x + X, and v (z + Z) = y + Y: linear in X, Y, Z.
    right, down = u * z - x, v * z - y
    across, along = u - u.mean(), v - v.mean()
    spread = max(across @ across + along @ along, 1e-12)  # points in one place are no error
    ahead = -(across @ right + along @ down) / spread
    return np.array([right.mean() + u.mean() * ahead, down.mean() + v.mean() * ahead, ahead])
