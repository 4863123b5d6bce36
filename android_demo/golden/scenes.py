"""Made-up scenes in which each decision of the tracker matters, with the networks' answers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from asmnet import models
from asmnet.core import Crop, read_spec
from asmnet.edge_runtime.detector import FaceDetector

sys.path.insert(0, str(Path(__file__).parents[2] / "tests/edge_runtime"))
from scene import FPS, Person, Scene, alike

__all__ = ["scenes", "turned_scenes"]

FRAME = 1 / FPS


class Detector(FaceDetector):
    """A detector of the scene as a network whose first anchors see the faces, by any score."""

    def __init__(self, scene: Scene, turned: bool = False) -> None:
        size, self._numbers = (320, 4) if turned else (128, 16)
        self.input = {"shape": (1, size, size, 3)}
        super().__init__(self)
        self._scene = scene.tracker.search.turned if turned else scene.tracker.search.detector
        self.means: list[float] = []
        self.logits: list[np.ndarray] = []
        self.regressors: list[np.ndarray] = []

    def require(self, *expected: object) -> None:
        """All is as expected."""

    def run(self, tensor: np.ndarray) -> None:
        self.means.append(float(tensor.mean(dtype=np.float64)))

    def output(self, name: str) -> np.ndarray:
        return (self.regressors if name == "regressors" else self.logits)[-1][None]

    def detect(self, image: np.ndarray, region: Crop | None = None, threshold: float = 0.5) -> list:
        height, width = image.shape[:2]
        square = region or Crop((width - 1) / 2, (height - 1) / 2, max(height, width))
        logits = np.full((len(self._anchors), 1), -100, np.float32)
        regressors = np.zeros((len(self._anchors), self._numbers), np.float32)
        for anchor, face in enumerate(self._scene.detect(image, region, 0.0)):
            logits[anchor] = np.log(face.score / (1 - face.score))
            corners = square.to_units(np.concatenate([face.box.reshape(2, 2), face.keypoints]))
            centre, size = corners[:2].mean(axis=0), corners[1] - corners[0]
            points = np.concatenate([[centre], corners[2:]]) + 0.5 - self._anchors[anchor]
            numbers = self._size * np.insert(points, 1, size, axis=0).ravel()
            regressors[anchor] = numbers[: self._numbers]
        self.logits.append(logits)
        self.regressors.append(regressors)
        return super().detect(image, region, threshold)


def script(scene: Scene) -> Iterator[float]:
    """What happens; yields the seconds until each frame."""

    def begin(*people: Person) -> Iterator[float]:
        scene.people, scene.t, scene.background = list(people), 0.0, 0.0
        yield from [FRAME] * 2

    def hide(*people: Person) -> Iterator[float]:
        for shown in (False, True):
            for person in people:
                person.visible = shown
            yield from [0.1] * (4 - shown)

    # New faces: the score, and how little the landmarks move in a rotated crop.
    for score, wobble in ((0.69, 0), (0.71, 0), (0.84, 0.06), (0.84, 0.04), (0.86, 0.06)):
        yield from begin(Person(score=score, wobble=wobble))
    # Followed ones: thumbnails, scores, and a detector that no longer finds them.
    person = Person()
    yield from begin(person)
    yield from [FRAME] * 6
    for correlation, score in ((0.92, 0.95), (0.88, 0.95), (0.73, 0.9), (0.5, 0.8), (0.5, 0.6)):
        person.phase, person.score = person.phase + alike(correlation), score
        yield from [FRAME] * 2
    for score in (0.46, 0.44):
        person = Person()
        yield from begin(person)
        person.score = score
        yield from [0.25] * 7
    for frames in (1, 3):
        person = Person()
        yield from begin(person)
        person.detectable = False
        yield 1.0
        yield from [FRAME] * (frames - 1)
        person.detectable = True
        yield from [FRAME] * 2
    # Movement, jumps, growth, landmarks that slide off, a face that leaves.
    person = Person(x=60, y=300)
    yield from begin(person)
    for _ in range(6):
        person.x, person.y = person.x + 18, person.y - 12
        yield FRAME
    yield 0.0
    yield 0.8
    for change in ({"x": 230}, {"side": 90}, {"side": 120}, {"slip": 40}, {"slip": 0}, {"yaw": 20}):
        for name, value in change.items():
            setattr(person, name, value)
        yield from [FRAME] * 2
    for x in (100, 60, 18, 6, -30):
        person.x = x
        yield from [FRAME] * 2
    yield from begin(Person(side=2), Person(x=100, side=60))
    # Lost and known again, or not.
    for off, correlation, growth in (
        (0.2, 0.3, 1), (0.2, 0.1, 1), (0.3, 0.6, 1), (0.4, 0.8, 1), (0.6, 1, 1), (0, 1, 1.3)
    ):  # fmt: skip
        person = Person()
        yield from begin(person)
        person.visible = False
        yield from [0.1] * 4
        person.x, person.phase = person.x + off * person.side, alike(correlation)
        person.side, person.visible = person.side * growth, True
        yield from [0.1] * 2
    person = Person(x=100)
    yield from begin(person)
    for visible in [True] * 3 + [False] * 10 + [True] * 4:
        person.x, person.visible = person.x + 6, visible
        yield FRAME
    yield from hide(person)
    person.visible = False
    yield from [0.25] * 5
    person.visible = True
    yield from [0.25] * 2
    # A gap, a cut that is none, a cut.
    yield 1.1
    for phase in (86, 95):
        scene.background += phase
        yield from [FRAME] * 2
    # Two faces: in front of each other, on one place, hidden one by one, and a third.
    left, right = Person(x=150), Person(x=320, stripes=(2, -1), score=0.9)
    yield from begin(left, right)
    yield from [0.1] * 3
    while right.x > 230:
        right.x -= 15
        yield FRAME
    for _ in range(6):
        right.x, left.phase = 215, left.phase + 20
        yield FRAME
    yield from hide(left, right)
    while right.x > 168:
        right.x -= 5
        yield FRAME
    right.x = 174
    yield from [0.1] * 4
    right.detectable, right.phase = False, alike(0.5)
    yield from [FRAME] * 2
    right.x, right.detectable = 320, True
    scene.people.append(Person(x=420, y=300, stripes=(3, 1), score=0.99))
    yield from [0.1] * 4
    yield from hide(left)
    # Faces too small for the whole picture; another picture size.
    yield from begin(Person(x=360), Person(x=40, side=40))
    yield from [0.1] * 6
    scene.size = (360, 360)
    yield from begin(Person(x=100))
    scene.size = (360, 480)
    yield FRAME
    yield from begin()
    yield from [0.02] * 12


def turned_script(scene: Scene) -> Iterator[float]:
    """What happens where there is a second detector; yields the seconds until each frame."""
    # Found in the first frame, verified, doubted, lost, found again.
    person = Person(profile=True)
    scene.people = [person]
    yield from [FRAME] * 3
    yield from [0.5] * 3
    person.phase += alike(0.5)
    yield FRAME
    person.detectable = False
    yield from [0.5] * 3
    person.detectable = True
    yield from [0.1] * 5
    # A face that turns away and back.
    for profile in (False, True, False):
        person.profile = profile
        yield from [0.4] * 8
    # Nobody; a profile comes; a face beside it; a small one.
    scene.people = []
    yield from [0.05] * 30
    scene.people = [Person(x=150, profile=True, score=0.8)]
    yield from [0.05] * 8
    scene.people.append(Person(x=350, stripes=(2, -1)))
    yield from [0.1] * 9
    scene.people[0].visible = False
    yield from [0.1] * 14
    scene.people.append(Person(x=60, side=36, profile=True, stripes=(3, 1)))
    yield from [0.1] * 9


def scenes() -> dict[str, np.ndarray]:
    """What was in each frame, the networks' answers in their order, and the faces found."""
    return record("scene", script, Scene(max_faces=2, smoothing=True))


