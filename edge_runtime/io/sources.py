"""Pictures from anywhere: camera, video, picture, folder, URL, the shipped clip."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from asmnet import samples
from asmnet.core import IMAGE_SUFFIXES, UserError
from asmnet.edge_runtime.images import as_bgr
from asmnet.edge_runtime.io.cameras import (
    Camera,
    Capture,
    open_capture,
    open_picamera,
    public_name,
    quiet_opencv,
)
from asmnet.edge_runtime.io.closing import Stream
from asmnet.edge_runtime.io.live import LatestFrames
from asmnet.edge_runtime.io.pictures import read_bgr
from asmnet.edge_runtime.io.videos import VideoLength

__all__ = ["DEMO_HINT", "Frame", "frames_from", "pictures_of"]

# Seconds from one frame to the next that are believed of a video of unknown duration.
_LONGEST_GAP = 10.0
DEMO_HINT = "try --source demo"


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a source.

    Attributes:
        image: (H, W, 3) uint8 BGR.
        t: seconds; video position, time since the camera's first frame, or for stills
            their number.
        index: 0, 1, 2, ...
        fps: the source's nominal frames per second; 1 for stills.
        name: of the file, camera or URL.
        still: the picture has nothing to do with the one before.
        live: from a camera or stream, which sets the pace.
        captured: when a live frame arrived, by `time.monotonic`.
        dropped: live frames before this one that came while the last was worked on.
    """

    image: np.ndarray
    t: float
    index: int
    fps: float
    name: str
    still: bool = False
    live: bool = False
    captured: float = 0.0
    dropped: int = 0


def frames_from(
    source: str | int | os.PathLike[str],
    stopped: Callable[[], bool] = lambda: False,
    say: Callable[[str], None] = lambda line: None,
) -> Stream[Frame]:
    """The frames of a source, which is opened before this returns.

    A source that is not read to its end stays open: use `with frames_from(...) as frames`, or
    `close`.

    Cameras and streams give their latest frame, however long the last one took, and are
    opened again when they go away (see `asmnet.edge_runtime.io.live`).

    Args:
        source: a camera's number or device ("0", "/dev/video0"), "picamera" (or
            "picamera:1") for a Raspberry Pi's, a video or picture file, a folder of
            pictures, a URL that OpenCV can open (rtsp, http), or "demo", the clip that
            ships with the package.
        stopped: asked while waiting for a camera; True ends the frames.
        say: is told in one line when a camera goes and comes back.

    Raises:
        UserError: the source is missing, empty, unreadable or holds no picture; while
            iterating, a picture or video turns out to be truncated, or a camera stays away.
    """
    text = os.fsdecode(source) if not isinstance(source, int) else str(source)
    if text == "demo":
        if not samples.CLIP.is_file():
            raise UserError(f"the demo clip {samples.CLIP} is missing; install the package again")
        return _file(samples.CLIP)
    if match := re.fullmatch(r"(?:/dev/video)?(\d{1,99})", text):
        return _live(f"camera {match[1]}", partial(open_capture, int(match[1])), stopped, say)
    if match := re.fullmatch(r"picamera(?::(\d{1,9}))?", text):
        number = int(match[1] or 0)
        return _live(f"picamera {number}", partial(open_picamera, number), stopped, say)
    if "://" in text:
        return _live(public_name(text), partial(open_capture, text), stopped, say)
    return _file(Path(text))


def pictures_of(folder: Path) -> list[Path]:
    """The pictures of a folder, in the order in which they are read."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)


def _file(path: Path) -> Stream[Frame]:
    """A video, a picture or a folder of pictures."""
    try:
        files = pictures_of(path) if path.is_dir() else None
        empty = files is None and not _start_of(path)
    except (OSError, ValueError) as error:
        # What looks like an address may hold a password, whatever is wrong with it.
        secret = re.search(r"^[A-Za-z]{2,}:|:.*@", str(path))
        named, cause = (public_name(str(path)), None) if secret else (path, error)
        reason = getattr(error, "strerror", None) or ("no such file" if secret else error)
        raise UserError(f"cannot read source {named}: {reason}; {DEMO_HINT}") from cause
    if files is not None:
        if not files:
            raise UserError(
                f"no pictures in folder {path} ({', '.join(IMAGE_SUFFIXES)}); {DEMO_HINT}"
            )
        return _pictures(files)
    if empty:
        raise UserError(f"{path} is empty; {DEMO_HINT}")
    if path.suffix.lower() in IMAGE_SUFFIXES or cv2.haveImageReader(str(path)):
        return _pictures([path])
    with quiet_opencv():
        capture = cv2.VideoCapture(str(path))
    return _video(capture, _shown(path), str(path), path)


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(1)


def _shown(path: Path) -> str:
    """A file's name as records have it: readable text, whatever bytes it is made of."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def _pictures(files: list[Path]) -> Stream[Frame]:
    first = read_bgr(files[0])

    def frames() -> Generator[Frame, None, None]:
        for index, file in enumerate(files):
            image = read_bgr(file) if index else first
            yield Frame(image, float(index), index, 1.0, _shown(file), still=True)

    return Stream(frames(), lambda: None)


def _video(capture: cv2.VideoCapture, name: str, place: str, path: Path | None) -> Stream[Frame]:
    """The frames of an opened video.

    Args:
        capture: is released at the end.
        name: for the frames.
        place: for messages.
        path: None if it is no file here.
    """
    with quiet_opencv():
        opened, image = capture.read()
    if not opened:
        capture.release()
        raise UserError(
            f"{place} is neither a picture nor a video that OpenCV can read, or it is truncated; "
            f"{DEMO_HINT}"
        )
    length = VideoLength(capture, path)

    def frames() -> Generator[Frame, None, None]:
        ok: bool = opened
        picture, index, last, offset = image, 0, -1 / length.fps, 0.0
        try:
            while ok:
                read = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                t = read + offset
                if not last < t <= max(last + _LONGEST_GAP, length.seconds):
                    # No usable time; the following ones may be, from here on.
                    t = last + 1 / length.fps
                    offset = t - read
                last = t
                yield Frame(as_bgr(picture), t, index, length.fps, name)
                index += 1
                ok, picture = capture.read()
        finally:
            capture.release()
        if length.is_cut(index, last + 1 / length.fps):
            raise UserError(f"{place} is truncated: it ended after {index} frames, {last:.1f} s")

    return Stream(frames(), capture.release)


def _live(
    name: str,
    open_camera: Callable[[], Camera],
    stopped: Callable[[], bool],
    say: Callable[[str], None],
) -> Stream[Frame]:
    camera = open_camera()
    if isinstance(camera, Capture) and camera.length > 0:  # a file behind a URL
        return _video(camera.video, name, name, None)
    latest = LatestFrames(name, camera, open_camera, stopped, say)

    def frames() -> Generator[Frame, None, None]:
        with latest:
            for index, seen in enumerate(latest):
                yield Frame(
                    as_bgr(seen.image), seen.t, index, latest.fps, name,
                    live=True, captured=seen.captured, dropped=seen.dropped,
                )  # fmt: skip

    return Stream(frames(), latest.close)
