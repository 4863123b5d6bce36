"""Labels as JSON lines: one face a line, in whatever folder the pictures are.

    {"image": "a/b.jpg", "landmarks": [[x, y], ...], "pose": [yaw, pitch, roll]}

Landmarks are 68 or 98 points in picture pixels, 0-based; `pose` in degrees, or
null.  A path is relative to the file, or absolute.  `weights`, where given, tell how
much each point counts in training, from 0 (a guess) to 1; `drawn_from` is the picture from
which a turned view was drawn.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from asmnet.core import IBUG68, SCHEMES, Scheme, UserError, atomic_path
from asmnet.data.faces import Dataset, LabelledFace, check_labels, collect

__all__ = ["read_jsonl", "write_jsonl"]


def read_jsonl(path: Path, skip_bad: bool = False) -> Dataset:
    """Read a file of labels.

    Args:
        path: the file.
        skip_bad: count malformed lines and go on, instead of raising.

    Raises:
        UserError: no file, no face in it, or a malformed line (named).
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError as error:
        raise UserError(f"cannot read labels {path}: {error.strerror or error}") from error
    schemes: list[Scheme] = []

    def face(entry: tuple[int, str]) -> LabelledFace:
        where = f"{path}, line {entry[0]}"
        found = _face(where, path.parent, entry[1])
        scheme = next((s for s in SCHEMES.values() if s.count == len(found.points)), None)
        if scheme is None or scheme not in (schemes or [scheme]):
            expected = schemes[0].count if schemes else "68 or 98"
            raise UserError(f"{where}: expected {expected} points, found {len(found.points)}")
        check_labels(where, found.points, found.pose)
        schemes.append(scheme)
        return found

    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not numbered:
        raise UserError(f"{path} holds no labels; expected one face a line")
    data = collect(IBUG68, numbered, face, skip_bad)
    return replace(data, scheme=schemes[0])


def write_jsonl(path: Path, faces: Iterable[LabelledFace]) -> None:
    """Write what `read_jsonl` reads; whole or not at all.

    Pictures in the file's own folder, or below, are named relative to it: they move together.
    """
    folder = path.parent.resolve()
    with atomic_path(path) as file, file.open("w") as out:
        for face in faces:
            entry: dict[str, Any] = {
                "image": str(_below(face.image.resolve(), folder)),
                "landmarks": np.round(face.points, 2).tolist(),
                "pose": None if face.pose is None else np.round(face.pose, 2).tolist(),
            }
            if face.weights is not None:
                entry["weights"] = np.round(face.weights, 2).tolist()
            if face.drawn_from is not None:
                entry["drawn_from"] = str(face.drawn_from.resolve())
            out.write(json.dumps(entry) + "\n")


def _below(path: Path, folder: Path) -> Path:
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def _face(where: str, folder: Path, line: str) -> LabelledFace:
    """The face of one line; `where` names the line in messages."""
    try:
        entry = json.loads(line)
        points = np.asarray(entry["landmarks"], np.float64)
        pose = entry.get("pose")
        pose = None if pose is None else np.asarray(pose, np.float64).reshape(3)
        weights = entry.get("weights")
        weights = None if weights is None else np.asarray(weights, np.float64)
        image = folder / entry["image"]
        original = entry.get("drawn_from")
        original = None if original is None else folder / original
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise UserError(f"{where}: expected image, landmarks, pose ({error})") from None
    if points.ndim != 2 or points.shape[1] != 2:
        raise UserError(f"{where}: landmarks are not (N, 2) numbers")
    if weights is not None and (
        weights.shape != points.shape[:1] or not ((weights >= 0) & (weights <= 1)).all()
    ):
        raise UserError(f"{where}: weights are not {len(points)} numbers from 0 to 1")
    return LabelledFace(image, points, pose, weights=weights, drawn_from=original)
