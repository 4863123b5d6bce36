"""How far eyes and mouth are open, relative to the person; blinks and yawns.

Lids are measured in millimetres of an average head, so that neither distance nor a turned head
changes them, and compared with a running range: what is open for this person, and how far down
the lids have come.  Landmark networks never close an eye entirely.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from asmnet.core.landmarks import IBUG68, to_scheme

__all__ = ["Event", "FaceSignals", "SignalTracker"]

# Closed is this share of open until the person has shown better; never less than the second,
# never more than the third.  Seconds in which the level of open eyes rises and falls, and that
# of closed ones is forgotten.
CLOSED, LEAST_CLOSED, MOST_CLOSED = 0.5, 0.2, 0.65
RISE, FALL, FORGET = 0.3, 1.5, 60.0
# A blink: both eyes on average less open than the first, until more open than the second,
# within so many seconds.  What lasts longer is a closed eye or a look downwards.
SHUT, REOPENED, LONGEST_BLINK = 0.5, 0.65, 0.6
# mm between the inner lips that count as wide open, until the person opens wider.
WIDE_MOUTH = 30.0
# A yawn: the inner mouth's height in widths is above the first, until below the second, for so
# many seconds.  A broad laugh reaches 0.35, speech 0.4.
YAWNING, YAWNED, SHORTEST_YAWN = 0.6, 0.45, 1.5


class Event(NamedTuple):
    """Something that happened: `kind` is "blink" or "yawn", `start` and `end` seconds."""

    kind: str
    start: float
    end: float


class FaceSignals(NamedTuple):
    """What `SignalTracker` tells of a frame.

    Attributes:
        eyes: (2,) openness of the subject's right and left eye, 0 to 1.
        mouth: openness, 0 to 1.
        events: those that ended with this frame.
    """

    eyes: np.ndarray
    mouth: float
    events: tuple[Event, ...]


class SignalTracker:
    """Follows one face's eyes and mouth from frame to frame."""

    def __init__(self) -> None:
        self._time = -math.inf
        self._open = self._closed = np.zeros(2)
        self._widest = WIDE_MOUTH
        self._blink: float | None = None
        self._yawn: float | None = None

    def __call__(self, landmarks: np.ndarray, pixels_per_mm: float, t: float) -> FaceSignals:
        """The signals of the next frame.

        Args:
            landmarks: (68 or 98, 2) pixels, unsmoothed: blinks are quick.
            pixels_per_mm: at the head's distance.
            t: seconds, not before the last frame's.
        """
        points = to_scheme(landmarks, IBUG68)[36:68].astype(np.float64).tolist()
        gaps = np.array([_lids(points[:6]), _lids(points[6:12])]) / pixels_per_mm
        height = math.dist(points[26], points[30])  # between the inner lips
        width = math.dist(points[24], points[28])
        step = max(t - self._time, 0.0)
        eyes = self._eyes(gaps, step)
        relaxed = WIDE_MOUTH + (self._widest - WIDE_MOUTH) * math.exp(-step / FORGET)
        self._widest = max(height / pixels_per_mm, relaxed)
        self._time = t
        yawns = self._yawns(height / max(width, 1e-6), t)
        events = (*self._blinks(float(eyes.mean()), t), *yawns)
        return FaceSignals(eyes, height / pixels_per_mm / self._widest, events)

    def _eyes(self, gap: np.ndarray, step: float) -> np.ndarray:
        if math.isinf(step):
            self._open, self._closed = gap, CLOSED * gap
        rising = gap > self._open
        # While the eyes are shut, they tell little about how far they open.
        fall = _gain(step, FALL if self._blink is None else FORGET)
        self._open = self._open + np.where(rising, _gain(step, RISE), fall) * (gap - self._open)
        resting = self._closed + _gain(step, FORGET) * (CLOSED * self._open - self._closed)
        lowest = np.minimum(np.minimum(resting, MOST_CLOSED * self._open), gap)
        self._closed = np.maximum(lowest, LEAST_CLOSED * self._open)
        span = np.maximum(self._open - self._closed, 1e-6)
        return np.clip((gap - self._closed) / span, 0.0, 1.0)

    def _blinks(self, openness: float, t: float) -> tuple[Event, ...]:
        if self._blink is None:
            self._blink = t if openness < SHUT else None
        elif openness > REOPENED:
            start, self._blink = self._blink, None
            if t - start <= LONGEST_BLINK:
                return (Event("blink", float(start), float(t)),)
        return ()

    def _yawns(self, tallness: float, t: float) -> tuple[Event, ...]:
        if self._yawn is None:
            self._yawn = t if tallness > YAWNING else None
        elif tallness < YAWNED:
            start, self._yawn = self._yawn, None
            if t - start >= SHORTEST_YAWN:
                return (Event("yawn", float(start), float(t)),)
        return ()


def _lids(eye: list[list[float]]) -> float:
    """Pixels between the lids of an eye's six points, the mean of two places."""
    return (math.dist(eye[1], eye[5]) + math.dist(eye[2], eye[4])) / 2


def _gain(step: float, seconds: float) -> float:
    """The share of the new value in a first-order low-pass."""
    return 1.0 - math.exp(-max(step, 0.0) / seconds)
