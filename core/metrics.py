"""What is measured: landmark error, failures, pose error and jitter (numpy only)."""

from __future__ import annotations

import numpy as np

from asmnet.core.landmarks import Scheme

__all__ = ["auc", "ced", "failure_rate", "jitter", "nme", "pose_mae"]


def nme(predicted: np.ndarray, truth: np.ndarray, scheme: Scheme) -> np.ndarray:
    """Normalised mean error of each face, in % of the outer-eye-corner distance.

    Args:
        predicted: (..., N, 2) points, in the unit of `truth`.
        truth: (..., N, 2) points; its own eye corners normalise.
        scheme: tells N and the eye corners.

    Returns:
        (...) float64 percentages.

    Raises:
        ValueError: shapes differ or do not fit the scheme.
    """
    if predicted.shape != truth.shape or truth.shape[-2:] != (scheme.count, 2):
        raise ValueError(
            f"{scheme.name} needs two arrays of shape (..., {scheme.count}, 2), "
            f"got {predicted.shape} and {truth.shape}"
        )
    distance = np.linalg.norm(np.asarray(predicted, np.float64) - truth, axis=-1)
    return 100.0 * distance.mean(axis=-1) / scheme.interocular(np.asarray(truth, np.float64))


def failure_rate(errors: np.ndarray, threshold: float = 10.0) -> float:
    """Percentage of faces whose NME exceeds `threshold` (both in %)."""
    return float(100.0 * np.mean(np.asarray(errors) > threshold))


def ced(errors: np.ndarray, limit: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative error distribution as an exact step curve.

    Returns:
        x: (M,) errors from 0 to `limit`, in %.
        y: (M,) fraction of faces with an error of at most x.
    """
    kept = np.sort(np.asarray(errors, np.float64))
    total = len(kept)
    kept = kept[kept <= limit]
    x = np.concatenate([[0.0], np.repeat(kept, 2), [limit]])
    steps = np.arange(len(kept) + 1) / total
    return x, np.repeat(steps, 2)


def auc(errors: np.ndarray, limit: float = 10.0) -> float:
    """Area under the CED from 0 to `limit` %, divided by `limit`: 1 is perfect."""
    return float(np.mean(np.clip(limit - np.asarray(errors, np.float64), 0.0, None)) / limit)


def pose_mae(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Mean absolute error of yaw, pitch and roll: (M, 3), (M, 3) degrees -> (3,) degrees."""
    return np.abs(np.asarray(predicted, np.float64) - truth).mean(axis=0)


def jitter(tracks: np.ndarray, scheme: Scheme) -> float:
    """Jitter: how much the points of a still face move.

    Args:
        tracks: (T, N, 2) points of one unmoving face over T frames.

    Returns:
        Root-mean-square over points of their standard deviation over time, in %
        of the mean face's outer-eye-corner distance.
    """
    tracks = np.asarray(tracks, np.float64)
    variance = tracks.var(axis=0).sum(axis=-1)
    return float(100.0 * np.sqrt(variance.mean()) / scheme.interocular(tracks.mean(axis=0)))
