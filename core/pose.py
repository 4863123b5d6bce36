"""Head-pose angles and rotation matrices, in the 300W-LP / AFLW2000 convention.

Axes: x to the image's right, y *up*, z towards the viewer; a frontal face has
the identity rotation.  ``R = Rx(pitch) @ Ry(yaw) @ Rz(roll)`` with

    yaw   > 0: the nose points to the image's left,
    pitch > 0: the face looks up,
    roll  > 0: the head tilts clockwise in the image.

Angles are degrees, ordered (yaw, pitch, roll), in arrays of shape (..., 3).
Source: Zhu et al., "Face Alignment Across Large Poses" (CVPR 2016), whose
labels (`Pose_Para`) the tests compare with.
"""

from __future__ import annotations

import numpy as np

__all__ = ["ANGLES", "euler_from_rotation", "mirror_pose", "rotate_pose", "rotation_from_euler"]

ANGLES = ("yaw", "pitch", "roll")


def rotation_from_euler(pose: np.ndarray) -> np.ndarray:
    """Rotation matrices of head poses.

    Args:
        pose: (..., 3) yaw, pitch, roll in degrees.

    Returns:
        (..., 3, 3) float64, head axes to viewer axes.
    """
    yaw, pitch, roll = np.moveaxis(np.radians(np.asarray(pose, np.float64)), -1, 0)
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    rows = (
        (cy * cr, cy * sr, -sy),
        (sp * sy * cr - cp * sr, sp * sy * sr + cp * cr, sp * cy),
        (cp * sy * cr + sp * sr, cp * sy * sr - sp * cr, cp * cy),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def euler_from_rotation(rotation: np.ndarray) -> np.ndarray:
    """Head poses of rotation matrices; the inverse of `rotation_from_euler` for |yaw| < 90.

    Args:
        rotation: (..., 3, 3).

    Returns:
        (..., 3) float64 yaw, pitch, roll in degrees.
    """
    r = np.asarray(rotation, np.float64)
    yaw = np.arcsin(np.clip(-r[..., 0, 2], -1.0, 1.0))
    pitch = np.arctan2(r[..., 1, 2], r[..., 2, 2])
    roll = np.arctan2(r[..., 0, 1], r[..., 0, 0])
    return np.degrees(np.stack([yaw, pitch, roll], axis=-1))


def mirror_pose(pose: np.ndarray) -> np.ndarray:
    """The pose of a face in the left-right mirrored picture: (..., 3) degrees."""
    return np.asarray(pose) * np.array([-1, 1, -1])


def rotate_pose(pose: np.ndarray, angle: np.ndarray | float) -> np.ndarray:
    """The pose of a face after its picture is turned clockwise by `angle`.

    Roll is the innermost rotation, so this is more than an addition to it.

    Args:
        pose: (..., 3) degrees.
        angle: (...) degrees, clockwise as seen in the picture.

    Returns:
        (..., 3) float64 degrees.
    """
    angle = np.asarray(angle, np.float64)
    zero = np.zeros_like(angle)
    turn = rotation_from_euler(np.stack([zero, zero, angle], axis=-1))
    return euler_from_rotation(turn @ rotation_from_euler(pose))
