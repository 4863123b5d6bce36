"""What limits a model: its error by part of the face, by yaw, and by kind."""

from __future__ import annotations

from typing import Any

import numpy as np

from asmnet.core import ANGLES, Scheme, failure_rate, pose_mae, to_complex

__all__ = ["GROUPS", "YAW_BINS", "by_part", "by_yaw"]

# Parts of the face, as unions of the schemes' groups.
GROUPS = {
    "jaw": ("jaw",),
    "brows": ("right_brow", "left_brow"),
    "nose": ("nose",),
    "eyes": ("right_eye", "left_eye"),
    "mouth": ("mouth",),
}
YAW_BINS = (0.0, 15.0, 30.0, 45.0)  # where each begins, degrees to either side


def by_part(points: np.ndarray, truth: np.ndarray, scheme: Scheme) -> dict[str, Any]:
    """Split landmark errors by part of the face and by kind.

    Args:
        points, truth: (M, N, 2) predictions and labels in one unit.
        scheme: of both.

    Returns:
        "groups": for each part of `GROUPS`, and "whole face", its number of "points", its
            "nme" (normalised as the whole face's), and in the same unit the root mean
            squares of "bias" (the mean error of each landmark over all faces, as seen with
            level eyes: what the model, or the labels, always do) and "spread" (the rest).
        "kinds": shares in % of the squared error: "shift" (the whole face is misplaced),
            "turn and scale" (a rotation and a scaling would mend it), "shape" (the rest).
    """
    errors = _level(points, truth, scheme)
    groups = {}
    for part, names in {**GROUPS, "whole face": tuple(scheme.groups)}.items():
        members = [i for name in names for i in scheme.groups[name]]
        chosen = errors[:, members]
        mean = chosen.mean(axis=0)
        groups[part] = {
            "points": len(members),
            "nme": float(np.linalg.norm(chosen, axis=-1).mean()),
            "bias": _rms(mean),
            "spread": _rms(chosen - mean),
        }
    return {"groups": groups, "kinds": _kinds(points, truth)}


def by_yaw(errors: np.ndarray, pose: np.ndarray, labels: np.ndarray) -> dict[str, dict[str, Any]]:
    """Split errors by how far the head is turned.

    Args:
        errors: (M,) NME in %, NaN where unknown.
        pose, labels: (M, 3) predicted and labelled angles in degrees; labels may be NaN.

    Returns:
        for each bin of labelled |yaw| that holds faces "faces", "nme" and "fr10" (None
        without errors), and the mean absolute errors "yaw", "pitch", "roll".
    """
    found = {}
    turn = np.abs(labels[:, 0])
    for low, high in zip(YAW_BINS, (*YAW_BINS[1:], np.inf), strict=True):
        inside = (turn >= low) & (turn < high)
        if not inside.any():
            continue
        known = errors[inside & ~np.isnan(errors)]
        angles = pose_mae(pose[inside], labels[inside])
        found[f"{low:.0f} - {high:.0f}" if high < np.inf else f"{low:.0f} and more"] = {
            "faces": int(inside.sum()),
            "nme": float(known.mean()) if len(known) else None,
            "fr10": failure_rate(known) if len(known) else None,
            **dict(zip(ANGLES, map(float, angles), strict=True)),
        }
    return found


def _level(points: np.ndarray, truth: np.ndarray, scheme: Scheme) -> np.ndarray:
    """Errors (M, N, 2) in % of the eyes' distance, x along the line of the labelled eyes."""
    right, left = (truth[:, i] for i in scheme.outer_eyes)
    x, y = np.moveaxis((left - right).astype(np.float64), -1, 0)
    across = np.stack([np.stack([x, y], -1), np.stack([-y, x], -1)], axis=1)  # axes as rows
    errors = np.einsum("mij,mnj->mni", across, np.asarray(points, np.float64) - truth)
    return 100.0 * errors / (x**2 + y**2)[:, None, None]


def _rms(vectors: np.ndarray) -> float:
    return float(np.sqrt((vectors**2).sum(axis=-1).mean()))


def _kinds(points: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Shares of the squared error that the best shift, then turn and scale, would remove."""
    found, true = (to_complex(np.asarray(p, np.float64)) for p in (points, truth))
    size = np.abs(true - true.mean(axis=1, keepdims=True)).mean(axis=1, keepdims=True)
    found, true = found / size, true / size
    whole = (np.abs(found - true) ** 2).sum()
    found, true = (z - z.mean(axis=1, keepdims=True) for z in (found, true))
    shifted = (np.abs(found - true) ** 2).sum()
    # Complex least squares: one factor turns and scales.
    factor = (found.conj() * true).sum(axis=1) / (np.abs(found) ** 2).sum(axis=1)
    mended = (np.abs(factor[:, None] * found - true) ** 2).sum()
    steps = {"shift": whole - shifted, "turn and scale": shifted - mended, "shape": mended}
    return {kind: float(100.0 * step / max(whole, 1e-30)) for kind, step in steps.items()}
