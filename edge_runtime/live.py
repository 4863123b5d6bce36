"""Cameras and streams: always the latest picture, and back again after an outage.

A thread of its own empties the camera as fast as it delivers, so that whoever looks next
sees the present and not a queue of the past.  A camera that disappears, or that delivers
nothing for `STALL` seconds, is opened again, ever more slowly, for up to `PATIENCE` seconds.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np

from asmnet.core import UserError

__all__ = [
    "Camera",
    "Capture",
    "LatestFrames",
    "Shot",
    "open_capture",
    "open_picamera",
    "quiet_opencv",
]

# FFmpeg's own complaints would stand beside our one sentence.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

# Seconds: without a picture until a camera counts as gone; of trying until we give up;
# between two trials, at first and at most.
STALL, PATIENCE = 5.0, 60.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
# How often those who wait look whether they should go on waiting.
_BEAT = 0.1


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


class Shot(NamedTuple):
    """A picture that a camera delivered.

    Attributes:
        image: uint8 (H, W, 3) BGR, or what else OpenCV delivers.
        t: seconds since the first picture, by the camera's clock where it makes sense.
        captured: when it arrived, by `time.monotonic`.
        dropped: pictures before it that nobody saw.
    """

    image: np.ndarray
    t: float
    captured: float
    dropped: int


class LatestFrames:
    """The present view of a camera: an iterator of `Shot`, read by a thread.

    A context manager, or call `close`.

    Args:
        name: for messages, for example "camera 0".
        camera: opened already.
        open_again: opens it anew; raises a `UserError` if it is not there.
        stopped: asked several times a second while waiting; True ends the iteration.
        say: is told in one line when the camera goes and comes back.

    Attributes:
        fps: the camera's nominal frames per second.
        reopened: how often it was lost and found again.

    Raises:
        UserError: while iterating, if the camera has been away for `PATIENCE` seconds.
    """

    def __init__(
        self,
        name: str,
        camera: Camera,
        open_again: Callable[[], Camera],
        stopped: Callable[[], bool] = lambda: False,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._name, self._open, self._stopped, self._say = name, open_again, stopped, say
        self._news = threading.Condition()
        self._latest: tuple[np.ndarray, float, float] | None = None
        self._count = self._seen = 0
        # Each opened camera has its own number; a thread that hangs in the driver of an
        # earlier one finds out, should it ever return, that its pictures are not wanted.
        self._current = 0
        self._ended = False
        self._start: float | None = None
        self._last = 0.0
        self._away = False
        self._offset = 0.0
        self.reopened = 0
        self.fps = camera.fps
        self._waiting: Camera | None = camera

    def __iter__(self) -> Iterator[Shot]:
        return self

    def __next__(self) -> Shot:
        if self._waiting is not None:  # not earlier: who never asks must not leave a thread
            self._begin(self._waiting)
            self._waiting = None
        while not self._wait():
            if self._stopped():
                raise StopIteration
            self._reopen()
        if self._away:
            self._away = False
            self.reopened += 1
            self._say(f"{self._name} is back")
        with self._news:
            assert self._latest is not None
            (image, source, captured), dropped = self._latest, self._count - self._seen - 1
            self._seen = self._count
        return Shot(image, self._time(source, captured), captured, dropped)

    def close(self) -> None:
        """Stop reading; the thread gives the camera back as soon as its driver lets it."""
        if self._waiting is not None:
            self._waiting.close()
            self._waiting = None
        with self._news:
            self._current += 1

    def __enter__(self) -> LatestFrames:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self, camera: Camera) -> None:
        """Read a newly opened camera in a thread."""
        with self._news:
            self._current += 1
            self._ended = False
            number = self._current
        self._offset = np.nan  # its clock may be another one
        threading.Thread(
            target=self._read, args=(camera, number), name=self._name, daemon=True
        ).start()

    def _read(self, camera: Camera, number: int) -> None:
        """The thread: keep the latest picture."""
        try:
            while number == self._current and (shot := camera.read()) is not None:
                with self._news:
                    if number == self._current:
                        self._latest = (*shot, time.monotonic())
                        self._count += 1
                        self._news.notify_all()
        finally:
            camera.close()
            with self._news:
                if number == self._current:
                    self._ended = True
                    self._news.notify_all()

    def _wait(self) -> bool:
        """Wait for a picture that nobody saw; False if none comes, or if we are to stop."""
        deadline = time.monotonic() + STALL
        with self._news:
            while self._count == self._seen:
                if self._ended or time.monotonic() > deadline or self._stopped():
                    return False
                self._news.wait(_BEAT)
        return True

    def _reopen(self) -> None:
        """Open the camera again, with patience.

        Raises:
            UserError: it did not come back.
        """
        self.close()
        if self._latest is None:
            raise UserError(f"{self._name} delivers no picture; does another program use it?")
        if not self._away:
            self._away = True
            self._say(f"{self._name} is gone; looking for it")
        # Since the last picture: a camera that opens but delivers nothing is not back.
        deadline, pause = self._latest[2] + PATIENCE, FIRST_PAUSE
        while not self._stopped():
            if time.monotonic() > deadline:
                raise UserError(
                    f"{self._name} has been gone for {PATIENCE:.0f} s; is it still plugged in "
                    "and switched on?"
                )
            try:
                self._begin(self._open())
                return
            except UserError:
                wake = time.monotonic() + pause
                while time.monotonic() < wake and not self._stopped():
                    time.sleep(min(_BEAT, pause))
                pause = min(2 * pause, LONGEST_PAUSE)

    def _time(self, source: float, captured: float) -> float:
        """Seconds since the first picture, growing.

        The camera's clock is free of the delays that threads have; but not every driver
        has one, some jump, and streams start at any number.  It is believed while it
        stays within half a second of ours.
        """
        if self._start is None:
            self._start = captured
        arrived = captured - self._start
        if np.isnan(self._offset):
            self._offset = arrived - source
        t = source + self._offset
        if not (abs(t - arrived) < 0.5 and t > self._last):
            t = max(arrived, self._last)
            self._offset = t - source
        self._last = t
        return t


class Capture:
    """A camera or stream behind OpenCV.

    Attributes:
        fps: nominal frames per second.
        length: number of frames, if it is a file behind a URL; else 0.
    """

    def __init__(self, capture: cv2.VideoCapture) -> None:
        fps = capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 1 <= fps <= 240 else 30.0
        self.length = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        self._capture = capture

    def read(self) -> tuple[np.ndarray, float] | None:
        """See `Camera`."""
        ok, image = self._capture.read()
        return (image, self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000) if ok else None

    def close(self) -> None:
        """See `Camera`."""
        self._capture.release()


def open_capture(source: int | str) -> Capture:
    """A camera by its number, or a network stream by its URL.

    Raises:
        UserError: nothing there.
    """
    with quiet_opencv():
        if isinstance(source, int):
            capture = cv2.VideoCapture(source)
        else:
            timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, cv2.CAP_PROP_READ_TIMEOUT_MSEC]
            options = [value for option in timeouts for value in (option, int(1000 * STALL))]
            capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, options)
    if not capture.isOpened():
        capture.release()
        missing = (
            f"no camera {source} found; asmnet-doctor lists cameras"
            if isinstance(source, int)
            else f"nothing to play at {source}"
        )
        raise UserError(f"{missing}; try --source demo")
    return Capture(capture)


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