def turned_scenes() -> dict[str, np.ndarray]:
    """The same with a detector of turned faces."""
    return record("turned", turned_script, Scene(max_faces=2, smoothing=True, turned=True))


def record(
    name: str, script: Callable[[Scene], Iterator[float]], scene: Scene
) -> dict[str, np.ndarray]:
    """Play a script; arrays by name."""
    detector, landmarker = Detector(scene), scene.tracker.landmarker
    landmarker.spec = read_spec(models.find(models.DEFAULT))
    detectors = {"detector": detector}
    if scene.tracker.search.turned:
        scene.tracker.search.turned = detectors["other"] = Detector(scene, turned=True)
    scene.tracker.search.detector = detector
    answer = landmarker.raw
    means, landmarks, poses = [], [], []

    def raw(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        points, pose = answer(pixels)
        means.append((pixels.mean(dtype=np.float64) - 127.5) / 127.5)
        landmarks.append(points.astype(np.float32))
        poses.append(pose)
        return landmarks[-1], pose

    landmarker.raw = raw
    frames, people, answers = [], [], []
    for step in script(scene):
        answers.append(scene.next(step))
        there = [person for person in scene.people if person.visible]
        frames.append((scene.t, *scene.size, scene.background, len(there)))
        people += [(p.x, p.y, p.side, *p.stripes, p.phase) for p in there]
    faces = [face for answer in answers for face in answer]
    found = {
        "frames": np.array(frames),
        "people": np.array(people, np.float64),
        "type": np.zeros(2, np.int32),
        "scale": np.zeros(1, np.float32),
        "landmarks": np.array(landmarks).reshape(-1, 136),
        "pose": np.array(poses),
        "means": np.array(means),
        "counts": np.array([len(answer) for answer in answers], np.int32),
        "ids": np.array([face.id for face in faces], np.int32),
        "scores": np.array([face.score for face in faces]),
        "boxes": np.array([face.box for face in faces]),
        "yaws": np.array([face.pose[0] for face in faces]),
    }
    for kind, detector in detectors.items():
        logits = np.array(detector.logits)[..., 0]
        call, anchor = np.nonzero(logits > -100)
        found |= {
            f"{kind}/means": np.array(detector.means),
            f"{kind}/candidates": np.stack([call, anchor], axis=1).astype(np.int32),
            f"{kind}/logits": logits[call, anchor],
            f"{kind}/regressors": np.array(detector.regressors)[call, anchor],
        }
    return {f"{name}/{key}": value for key, value in found.items()}
