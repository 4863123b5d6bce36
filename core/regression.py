"""Small linear tools of several rooms: points as complex numbers, ridge regression."""

from __future__ import annotations

import numpy as np

__all__ = ["from_complex", "ridge_regression", "to_complex"]


def to_complex(points: np.ndarray) -> np.ndarray:
    """(..., N, 2) points as (..., N) complex128 x + iy: a similarity is a factor and a shift."""
    points = np.asarray(points, np.float64)
    return points[..., 0] + 1j * points[..., 1]


def from_complex(z: np.ndarray) -> np.ndarray:
    """(..., N) numbers x + iy as (..., N, 2) points."""
    return np.stack([z.real, z.imag], axis=-1)


def ridge_regression(
    features: np.ndarray, targets: np.ndarray, ridge: float
) -> tuple[np.ndarray, np.ndarray]:
    """Least squares with a penalty of `ridge` on the squared weights; the constant is free.

    Args:
        features: (M, F).
        targets: (M, T).

    Returns:
        kernel (F, T) and bias (T,), float64: `features @ kernel + bias` is near `targets`.
    """
    features, targets = np.asarray(features, np.float64), np.asarray(targets, np.float64)
    middle, mean = features.mean(axis=0), targets.mean(axis=0)
    centred = features - middle
    gram = centred.T @ centred
    gram[np.diag_indices_from(gram)] += ridge
    kernel = np.linalg.solve(gram, centred.T @ (targets - mean))
    return kernel, mean - middle @ kernel
