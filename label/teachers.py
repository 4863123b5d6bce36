"""Trained networks as teachers: what several views of a face say of its landmarks.

Every teacher sees each face as it is and mirrored, in crops of two sizes; the mean of the
views is the label (Radosavovic et al., "Data Distillation", 2018).  How far the views lie
apart tells which faces to leave out; how far the teachers do, which points to trust.

Foreign teachers have points of their own: a 98-point network WFLW's, MediaPipe's Face
Landmarker 478 with depth.  `Translated`, they speak as a data set's annotators do.  The other
way round, `align_to_manual` moves 98 points by what manual labels say of the 68.
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
from asmnet.core import (
    IBUG68,
    WFLW98,
    Crop,
    Scheme,
    UserError,
    extract,
    mirror_pose,
    wflw98_to_ibug68,
)
from asmnet.edge_runtime import Landmarker
from asmnet.edge_runtime.crops import OPENCV
from asmnet.edge_runtime.interpreter import load_interpreter
from asmnet.label.adapter import LandmarkAdapter

__all__ = [
    "FaceMesh",
    "PseudoLabel",
    "Teacher",
    "Translated",
    "align_to_manual",
    "face_size",
    "label_face",
    "load_teacher",
    "tight_square",
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


def face_size(points: np.ndarray) -> float:
    """Geometric mean of the box's sides: unlike the eyes' distance, it lasts in profile."""
    return max(float(np.sqrt(np.prod(np.ptp(points, axis=0)))), 1e-6)


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


def tight_square(points: np.ndarray, scheme: Scheme) -> Crop:
    """The upright square about landmarks (N, 2); its angle is the tilt of the eyes' line.

    In profile that line tells nothing, and the angle is 0.
    """
    right, left = points[list(scheme.outer_eyes)]
    x, y = left - right
    far = np.hypot(x, y) > 0.2 * face_size(points)
    return replace(Crop.around(points, 1.0), angle=float(np.degrees(np.arctan2(y, x))) * far)


def align_to_manual(points: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Move 98-point labels so that their 68 agree with better known ones.

    The 30 points that the 68 do not tell follow their three nearest neighbours among
    them, weighted by inverse distance.

    Args:
        points: (M, 98, 2) picture pixels.
        known: (M, 68, 2) picture pixels.
    """
    first, second = wflw98_to_ibug68(points), np.asarray(known)
    eyes = first[:, IBUG68.outer_eyes[1]] - first[:, IBUG68.outer_eyes[0]]
    # Deviations in each face's own frame: a complex division by the eyes' vector.
    own = eyes[:, 0] + 1j * eyes[:, 1]
    away = (second - first)[..., 0] + 1j * (second - first)[..., 1]
    away = away / own[:, None]
    away = (away - away.mean(axis=0)) * own[:, None]
    distance = np.linalg.norm(points[:, :, None] - first[:, None], axis=-1)
    nearest = np.argsort(distance, axis=-1)[..., :3]
    weight = 1 / (np.take_along_axis(distance, nearest, -1) + 1e-6)
    weight = weight / weight.sum(axis=-1, keepdims=True)
    moved = (np.take_along_axis(away[:, None, :], nearest, -1) * weight).sum(axis=-1)
    return points + np.stack([moved.real, moved.imag], axis=-1)
