"""Parts of the demo clip as the Python tracker follows them, with the networks' answers."""

from __future__ import annotations

import cv2
import numpy as np

from asmnet import models, samples
from asmnet.core import read_spec
from asmnet.edge_runtime.detector import FaceDetector
from asmnet.edge_runtime.interpreter import Network
from asmnet.edge_runtime.landmarker import Landmarker
from asmnet.edge_runtime.tracker import FaceTracker

__all__ = ["tracking"]

# Seconds: a face goes out and comes back; bare wall, a second person; two faces.
PARTS = ((10.5, 13.0), (16.0, 17.6), (23.2, 25.4))
EVERY, SIZE = 3, (112, 84)
# Then the left one of the two is hidden for a moment: lost, remembered, known again.
HIDDEN = (24.45, 24.65)
# Anchors below this logit are no candidates by any of the tracker's thresholds.
LEAST_LOGIT = -0.5


class Recorder:
    """A network that remembers the mean of each input and its answers."""

    def __init__(self, network: Network, outputs: dict[str, str]) -> None:
        self._network = network
        self._outputs = outputs
        self.input = network.input
        self.require = network.require
        self.output = network.output
        self.means: list[float] = []
        self.answers: dict[str, list[np.ndarray]] = {key: [] for key in outputs}

    def run(self, tensor: np.ndarray) -> None:
        """Run, and remember."""
        self._network.run(tensor)
        self.means.append(float(tensor.mean(dtype=np.float64)))
        for key, name in self._outputs.items():
            self.answers[key].append(self._network.output(name)[0])


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
    path = models.find(models.DEFAULT)
    spec = read_spec(path)
    landmarks = Recorder(Network(path), {"landmarks": spec.landmarks, "pose": spec.pose})
    detector = Recorder(
        Network(models.DETECTOR), {"regressors": "regressors", "logits": "classificators"}
    )
    tracker = FaceTracker(Landmarker(landmarks, spec), FaceDetector(detector), max_faces=2)
    frames, times = clip()
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
        "track/frames": frames,
        "track/times": times,
        "track/type": np.array([kinds.index(np.dtype(landmarks.input["dtype"])), zero], np.int32),
        "track/scale": np.array([scale], np.float32),
        "track/landmarks": np.array(landmarks.answers["landmarks"], np.float32),
        "track/pose": np.array(landmarks.answers["pose"], np.float32),
        "track/means": np.array(landmarks.means),
        "track/detector/means": np.array(detector.means),
        "track/detector/candidates": np.stack([call, anchor], axis=1).astype(np.int32),
        "track/detector/logits": logits[call, anchor],
        "track/detector/regressors": np.array(detector.answers["regressors"])[call, anchor],
        "track/counts": np.array([len(answer) for answer in answers], np.int32),
        "track/ids": np.array([face.id for face in faces], np.int32),
        "track/scores": np.array([face.score for face in faces]),
        "track/points": np.array([face.landmarks for face in faces]),
        "track/poses": np.array([face.pose for face in faces]),
    }
