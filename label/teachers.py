"""Trained networks as teachers: what several views of a face say of its landmarks.

Every teacher sees each face as it is and mirrored, in crops of two sizes; the mean of the
views is the label (Radosavovic et al., "Data Distillation", 2018).  How far the views lie
apart tells which faces to leave out; how far the teachers do, which points to trust.

Foreign teachers have points of their own: a 98-point network WFLW's, MediaPipe's Face
Landmarker 478 with depth.  `Translated`, they speak as a data set's annotators do.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np

from asmnet import models
from asmnet.cli.progress import suppress_output
from asmnet.core import WFLW98, Crop, Scheme, UserError, extract, mirror_pose
from asmnet.edge_runtime import Landmarker
from asmnet.edge_runtime.crops import OPENCV
from asmnet.edge_runtime.interpreter import load_interpreter
from asmnet.label.adapter import LandmarkAdapter
from asmnet.label.face_square import face_size, tight_square

__all__ = [
    "FaceMesh",
    "PseudoLabel",
    "Teacher",
    "Translated",
    "label_face",
    "load_teacher",
]

SCALES = (0.94, 1.06)
ROUNDS = 2  # the second crop is cut around what the first one showed

Answer = tuple[np.ndarray, np.ndarray | None]


class Teacher(Protocol):
    """A network that answers crops.

    Attributes:
        size: side of its crops in pixels.
        scheme: of its points; None: a mesh that has to be translated.
    """

    size: int
    scheme: Scheme | None

    def crop(self, box: Crop) -> Crop:
        """Where it looks, told by the landmarks' upright tight square and, as its angle, the
        face's tilt."""

    def __call__(self, rgb: np.ndarray) -> Answer:
        """Points (K, 2 or 3) in crop units and pose (3,) or None of a (size, size, 3) crop."""

    def share(self, yaw: float) -> float:
        """How much it counts beside others, at a yaw in degrees."""


class _Own:
    """A network of this project, a `.tflite` of asmnet-export."""

    def __init__(self, name: str) -> None:
        with suppress_output():
            self.landmarker = Landmarker.load(models.find(name))
        spec = self.landmarker.spec
        self.size, self.margin = spec.input_size, spec.margin
        self.scheme: Scheme | None = spec.landmark_scheme

    def crop(self, box: Crop) -> Crop:
        return Crop(box.cx, box.cy, box.side * self.margin)

    def __call__(self, rgb: np.ndarray) -> Answer:
        points, pose = self.landmarker.raw(rgb)
        return points.copy(), pose.copy()

    def share(self, yaw: float) -> float:
        return 0.5  # of a translated teacher's: best of 1:1, 1:2 and each alone on 300-W


class _Pfld:
    """A 98-point ONNX file of PFLD's descendants.

    It takes (1, 3, 112, 112) BGR in [0, 1] and answers (1, 196) fractions of the crop.
    """

    size, margin = 112, 1.15
    scheme: Scheme | None = WFLW98

    def __init__(self, path: str) -> None:
        try:
            self.net = cv2.dnn.readNetFromONNX(path)
            answer = self._forward(np.zeros((self.size, self.size, 3), np.uint8))
        except cv2.error as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(
                f"cannot use teacher {path}: {reason}; give an ONNX network of "
                f"{self.size}-pixel crops"
            ) from error
        if answer.size != 2 * WFLW98.count or not np.isfinite(answer).all():
            raise UserError(
                f"teacher {path} answers {answer.shape} to a black crop; expected (1, 196) "
                "finite numbers"
            )

    def crop(self, box: Crop) -> Crop:
        return Crop(box.cx, box.cy, box.side * self.margin)

    def __call__(self, rgb: np.ndarray) -> Answer:
        fractions = self._forward(rgb).reshape(-1, 2)
        return fractions - (self.size - 1) / (2 * self.size), None

    def _forward(self, rgb: np.ndarray) -> np.ndarray:
        self.net.setInput(cv2.dnn.blobFromImage(rgb, 1 / 255, swapRB=True))
        return np.asarray(self.net.forward())

    def share(self, yaw: float) -> float:
        return 1.0


