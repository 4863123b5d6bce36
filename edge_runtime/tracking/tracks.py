"""What the tracker knows of each face that it follows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from asmnet.core import Crop
from asmnet.edge_runtime.detector import iou
from asmnet.edge_runtime.landmarker import Face
from asmnet.edge_runtime.tracking.smoothing import OneEuro

__all__ = ["POINTS_FILTER", "POSE_FILTER", "Observation", "Track", "overlaps"]

# One-Euro parameters: (minimal cutoff in Hz, beta in Hz per unit of speed); the units are
# box sides / s for points, 90 degrees / s for the pose.  Chosen from the curve of shaking
# against lag in docs/measurements/tracking.md (bench/stability.py): less than half a frame late
# at any speed.
POINTS_FILTER = (0.5, 50.0)
POSE_FILTER = (1.0, 10.0)


class Observation(NamedTuple):
    """A face as one frame shows it.

    Attributes:
        face: unsmoothed.
        look: 16 x 16 pixels under the face, `zscore`.
        around: the crop around its landmarks, from which the next frame's follows.
    """

    face: Face
    look: np.ndarray
    around: Crop


@dataclass
class Track:
    """One face.

    Attributes:
        id: as answered.
        sight: the face at its latest.
        time, verified: seconds: of the sight, and when the detector last agreed.
        evidence: the detector's latest score.
        velocity: (2,) pixels a second.
        agreed: the look that the detector last agreed to.
        sure: time, sight and velocity when nothing spoke against the face and nobody was in
            front: by these it is known again after something hid it bit by bit.
        missed: the detector's last look did not find it.
        points, pose: its filters.
    """

    id: int
    sight: Observation
    time: float
    verified: float
    evidence: float
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2))
    agreed: np.ndarray = field(init=False)
    sure: tuple[float, Observation, np.ndarray] = field(init=False)
    missed: bool = False
    points: OneEuro = field(default_factory=lambda: OneEuro(*POINTS_FILTER))
    pose: OneEuro = field(default_factory=lambda: OneEuro(*POSE_FILTER))

    def __post_init__(self) -> None:
        self.agreed = self.sight.look
        self.keep()

    def keep(self) -> None:
        """Remember the sight as it is."""
        self.sure = (self.time, self.sight, self.velocity)

    @property
    def box(self) -> np.ndarray:
        """(4,) left, top, right, bottom of the landmarks."""
        return self.sight.face.box


def overlaps(box: np.ndarray, tracks: list[Track], least: float) -> bool:
    """Whether one of the tracks holds the face in `box`, by their intersection over union."""
    return bool(tracks) and bool(
        (iou(box, np.array([track.box for track in tracks])) > least).any()
    )
