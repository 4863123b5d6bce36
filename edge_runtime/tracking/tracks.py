"""What the tracker knows of each face that it follows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from asmnet.core import Crop, SignalTracker
from asmnet.edge_runtime.detector import iou
from asmnet.edge_runtime.landmarker import Face
from asmnet.edge_runtime.tracking.association import MIN_CORRELATION, MOST_GROWTH, correlation
from asmnet.edge_runtime.tracking.smoothing import OneEuro

__all__ = ["POINTS_FILTER", "POSE_FILTER", "Observation", "Track", "overlaps"]

# One-Euro parameters: (minimal cutoff in Hz, beta in Hz per unit of speed); the units are
# box sides / s for points, 90 degrees / s for the pose.  Chosen from the curve of jitter
# against lag in docs/measurements/tracking.md (bench/smoothing_tradeoff.py): less than half a
# frame late at any speed.
POINTS_FILTER = (0.5, 50.0)
POSE_FILTER = (1.0, 10.0)


class Observation(NamedTuple):
    """A face as one frame shows it.

    Attributes:
        face: unsmoothed.
        thumbnail: 16 x 16 pixels under the face, `zscore`.
        next_crop: the crop around its landmarks, from which the next frame's follows.
    """

    face: Face
    thumbnail: np.ndarray
    next_crop: Crop


@dataclass
class Track:
    """One face.

    Attributes:
        id: as answered.
        latest: the latest observation.
        time, verified: seconds: of the latest observation, and when the detector last found the
            face.
        detector_score: the detector's latest score.
        velocity: (2,) pixels a second.
        verified_thumbnail: the thumbnail when the detector last found the face.
        last_confident: time, observation and velocity when nothing spoke against the face and
            nobody was in front: by these it is known again after something hid it bit by bit.
        missed: the detector did not find it when last asked.
        turned: the detector of turned faces is the next to be asked.
        points, pose: its filters.
        signals: its eyes and mouth.
    """

    id: int
    latest: Observation
    time: float
    verified: float
    detector_score: float
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2))
    verified_thumbnail: np.ndarray = field(init=False)
    last_confident: tuple[float, Observation, np.ndarray] = field(init=False)
    missed: bool = False
    turned: bool = False
    points: OneEuro = field(default_factory=lambda: OneEuro(*POINTS_FILTER))
    pose: OneEuro = field(default_factory=lambda: OneEuro(*POSE_FILTER))
    signals: SignalTracker = field(default_factory=SignalTracker)

    def __post_init__(self) -> None:
        self.verified_thumbnail = self.latest.thumbnail
        self.snapshot()

    def snapshot(self) -> None:
        """Remember the latest observation as a confident one."""
        self.last_confident = (self.time, self.latest, self.velocity)

    @property
    def box(self) -> np.ndarray:
        """(4,) left, top, right, bottom of the landmarks."""
        return self.latest.face.box

    def smooth(self, t: float, margin: float) -> Face:
        """The latest face, landmarks and pose passed through the filters.

        Args:
            t: seconds.
            margin: of the network's crops.
        """
        face = self.latest.face
        landmarks = self.points(face.landmarks, t, face.crop.side / margin).astype(np.float32)
        pose = self.pose(face.pose[:, None], t, 90.0)[:, 0].astype(np.float32)
        return replace(face, landmarks=landmarks, pose=pose)

    def is_seen_again(self, seen: Observation, t: float) -> bool:
        """Whether a face that is seen at `t`, in seconds, is this one, lost before."""
        then, confident, velocity = self.last_confident
        box, old = seen.face.box, confident.face.box
        size = max(float((box[2:] - box[:2]).mean()), 1e-6)
        growth = size / max(float((old[2:] - old[:2]).mean()), 1e-6)
        moved = (box - old).reshape(2, 2).mean(axis=0) - velocity * (t - then)
        # Whoever comes out from behind somebody looks different still, but is where he must be.
        near = np.abs(moved).max() / size
        alike = correlation(seen.thumbnail, confident.thumbnail)
        return bool(
            1 / MOST_GROWTH < growth < MOST_GROWTH
            and ((near < 0.25 and alike > 0.2) or (near < 0.5 and alike > MIN_CORRELATION))
        )


def overlaps(box: np.ndarray, tracks: list[Track], least: float) -> bool:
    """Whether one of the tracks holds the face in `box`, by their intersection over union."""
    return bool(tracks) and bool(
        (iou(box, np.array([track.box for track in tracks])) > least).any()
    )
