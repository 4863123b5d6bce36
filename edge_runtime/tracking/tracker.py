"""Faces followed through a video: detect once, then crop around the last landmarks.

The landmark network outputs points even where there is no face, so each track is verified: the
detector runs again when the pixels under the face no longer correlate with those that it last
verified, and at once whenever the landmarks or the pixels change suspiciously.

A second detector, slower, finds the turned faces that the first one misses.  The two take turns in
searching, and a face that one of them misses is looked for by the other next time: no frame waits
for both, but the first of a video, which may be all there is.
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
    MOST_GROWTH,
    correlation,
    search_regions,
    square_box,
    suspicious,
    zscore,
)
from asmnet.edge_runtime.tracking.scene_cuts import SceneCutDetector
from asmnet.edge_runtime.tracking.tracks import Observation, Track, overlaps

__all__ = ["FaceTracker"]

# The detector verifies a followed face when the pixels under it correlate less than
# VERIFY_CORRELATION with those that it last verified, but not more often than VERIFY_EVERY
# seconds; and anyhow after VERIFY_ANYHOW.  Of a talking face's frames one in a hundred is below
# 0.93.
VERIFY_CORRELATION, VERIFY_EVERY, VERIFY_ANYHOW = 0.9, 0.15, 1.0
# Searches follow each other ever more slowly while there is nothing to find.
SEARCH_PAUSE = 0.1
# While some faces are followed and more could come.
SEARCH_MORE = 0.15
# The detector's score, close up, that starts a track or clears a suspicion, and the one
# that merely keeps a track alive.  Close up, 99.9 % of the faces of 300-W score above 0.73
# (bench/detector_box.py), crumpled cloth below 0.7.
NEW_SCORE, KEEP_SCORE = 0.7, 0.45
# Below this score a second check is needed: in a crop rotated by 10 degrees, the landmarks move by
# less than MAX_ROTATION_DRIFT box sides.  Those of faces do, unless noise or blur is bad; those of
# half of the detector's false positives do not (bench/rotation_check.py).
SURE_SCORE, CHECK_ROTATION_DEG, MAX_ROTATION_DRIFT = 0.85, 10.0, 0.05
# The detector searches this many times the landmarks' box.
DETECT_SCALE = 2.0
# The pixels under a face correlate less than this with the frame before: suspicious.
MIN_CORRELATION = 0.7
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
        self.detector = detector
        self.turned = turned
        self.max_faces = max_faces
        self.smoothing = smoothing
        self.fov = fov
        self.stopwatch = Stopwatch()
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
            self._tracks, self._lost, self._next_search, self._pause = [], [], t, 0.0
        for track in self._tracks:
            if self._follow(track, frame, t) and not overlaps(track.box, alive, DUPLICATE_IOU):
                alive.append(track)
            else:
                self._lost.append(track)
        if len(alive) < len(self._tracks):
            self._next_search, self._pause = t, 0.0
        self._tracks = alive
        self._lost = [track for track in self._lost if t - track.time < MAX_LOST_SECONDS]
        if len(alive) < self.max_faces and t >= self._next_search:
            self._search(frame, t)
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
            found = self._detect_near(frame, new.face.box, least, track.turned, track)
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

    def _others(self, track: Track | None) -> list[Track]:
        return [other for other in self._tracks if other is not track]

    def _detect(
        self, frame: np.ndarray, region: Crop | None, threshold: float = 0.5, turned: bool = False
    ) -> list[Detection]:
        """Faces in a square; `turned`: by the detector of turned faces, if there is one."""
        with self.stopwatch("detect"):
            detector = self.turned if turned and self.turned else self.detector
            return detector.detect(frame, region, threshold)

    def _detect_near(
        self,
        frame: np.ndarray,
        box: np.ndarray,
        threshold: float,
        turned: bool,
        track: Track | None = None,
    ) -> Detection | None:
        """The detector's answer for one place: the face there that no other track holds.

        Args:
            frame: the picture.
            box: (4,) left, top, right, bottom of the place.
            threshold: least score.
            turned: see `_detect`.
            track: whose face is looked for; None for a face that none holds yet.
        """
        x, y = (box[:2] + box[2:]) / 2
        region = Crop(float(x), float(y), float(max((box[2:] - box[:2]).max(), 8) * DETECT_SCALE))
        others = np.array([other.box for other in self._others(track)]).reshape(-1, 4)
        best, most = None, 0.2
        for found in self._detect(frame, region, threshold, turned):
            here = square_box(found.to_crop(1.0))
            overlap = float(iou(here, box[None])[0])
            if overlap > most and not (iou(here, others) > overlap).any():
                best, most = found, overlap
        return best

    def _is_face(self, found: Detection, seen: Observation, frame: np.ndarray) -> bool:
        """Whether this is a face: by the detector's score, or by points that bear a rotation."""
        if found.score >= SURE_SCORE:
            return True
        rotated = replace(seen.next_crop, angle=seen.next_crop.angle + CHECK_ROTATION_DEG)
        again = self._locate_once(frame, rotated).face.landmarks
        moved = np.linalg.norm(again - seen.face.landmarks, axis=1).mean()
        return bool(moved < MAX_ROTATION_DRIFT * seen.next_crop.side / self.landmarker.spec.margin)

    def _search(self, frame: np.ndarray, t: float) -> None:
        """Start tracks for faces that none has yet."""
        self._turn += 1
        if self.turned is None:
            self._start(self._look(frame, self._turn), False, frame, t)
        else:
            if self._turn % 2:
                self._start(self._look(frame, self._turn // 2), False, frame, t)
            if self._turn % 2 == 0 or (self._turn == 1 and not self._tracks):
                self._start(self._detect(frame, None, turned=True), True, frame, t)
        self._pause = min(2 * self._pause + 0.01, SEARCH_PAUSE)
        self._next_search = t + (SEARCH_MORE if self._tracks else self._pause)

    def _look(self, frame: np.ndarray, turn: int) -> list[Detection]:
        """What the first detector finds in the whole picture or one of its regions."""
        regions = search_regions(frame)
        if self._tracks:  # nothing is urgent: one region a frame
            return self._detect(frame, regions[turn % len(regions)])
        found = self._detect(frame, None)
        if not found and len(regions) > 1:
            found = self._detect(frame, regions[1 + turn % (len(regions) - 1)])
        return found

    def _start(self, found: list[Detection], turned: bool, frame: np.ndarray, t: float) -> None:
        """Start tracks for those of the faces found that none has yet."""
        for rough in found:
            if len(self._tracks) >= self.max_faces:
                break
            place = square_box(rough.to_crop(1.0))
            if overlaps(place, self._tracks, 0.3):
                continue
            # Once more, close up: a better box, and no confirmation for what is no face.
            close = self._detect_near(frame, place, NEW_SCORE, turned)
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
        box = seen.face.box
        size = max(float((box[2:] - box[:2]).mean()), 1e-6)
        for track in self._lost:
            then, confident, velocity = track.last_confident
            old = confident.face.box
            moved = (box - old).reshape(2, 2).mean(axis=0) - velocity * (t - then)
            growth = size / max(float((old[2:] - old[:2]).mean()), 1e-6)
            # Whoever comes out from behind somebody looks different still, but is where he must be.
            near = np.abs(moved).max() / size
            alike = correlation(seen.thumbnail, confident.thumbnail)
            if 1 / MOST_GROWTH < growth < MOST_GROWTH and (
                (near < 0.25 and alike > 0.2) or (near < 0.5 and alike > MIN_CORRELATION)
            ):
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
        face = self._smooth(track, t) if self.smoothing else raw
        place = head_position(face.landmarks, face.pose, size, self.fov)
        scale = focal_length(size, self.fov) / max(float(place[2]), 1.0)
        signals = track.signals(raw.landmarks, scale, t)  # filters would flatten a blink
        return replace(face, position=place.astype(np.float32), **signals._asdict())

    def _smooth(self, track: Track, t: float) -> Face:
        with self.stopwatch("smooth"):
            face = track.latest.face
            scale = face.crop.side / self.landmarker.spec.margin
            landmarks = track.points(face.landmarks, t, scale).astype(np.float32)
            pose = track.pose(face.pose[:, None], t, 90.0)[:, 0].astype(np.float32)
        return replace(face, landmarks=landmarks, pose=pose)
