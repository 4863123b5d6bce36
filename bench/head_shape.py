"""The solid points of `core/head.py`, from faces with labelled landmarks and head pose.

    python bench/head_shape.py 300w:DIR

Structure from known rotations: each face is the same head, turned by its pose, scaled and moved
in the picture.  Head, scales and places are found in turns by least squares.
"""

from __future__ import annotations

import click
import numpy as np

from asmnet.core import cli_errors, mirror_pose, rotation_from_euler, to_scheme
from asmnet.core.head import EYE_DISTANCE, ORIGIN, SOLID
from asmnet.core.landmarks import IBUG68
from asmnet.data.datasets import read_dataset
from asmnet.data.images import poses_of


def head(points: np.ndarray, pose: np.ndarray, rounds: int = 50) -> np.ndarray:
    """The mean head.

    Args:
        points: (M, 68, 2) in any unit, y down.
        pose: (M, 3) yaw, pitch, roll in degrees.

    Returns:
        (68, 3) mm from `ORIGIN`: x to the picture's right, y up, z to the viewer.
    """
    points = np.concatenate([points, points[:, IBUG68.mirror] * (-1, 1)]) * (1, -1)
    turn = rotation_from_euler(np.concatenate([pose, mirror_pose(pose)]))[:, :2]
    flat = points - points.mean(axis=1, keepdims=True)
    scale = np.sqrt(np.square(flat).mean(axis=(1, 2)))
    place = np.zeros((len(points), 2))
    for _ in range(rounds):
        system = (scale[:, None, None] * turn).reshape(-1, 3)
        right = (flat - place[:, None]).transpose(0, 2, 1).reshape(-1, 68)
        solid = np.linalg.lstsq(system, right, rcond=None)[0].T
        solid -= solid.mean(axis=0)
        seen = solid @ turn.transpose(0, 2, 1)
        middle = seen.mean(axis=1, keepdims=True)
        scale = ((seen - middle) * flat).sum(axis=(1, 2)) / np.square(seen - middle).sum((1, 2))
        place = -(scale[:, None, None] * middle)[:, 0]
    solid[:, 0] = (solid[:, 0] - solid[IBUG68.mirror, 0]) / 2  # a head is symmetric
    solid[:, 1:] = (solid[:, 1:] + solid[IBUG68.mirror, 1:]) / 2
    corners = solid[list(IBUG68.outer_eyes)]
    scaled = (solid - corners.mean(axis=0)) * EYE_DISTANCE / np.ptp(corners[:, 0])
    return scaled - ORIGIN


@click.command()
@click.argument("data", metavar="300w:DIR")
@cli_errors()
def main(data: str) -> None:
    """Print the rows of `SOLID_POINTS`."""
    faces = [face for face in read_dataset(data).faces if face.pose is not None]
    points = np.stack([to_scheme(face.points, IBUG68) for face in faces])
    solid = head(points, poses_of(faces))
    for k in SOLID:
        print(f"    ({', '.join(f'{value:.1f}' for value in solid[k] + 0.0)}),  # {k}")


if __name__ == "__main__":
    main()
