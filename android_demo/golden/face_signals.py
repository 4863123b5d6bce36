"""What follows from landmarks and pose: where heads are, and what eyes and mouths do."""

from __future__ import annotations

import cv2
import numpy as np

from asmnet import samples
from asmnet.core import SCHEMES, WFLW98, SignalTracker, head_position, wflw98_to_ibug68
from asmnet.edge_runtime.landmarker import Face, Landmarker

__all__ = ["blinks_and_yawns", "close_lids", "heads", "ibug68", "open_lips"]

MODELS = {"ibug68": "asmnet-spatial-68-112", "wflw98": "asmnet-spatial-98-160"}
# A series of faces: openness of the right eye, of the left, of the mouth, and for how many seconds.
SERIES = (
    (1, 1, 0, 0.8), (0.2, 0.3, 0, 0.15), (1, 1, 0, 1.5),  # a blink
    (0.1, 0.1, 0.2, 0.2), (1.1, 1, 0.5, 1), (0.3, 1, 0, 0.3), (1, 1, 0, 0.3),  # another, a wink
    (0.2, 0.2, 0, 2), (1, 1, 0, 0.5),  # closed, no blink
    (0.6, 0.6, 1, 2.5), (1, 1, 0.1, 0.5),  # a yawn
    (1, 1, 0.9, 1.2), (1, 1, 0.2, 0.5),  # too short for one
    (0.8, 0.8, 1.3, 1.7), (0.1, 0.1, 1.3, 0.3), (1, 1, 0, 0.5),  # both end together
    (0.6, 0.6, 0.3, 1), (0.3, 0.35, 0.3, 0.3), (0.7, 0.6, 0, 1),  # sleepy
)  # fmt: skip


def faces(scheme: str) -> list[tuple[Face, tuple[int, int]]]:
    """The sample portraits' faces, each with width and height of its picture."""
    landmarker, found = Landmarker.load(MODELS[scheme]), []
    for path in sorted(samples.PORTRAITS.glob("*.jpg")):
        picture = cv2.imread(str(path))
        found += [(face, picture.shape[1::-1]) for face in landmarker(picture)]
    return found


def heads() -> dict[str, np.ndarray]:
    """Places of the sample faces, with their own pose and with any, for several cameras."""
    random = np.random.default_rng(11)
    out: dict[str, np.ndarray] = {}
    for scheme in SCHEMES:
        seen = [
            (face.landmarks, pose, size, fov)
            for face, size in faces(scheme)
            for pose in (face.pose, random.uniform(-60, 60, 3).astype(np.float32))
            for fov in (65.0, 38.5, 120.0)
        ]
        out[f"head/{scheme}/landmarks"] = np.array([case[0] for case in seen])
        out[f"head/{scheme}/poses"] = np.array([case[1] for case in seen])
        out[f"head/{scheme}/sizes"] = np.array([case[2] for case in seen], np.int32)
        out[f"head/{scheme}/fovs"] = np.array([case[3] for case in seen])
        out[f"head/{scheme}/places"] = np.array([head_position(*case) for case in seen])
    return out


def ibug68(count: int) -> np.ndarray:
    """Where iBUG's points are among so many."""
    indices = np.arange(count)
    if count == WFLW98.count:
        return wflw98_to_ibug68(np.stack([indices, indices], axis=1))[:, 0]
    return indices


def close_lids(points: np.ndarray, right: float, left: float) -> np.ndarray:
    """The face (68 or 98, 2) with its eyes open so far: 1 is as it is."""
    out, order = points.copy(), ibug68(len(points))
    for first, openness in ((36, right), (42, left)):
        for upper, lower in ((1, 5), (2, 4)):
            pair = order[[first + upper, first + lower]]
            middle = out[pair].mean(axis=0)
            out[pair] = middle + openness * (out[pair] - middle)
    return out


def open_lips(points: np.ndarray, openness: float) -> np.ndarray:
    """The face with its lower lip as far down as its mouth is wide, times openness."""
    out, order = points.copy(), ibug68(len(points))
    width = out[order[64]] - out[order[60]]
    out[order[65:68]] += openness * np.array([-width[1], width[0]], points.dtype)
    return out


def blinks_and_yawns() -> dict[str, np.ndarray]:
    """A sample face that blinks, winks, sleeps, speaks and yawns, at uneven times.

    An event is (frame, 0 for a blink or 1 for a yawn, start, end).
    """
    random = np.random.default_rng(12)
    out: dict[str, np.ndarray] = {}
    for scheme in SCHEMES:
        face, _ = faces(scheme)[0]
        points, times, t = [], [], 3.0
        for *openness, seconds in SERIES:
            for _ in range(round(seconds * 20)):
                right, left, mouth = openness + random.normal(0, 0.04, 3)
                points.append(open_lips(close_lids(face.landmarks, right, left), mouth))
                times.append(t)
                t += random.choice((0.0, 0.03, 0.05, 0.07), p=(0.02, 0.2, 0.5, 0.28))
        scales = 1.5 + 0.1 * np.sin(times)
        tracker = SignalTracker()
        told = [tracker(*frame) for frame in zip(points, scales, times, strict=True)]
        events = [
            (n, ("blink", "yawn").index(event.kind), event.start, event.end)
            for n, signals in enumerate(told)
            for event in signals.events
        ]
        out[f"signals/{scheme}/landmarks"] = np.array(points)
        out[f"signals/{scheme}/scales"] = scales
        out[f"signals/{scheme}/times"] = np.array(times)
        out[f"signals/{scheme}/eyes"] = np.array([signals.eyes for signals in told])
        out[f"signals/{scheme}/mouths"] = np.array([signals.mouth for signals in told])
        out[f"signals/{scheme}/events"] = np.array(events)
    return out
