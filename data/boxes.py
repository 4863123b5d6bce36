"""Faces of which only the place is known: `faces.csv` in a folder of pictures.

    file,x,y,w,h[,yaw,pitch,roll]

One face a row: a path relative to the folder, the box of a detector in picture pixels from
the forehead to the chin, and, where known, the head's pose in degrees.  Other columns are
left alone.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from asmnet.core import ANGLES, Crop, UserError
from asmnet.data.faces import LabelledFace

__all__ = ["BOXES", "read_boxes"]

BOXES = "faces.csv"
# From a detector's box to about the tight square of the 68 landmarks: measured with YuNet.
SIDE, DOWN = 0.92, 0.04


def read_boxes(path: Path) -> list[tuple[LabelledFace, Crop]]:
    """Read where the faces of a folder are.

    Args:
        path: the `faces.csv`.

    Returns:
        faces without points, each with about the tight square of its landmarks.

    Raises:
        UserError: an unreadable file, or a row (named) that is no box.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"cannot read {path}: {error}; correct or remove it") from error
    if not rows:
        raise UserError(f"{path} holds no face; expected one a row, or remove it")
    return [_face(path, number, row) for number, row in enumerate(rows, 2)]


def _face(path: Path, number: int, row: dict[str, str]) -> tuple[LabelledFace, Crop]:
    try:
        x, y, width, height = (float(row[key]) for key in ("x", "y", "w", "h"))
        angles = [float(row[key]) for key in ANGLES if row.get(key)]
        image = path.parent / row["file"]
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}, line {number}: expected file, x, y, w, h ({error})") from None
    if not (np.isfinite([x, y, width, height, *angles]).all() and min(width, height) > 0):
        raise UserError(f"{path}, line {number}: a box needs finite numbers and a positive size")
    pose = np.array(angles) if len(angles) == 3 else None
    square = Crop(x + width / 2, y + (0.5 + DOWN) * height, SIDE * max(width, height))
    return LabelledFace(image, np.empty((0, 2)), pose), square
