"""A made-up scene for the tracker, with networks that know where everybody is.

A face is a patch of stripes.  The phase of the stripes is what the face looks like: two looks of
one face correlate by the cosine of the difference of their phases.  Like the real ones, the
landmark network answers whether a face is there or not, and the detector does not see faces that
are small beside the square that it searches.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from asmnet.core import Crop, ModelSpec
from asmnet.edge_runtime import Face, FaceTracker, Landmarker
from asmnet.edge_runtime.detector import Detection

__all__ = ["FPS", "SHAPE", "Person", "Scene", "alike"]

FPS = 30
SPEC = ModelSpec("scene", "0", "ibug68", 32, "landmarks", "pose")
WIDTH, HEIGHT = 480, 360


def _shape() -> np.ndarray:
    """(68, 2): a face whose box is -0.5 ... 0.5."""
    shape = np.random.default_rng(0).uniform(-0.4, 0.4, (68, 2))
    shape[:2] = (-0.5, -0.5), (0.5, 0.5)
    return shape


SHAPE = _shape()


def alike(correlation: float) -> float:
    """Degrees by which the phase of a face changes when its looks correlate by so much."""
    return float(np.degrees(np.arccos(correlation)))


@dataclass(eq=False)
class Person:
    """A face in the scene.

    Attributes:
        x, y, side: its landmarks' box, pixels.
        stripes: waves across and down its crop; those of different people correlate by 0.
        phase: degrees.
        score: the detector's, close up.
        rough: the same where the whole picture is searched, if it is another.
        wobble: how far its landmarks move in a crop that is turned by 10 degrees, box sides.
        slip: how far its landmarks lie beside it, pixels.
        visible: it is in the picture; otherwise the background is.
        detectable: the detector can find it.
        yaw: degrees.
        profile: of the detectors, only that of turned faces can find it.
    """

    x: float = 240
    y: float = 180
    side: float = 80
    stripes: tuple[int, int] = (1, 2)
    phase: float = 0
    score: float = 0.95
    rough: float | None = None
    wobble: float = 0
    slip: float = 0
    visible: bool = True
    detectable: bool = True
    yaw: float = 0
    profile: bool = False

    def paint(self, picture: np.ndarray) -> None:
        """Draw it: a fifth larger than its crop."""
        side = SPEC.margin * self.side
        left, top, right, bottom = np.round(
            [self.x - 0.6 * side, self.y - 0.6 * side, self.x + 0.6 * side, self.y + 0.6 * side]
        ).astype(int)
        left, top = max(left, 0), max(top, 0)
        right, bottom = min(right, picture.shape[1]), min(bottom, picture.shape[0])
        if left < right and top < bottom:
            across = (np.arange(left, right) - self.x) / side * self.stripes[0]
            down = (np.arange(top, bottom) - self.y) / side * self.stripes[1]
            waves = 2 * np.pi * (across + down[:, None]) + np.radians(self.phase)
            picture[top:bottom, left:right] = np.rint(128 + 100 * np.cos(waves))[..., None]


@lru_cache(maxsize=64)
def _background(phase: float, height: int, width: int) -> np.ndarray:
    across = 14 * np.pi * np.arange(width) / width
    down = 6 * np.pi * np.arange(height)[:, None] / height
    waves = across + down + np.radians(phase)
    grey = np.rint(128 + 60 * np.cos(waves)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


class _Landmarks(Landmarker):
    """Finds the visible face nearest to the crop's centre; else a face that fills the crop."""

    def __init__(self, scene: Scene) -> None:
        self.spec = SPEC
        self.scene = scene
        self.crops: list[Crop] = []
        self.views: list[np.ndarray] = []

    def extract(self, image_bgr: np.ndarray, crop: Crop) -> np.ndarray:
        self.crops.append(crop)
        self.views.append(super().extract(image_bgr, crop))
        return self.views[-1]

    def raw(self, crop_rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        assert crop_rgb is self.views[-1]
        crop = self.crops[-1]

        def off(person: Person) -> float:
            return max(abs(person.x - crop.cx), abs(person.y - crop.cy)) / crop.side

        near = [person for person in self.scene.people if person.visible and off(person) < 0.4]
        if not near:
            return SHAPE / self.spec.margin, np.zeros(3, np.float32)
        person = min(near, key=off)
        points = SHAPE * person.side + (person.x, person.y)
        points[:, 0] += person.slip + person.wobble * person.side * crop.angle / 10
        return crop.to_units(points), np.array([person.yaw, 0, 0], np.float32)


class _Detections:
    """Finds every detectable face in the square whose side is a tenth of the square's or more."""

    def __init__(self, scene: Scene, turned: bool = False) -> None:
        self.scene = scene
        self.turned = turned
        self.searches: list[tuple[Crop | None, float]] = []

    def detect(
        self, image: np.ndarray, region: Crop | None = None, threshold: float = 0.5
    ) -> list[Detection]:
        self.searches.append((region, threshold))
        height, width = image.shape[:2]
        where = region or Crop(width / 2, height / 2, width)

        def score(person: Person) -> float:
            return person.score if region or person.rough is None else person.rough

        def found(person: Person) -> bool:
            off = max(abs(person.x - where.cx), abs(person.y - where.cy))
            return (
                person.visible
                and person.detectable
                and (self.turned or not person.profile)
                and off < where.side / 2
                and person.side >= where.side / 10
                and score(person) >= threshold
            )

        people = sorted(filter(found, self.scene.people), key=score, reverse=True)
        return [_detection(person, score(person)) for person in people]


def _detection(person: Person, score: float) -> Detection:
    """What the detector says of a face: a box from which the landmarks' own follows."""
    unit = Detection(np.array([-0.5, -0.5, 0.5, 0.5]), 1.0, np.zeros((6, 2))).to_crop(1.0)
    side = person.side / unit.side
    centre = np.array([person.x - unit.cx * side, person.y - unit.cy * side])
    eye = np.array([side / 5, 0])
    keypoints = centre + [-eye, eye, *[(0, 0)] * 4]
    return Detection(np.concatenate([centre - side / 2, centre + side / 2]), score, keypoints)


class Scene:
    """People before a background, and the tracker that watches them.

    Attributes:
        people: change them from frame to frame.
        background: degrees, the phase of its waves.
        noise: grey levels, of the camera's sensor.
        t: seconds, of the latest frame.
        searches: the squares (None: the whole picture) that the detector searched in the latest
            frame, each with its least score.
        turned_searches: the same of the detector of turned faces.
        crops, views: what the landmark network was shown in the latest frame.
    """

    def __init__(
        self,
        *people: Person,
        max_faces: int = 1,
        smoothing: bool = False,
        turned: bool = False,
        size: tuple[int, int] = (WIDTH, HEIGHT),
    ) -> None:
        self.people = list(people)
        self.background = 0.0
        self.noise = 0.0
        self._rng = np.random.default_rng(0)
        self.size = size
        self.t = 0.0
        self._landmarks, self._detections = _Landmarks(self), _Detections(self)
        self._turned = _Detections(self, turned=True)
        self.tracker = FaceTracker(
            self._landmarks,
            self._detections,
            max_faces,
            smoothing,
            turned=self._turned if turned else None,
        )

    @property
    def searches(self) -> list[tuple[Crop | None, float]]:
        return self._detections.searches

    @property
    def turned_searches(self) -> list[tuple[Crop | None, float]]:
        return self._turned.searches

    @property
    def crops(self) -> list[Crop]:
        return self._landmarks.crops

    @property
    def views(self) -> list[np.ndarray]:
        return self._landmarks.views

    def picture(self) -> np.ndarray:
        """(360, 480, 3) uint8."""
        picture = _background(self.background, self.size[1], self.size[0]).copy()
        for person in self.people:
            if person.visible:
                person.paint(picture)
        if self.noise:
            noisy = picture + self._rng.normal(0, self.noise, picture.shape)
            picture = np.clip(noisy, 0, 255).astype(np.uint8)
        return picture

    def next(self, step: float = 1 / FPS) -> list[Face]:
        """The tracker's answer to the next frame, `step` seconds later."""
        self.t += step
        for record in (self.searches, self.turned_searches, self.crops, self.views):
            record.clear()
        return self.tracker.update(self.picture(), self.t)

    def run(self, frames: int) -> list[Face]:
        """The answer to the last of some frames in which nothing changes."""
        return [self.next() for _ in range(frames)][-1]
