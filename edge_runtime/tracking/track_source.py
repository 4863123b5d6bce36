"""A source's frames and their faces in one loop: the front door of the runtime."""

from __future__ import annotations

import os
from collections.abc import Generator

from asmnet import models
from asmnet.edge_runtime.io.closing import Stream
from asmnet.edge_runtime.io.sources import Frame, frames_from
from asmnet.edge_runtime.landmarker import Face
from asmnet.edge_runtime.tracking.tracker import FaceTracker

__all__ = ["track_source"]


def track_source(
    source: str | int | os.PathLike[str] = 0,
    model: str | os.PathLike[str] = models.DEFAULT,
    max_faces: int = 1,
) -> Stream[tuple[Frame, list[Face]]]:
    """The frames of a camera, video, folder or URL, each with its faces.

    >>> with track_source("demo") as tracked:
    ...     for frame, faces in tracked:
    ...         for face in faces:
    ...             print(f"{frame.t:.2f} s: face {face.id}, {len(face.landmarks)} landmarks")
    ...         break
    0.00 s: face 0, 68 landmarks

    A source that is not read to its end stays open without `with`, or `close`.

    Args:
        source: see `frames_from`.
        model: a shipped model's name, or a `.tflite` file.
        max_faces: so many at most.

    Raises:
        UserError: the source or the model cannot be used.
    """
    tracker = FaceTracker.load(model, max_faces)
    frames = frames_from(source)

    def tracked() -> Generator[tuple[Frame, list[Face]], None, None]:
        with frames:
            for frame in frames:
                if frame.still:
                    tracker.reset()
                yield frame, tracker.update(frame.image, frame.t)

    return Stream(tracked(), frames.close)
