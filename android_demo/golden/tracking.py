"""Parts of the demo clip as the Python tracker follows them, with the networks' answers.

Once as they are, once with eyes that blink and mouths that yawn, and once out of order and with
networks that are often wrong: what the tracker does then, it hardly ever does in the clip.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from face_signals import close_lids, open_lips

from asmnet import models, samples
from asmnet.core import read_spec
from asmnet.edge_runtime.detector import FaceDetector
from asmnet.edge_runtime.interpreter import Network
from asmnet.edge_runtime.landmarker import Landmarker
from asmnet.edge_runtime.tracking.tracker import FaceTracker

__all__ = ["blinking", "nervous", "tracking"]

# Seconds: a face goes out and comes back; bare wall, a second person; two faces.
PARTS = ((10.5, 13.0), (16.0, 17.6), (23.2, 25.4))
EVERY, SIZE = 3, (112, 84)
# Then the left one of the two is hidden for a moment: lost, remembered, known again.
HIDDEN = (24.45, 24.65)
# Anchors below this logit are no candidates by any of the tracker's thresholds.
LEAST_LOGIT = -0.5

Change = Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]


class Recorder:
    """A network that remembers the mean of each input and its answers.

    `change` is given the answers, and returns those to go by.
    """

    def __init__(
        self, network: Network, outputs: dict[str, str], change: Change | None = None
    ) -> None:
        self._network = network
        self._outputs = outputs
        self._change = change
        self.input = network.input
        self.require = network.require
        self.means: list[float] = []
        self.answers: dict[str, list[np.ndarray]] = {key: [] for key in outputs}

    def run(self, tensor: np.ndarray) -> None:
        """Run, and remember."""
        self._network.run(tensor)
        self.means.append(float(tensor.mean(dtype=np.float64)))
        found = {key: self._network.output(name) for key, name in self._outputs.items()}
        for key, values in (self._change(found) if self._change else found).items():
            self.answers[key].append(values[0])

    def output(self, name: str) -> np.ndarray:
        """The latest answer, a copy."""
        (key,) = (key for key, tensor in self._outputs.items() if tensor == name)
        return self.answers[key][-1][None].copy()


def clip() -> tuple[np.ndarray, np.ndarray]:
    """(F, 84, 112, 3) uint8 RGB in steps of 8 levels, which pack well, and (F,) seconds."""
    capture = cv2.VideoCapture(str(samples.CLIP))
    frames, times, index = [], [], 0
    while capture.grab():
        t = index / 30
        if index % EVERY == 0 and any(start <= t < end for start, end in PARTS):
            small = cv2.resize(capture.retrieve()[1], SIZE, interpolation=cv2.INTER_AREA)
            if HIDDEN[0] <= t < HIDDEN[1]:
                small[:, : SIZE[0] // 2] = 160
            frames.append(cv2.cvtColor(small, cv2.COLOR_BGR2RGB) & 0xF8)
            times.append(t)
        index += 1
    return np.array(frames), np.array(times)


def tracking() -> dict[str, np.ndarray]:
    """Frames, networks' answers in their order, and the faces of each frame."""
    frames, times = clip()
    found = follow(frames, times)
    return {f"track/{name}": value for name, value in (found | {"frames": frames}).items()}


