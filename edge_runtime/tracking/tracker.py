"""Faces followed through a video: detect once, then crop around the last landmarks.

The landmark network outputs points even where there is no face, so each track is verified: the
detector runs again when the pixels under the face no longer correlate with those that it last
verified, and at once whenever the landmarks or the pixels change suspiciously.  A face that one
of the two detectors (`search.py`) misses is looked for by the other next time.
"""

from __future__ import annotations

import math
import numbers
import os
from dataclasses import replace

import cv2
import numpy as np

from asmnet import models
from asmnet.core import FIELD_OF_VIEW, Crop, UserError, focal_length, head_position
from asmnet.edge_runtime.crops import next_crop
from asmnet.edge_runtime.detector import Detection, FaceDetector, iou
from asmnet.edge_runtime.images import as_bgr
from asmnet.edge_runtime.landmarker import Face, Landmarker
from asmnet.edge_runtime.timing import Stopwatch
from asmnet.edge_runtime.tracking.association import (
    MIN_CORRELATION,
    correlation,
    square_box,
    suspicious,
    zscore,
)
from asmnet.edge_runtime.tracking.scene_cuts import SceneCutDetector
from asmnet.edge_runtime.tracking.search import FaceSearch
from asmnet.edge_runtime.tracking.tracks import Observation, Track, overlaps

__all__ = ["FaceTracker"]

# The detector verifies a followed face when the pixels under it correlate less than
# VERIFY_CORRELATION with those that it last verified, but not more often than VERIFY_EVERY
# seconds; and anyhow after VERIFY_ANYHOW.  Of a talking face's frames one in a hundred is below
# 0.93.
VERIFY_CORRELATION, VERIFY_EVERY, VERIFY_ANYHOW = 0.9, 0.15, 1.0
# The detector's score, close up, that starts a track or clears a suspicion, and the one
# that merely keeps a track alive.  Close up, 99.9 % of the faces of 300-W score above 0.73
# (bench/detector_box.py), crumpled cloth below 0.7.
NEW_SCORE, KEEP_SCORE = 0.7, 0.45
# Below this score a second check is needed: in a crop rotated by 10 degrees, the landmarks move by
# less than MAX_ROTATION_DRIFT box sides.  Those of faces do, unless noise or blur is bad; those of
# half of the detector's false positives do not (bench/rotation_check.py).
SURE_SCORE, CHECK_ROTATION_DEG, MAX_ROTATION_DRIFT = 0.85, 10.0, 0.05
# Two tracks whose boxes overlap more than this follow the same face; less is a face that
# passes in front of another.
DUPLICATE_IOU = 0.6
# Seconds that a lost face is remembered; found again near the place where it should be by
# then, and alike, it keeps its id.  A gap between two frames longer than this ends all tracks.
MAX_LOST_SECONDS = 1.0
# A crop off by this part of its side costs accuracy and is taken once more: rare at 30
# frames per second, worth it for quick faces at 10.
RECROP_THRESHOLD = 0.05


