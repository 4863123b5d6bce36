"""Faces as `supervision` keeps them, for its annotators, zones, filters and metrics.

    detections = to_detections(faces)
    ahead = detections[abs(detections["pose"][:, 0]) < 15]
    image = supervision.BoxAnnotator().annotate(image, ahead)

Needs `pip install 'asmnet[supervision]'`.  Source: https://supervision.roboflow.com, of the
classes `Detections`, `KeyPoints` and `EdgeAnnotator`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from asmnet.core import IBUG68, Scheme, UserError
from asmnet.edge_runtime.landmarker import Face

if TYPE_CHECKING:
    import supervision as sv

__all__ = ["edges", "to_detections", "to_key_points"]


def to_detections(faces: Sequence[Face]) -> sv.Detections:
    """Faces as boxes.

    Args:
        faces: M faces, of a landmarker or a tracker.

    Returns:
        `xyxy`: (M, 4) float32 pixels, the landmarks' tight boxes.
        `confidence`: (M,) float32; None if a face has no score.
        `class_id`: (M,) int, all 0; `data["class_name"]`: (M,) str, all "face".
        `tracker_id`: (M,) int; None outside tracking.
        `data["pose"]`: (M, 3) float32 degrees yaw, pitch, roll.

    Raises:
        UserError: supervision is not installed.
    """
    return _supervision().Detections(
        xyxy=np.array([face.box for face in faces], np.float32).reshape(-1, 4),
        confidence=_column([face.score for face in faces], np.float32),
        class_id=np.zeros(len(faces), int),
        tracker_id=_column([face.id for face in faces], int),
        data=_data(faces),
    )


def to_key_points(faces: Sequence[Face]) -> sv.KeyPoints:
    """Faces as points.

    Args:
        faces: M faces with N landmarks, of a landmarker or a tracker.

    Returns:
        `xy`: (M, N, 2) float32 pixels; (0, 0, 2) without a face.
        `detection_confidence`, `class_id` and `data`: as of `to_detections`.
        `data["tracker_id"]`: (M,) int, for which `KeyPoints` has no field; absent outside tracking.

    Raises:
        UserError: supervision is not installed.
    """
    ids = _column([face.id for face in faces], int)
    points = [face.landmarks for face in faces] or np.empty((0, 0, 2))
    return _supervision().KeyPoints(
        xy=np.array(points, np.float32),
        detection_confidence=_column([face.score for face in faces], np.float32),
        class_id=np.zeros(len(faces), int),
        data=_data(faces) | ({} if ids is None else {"tracker_id": ids}),
    )


def edges(scheme: Scheme = IBUG68) -> list[tuple[int, int]]:
    """The lines of a face for `supervision.EdgeAnnotator`, which counts points from 1.

    Args:
        scheme: the model's, `landmarker.spec.landmark_scheme`.
    """
    return [(a + 1, b + 1) for a, b in scheme.edges]


def _supervision() -> Any:
    try:
        import supervision
    except ImportError as error:
        raise UserError(
            "this needs the package supervision: pip install 'asmnet[supervision]'"
        ) from error
    return supervision


def _column(values: Sequence[Any], dtype: type) -> np.ndarray | None:
    """(M,) of a field that faces have or not: supervision knows no missing values."""
    return None if None in values else np.array(values, dtype)


def _data(faces: Sequence[Face]) -> dict[str, np.ndarray]:
    poses = np.array([face.pose for face in faces], np.float32).reshape(-1, 3)
    return {"class_name": np.array(["face"] * len(faces), str), "pose": poses}
