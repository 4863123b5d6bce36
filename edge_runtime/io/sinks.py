"""What a run leaves behind: JSON lines, a table, stills; for the video see `recorder`.

All of them are whole whenever the program stops, also if it is killed or the disk is full.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from asmnet.core import ANGLES, UserError, atomic_path
from asmnet.edge_runtime.io.cameras import quiet_opencv
from asmnet.edge_runtime.io.closing import Closing
from asmnet.edge_runtime.io.sources import Frame
from asmnet.edge_runtime.landmarker import Face

__all__ = [
    "CsvWriter",
    "JsonlWriter",
    "Stills",
    "check_writable",
    "csv_columns",
    "csv_rows",
    "record_line",
]

_SCHEMA = "asmnet-track/1"
_SIGNALS = ("x", "y", "z", "right_eye", "left_eye", "mouth", "blink", "yawn")


class _TextFile(Closing):
    """A text file, complete on disk after each `write`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        check_writable(self._path)
        with self._told():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("wb", buffering=0)
        self._size = 0

    def _append(self, text: str) -> None:
        """Write all of it or nothing."""
        content = memoryview(text.encode("utf-8", "replace"))
        with self._told():
            try:
                rest = content
                while rest:
                    rest = rest[self._file.write(rest) :]
            except OSError:
                with contextlib.suppress(OSError):  # gone, or no file but a pipe
                    self._file.truncate(self._size)
                    self._file.seek(self._size)
                raise
        self._size += len(content)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(f"cannot write {self._path}: {error.strerror or error}") from error

    def close(self) -> None:
        """Close the file, to which nothing is left to be written."""
        with contextlib.suppress(OSError):  # told by `write` already
            self._file.close()


class JsonlWriter(_TextFile):
    """One JSON line per frame, complete on disk as soon as it is written (docs/output.md).

    Raises:
        UserError: the file cannot be written.
    """

    def write(self, line: dict[str, Any]) -> None:
        """Append what `record_line` made.

        Raises:
            UserError: the disk is full, or has gone.
        """
        self._append(json.dumps(line, separators=(",", ":")) + "\n")


class CsvWriter(_TextFile):
    """One row per face, for spreadsheets; a row without a face where there is none.

    Args:
        path: of the file.
        points: how many landmarks a face has.

    Raises:
        UserError: the file cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str], points: int) -> None:
        super().__init__(path)
        self._columns = csv_columns(points)
        self._add([self._columns])

    def write(self, line: dict[str, Any]) -> None:
        """Append what `record_line` made.

        Raises:
            UserError: the disk is full, or has gone.
        """
        self._add(csv_rows(line, len(self._columns)))

    def _add(self, rows: list[list[Any]]) -> None:
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        self._append(text.getvalue())


def csv_columns(points: int) -> list[str]:
    """The names of a table's columns, for faces with so many landmarks."""
    frame = ["frame", "t", "source", "width", "height"]
    face = ["id", "score", "left", "top", "right", "bottom", *ANGLES]
    landmarks = [f"{axis}{k}" for k in range(points) for axis in "xy"]
    # What came later stands at the end, for readers that count columns.
    return [*frame, *face, *landmarks, *_SIGNALS]


def csv_rows(line: dict[str, Any], columns: int) -> list[list[Any]]:
    """The rows of a frame, from what `record_line` made.

    Args:
        line: has a row for each face, or one that ends with empty cells.
        columns: how many there are.
    """
    start = [line["frame"], line["t"], line["source"], *line["size"]]
    rows = []
    for face in line["faces"]:
        points = [value for point in face["landmarks"] for value in point]
        values = [*face["box"], *face["pose"].values(), *points]
        rows.append([*start, face["id"], face["score"], *values, *_signals(face)])
    return rows or [[*start, *[""] * (columns - len(start))]]


def _signals(face: dict[str, Any]) -> list[Any]:
    """The cells of `_SIGNALS`: of an event the second when it began."""
    if "eyes" not in face:
        return [""] * len(_SIGNALS)
    began = {event["kind"]: event["start"] for event in face["events"]}
    eyes = (face["eyes"]["right"], face["eyes"]["left"])
    times = (began.get("blink", ""), began.get("yawn", ""))
    return [*face["position"].values(), *eyes, face["mouth"], *times]


def record_line(frame: Frame, faces: list[Face]) -> dict[str, Any]:
    """What docs/output.md describes, for one frame.

    Args:
        frame: of a source.  If it is live, its age is taken now.
        faces: the tracker's answer.
    """
    line: dict[str, Any] = {
        "schema": _SCHEMA,
        "frame": frame.index,
        "t": round(frame.t, 4),
        "source": frame.name,
        "size": [frame.image.shape[1], frame.image.shape[0]],
        "faces": [face.to_dict() for face in faces],
    }
    if frame.live:
        line["latency_ms"] = round(1e3 * (time.monotonic() - frame.captured), 1)
        line["dropped"] = frame.dropped
    return line


class Stills:
    """A folder of annotated JPEGs: one every so many seconds, and every picture of stills.

    Raises:
        UserError: the folder cannot be made or written.
    """

    def __init__(self, folder: str | os.PathLike[str], every: float) -> None:
        self._folder, self._every, self._next = Path(folder), every, -np.inf
        check_writable(self._folder / "frame.jpg")

    def due(self, frame: Frame) -> bool:
        """Whether `write` is to be called for this frame."""
        return frame.still or frame.t >= self._next

    def write(self, picture: np.ndarray, frame: Frame) -> None:
        """Save (H, W, 3) uint8 BGR as frame-000123.jpg.

        Raises:
            UserError: the disk is full, or has gone, or the picture is too large for a JPEG.
        """
        self._next = frame.t + self._every
        path = self._folder / f"frame-{frame.index:06d}.jpg"
        encoded = False
        with quiet_opencv(), contextlib.suppress(cv2.error):
            encoded, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
        if not encoded:  # a side of more than 65,500 pixels
            raise UserError(f"OpenCV cannot encode {path}; save no stills")
        with atomic_path(path) as temporary:
            temporary.write_bytes(jpeg.tobytes())


def check_writable(path: Path) -> None:
    """Raise a `UserError` now, not after minutes of work, if a file cannot be made."""
    # A temporary file, made and removed; its name is never taken over.
    with contextlib.suppress(InterruptedError), atomic_path(path):
        raise InterruptedError
