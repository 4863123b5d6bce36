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
from asmnet.core import UserError
from asmnet.edge_runtime.cameras import (
    Camera,
    Capture,
    open_capture,
    open_picamera,
    quiet_opencv,
    without_password,
)
from asmnet.edge_runtime.frames import as_bgr
from asmnet.edge_runtime.live import LatestFrames

__all__ = ["Frame", "frames_from"]

_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
_DEMO = "try --source demo"


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
        live: from a camera or stream: frames come when they come.
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
) -> Generator[Frame, None, None]:
    """The frames of a source, which is opened before this returns.

    Cameras and streams give their latest frame, however long the last one took, and are
    opened again when they go away (see `asmnet.edge_runtime.live`).

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
    text = os.fspath(source) if not isinstance(source, int) else str(source)
    if text == "demo":
        if not samples.CLIP.is_file():
            raise UserError(f"the demo clip {samples.CLIP} is missing; install the package again")
        return _video(str(samples.CLIP))
    if match := re.fullmatch(r"(?:/dev/video)?(\d+)", text):
        return _live(f"camera {match[1]}", partial(open_capture, int(match[1])), stopped, say)
    if match := re.fullmatch(r"picamera(?::(\d+))?", text):
        number = int(match[1] or 0)
        return _live(f"picamera {number}", partial(open_picamera, number), stopped, say)
    if "://" in text:
        return _live(without_password(text), partial(open_capture, text), stopped, say)
    path = Path(text)
    if path.is_dir():
        files = sorted(p for p in path.iterdir() if p.suffix.lower() in _PICTURES)
        if not files:
            raise UserError(f"no pictures in folder {path} ({', '.join(_PICTURES)}); {_DEMO}")
        return _pictures(files)
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise UserError(f"cannot read source {path}: {error.strerror or error}; {_DEMO}") from error
    if empty:
        raise UserError(f"{path} is empty; {_DEMO}")
    if path.suffix.lower() in _PICTURES or cv2.haveImageReader(str(path)):
        return _pictures([path])
    return _video(str(path))


def _pictures(files: list[Path]) -> Generator[Frame, None, None]:
    first = _read_picture(files[0])

    def frames() -> Generator[Frame, None, None]:
        for index, file in enumerate(files):
            image = _read_picture(file) if index else first
            yield Frame(image, float(index), index, 1.0, file.name, still=True)

    return frames()


def _read_picture(path: Path) -> np.ndarray:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    if not content:
        raise UserError(f"{path} is empty")
    # A JPEG cut short decodes to a picture with a grey end.  Its end marker FF D9 cannot
    # occur inside compressed data; one in the first half belongs to a thumbnail.
    if content[:2] == b"\xff\xd8" and content.rfind(b"\xff\xd9") < len(content) / 2:
        raise UserError(f"picture {path} is truncated; get it again")
    with quiet_opencv():
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise UserError(f"{path} is not a picture that OpenCV can read, or it is truncated")
    return image


def _video(name: str) -> Generator[Frame, None, None]:
    with quiet_opencv():
        capture = cv2.VideoCapture(name)
        opened, image = capture.read()
    if not opened:
        capture.release()
        if "://" in name:
            raise UserError(f"nothing to play at {without_password(name)}; {_DEMO}")
        raise UserError(
            f"{name} is neither a picture nor a video that OpenCV can read, or it is truncated; "
            f"{_DEMO}"
        )
    fps = capture.get(cv2.CAP_PROP_FPS)
    fps = fps if 1 <= fps <= 1000 else 30.0
    expected = 0 if "://" in name else int(capture.get(cv2.CAP_PROP_FRAME_COUNT))

    def frames() -> Generator[Frame, None, None]:
        ok: bool = opened
        picture, index, last = image, 0, -1 / fps
        try:
            while ok:
                t = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                # Some containers have no usable times.
                t = last = t if last < t < last + 10 else last + 1 / fps
                yield Frame(as_bgr(picture), t, index, fps, Path(name).name)
                index += 1
                ok, picture = capture.read()
        finally:
            capture.release()
        # Frame counts in containers are estimates; a tenth missing is no estimate.
        if index < 0.9 * expected:
            raise UserError(f"{name} is truncated: it ended after {index} of {expected} frames")

    return frames()


def _live(
    name: str,
    open_camera: Callable[[], Camera],
    stopped: Callable[[], bool],
    say: Callable[[str], None],
) -> Generator[Frame, None, None]:
    camera = open_camera()
    if isinstance(camera, Capture) and camera.length > 0:  # a file behind a URL
        camera.close()
        return _video(camera.source)
    shots = LatestFrames(name, camera, open_camera, stopped, say)

    def frames() -> Generator[Frame, None, None]:
        with shots:
            for index, shot in enumerate(shots):
                yield Frame(
                    as_bgr(shot.image), shot.t, index, shots.fps, name,
                    live=True, captured=shot.captured, dropped=shot.dropped,
                )  # fmt: skip

    return frames()
