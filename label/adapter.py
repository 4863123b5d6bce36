"""From the points that one network sets to those that a data set's annotators would set.

Most of the error of a foreign teacher is a difference in annotation conventions: where two
groups of annotators put the same point, or which points they have at all.  A ridge regression
on faces with manual labels translates: WFLW's 98 points, or MediaPipe's 478 with depth, to
300-W's 68.
"""

from __future__ import annotations

import numpy as np

from asmnet.core import from_complex, ridge_regression, to_complex

__all__ = ["LandmarkAdapter", "mean_shape"]

NEAREST_FROM = 500  # faces to find out which point lies where; more change nothing


class LandmarkAdapter:
    """A linear translation in a frame that suits every pose.

    The frame has its origin at the points' mean, their root-mean-square radius as its unit
    and the turn that brings them closest to the mean shape; the distance of the eyes, which
    would do for frontal faces, vanishes in profile.  What is regressed is the deviation of
    each label from the teacher's own point that lies nearest to it on average.

    Args:
        points: (M, K, 2) or, with depth, (M, K, 3) the teacher's, in pixels of any crop.
        labels: (M, N, 2) manual, of the same faces.
        ridge: regularization; anything from 0.01 to 1 serves 1,800 faces alike.
    """

    def __init__(self, points: np.ndarray, labels: np.ndarray, ridge: float = 0.3) -> None:
        own, target = to_complex(points), to_complex(labels)
        self.nearest = _nearest(own[:NEAREST_FROM], target[:NEAREST_FROM])
        self.mean = mean_shape(own)
        features, base, origin, unit = self._in_own_frame(points)
        away = _flat((target - origin) / unit) - base
        self.kernel, self.bias = ridge_regression(features, away, ridge)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Translate (M, K, 2 or 3) to (M, N, 2)."""
        features, base, origin, unit = self._in_own_frame(points)
        flat = base + features @ self.kernel + self.bias
        real, imaginary = np.split(flat, 2, axis=1)
        return from_complex((real + 1j * imaginary) * unit + origin)

    def _in_own_frame(self, points: np.ndarray) -> tuple[np.ndarray, ...]:
        z = to_complex(points)
        origin, unit = _frame(z, self.mean)
        own = (z - origin) / unit
        features = _flat(own)
        if points.shape[-1] == 3:
            depth = points[..., 2] / np.abs(unit)
            features = np.concatenate([features, depth - depth.mean(axis=1, keepdims=True)], axis=1)
        return features, _flat(own[:, self.nearest]), origin, unit


def _flat(z: np.ndarray) -> np.ndarray:
    return np.concatenate([z.real, z.imag], axis=1)


def _frame(z: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Origin and unit (M, 1) of each shape; a complex unit turns as well."""
    origin = z.mean(axis=1, keepdims=True)
    centred = z - origin
    radius = np.sqrt((np.abs(centred) ** 2).mean(axis=1, keepdims=True))
    turn = (centred * mean.conj()).sum(axis=1, keepdims=True)
    return origin, radius * turn / np.abs(turn)


def mean_shape(z: np.ndarray) -> np.ndarray:
    """Generalised Procrustes analysis: the mean of shapes (M, K), points as x + iy.

    Returns:
        (K,) complex, centred, of unit root-mean-square radius, turned as the first shape is.
    """
    mean = z[0] - z[0].mean()
    for _ in range(8):
        mean = mean / np.sqrt((np.abs(mean) ** 2).mean())
        origin, unit = _frame(z, mean)
        mean = ((z - origin) / unit).mean(axis=0)
    return mean / np.sqrt((np.abs(mean) ** 2).mean())


def _nearest(own: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(N,) which of the teacher's points lies nearest to each label, on average."""
    size = np.abs(own - own.mean(axis=1, keepdims=True)).mean(axis=1)
    distance = np.zeros((target.shape[1], own.shape[1]))
    for points, labels, radius in zip(own, target, size, strict=True):
        distance += np.abs(labels[:, None] - points) / radius
    return distance.argmin(axis=1)
