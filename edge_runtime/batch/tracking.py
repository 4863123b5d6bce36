"""A worker of a batch: one file at a time to its table."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from asmnet import models
from asmnet.cli.progress import suppress_output
from asmnet.core import UserError, atomic_path
from asmnet.edge_runtime.batch.inputs import Source
from asmnet.edge_runtime.batch.layouts import LAYOUTS
from asmnet.edge_runtime.detector import FaceDetector
from asmnet.edge_runtime.io.sources import DEMO_HINT, Frame, frames_from
from asmnet.edge_runtime.landmarker import Face, Landmarker
from asmnet.edge_runtime.tracking.tracker import FaceTracker

__all__ = ["Line", "Settings", "Tracking"]

_LONGEST_NAME = 255  # bytes, of a file, on all usual file systems


@dataclass(frozen=True)
class Settings:
    """What decides the tables' content, and stays the same for all of a batch.

    Attributes:
        root: the folder below which sources are named.
        model, faces, format, fov: as the command's options.
    """

    root: str
    model: str
    faces: int
    format: str
    fov: float


@dataclass
class Line:
    """A source's line of the summary.

    Attributes:
        file: its name.
        frames: how many there are.
        frames_with_faces: how many of them show one or more.
        faces: how many different ones, by their numbers.
        seconds: of the video; None for a picture.
        fps: its nominal frames a second.
        failure: why it has no table; "" if it has one.
    """

    file: str
    frames: int = 0
    frames_with_faces: int = 0
    faces: int = 0
    seconds: float | None = None
    fps: float | None = None
    failure: str = ""


class _Unreadable(Exception):
    """The source's fault, not the table's."""


class Tracking:
    """Tracks files, one after another, with networks that are loaded once.

    Args:
        settings: of the batch.
        out: the folder of its tables.

    Raises:
        UserError: the model cannot be loaded.
    """

    def __init__(self, settings: Settings, out: Path) -> None:
        # A worker is one core: OpenCV and its decoders would start a thread for each of them.
        os.environ["OPENCV_FFMPEG_THREADS"] = "1"
        cv2.setNumThreads(1)
        self._settings, self._out = settings, out
        with suppress_output():
            self._landmarker, self._detector = Landmarker.load(settings.model), FaceDetector.load()
            self._turned = FaceDetector.load(models.TURNED_DETECTOR)

    def __call__(self, source: Source) -> Line:
        """Write the table of a source that can be read.

        Raises:
            UserError: the table cannot be written.
        """
        line, layout = Line(source.name), LAYOUTS[self._settings.format]
        target = self._out / layout.name(source.name)
        if len(os.fsencode(target.name)) > _LONGEST_NAME:
            line.failure = "its name is too long for that of a table; rename it"
            return line
        points = self._landmarker.spec.landmark_scheme.count
        try:
            with atomic_path(target) as path, layout.open(path, points) as table:
                for frame, faces in self._frames(source, line):
                    table.write(frame, faces)
        except _Unreadable as error:
            line = Line(source.name, failure=str(error))
            target.unlink(missing_ok=True)  # of what the file was before
        return line

    def _frames(self, source: Source, line: Line) -> Iterator[tuple[Frame, list[Face]]]:
        """The frames with their faces, counted."""
        # A tracker for each file: numbers of faces must not depend on the files before.
        settings, ids = self._settings, set[int | None]()
        tracker = FaceTracker(
            self._landmarker,
            self._detector,
            settings.faces,
            fov=settings.fov,
            turned=self._turned,
        )
        frames = None
        try:
            frames = frames_from(source.path)
            for frame in frames:
                faces = tracker.update(frame.image, frame.t)
                ids.update(face.id for face in faces)
                line.frames += 1
                line.frames_with_faces += bool(faces)
                line.faces = len(ids)
                if not frame.still:
                    line.fps = round(frame.fps, 3)
                    line.seconds = round(frame.t + 1 / frame.fps, 3)
                yield frame, faces
        except UserError as error:
            raise _Unreadable(str(error).removesuffix(f"; {DEMO_HINT}")) from error
        except Exception as error:  # one strange file does not end the work on thousands
            raise _Unreadable(f"{type(error).__name__}: {error}") from error
        finally:
            if frames is not None:
                frames.close()