class FaceTracker:
    """Follows up to `max_faces` faces through consecutive frames.

    Args:
        landmarker: places landmarks in a crop.
        detector: finds faces.
        max_faces: so many at most; cost grows with the faces that are there.
        smoothing: pass points and pose through One-Euro filters.
        fov: the camera's field of view, degrees along the picture's longer side; for
            `Face.position`.
        turned: finds faces that `detector` misses, above all turned ones; None does without.

    Attributes:
        stopwatch: seconds of the last `update` by stage: detect, crop, network, smooth.
        search: the two detectors, and when to ask them.
    """

    def __init__(
        self,
        landmarker: Landmarker,
        detector: FaceDetector,
        max_faces: int = 1,
        smoothing: bool = True,
        fov: float = FIELD_OF_VIEW,
        turned: FaceDetector | None = None,
    ) -> None:
        if not 1 <= fov <= 170:
            raise UserError(f"a field of view is 1 to 170 degrees, not {fov!r}")
        self.landmarker = landmarker
        self.max_faces = max_faces
        self.smoothing = smoothing
        self.fov = fov
        self.stopwatch = Stopwatch()
        self.search = FaceSearch(detector, turned, self.stopwatch)
        self._next_id = 0
        self.reset()

    @classmethod
    def load(
        cls,
        model: str | os.PathLike[str] = models.DEFAULT,
        max_faces: int = 1,
        threads: int = 1,
        fov: float = FIELD_OF_VIEW,
    ) -> FaceTracker:
        """A tracker as the commands have it: a network, and both shipped detectors.

        Args:
            model: a shipped network's name, or a `.tflite` file.
            max_faces: see the class.
            threads: of each network.
            fov: see the class.

        Raises:
            UserError: the model cannot be used.
        """
        return cls(
            Landmarker.load(model, threads),
            FaceDetector.load(models.DETECTOR, threads),
            max_faces,
            fov=fov,
            turned=FaceDetector.load(models.TURNED_DETECTOR, threads),
        )

    def reset(self) -> None:
        """Forget all faces: the next frame is the first of another video."""
        self._tracks: list[Track] = []
        self._lost: list[Track] = []
        self._time = -np.inf
        self._shape: tuple[int, ...] = ()
        self._cuts = SceneCutDetector()
        self.search.reset()

    def update(self, frame: np.ndarray, t: float) -> list[Face]:
        """Faces in the next frame, oldest track first, smoothed.

        Args:
            frame: uint8 BGR (H, W, 3); grey and BGRA are converted.
            t: seconds since any origin.  A time before the last frame's, or another
                picture size, starts a new video.

        Raises:
            UserError: the frame or the time cannot be used, or a network answers NaN or the
                like.
        """
        frame = as_bgr(frame)
        if not isinstance(t, numbers.Real) or not math.isfinite(t):
            raise UserError(f"a frame's time must be a number of seconds, not {t!r}")
        self.stopwatch.clear()
        if t < self._time or frame.shape != self._shape:
            self.reset()
        gap, self._time, self._shape = t - self._time, t, frame.shape
        alive: list[Track] = []
        if self._cuts.is_cut(frame) or gap > MAX_LOST_SECONDS:
            self._tracks, self._lost = [], []
            self.search.search_now(t)
        for track in self._tracks:
            if self._follow(track, frame, t) and not overlaps(track.box, alive, DUPLICATE_IOU):
                alive.append(track)
            else:
                self._lost.append(track)
        if len(alive) < len(self._tracks):
            self.search.search_now(t)
        self._tracks = alive
        self._lost = [track for track in self._lost if t - track.time < MAX_LOST_SECONDS]
        if len(alive) < self.max_faces and self.search.is_due(t):
            for found, turned in self.search.answers(frame, t, alive):
                self._start(found, turned, frame, t)
            self._tracks.sort(key=lambda track: track.id)
        return [self._answer(track, t) for track in self._tracks]

    def _follow(self, track: Track, frame: np.ndarray, t: float) -> bool:
        """Find a track's face in the next frame; False if it is gone."""
        old, step = track.latest, t - track.time
        # Where the face should be by now; without it quick faces slide out of their crops.
        x, y = (track.velocity * min(step, 0.1)).tolist()
        crop = replace(old.next_crop, cx=old.next_crop.cx + x, cy=old.next_crop.cy + y)
        new = self._locate(frame, crop)
        alike = correlation(new.thumbnail, old.thumbnail)
        doubtful = alike < MIN_CORRELATION or suspicious(old.face, new.face, frame)
        unlike = correlation(new.thumbnail, track.verified_thumbnail) < VERIFY_CORRELATION
        changed = track.missed or unlike
        if doubtful or t - track.verified >= (VERIFY_EVERY if changed else VERIFY_ANYHOW):
            least = NEW_SCORE if doubtful else KEEP_SCORE
            found = self.search.near(frame, new.face.box, least, track.turned, self._others(track))
            if found is None or not self._is_face(found, new, frame):
                if doubtful or track.missed:
                    return False
                track.missed, track.turned = True, not track.turned
            else:
                track.verified, track.missed, track.detector_score = t, False, found.score
                if iou(square_box(found.to_crop(1.0)), new.face.box[None])[0] < 0.5:
                    new, alike = self._locate(frame, self._detected(found)), 1.0
                track.verified_thumbnail, changed = new.thumbnail, False
        if step > 0:
            track.velocity = (new.face.landmarks - old.face.landmarks).mean(axis=0) / step
        score = track.detector_score * min(max(alike, 0.0), 1.0)
        track.latest = new._replace(face=replace(new.face, id=track.id, score=score))
        track.time = t
        if not changed and not overlaps(track.box, self._others(track), 0.0):
            track.snapshot()
        return True

    def _others(self, track: Track) -> list[Track]:
        return [other for other in self._tracks if other is not track]

    def _is_face(self, found: Detection, seen: Observation, frame: np.ndarray) -> bool:
        """Whether this is a face: by its score, or landmarks that a turned crop does not move."""
        if found.score >= SURE_SCORE:
            return True
        rotated = replace(seen.next_crop, angle=seen.next_crop.angle + CHECK_ROTATION_DEG)
        again = self._locate_once(frame, rotated).face.landmarks
        moved = np.linalg.norm(again - seen.face.landmarks, axis=1).mean()
        return bool(moved < MAX_ROTATION_DRIFT * seen.next_crop.side / self.landmarker.spec.margin)

    def _start(self, found: list[Detection], turned: bool, frame: np.ndarray, t: float) -> None:
        """Start tracks for those of the faces found that none has yet."""
        for rough in found:
            if len(self._tracks) >= self.max_faces:
                break
            place = square_box(rough.to_crop(1.0))
            if overlaps(place, self._tracks, 0.3):
                continue
            # Once more, close up: a better box, and no confirmation for what is no face.
            close = self.search.near(frame, place, NEW_SCORE, turned, self._tracks)
            if close is None:
                continue
            seen = self._locate(frame, self._detected(close))
            if not self._is_face(close, seen, frame):
                continue
            number = self._reidentify(seen, t)
            face = replace(seen.face, score=close.score, id=number)
            # A track of its own even for a face that is remembered: its filters start anew.
            latest = seen._replace(face=face)
            self._tracks.append(Track(number, latest, t, t, close.score, turned=turned))

    def _reidentify(self, seen: Observation, t: float) -> int:
        """The id of a face that was lost a moment ago, if this is it; else a new one."""
        for track in self._lost:
            if track.is_seen_again(seen, t):
                self._lost.remove(track)
                return track.id
        self._next_id += 1
        return self._next_id - 1

    def _detected(self, found: Detection) -> Crop:
        return found.to_crop(self.landmarker.spec.margin)

    def _locate(self, frame: np.ndarray, crop: Crop) -> Observation:
        """The face in a crop.

        If the crop turns out to sit badly, the face is cropped once more around what was
        found.
        """
        seen = self._locate_once(frame, crop)
        better = seen.next_crop
        shift = max(abs(better.cx - crop.cx), abs(better.cy - crop.cy)) / crop.side
        growth = better.side / crop.side
        if (
            shift > RECROP_THRESHOLD
            or not 1 - 2 * RECROP_THRESHOLD < growth < 1 + 2 * RECROP_THRESHOLD
        ):
            return self._locate_once(frame, better)
        return seen

    def _locate_once(self, frame: np.ndarray, crop: Crop) -> Observation:
        with self.stopwatch("crop"):
            pixels = self.landmarker.extract(frame, crop)
            thumbnail = zscore(cv2.resize(pixels, (16, 16), interpolation=cv2.INTER_AREA))
        with self.stopwatch("network"):
            landmarks, pose = self.landmarker.raw(pixels)
        face = self.landmarker.place(landmarks, pose, crop)
        return Observation(face, thumbnail, next_crop(face.landmarks, self.landmarker.spec.margin))

    def _answer(self, track: Track, t: float) -> Face:
        """A track's face, smoothed, with what follows from its landmarks and pose."""
        raw, size = track.latest.face, (self._shape[1], self._shape[0])
        face = raw
        if self.smoothing:
            with self.stopwatch("smooth"):
                face = track.smooth(t, self.landmarker.spec.margin)
        place = head_position(face.landmarks, face.pose, size, self.fov)
        scale = focal_length(size, self.fov) / max(float(place[2]), 1.0)
        signals = track.signals(raw.landmarks, scale, t)  # filters would flatten a blink
        return replace(face, position=place.astype(np.float32), **signals._asdict())
