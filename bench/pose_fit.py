"""Head pose from 68 landmarks alone: a ridge regression on aligned shapes.

A similarity aligns a shape to the mean one; its angle is the tilt in the picture.  What
remains, the levelled face's yaw, pitch and roll, is regressed from the shape's principal
components; `rotate_pose` puts the tilt back.  So the fit turns with the picture exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asmnet.core import IBUG68, mirror_pose, ridge_regression, rotate_pose, to_complex
from asmnet.label.adapter import mean_shape

__all__ = ["PoseFit"]

# Chosen on held-out training faces.  More components fit the labels' noise, and beyond
# about a hundred of 136 they have no variance at all.
COMPONENTS, SQUARED, RIDGE = 20, 10, 1e-3


@dataclass(frozen=True, eq=False)
class PoseFit:
    """A fitted regression.

    Attributes:
        mean: (68,) complex x + iy, centred, of unit root-mean-square radius.
        basis: (136, COMPONENTS) from aligned deviations to components of unit variance.
        kernel, bias: (features, 3) and (3,) from components to yaw, pitch, roll in degrees.
        squared: of how many components the products are features too; 0: linear.
    """

    mean: np.ndarray
    basis: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray
    squared: int

    @classmethod
    def learn(cls, points: np.ndarray, pose: np.ndarray, squared: int = SQUARED) -> PoseFit:
        """Fit to labelled faces and their mirror images.

        Args:
            points: (M, 68, 2) in any unit, y down.
            pose: (M, 3) yaw, pitch, roll in degrees.
            squared: see the attribute.
        """
        points = np.concatenate([points, points[:, IBUG68.mirror] * (-1, 1)])
        pose = np.concatenate([pose, mirror_pose(pose)])
        mean = mean_shape(to_complex(points))
        # Of faces and their mirror images it is symmetric but turned as the first face is;
        # with its own mirror image added it stands upright.
        mean = _unit(mean - mean[IBUG68.mirror].conj())
        deviations, tilt = _align(points, mean)
        _, values, vectors = np.linalg.svd(deviations, full_matrices=False)
        basis = vectors[:COMPONENTS].T / values[:COMPONENTS] * np.sqrt(len(points))
        features = _features(deviations @ basis, squared)
        level = rotate_pose(pose, -tilt)
        kernel, bias = ridge_regression(features, level, RIDGE * len(points))
        return cls(mean, basis, kernel, bias, squared)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Yaw, pitch, roll (M, 3) in degrees of shapes (M, 68, 2) in any unit."""
        deviations, tilt = _align(points, self.mean)
        features = _features(deviations @ self.basis, self.squared)
        return rotate_pose(features @ self.kernel + self.bias, tilt)


def _features(components: np.ndarray, squared: int) -> np.ndarray:
    """The components, and the products of the first `squared` of them."""
    i, j = np.triu_indices(squared)
    products = components[:, i] * components[:, j]
    return np.concatenate([components, products], axis=1)


def _align(points: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Deviations (M, 136) of aligned shapes from the mean one; degrees of clockwise tilt (M,)."""
    shapes = _unit(to_complex(points))
    turn = (shapes.conj() * mean).sum(axis=-1, keepdims=True)
    # Scaled so that the deviation is orthogonal to the mean: the tangent space of shapes.
    aligned = shapes * turn / np.abs(turn) ** 2 * (np.abs(mean) ** 2).sum() - mean
    return np.concatenate([aligned.real, aligned.imag], axis=-1), -np.degrees(np.angle(turn[:, 0]))


def _unit(shapes: np.ndarray) -> np.ndarray:
    shapes = shapes - shapes.mean(axis=-1, keepdims=True)
    return shapes / np.sqrt((np.abs(shapes) ** 2).mean(axis=-1, keepdims=True))
