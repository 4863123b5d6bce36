"""What a run leaves behind: an annotated video, JSON lines, a table, stills.

All of them are whole whenever the program stops, also by Ctrl-C.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

import cv2
import numpy as np

from asmnet.core import UserError, atomic_path
from asmnet.edge_runtime.landmarker import Face
from asmnet.edge_runtime.sources import Frame

__all__ = ["CsvWriter", "JsonlWriter", "Recorder", "Stills", "record_line"]

_SCHEMA = "asmnet-track/1"
# A video file becomes playable when its index is written at the end: there must be room.
_RESERVE = 20_000_000


class Recorder:
    """An MP4 (MPEG-4 part 2) that plays at the speed of the timestamps.

    A context manager: the file appears under its name when the block ends, however
    it ends; if no frame was written, no file appears.

    Args:
        path: ends in .mp4.

    Raises:
        UserError: another suffix, the folder cannot be written, or OpenCV has no encoder.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        if self._path.suffix.lower() != ".mp4":
            raise UserError(f"recordings are MP4 files; give {self._path} the suffix .mp4")
        _check_writable(self._path)
        self._stack = contextlib.ExitStack()
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._start = self._fps = self._checked = 0.0
        self._count = 0

    def write(self, picture: np.ndarray, frame: Frame) -> None:
        """Add a picture, repeated or left out so that the video keeps time.

        Args:
            picture: (H, W, 3) uint8 BGR; scaled if its size differs from the first one's.
            frame: tells the time; the first one's frame rate becomes the file's.

        Raises:
            UserError: the disk is nearly full; what was recorded is kept.
        """
        self._check_room()
        if self._writer is None:
            self._start, self._fps = frame.t, max(frame.fps, 5.0)
            # MPEG-4 subsamples colour: sides must be even.
            self._size = (picture.shape[1] // 2 * 2 or 2, picture.shape[0] // 2 * 2 or 2)
            temporary = self._stack.enter_context(atomic_path(self._path))
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(temporary), code, self._fps, self._size)
            self._stack.callback(self._writer.release)
            if not self._writer.isOpened():
                raise UserError(f"OpenCV cannot encode {self._path} (mp4v); record no video")
        if (picture.shape[1], picture.shape[0]) != self._size:
            picture = cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA)
        while self._count <= (frame.t - self._start) * self._fps + 1e-3:
            self._writer.write(picture)
            self._count += 1

    def _check_room(self) -> None:
        if time.monotonic() < self._checked + 1:
            return
        self._checked = time.monotonic()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self._path.parent).free
        if free < _RESERVE:
            raise UserError(
                f"the disk of {self._path} is full ({free / 1e6:.0f} MB left): recording stopped, "
                "what was recorded until now is kept; make room or record elsewhere"
            )

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        # Without the exception, so that what was recorded until then is kept.
        self._stack.close()


_T = TypeVar("_T", bound="_TextFile")


class _TextFile:
    """A text file, complete on disk after each `write`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        _check_writable(self._path)
        with self._told():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = self._path.open("w", encoding="utf-8", newline="")

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(f"cannot write {self._path}: {error.strerror or error}") from error

    def __enter__(self: _T) -> _T:
        return self

    def __exit__(self, *_: object) -> None:
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
        with self._told():
            self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
            self._file.flush()


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
        self._rows = csv.writer(self._file)
        face = ["id", "score", "left", "top", "right", "bottom", "yaw", "pitch", "roll"]
        landmarks = [f"{axis}{k}" for k in range(points) for axis in "xy"]
        self._columns = len(face) + len(landmarks)
        self._add(["frame", "t", "source", "width", "height", *face, *landmarks])

    def write(self, line: dict[str, Any]) -> None:
        """Append what `record_line` made.

        Raises:
            UserError: the disk is full, or has gone.
        """
        start = [line["frame"], line["t"], line["source"], *line["size"]]
        for face in line["faces"]:
            points = [value for point in face["landmarks"] for value in point]
            values = [*face["box"], *face["pose"].values(), *points]
            self._add([*start, face["id"], face["score"], *values])
        if not line["faces"]:
            self._add([*start, *[""] * self._columns])

    def _add(self, row: list[Any]) -> None:
        with self._told():
            self._rows.writerow(row)
            self._file.flush()


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
        "faces": [
            {
                "id": face.id,
                "score": None if face.score is None else round(face.score, 3),
                "box": _rounded(face.box),
                "landmarks": [_rounded(point) for point in face.landmarks],
                "pose": dict(zip(("yaw", "pitch", "roll"), _rounded(face.pose), strict=True)),
            }
            for face in faces
        ],
    }
    if frame.live:
        line["latency_ms"] = round(1e3 * (time.monotonic() - frame.captured), 1)
        line["dropped"] = frame.dropped
    return line


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 2) for value in values]


class Stills:
    """A folder of annotated JPEGs: one every so many seconds, and every picture of stills.

    Raises:
        UserError: the folder cannot be made or written.
    """

    def __init__(self, folder: str | os.PathLike[str], every: float) -> None:
        self._folder, self._every, self._next = Path(folder), every, -np.inf
        _check_writable(self._folder / "frame.jpg")

    def due(self, frame: Frame) -> bool:
        """Whether `write` is to be called for this frame."""
        return frame.still or frame.t >= self._next

    def write(self, picture: np.ndarray, frame: Frame) -> None:
        """Save (H, W, 3) uint8 BGR as frame-000123.jpg."""
        self._next = frame.t + self._every
        _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
        with atomic_path(self._folder / f"frame-{frame.index:06d}.jpg") as temporary:
            temporary.write_bytes(jpeg.tobytes())


class _Undone(Exception):
    """Ends a trial before it replaces anything."""


def _check_writable(path: Path) -> None:
    """Raise a `UserError` now, not after minutes of work, if a file cannot be made."""
    with contextlib.suppress(_Undone), atomic_path(path):
        raise _Undone
