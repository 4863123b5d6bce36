"""A model's answers on labelled faces, and the figures that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from asmnet.core import ANGLES, auc, failure_rate, nme, pose_mae, to_scheme
from asmnet.evaluate.face_sets import FaceSet

__all__ = ["Evaluation", "compared"]

STEEP = 60.0  # degrees of yaw: further than the faces that 68 points were made for


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model's answers on labelled faces.

    Attributes:
        faces: what was asked.
        points: (M, N, 2) float32 answers in crop units, in `faces.scheme`.
        pose: (M, 3) float32 degrees, yaw, pitch, roll.
        errors: (M,) NME in %; infinite for each of `faces.missed`, appended at the end;
            NaN where the labels are poses only.
    """

    faces: FaceSet
    points: np.ndarray
    pose: np.ndarray
    errors: np.ndarray

    def to_dict(self, subset: str | None = None) -> dict[str, Any]:
        """Figures of all faces or of one of `faces.subsets`, for `--json`.

        Percentages, a fraction (auc10), degrees; None where nothing was measured.
        """
        count = len(self.errors)
        chosen = np.ones(count, bool) if subset is None else self.faces.subsets[subset]
        errors = self.errors[chosen]
        found = errors[np.isfinite(errors)]
        measured = self.faces.points is not None
        figures: dict[str, Any] = {
            "faces": len(errors),
            "missed": int(np.isinf(errors).sum()),
            "nme": float(found.mean()) if len(found) else None,
            "fr10": failure_rate(errors) if measured else None,
            "auc10": auc(errors) if measured else None,
        }
        angles = self._pose_errors(chosen[: len(self.pose)])
        if angles is not None:
            figures["pose_mae"] = _named(angles)
        return figures

    def pose_by_yaw(self) -> dict[str, dict[str, Any]]:
        """Mean absolute pose errors and how many faces: all, and if any are, those beyond 60°."""
        assert self.faces.pose is not None
        yaw = np.abs(self.faces.pose[:, 0])
        parts = {"all": ~np.isnan(yaw)}
        if (yaw >= STEEP).any():
            parts |= {f"below {STEEP:.0f}°": yaw < STEEP, f"{STEEP:.0f}° and more": yaw >= STEEP}
        errors = {part: self._pose_errors(chosen) for part, chosen in parts.items()}
        return {
            part: {"faces": int(parts[part].sum()), **_named(angles)}
            for part, angles in errors.items()
            if angles is not None
        }

    def _pose_errors(self, chosen: np.ndarray) -> np.ndarray | None:
        assert self.faces.pose is not None
        known = chosen & ~np.isnan(self.faces.pose).any(axis=1)
        return pose_mae(self.pose[known], self.faces.pose[known]) if known.any() else None


def compared(faces: FaceSet, points: np.ndarray, pose: np.ndarray) -> Evaluation:
    """A network's answers beside the labels.

    Args:
        faces: that it answered on.
        points: (M, N, 2) crop units, in its own scheme.
        pose: (M, 3) degrees.
    """
    points = to_scheme(points, faces.scheme)
    if faces.points is None:
        errors = np.full(len(points), np.nan)
    else:
        errors = nme(points, faces.points, faces.scheme)
    errors = np.concatenate([errors, np.full(len(faces.missed), np.inf)])
    return Evaluation(faces, points, pose, errors)


def _named(angles: np.ndarray) -> dict[str, float]:
    return dict(zip(ANGLES, map(float, angles), strict=True))
