"""Tables with the columns and units of OpenFace's FeatureExtraction.

Source: its wiki, "Output Format", and the tables that it writes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from asmnet.core import IBUG68, to_scheme
from asmnet.edge_runtime.io.closing import Closing
from asmnet.edge_runtime.io.sources import Frame
from asmnet.edge_runtime.landmarker import Face

__all__ = ["OpenFaceWriter"]

_COLUMNS = (
    *("frame", "face_id", "timestamp", "confidence", "success"),
    *("pose_Tx", "pose_Ty", "pose_Tz", "pose_Rx", "pose_Ry", "pose_Rz"),
    *(f"{axis}_{k}" for axis in "xy" for k in range(IBUG68.count)),
)


class OpenFaceWriter(Closing):
    """A row per face, numbered from frame 1; a frame without a face is a row with success 0.

    Gaze, action units and 3-D landmarks are left out.  The axes are the camera's, x right, y
    down, z ahead, and R = Rx Ry Rz: so Rx is minus our pitch, Ry our yaw, Rz our roll.

    Args:
        path: of the file.
        separator: ","; or ", ", as OpenFace wrote before 2.2 and writes on Windows.
    """

    def __init__(self, path: Path, separator: str = ",") -> None:
        self._file, self._separator = path.open("w", encoding="ascii"), separator
        self._add(_COLUMNS)

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Append a frame with a tracker's faces.

        Raises:
            OSError: the disk is full, or has gone.
        """
        number, t = frame.index + 1, round(frame.t, 3)
        for face in faces:
            self._add((number, face.id, t, round(face.score or 0.0, 3), 1, *_numbers(face)))
        if not faces:
            self._add((number, 0, t, 0, 0, *[0] * (len(_COLUMNS) - 5)))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _add(self, cells: tuple[Any, ...]) -> None:
        self._file.write(self._separator.join(map(str, cells)) + "\n")


def _numbers(face: Face) -> list[float]:
    assert face.position is not None  # the tracker's
    yaw, pitch, roll = np.radians(face.pose)
    points = to_scheme(face.landmarks, IBUG68)
    numbers = np.concatenate([face.position, (-pitch, yaw, roll), points[:, 0], points[:, 1]])
    rounded: list[float] = np.round(numbers.astype(np.float64), 3).tolist()
    return rounded
