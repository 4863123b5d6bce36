"""Cameras and streams: always the latest picture, and back again after an outage.

A thread of its own empties the camera as fast as it delivers, so that whoever looks next
sees the present and not a queue of the past.  A camera that disappears, or that delivers
nothing for `STALL` seconds, is opened again, ever more slowly, for up to `PATIENCE` seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from asmnet.core import UserError
from asmnet.edge_runtime.io.cameras import Camera
from asmnet.edge_runtime.io.closing import Closing

__all__ = ["CapturedFrame", "LatestFrames"]

# Seconds: without a picture until a camera counts as gone; of trying until we give up;
# between two trials, at first and at most.
STALL, PATIENCE = 5.0, 60.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
# How often those who wait look whether they should go on waiting.
_BEAT = 0.1


class CapturedFrame(NamedTuple):
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


class LatestFrames(Closing):
    """The present view of a camera: an iterator of `CapturedFrame`, read by a thread.

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

    def __iter__(self) -> Iterator[CapturedFrame]:
        return self

    def __next__(self) -> CapturedFrame:
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
        return CapturedFrame(image, self._time(source, captured), captured, dropped)

    def close(self) -> None:
        """Stop reading; the thread gives the camera back as soon as its driver lets it."""
        if self._waiting is not None:
            self._waiting.close()
            self._waiting = None
        with self._news:
            self._current += 1

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