def blinking() -> dict[str, np.ndarray]:
    """The same frames, whose faces blink and yawn."""
    frames, times = clip()
    calls = 0

    def act(answers: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        nonlocal calls
        calls += 1
        points = answers["landmarks"].reshape(-1, 2)
        if calls % 11 in (9, 10):
            points = close_lids(points, 0.3, 0.4)
        if 36 < calls < 72:
            points = open_lips(points, 0.7)
        return answers | {"landmarks": points.reshape(answers["landmarks"].shape)}

    found = follow(frames, times, act)
    return {f"blinking/{name}": value for name, value in found.items()}


def nervous() -> dict[str, np.ndarray]:
    """The same frames in leaps, with wrong answers among the right ones."""
    random = np.random.default_rng(9)
    frames, _ = clip()
    leaps = random.choice((1, 0, -1, 9, -20), 240, p=(0.8, 0.1, 0.04, 0.03, 0.03))
    order = np.cumsum(leaps) % len(frames)
    steps = random.choice((1 / 30, 0.0, 0.2, 1.5, -0.1), 240, p=(0.86, 0.05, 0.07, 0.01, 0.01))
    times = 5 + np.cumsum(steps)

    def slip(answers: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        points, pose = answers["landmarks"].copy(), answers["pose"]
        kind = random.choice(("right", "aside", "rough"), p=(0.8, 0.12, 0.08))
        if kind == "aside":
            points += np.tile(random.uniform(-0.08, 0.08, 2), points.size // 2)
        elif kind == "rough":
            points += random.normal(0, random.choice((0.02, 0.06)), points.shape)
        return {"landmarks": points.astype(np.float32), "pose": pose}

    def doubt(answers: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        less = random.choice((0.0, 0.0, random.uniform(0, 4)))
        return answers | {"logits": (answers["logits"] - less).astype(np.float32)}

    found = follow(frames[order], times, slip, doubt)
    return {
        f"nervous/{name}": value
        for name, value in (found | {"order": order.astype(np.int32)}).items()
    }


def follow(
    frames: np.ndarray,
    times: np.ndarray,
    slip: Change | None = None,
    doubt: Change | None = None,
) -> dict[str, np.ndarray]:
    """What the tracker makes of frames (F, H, W, 3) at times (F,), and what the networks said."""
    path = models.find(models.DEFAULT)
    spec = read_spec(path)
    outputs = {"landmarks": spec.landmarks_tensor, "pose": spec.pose_tensor}
    landmarks = Recorder(Network(path), outputs, slip)
    outputs = {"regressors": "regressors", "logits": "classificators"}
    detector = Recorder(Network(models.DETECTOR), outputs, doubt)
    tracker = FaceTracker(Landmarker(landmarks, spec), FaceDetector(detector), max_faces=2)
    answers = [
        tracker.update(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), t)
        for frame, t in zip(frames, times, strict=True)
    ]
    faces = [face for answer in answers for face in answer]
    logits = np.array(detector.answers["logits"])[..., 0]
    call, anchor = np.nonzero(logits >= LEAST_LOGIT)
    scale, zero = landmarks.input["quantization"]
    kinds = [np.dtype(kind) for kind in (np.float32, np.int8, np.uint8)]
    return {
        "times": times,
        "type": np.array([kinds.index(np.dtype(landmarks.input["dtype"])), zero], np.int32),
        "scale": np.array([scale], np.float32),
        "landmarks": np.array(landmarks.answers["landmarks"], np.float32),
        "pose": np.array(landmarks.answers["pose"], np.float32),
        "means": np.array(landmarks.means),
        "detector/means": np.array(detector.means),
        "detector/candidates": np.stack([call, anchor], axis=1).astype(np.int32),
        "detector/logits": logits[call, anchor],
        "detector/regressors": np.array(detector.answers["regressors"])[call, anchor],
        "counts": np.array([len(answer) for answer in answers], np.int32),
        "ids": np.array([face.id for face in faces], np.int32),
        "scores": np.array([face.score for face in faces]),
        "points": np.array([face.landmarks for face in faces]),
        "poses": np.array([face.pose for face in faces]),
        "positions": np.array([face.position for face in faces]),
        "eyes": np.array([face.eyes for face in faces]),
        "mouths": np.array([face.mouth for face in faces]),
        # Of which face; 0 for a blink, 1 for a yawn; start, end.
        "events": np.array(
            [
                (n, ("blink", "yawn").index(event.kind), event.start, event.end)
                for n, face in enumerate(faces)
                for event in face.events
            ]
        ).reshape(-1, 4),
    }
