"""Faces followed through a video: detect once, then crop around the last landmarks.

The landmark network always answers, face or not.  So a track lives on evidence:
the detector looks at the tracked place every `VERIFY_EVERY` seconds, and at once
whenever the landmarks or the pixels under them change suspiciously.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from asmnet import models
from asmnet.core import Crop
from asmnet.edge_runtime.detector import Detection, FaceDetector, iou
from asmnet.edge_runtime.frames import as_bgr
from asmnet.edge_runtime.landmarker import Face, Landmarker
from asmnet.edge_runtime.smoothing import OneEuro
from asmnet.edge_runtime.sources import Frame, frames_from
from asmnet.edge_runtime.timing import Stopwatch

__all__ = ["FaceTracker"]

# The detector looks at a followed face again when the pixels under it correlate less than
# STILL_THERE with those that it last agreed to, but not more often than VERIFY_EVERY seconds;
# and anyhow after VERIFY_ANYHOW.  Of a talking face's frames one in a hundred is below 0.93.
STILL_THERE, VERIFY_EVERY, VERIFY_ANYHOW = 0.9, 0.15, 1.0
# Searches follow each other ever more slowly while there is nothing to find.
SEARCH_PAUSE = 0.1
# While some faces are followed and more could come.
SEARCH_MORE = 0.15
# The detector's score, close up, that starts a track or clears a suspicion, and the one
# that merely keeps a track alive.  Close up, 99.9 % of the faces of 300-W score above 0.73
# (bench/detector_box.py), crumpled cloth below 0.7.
NEW_SCORE, KEEP_SCORE = 0.7, 0.45
# The detector looks at this many times the landmarks' box.
LOOK_AROUND = 2.0
# Suspicious: the share of the face inside the picture, the change of the box's size and
# the move of its centre (in box sides) from one frame to the next, the correlation of
# the pixels under the face with the frame before.
LEAST_INSIDE = 0.6
MOST_GROWTH = 1.25
MOST_MOVE = 0.25
LEAST_LIKENESS = 0.7
# Two tracks whose boxes overlap more than this follow the same face; less is a face that
# passes in front of another.
SAME_FACE = 0.6
# Seconds that a lost face is remembered; found again near the place where it should be by
# then, and alike, it keeps its id.  A gap between two frames longer than this ends all tracks.
MEMORY = 1.0
# A cut: the whole picture correlates less than this with the frame before, which no pan
# does while a face stays in the picture.
CUT_LIKENESS = 0.15
# A crop off by this part of its side costs accuracy and is taken once more: rare at 30
# frames per second, worth it for quick faces at 10.
RECENTRE = 0.05
# One-Euro parameters: (minimal cutoff in Hz, beta in Hz per unit of speed); the units are
# box sides / s for points, 90 degrees / s for the pose.  The tests of the filter hold what
# they were chosen for: half the shaking at rest, less than two frames of lag.
POINTS_FILTER = (1.0, 30.0)
POSE_FILTER = (1.0, 10.0)


@dataclass
class _Track:
    """One face.

    Attributes:
        id, face: as answered, unsmoothed.
        time, verified: seconds: of the face, and when the detector last agreed.
        look: 16 x 16 pixels under the face, standardised.
        velocity: (2,) pixels a second.
        sure: time, face, look and velocity when the detector last agreed and nobody was in
            front: by these a face is known again that something hid bit by bit.
        missed: the detector's last look did not find it.
        evidence: the detector's latest score.
    """

    id: int
    face: Face
    time: float
    verified: float
    look: np.ndarray
    evidence: float
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2))
    sure: tuple[float, Face, np.ndarray, np.ndarray] = field(init=False)
    missed: bool = False
    points: OneEuro = field(default_factory=lambda: OneEuro(*POINTS_FILTER))
    pose: OneEuro = field(default_factory=lambda: OneEuro(*POSE_FILTER))

    def __post_init__(self) -> None:
        self.keep()

    def keep(self) -> None:
        """Remember the face as it is."""
        self.sure = (self.time, self.face, self.look, self.velocity)


class FaceTracker:
    """Follows up to `max_faces` faces through consecutive frames.

    Args:
        landmarker, detector: the networks.
        max_faces: so many at most; cost grows with the faces that are there.
        smoothing: pass points and pose through One-Euro filters.

    Attributes:
        stopwatch: seconds of the last `update` by stage: detect, crop, network, smooth.
    """

    def __init__(
        self,
        landmarker: Landmarker,
        detector: FaceDetector,
        max_faces: int = 1,
        smoothing: bool = True,
    ) -> None:
        self.landmarker = landmarker
        self.detector = detector
        self.max_faces = max_faces
        self.smoothing = smoothing
        self.stopwatch = Stopwatch()
        self._next_id = 0
        self.reset()

    @classmethod
    def open(
        cls,
        source: str | int | os.PathLike[str] = 0,
        model: str | os.PathLike[str] = models.DEFAULT,
        max_faces: int = 1,
    ) -> Iterator[tuple[Frame, list[Face]]]:
        """The frames of a camera, video, folder or URL, each with its faces.

        >>> for frame, faces in FaceTracker.open("demo"):
        ...     for face in faces:
        ...         print(f"{frame.t:.2f} s: face {face.id}, {len(face.landmarks)} landmarks")
        ...     break
        0.00 s: face 0, 68 landmarks

        Args:
            source: see `frames_from`.
            model: a shipped model's name, or a `.tflite` file.
            max_faces: so many at most.

        Raises:
            UserError: the source or the model cannot be used.
        """
        frames = frames_from(source)
        tracker = cls(Landmarker.load(model), FaceDetector.load(), max_faces)

        def track() -> Iterator[tuple[Frame, list[Face]]]:
            with contextlib.closing(frames):
                for frame in frames:
                    if frame.still:
                        tracker.reset()
                    yield frame, tracker.update(frame.image, frame.t)

        return track()

    def reset(self) -> None:
        """Forget all faces: the next frame is the first of another video."""
        self._tracks: list[_Track] = []
        self._lost: list[_Track] = []
        self._time = -np.inf
        self._shape: tuple[int, ...] = ()
        self._seen: np.ndarray | None = None
        self._next_search = -np.inf
        self._pause = 0.0
        self._turn = 0

    def update(self, frame: np.ndarray, t: float) -> list[Face]:
        """Faces in the next frame, oldest track first, smoothed.

        Args:
            frame: uint8 BGR (H, W, 3); grey and BGRA are converted.
            t: seconds since any origin.  A time before the last frame's, or another
                picture size, starts a new video.

        Raises:
            UserError: the frame cannot be used.
        """
        frame = as_bgr(frame)
        self.stopwatch.clear()
        if t < self._time or frame.shape != self._shape:
            self.reset()
        gap, self._time, self._shape = t - self._time, t, frame.shape
        alive: list[_Track] = []
        if self._is_cut(frame) or gap > MEMORY:
            self._tracks, self._lost, self._next_search, self._pause = [], [], t, 0.0
        for track in self._tracks:
            if self._follow(track, frame, t) and not _overlaps(track.face.box, alive, SAME_FACE):
                alive.append(track)
            else:
                self._lost.append(track)
        if len(alive) < len(self._tracks):
            self._next_search, self._pause = t, 0.0
        self._tracks = alive
        self._lost = [track for track in self._lost if t - track.verified < MEMORY]
        if len(alive) < self.max_faces and t >= self._next_search:
            self._search(frame, t)
            self._tracks.sort(key=lambda track: track.id)
        if not self.smoothing:
            return [track.face for track in self._tracks]
        return [self._smooth(track, t) for track in self._tracks]

    def _is_cut(self, frame: np.ndarray) -> bool:
        """Whether this is another picture altogether than the frame before.

        Tracks end there: a new face at the old place is not the old one.
        """
        height, width = frame.shape[:2]
        seen = _standardised(frame[:: max(1, height // 16), :: max(1, width // 16)])
        likeness = 1.0 if self._seen is None else float((seen * self._seen).mean())
        self._seen = seen
        return likeness < CUT_LIKENESS

    def _follow(self, track: _Track, frame: np.ndarray, t: float) -> bool:
        """Find a track's face in the next frame; False if it is gone."""
        old, step = track.face, t - track.time
        # Where the face should be by now; without it quick faces slide out of their crops.
        crop = self._crop(old.landmarks + track.velocity * min(step, 0.1))
        face, look = self._locate(frame, crop)
        likeness = float((look * track.look).mean())
        doubtful = likeness < LEAST_LIKENESS or self._doubtful(old, face, frame)
        age = t - track.verified
        changed = float((look * track.sure[2]).mean()) < STILL_THERE
        if doubtful or age >= (VERIFY_EVERY if changed or track.missed else VERIFY_ANYHOW):
            found = self._look_at(frame, face.box, NEW_SCORE if doubtful else KEEP_SCORE, track)
            if found is None:
                if doubtful or track.missed:
                    return False
                track.missed = True
            else:
                track.verified, track.missed = t, False
                if iou(_square(found.to_crop(1.0)), face.box[None])[0] < 0.5:
                    face, look = self._locate(frame, self._detected(found))
                    likeness = 1.0
                track.evidence = found.score
        if step > 0:
            track.velocity = (face.landmarks - old.landmarks).mean(axis=0) / step
        score = track.evidence * min(max(likeness, 0.0), 1.0)
        track.face = replace(face, id=track.id, score=score)
        track.time, track.look = t, look
        others = [other for other in self._tracks if other is not track]
        if track.verified == t and not _overlaps(track.face.box, others, 0.0):
            track.keep()
        return True

    def _doubtful(self, old: Face, new: Face, frame: np.ndarray) -> bool:
        """Whether the landmarks left the picture, changed size or jumped."""
        before, now = old.box, new.box
        size_before, size_now = (np.sqrt(np.prod(b[2:] - b[:2])) for b in (before, now))
        growth = max(size_now, 1e-6) / max(size_before, 1e-6)
        move = np.abs((now[:2] + now[2:]) - (before[:2] + before[2:])).max() / 2
        height, width = frame.shape[:2]
        visible = np.clip(now, 0, (width, height, width, height))
        inside = np.prod(visible[2:] - visible[:2]) / max(np.prod(now[2:] - now[:2]), 1e-6)
        return bool(
            inside < LEAST_INSIDE
            or not 1 / MOST_GROWTH < growth < MOST_GROWTH
            or move > MOST_MOVE * size_before
        )

    def _look_at(
        self, frame: np.ndarray, box: np.ndarray, threshold: float, track: _Track | None = None
    ) -> Detection | None:
        """The detector's answer for one place: the face there that no other track holds.

        Args:
            frame: the picture.
            box: (4,) left, top, right, bottom of the place.
            threshold: least score.
            track: whose face is looked for; None for a face that none holds yet.
        """
        x, y = (box[:2] + box[2:]) / 2
        region = Crop(float(x), float(y), float(max((box[2:] - box[:2]).max(), 8) * LOOK_AROUND))
        others = np.array([o.face.box for o in self._tracks if o is not track]).reshape(-1, 4)
        best, most = None, 0.2
        with self.stopwatch("detect"):
            for found in self.detector.detect(frame, region, threshold):
                here = _square(found.to_crop(1.0))
                overlap = float(iou(here, box[None])[0])
                if overlap > most and not (iou(here, others) > overlap).any():
                    best, most = found, overlap
        return best

    def _search(self, frame: np.ndarray, t: float) -> None:
        """Start tracks for faces that none has yet."""
        regions = _regions(frame)
        self._turn += 1
        with self.stopwatch("detect"):
            if self._tracks:  # nothing is urgent: one look at a time
                found = self.detector.detect(frame, regions[self._turn % len(regions)])
            else:
                found = self.detector.detect(frame)
                if not found and len(regions) > 1:
                    found = self.detector.detect(frame, regions[1 + self._turn % 2])
        for rough in found:
            if len(self._tracks) >= self.max_faces:
                break
            place = _square(rough.to_crop(1.0))
            if _overlaps(place, self._tracks, 0.3):
                continue
            # Once more, close up: a better box, and no confirmation for what is no face.
            close = self._look_at(frame, place, NEW_SCORE)
            if close is None:
                continue
            face, look = self._locate(frame, self._detected(close))
            number = self._recall(face, look, t)
            face = replace(face, score=close.score, id=number)
            # A track of its own even for a face that is remembered: its filters start anew.
            self._tracks.append(_Track(number, face, t, t, look, close.score))
        self._pause = min(2 * self._pause + 0.01, SEARCH_PAUSE)
        self._next_search = t + (SEARCH_MORE if self._tracks else self._pause)

    def _recall(self, face: Face, look: np.ndarray, t: float) -> int:
        """The id of a face that was lost a moment ago, if this is it; else a new one."""
        size = float((face.box[2:] - face.box[:2]).mean())
        for track in self._lost:
            then, sure, its_look, velocity = track.sure
            old = sure.box
            moved = (face.box - old).reshape(2, 2).mean(axis=0)
            moved -= velocity * (t - then)
            growth = size / max(float((old[2:] - old[:2]).mean()), 1e-6)
            # Whoever comes out from behind somebody looks different still, but is where he must be.
            near, likeness = np.abs(moved).max() / size, float((look * its_look).mean())
            if 1 / MOST_GROWTH < growth < MOST_GROWTH and (
                near < 0.25 and likeness > 0.2 or near < 0.5 and likeness > LEAST_LIKENESS
            ):
                self._lost.remove(track)
                return track.id
        self._next_id += 1
        return self._next_id - 1

    def _crop(self, landmarks: np.ndarray) -> Crop:
        spec = self.landmarker.spec
        angle = 0.0
        if spec.align_roll:
            right, left = spec.points.outer_eyes
            dx, dy = landmarks[left] - landmarks[right]
            angle = float(np.degrees(np.arctan2(dy, dx)))
        crop = Crop.around(landmarks, spec.margin, angle)
        return replace(crop, side=max(crop.side, 8.0))

    def _detected(self, found: Detection) -> Crop:
        return found.to_crop(self.landmarker.spec.margin, self.landmarker.spec.align_roll)

    def _locate(self, frame: np.ndarray, crop: Crop) -> tuple[Face, np.ndarray]:
        """The face in a crop, and a small picture of it with zero mean and unit variance.

        If the crop turns out to sit badly, the face is cropped once more around what was
        found.
        """
        face, look = self._locate_once(frame, crop)
        better = self._crop(face.landmarks)
        shift = max(abs(better.cx - crop.cx), abs(better.cy - crop.cy)) / crop.side
        growth = better.side / crop.side
        if shift > RECENTRE or not 1 - 2 * RECENTRE < growth < 1 + 2 * RECENTRE:
            return self._locate_once(frame, better)
        return face, look

    def _locate_once(self, frame: np.ndarray, crop: Crop) -> tuple[Face, np.ndarray]:
        with self.stopwatch("crop"):
            pixels = self.landmarker.extract(frame, crop)
            look = _standardised(cv2.resize(pixels, (16, 16), interpolation=cv2.INTER_AREA))
        with self.stopwatch("network"):
            landmarks, pose = self.landmarker.raw(pixels)
        return self.landmarker.place(landmarks, pose, crop), look

    def _smooth(self, track: _Track, t: float) -> Face:
        with self.stopwatch("smooth"):
            face = track.face
            scale = face.crop.side / self.landmarker.spec.margin
            landmarks = track.points(face.landmarks, t, scale).astype(np.float32)
            pose = track.pose(face.pose[:, None], t, 90.0)[:, 0].astype(np.float32)
        return replace(face, landmarks=landmarks, pose=pose)


def _regions(frame: np.ndarray) -> list[Crop | None]:
    """Where to search: the whole picture (None), and its two ends, larger, for small faces."""
    height, width = frame.shape[:2]
    side = min(height, width)
    if max(height, width) <= 1.2 * side:
        return [None]
    x, y, half = width - 1, height - 1, (side - 1) / 2
    return [None, Crop(half, half, side), Crop(x - half, y - half, side)]


def _overlaps(box: np.ndarray, tracks: list[_Track], least: float) -> bool:
    """Whether one of the tracks holds the face in `box`, by their intersection over union."""
    return bool(tracks) and bool(
        (iou(box, np.array([track.face.box for track in tracks])) > least).any()
    )


def _standardised(pixels: np.ndarray) -> np.ndarray:
    """Zero mean, unit variance: two such pictures correlate by the mean of their product."""
    values = pixels.astype(np.float32)
    standard: np.ndarray = (values - values.mean()) / (values.std() + np.float32(1e-6))
    return standard


def _square(crop: Crop) -> np.ndarray:
    """(4,) left, top, right, bottom of an upright crop."""
    half = crop.side / 2
    return np.array([crop.cx - half, crop.cy - half, crop.cx + half, crop.cy + half])
