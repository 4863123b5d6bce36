"""Cameras and network streams, opened and read one picture at a time."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
from collections.abc import Iterator
from typing import Any, Protocol

import cv2
import numpy as np

from asmnet.core import UserError

__all__ = [
    "Camera",
    "Capture",
    "open_capture",
    "open_picamera",
    "public_name",
    "quiet_opencv",
]

# FFmpeg's own complaints would stand beside our one sentence.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
# Milliseconds that a stream may take to open, and from one picture to the next.
TIMEOUT = 5000


class Camera(Protocol):
    """Something that delivers pictures until it breaks."""

    fps: float

    def read(self) -> tuple[np.ndarray, float] | None:
        """The next picture, uint8 as OpenCV has it, and the camera's own time in seconds.

        Blocks until there is one; None when there will be no more.  Times may be useless:
        `LatestFrames` checks them against the clock.
        """

    def close(self) -> None:
        """Give the device back."""


class Capture:
    """A camera or stream behind OpenCV.

    Attributes:
        video: OpenCV's object.
        fps: nominal frames per second.
        length: number of frames, if it is a file behind a URL; else 0.
    """

    def __init__(self, capture: cv2.VideoCapture) -> None:
        self.video = capture
        fps = capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 1 <= fps <= 240 else 30.0
        self.length = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))

    def read(self) -> tuple[np.ndarray, float] | None:
        """See `Camera`."""
        ok, image = self.video.read()
        return (image, self.video.get(cv2.CAP_PROP_POS_MSEC) / 1000) if ok else None

    def close(self) -> None:
        """See `Camera`."""
        self.video.release()


def open_capture(source: int | str) -> Capture:
    """A camera by its number, or a network stream by its URL.

    Raises:
        UserError: nothing there.
    """
    capture = cv2.VideoCapture()
    with quiet_opencv():
        if isinstance(source, str):
            timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, cv2.CAP_PROP_READ_TIMEOUT_MSEC]
            options = [value for option in timeouts for value in (option, TIMEOUT)]
            capture.open(source, cv2.CAP_FFMPEG, options)
        elif source < 100:  # to OpenCV 201 is camera 1 through its driver interface number 2
            capture.open(source)
    if not capture.isOpened():
        missing = (
            f"no camera {source} found; asmnet-doctor lists cameras"
            if isinstance(source, int)
            else f"nothing to play at {public_name(source)}"
        )
        raise UserError(f"{missing}; try --source demo")
    return Capture(capture)


def public_name(address: str) -> str:
    """What records and messages may show of a URL: scheme, host and port, never more.

    Users, passwords and tokens lie before the host, in the path and behind it, each camera
    has its own way.  If it is not certain which part is the host, nothing of it is shown.

    >>> public_name("rtsp://me:secret@10.0.0.9:554/live?token=secret")
    'rtsp://10.0.0.9:554/...'
    >>> public_name("rtsp://me:sec/ret@10.0.0.9/live")
    'rtsp://...'
    """
    scheme, _, rest = address.partition("://")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        return "(address not shown)"
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    path = rest[len(authority) :]
    host = authority.rpartition("@")[2]
    # An @ further on means that this was the start of a password.
    certain = "@" not in path and re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:\d*)?", host)
    more = "/..." if path.strip("/") else ""
    return f"{scheme}://{host}{more}" if certain else f"{scheme}://..."


class _Picamera:
    """A camera module on the Raspberry Pi's ribbon cable."""

    fps = 30.0

    def __init__(self, camera: Any) -> None:
        self._camera = camera

    def read(self) -> tuple[np.ndarray, float] | None:
        try:
            request = self._camera.capture_request()
            try:
                # The sensor's timestamp counts nanoseconds.
                stamp = request.get_metadata().get("SensorTimestamp", 0) / 1e9
                return request.make_array("main"), stamp
            finally:
                request.release()
        except RuntimeError:  # the camera was stopped or taken away
            return None

    def close(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._camera.stop()
        self._camera.close()


def open_picamera(number: int) -> Camera:
    """A Raspberry Pi camera module, through picamera2, 640 x 480 at 30 frames a second.

    Raises:
        UserError: picamera2 is missing, or there is no such camera.
    """
    try:
        picamera2 = importlib.import_module("picamera2")
    except ImportError as error:
        raise UserError(
            f"the Raspberry Pi camera needs picamera2 ({error}): sudo apt install "
            "python3-picamera2, in a virtual environment made with --system-site-packages"
        ) from error
    try:
        camera = picamera2.Picamera2(number)
        # What picamera2 calls RGB888 lies in memory as OpenCV's BGR.
        main = {"size": (640, 480), "format": "RGB888"}
        camera.configure(
            camera.create_video_configuration(main=main, controls={"FrameRate": _Picamera.fps})
        )
        camera.start()
    except (RuntimeError, IndexError) as error:
        raise UserError(
            f"no Raspberry Pi camera {number} ({error}); check its cable and "
            "rpicam-hello --list-cameras"
        ) from error
    return _Picamera(camera)


@contextlib.contextmanager
def quiet_opencv() -> Iterator[None]:
    """Keep OpenCV from printing what we are about to say ourselves."""
    # OpenCV 5 moved these functions; level 0 is silence.
    log = getattr(cv2.utils, "logging", cv2)
    level = log.getLogLevel()
    log.setLogLevel(0)
    try:
        yield
    finally:
        log.setLogLevel(level)
