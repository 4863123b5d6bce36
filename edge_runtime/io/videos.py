"""Whether a video ended where its container says that it ends."""

from __future__ import annotations

from pathlib import Path

import cv2

__all__ = ["VideoLength", "cut_matroska"]


class VideoLength:
    """What a container says about the length of its video.

    Frame counts are exact in some containers, in others an estimate from duration and
    nominal frame rate, which is far off where the frame rate varies.

    Args:
        capture: of the video, opened.
        path: of its file; None for one behind a URL.

    Attributes:
        fps: nominal frames per second, 30 if the container has nothing usable.
        seconds: duration; 0 if unknown.
    """

    def __init__(self, capture: cv2.VideoCapture, path: Path | None) -> None:
        fps = capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 1 <= fps <= 1000 else 30.0
        self._frames = max(0.0, capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.seconds = self._frames / fps if fps > 0 else 0.0
        self._cut = None if path is None else cut_matroska(path)

    def is_cut(self, frames: int, end: float) -> bool:
        """Whether much is missing after so many frames, of which the last ended at `end` s."""
        if self._cut is not None:
            return self._cut
        # A tenth missing is no estimate any more.
        return frames < 0.9 * self._frames and end < 0.9 * self.seconds


def cut_matroska(path: Path) -> bool | None:
    """Whether a Matroska or WebM file is shorter than its header says; None for other files.

    Its frames do not tell: a recorded screen at rest has none, often right at the end.  Source:
    RFC 8794 (EBML), sections 4 to 6; RFC 9559 (Matroska).
    """
    with path.open("rb") as file:
        start = file.read(4096)
    if not start.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    header, place = _size(start, 4)
    place += header
    if start[place : place + 4] != b"\x18\x53\x80\x67":  # the segment, which holds all the rest
        return None
    segment, place = _size(start, place + 4)
    return place + segment > path.stat().st_size


def _size(content: bytes, place: int) -> tuple[int, int]:
    """An element's size in bytes, and where its content begins; 0 if the size is unknown."""
    first = content[place] if place < len(content) else 0
    length = 9 - first.bit_length()  # as many leading zero bits as bytes follow
    value = int.from_bytes(content[place : place + length], "big") & (1 << 7 * length) - 1
    unknown = value == (1 << 7 * length) - 1  # live streams
    return (0 if unknown else value), place + length
