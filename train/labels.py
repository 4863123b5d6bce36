"""Labels as JSON lines: one face a line, in whatever folder the pictures are.

    {"image": "a/b.jpg", "landmarks": [[x, y], ...], "pose": [yaw, pitch, roll]}

Landmarks are 68 or 98 points in picture pixels, 0-based; `pose` in degrees, or
null.  A path is relative to the file, or absolute.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from asmnet.core import SCHEMES, UserError, atomic_path
from asmnet.train.faces import Dataset, Face

__all__ = ["read_jsonl", "write_jsonl"]


def read_jsonl(path: Path) -> Dataset:
    """Read a file of labels.

    Raises:
        UserError: no file, no face in it, or a malformed line (named).
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read labels {path}: {error}") from error
    faces = []
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            points = np.asarray(entry["landmarks"], np.float64)
            pose = entry.get("pose")
            pose = None if pose is None else np.asarray(pose, np.float64).reshape(3)
            face = Face(path.parent / entry["image"], points, pose)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(
                f"{path}, line {number}: expected image, landmarks, pose ({error})"
            ) from None
        if not (points.ndim == 2 and points.shape[1] == 2 and np.isfinite(points).all()):
            raise UserError(f"{path}, line {number}: landmarks are not (N, 2) finite numbers")
        faces.append(face)
    counts = {len(face.points) for face in faces}
    scheme = [s for s in SCHEMES.values() if counts == {s.count}]
    if not scheme:
        found = ", ".join(map(str, sorted(counts))) or "no face"
        raise UserError(f"{path}: expected 68 or 98 points in every line, found {found}")
    return Dataset(scheme[0], tuple(faces))


def write_jsonl(path: Path, faces: Iterable[Face]) -> None:
    """Write what `read_jsonl` reads; whole or not at all."""
    with atomic_path(path) as file, file.open("w") as out:
        for face in faces:
            entry = {
                "image": str(face.image.resolve()),
                "landmarks": np.round(face.points, 2).tolist(),
                "pose": None if face.pose is None else np.round(face.pose, 2).tolist(),
            }
            out.write(json.dumps(entry) + "\n")
