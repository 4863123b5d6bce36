"""An annotated video that is whole at every moment, also if the program is killed.

An MP4 usually has its index at the end, without which no player opens it.  FFmpeg can write
fragments instead, each with its own index.  OpenCV offers that under the suffix .ismv alone, and
keeps a quarter of a megabyte back before it writes to a file; to a pipe it writes at once.  So it
gets a pipe, and a thread appends what comes through it to the file, one whole fragment a time.
"""

from __future__ import annotations

import os
import struct
import tempfile
import threading
from pathlib import Path

import cv2
import numpy as np

from asmnet.core import UserError
from asmnet.edge_runtime.io.cameras import quiet_opencv
from asmnet.edge_runtime.io.closing import Closing
from asmnet.edge_runtime.io.sinks import check_writable
from asmnet.edge_runtime.io.sources import Frame

__all__ = ["Recorder"]

# Frames per second at least: OpenCV starts a fragment every 12 frames, so none is longer than 1 s.
_SLOWEST = 12.0


class Recorder(Closing):
    """A fragmented MP4 (MPEG-4 part 2) that plays at the speed of the timestamps.

    A context manager, or call `close`.  The file appears under its name with the first picture,
    and has at any time all pictures but those of the last second; at the end it has them all.  If
    no picture was written, no file appears.

    Args:
        path: ends in .mp4.

    Raises:
        UserError: another suffix, the folder cannot be written, or OpenCV has no encoder; at the
            end, the disk is full.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        if self._path.suffix.lower() != ".mp4":
            raise UserError(f"recordings are MP4 files; give {self._path} the suffix .mp4")
        check_writable(self._path)
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._start = self._fps = 0.0
        self._count = 0
        self._failure: OSError | None = None

    def write(self, picture: np.ndarray, frame: Frame) -> None:
        """Add a picture, repeated or left out so that the video keeps time.

        Args:
            picture: (H, W, 3) uint8 BGR; scaled if its size differs from the first one's.
            frame: tells the time; the first one's frame rate becomes the file's.

        Raises:
            UserError: the disk is full, or has gone; what was recorded is kept.
        """
        if self._writer is None:
            self._start, self._fps = frame.t, max(frame.fps, _SLOWEST)
            # MPEG-4 subsamples colour: sides must be even.
            self._size = (picture.shape[1] // 2 * 2 or 2, picture.shape[0] // 2 * 2 or 2)
            self._writer = self._open()
        if (picture.shape[1], picture.shape[0]) != self._size:
            picture = cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA)
        due = round((frame.t - self._start) * self._fps) + 1  # times may be rounded to 1 ms
        while self._count < due:
            self._check()
            self._writer.write(picture)
            self._count += 1

    def _open(self) -> cv2.VideoWriter:
        """Start the encoder, and the thread that saves what it makes."""
        try:
            with tempfile.TemporaryDirectory() as folder:
                name = os.path.join(folder, "pipe.ismv")
                os.mkfifo(name)
                # Does not wait for the encoder to open the other end.
                pipe = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
                code = cv2.VideoWriter.fourcc(*"mp4v")
                with quiet_opencv():
                    writer = cv2.VideoWriter(name, cv2.CAP_FFMPEG, code, self._fps, self._size)
            if not writer.isOpened():
                os.close(pipe)
                raise UserError(f"OpenCV cannot encode {self._path} (mp4v); record no video")
            os.set_blocking(pipe, True)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        except OSError as error:
            raise UserError(f"cannot write {self._path}: {error.strerror or error}") from error
        self._thread = threading.Thread(
            target=self._save, args=(pipe, file), name="recorder", daemon=True
        )
        self._thread.start()
        return writer

    def _save(self, pipe: int, file: int) -> None:
        """The thread: append each fragment to the file as soon as it is complete."""
        pending = b""
        while chunk := os.read(pipe, 1 << 16):
            pending += chunk
            ready = _whole(pending)
            if ready and self._failure is None:
                try:
                    _append(file, pending[:ready])
                except OSError as error:
                    self._failure = error  # and empty the pipe, or the encoder would wait for ever
            pending = pending[ready:]
        os.close(pipe)
        os.close(file)

    def _check(self) -> None:
        if self._failure is not None:
            raise UserError(
                f"cannot write {self._path}: {self._failure.strerror}: recording stopped, what "
                "was recorded until now is kept; make room or record elsewhere"
            ) from self._failure

    def close(self) -> None:
        """Write what the encoder kept back.

        Raises:
            UserError: the disk is full, or has gone; what was recorded is kept.
        """
        self._finish()
        self._check()

    def _finish(self) -> None:
        if self._writer is not None:
            self._writer.release()
            self._thread.join()

    def __exit__(self, *raised: object) -> None:
        self._finish()
        if raised[0] is None:  # what ended the block is not to be hidden
            self._check()


def _whole(content: bytes) -> int:
    """The length of the whole fragments that it starts with.

    An MP4 is made of boxes: their length, 4 bytes of type, content (ISO/IEC 14496-12, 4.2).
    A fragment is a box "moof", the index, and a box "mdat", the pictures.
    """
    end = place = 0
    while place + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        place += max(length, 8)
        if place <= len(content) and kind != b"moof":
            end = place
    return end


def _append(file: int, content: bytes) -> None:
    """Write all of it or nothing."""
    before = os.lseek(file, 0, os.SEEK_CUR)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(file, rest) :]
    except OSError:
        os.ftruncate(file, before)
        raise