class FaceMesh:
    """The network of the 478 points inside MediaPipe's `face_landmarker.task`.

    It takes (1, 256, 256, 3) RGB in [0, 1], turned so that the eyes are level, and answers x,
    y and depth in pixels of the crop.  Near profile it loses faces: there it counts for less.
    """

    size = 256
    scheme: Scheme | None = None
    # Its crop, 1.5 x the box of the 478 points, told by the box of 300-W's 68.
    margin, lift = 1.72, 0.104
    fades = (30.0, 50.0)

    def __init__(self, path: str) -> None:
        try:
            content = zipfile.ZipFile(path).read("face_landmarks_detector.tflite")
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise UserError(
                f"cannot read teacher {path}: {error}; give MediaPipe's face_landmarker.task"
            ) from error
        with suppress_output():
            self.network = load_interpreter(content)
        self.input = self.network.get_input_details()[0]["index"]
        self.output = self.network.get_output_details()[0]["index"]

    def crop(self, box: Crop) -> Crop:
        x, y = box.to_picture(np.array([0, -self.lift]))
        return Crop(float(x), float(y), box.side * self.margin, box.angle)

    def __call__(self, rgb: np.ndarray) -> Answer:
        self.network.set_tensor(self.input, np.asarray(rgb[None], np.float32) / 255)
        self.network.invoke()
        pixels = self.network.get_tensor(self.output).reshape(-1, 3).astype(np.float64)
        return (pixels - (self.size / 2, self.size / 2, 0)) / self.size, None

    def share(self, yaw: float) -> float:
        start, end = self.fades
        return float(np.clip((end - abs(yaw)) / (end - start), 0, 1))


class Translated:
    """A teacher whose points are adapted to those of labelled faces, of this scheme."""

    def __init__(self, teacher: Teacher, adapter: LandmarkAdapter, scheme: Scheme) -> None:
        self.teacher, self.adapter = teacher, adapter
        self.scheme: Scheme | None = scheme
        self.size, self.crop, self.share = teacher.size, teacher.crop, teacher.share

    def __call__(self, rgb: np.ndarray) -> Answer:
        points, pose = self.teacher(rgb)
        return self.adapter(points[None])[0], pose


def load_teacher(path: str) -> Teacher:
    """A model's name, a `.tflite`, a 98-point `.onnx` or MediaPipe's `.task`."""
    if path.endswith(".onnx"):
        return _Pfld(path)
    return FaceMesh(path) if path.endswith(".task") else _Own(path)


@dataclass(frozen=True, eq=False)
class PseudoLabel:
    """What teachers say of a face, in picture pixels.

    Attributes:
        points: (N, 2) the mean.
        pose: (3,) degrees, or None.
        spread: mean distance of the views' points from the mean, in % of the face.
        away: (N,) how far from the mean the teacher that disagrees most puts each point, in %
            of the face; of a single teacher, the view.
    """

    points: np.ndarray
    pose: np.ndarray | None
    spread: float
    away: np.ndarray


def label_face(
    image: np.ndarray, box: Crop, teachers: Sequence[Teacher], yaw: float | None = None
) -> PseudoLabel:
    """The mean of several teachers' views of one face; the teachers share a scheme.

    Args:
        image: (H, W, 3) uint8 RGB.
        box: about the tight square of the landmarks; refined `ROUNDS` times.
        yaw: of the face in degrees; None: as teachers see it, or 0 where none tells a pose.
    """
    scheme = teachers[0].scheme
    if scheme is None:
        raise ValueError("a face mesh has to be translated")
    for _ in range(ROUNDS):
        seen = [_views(image, box, teacher, scheme) for teacher in teachers]
        poses = [pose for _, found in seen for pose in found]
        pose = np.mean(poses, axis=0) if poses else None
        turned = yaw if yaw is not None else 0.0 if pose is None else float(pose[0])
        shares = np.array([teacher.share(turned) for teacher in teachers])
        shares = shares if shares.any() else np.ones(len(teachers))
        counted = [views for (views, _), share in zip(seen, shares, strict=True) if share > 0]
        means = np.stack([views.mean(axis=0) for views in counted])
        mean = np.average(means, axis=0, weights=shares[shares > 0])
        box = tight_square(mean, scheme)
    size = face_size(mean)
    views = np.concatenate(counted)
    apart = means if len(means) > 1 else views
    return PseudoLabel(
        mean,
        pose,
        100 * float(np.linalg.norm(views - mean, axis=-1).mean()) / size,
        100 * np.linalg.norm(apart - mean, axis=-1).max(axis=0) / size,
    )


def _views(
    image: np.ndarray, box: Crop, teacher: Teacher, scheme: Scheme
) -> tuple[np.ndarray, list[np.ndarray]]:
    """A teacher's points (V, N, 2) in picture pixels, and its poses."""
    views, poses = [], []
    for scale in SCALES:
        look = teacher.crop(replace(box, side=box.side * scale))
        rgb = extract(image, look, teacher.size, OPENCV)
        for flip in (False, True):
            points, pose = teacher(np.ascontiguousarray(rgb[:, ::-1]) if flip else rgb)
            if flip:
                points = (points * (-1, 1))[scheme.mirror]
                pose = None if pose is None else mirror_pose(pose)
            views.append(look.to_picture(points))
            poses += [] if pose is None else [pose]
    return np.stack(views), poses
