"""Trained networks as teachers: what several views of a face say of its landmarks.

Every teacher sees each face as it is and mirrored, in crops of two sizes; the
mean of the views is the label (Radosavovic et al., "Data Distillation", 2018),
and their disagreement tells which labels to leave out.

A 98-point teacher speaks WFLW's dialect.  `Dialect` learns, from faces with manual
68-point labels, what these would be (a ridge regression in the frame of the eyes);
so translated, it teaches 68 points.  The other way round, `hold_to_known` moves its
98 points by what manual labels say of the 68.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from asmnet import models
from asmnet.core import (
    IBUG68,
    WFLW98,
    Crop,
    UserError,
    extract,
    mirror_pose,
    wflw98_to_ibug68,
)
from asmnet.edge_runtime import Landmarker
from asmnet.edge_runtime.crops import OPENCV
from asmnet.export.terminal import quiet

__all__ = ["Dialect", "Opinion", "Teacher", "hold_to_known", "label_face"]

SCALES = (0.94, 1.06)
ROUNDS = 2  # the second crop is cut around what the first one showed


class Teacher:
    """A network that labels crops: a `.tflite` of asmnet-export, or an ONNX file.

    An ONNX teacher takes (1, 3, S, S) BGR in [0, 1] and answers (1, 196) points as
    fractions of the crop, as PFLD's descendants do; it knows no pose.

    Raises:
        UserError: no such model, or a network of another kind.
    """

    def __init__(self, path: str) -> None:
        if path.endswith(".onnx"):
            self.size, self.margin, self.scheme, self.landmarker = 112, 1.15, WFLW98, None
            try:
                self.net = cv2.dnn.readNetFromONNX(path)
                answer = self._forward(np.zeros((self.size, self.size, 3), np.uint8))
            except cv2.error as error:
                reason = " ".join(str(error).split())[:200]
                raise UserError(
                    f"cannot use teacher {path}: {reason}; give an ONNX network of "
                    f"{self.size}-pixel crops"
                ) from error
            if answer.size != 2 * self.scheme.count or not np.isfinite(answer).all():
                raise UserError(
                    f"teacher {path} answers {answer.shape} to a black crop; expected (1, 196) "
                    "finite numbers"
                )
        else:
            with quiet():
                self.landmarker = Landmarker.load(models.find(path))
            spec = self.landmarker.spec
            self.size, self.margin, self.scheme = spec.size, spec.margin, spec.points

    def __call__(self, rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Landmarks (N, 2) in crop units and pose (3,) or None of a (size, size, 3) crop."""
        if self.landmarker is not None:
            points, pose = self.landmarker.raw(rgb)
            return points.copy(), pose.copy()
        fractions = self._forward(rgb).reshape(-1, 2)
        return fractions - (self.size - 1) / (2 * self.size), None

    def _forward(self, rgb: np.ndarray) -> np.ndarray:
        self.net.setInput(cv2.dnn.blobFromImage(rgb, 1 / 255, swapRB=True))
        return np.asarray(self.net.forward())


@dataclass(frozen=True, eq=False)
class Opinion:
    """What teachers of one scheme say of a face: (N, 2) picture pixels and their spread.

    `spread` is the mean distance of a view's points from the mean of the views, in % of
    the face's outer eye corners' distance; `pose` (3,) degrees or None.
    """

    points: np.ndarray
    pose: np.ndarray | None
    spread: float


def label_face(image: np.ndarray, box: Crop, teachers: Sequence[Teacher]) -> Opinion:
    """The mean of several teachers' views of one face; the teachers share a scheme.

    Args:
        image: (H, W, 3) uint8 RGB.
        box: about the tight square of the landmarks; refined `ROUNDS` times.
    """
    scheme = teachers[0].scheme
    for _ in range(ROUNDS):
        views, poses = [], []
        for teacher in teachers:
            for scale in SCALES:
                crop = Crop(box.cx, box.cy, box.side * teacher.margin * scale)
                rgb = extract(image, crop, teacher.size, OPENCV)
                for flip in (False, True):
                    points, pose = teacher(np.ascontiguousarray(rgb[:, ::-1]) if flip else rgb)
                    if flip:
                        points = (points * (-1, 1))[scheme.mirror]
                        pose = None if pose is None else mirror_pose(pose)
                    views.append(crop.to_picture(points))
                    poses += [] if pose is None else [pose]
        mean = np.mean(views, axis=0)
        box = Crop.around(mean, 1.0)
    right, left = mean[list(scheme.outer_eyes)]
    away = np.linalg.norm(np.asarray(views) - mean, axis=-1).mean()
    spread = 100 * away / max(float(np.linalg.norm(right - left)), 1e-6)
    return Opinion(mean, np.mean(poses, axis=0) if poses else None, spread)


class Dialect:
    """From 98 points as one teacher sets them to 68 as a data set's annotators would.

    Args:
        points: (M, 98, 2) the teacher's, picture pixels.
        labels: (M, 68, 2) manual, of the same faces.
        ridge: regularization; anything from 0.01 to 1 serves 1,800 faces alike.
    """

    def __init__(self, points: np.ndarray, labels: np.ndarray, ridge: float = 0.1) -> None:
        features, base, middle, eyes = self._in_own_frame(points)
        target = self._flat((self._complex(labels) - middle) / eyes) - base
        self.features_mean, self.target_mean = features.mean(axis=0), target.mean(axis=0)
        centred = features - self.features_mean
        gram = centred.T @ centred + ridge * np.eye(features.shape[1])
        self.kernel = np.linalg.solve(gram, centred.T @ (target - self.target_mean))

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Translate (M, 98, 2) to (M, 68, 2), picture pixels."""
        features, base, middle, eyes = self._in_own_frame(points)
        flat = base + self.target_mean + (features - self.features_mean) @ self.kernel
        own = flat[:, :68] + 1j * flat[:, 68:]
        placed = own * eyes + middle
        return np.stack([placed.real, placed.imag], axis=-1)

    @classmethod
    def _in_own_frame(cls, points: np.ndarray) -> tuple[np.ndarray, ...]:
        """Points relative to their mean, in units of the eyes' vector (a complex division)."""
        z = cls._complex(points)
        few = cls._complex(wflw98_to_ibug68(points))
        right, left = IBUG68.outer_eyes
        middle, eyes = few.mean(axis=1, keepdims=True), (few[:, left] - few[:, right])[:, None]
        return cls._flat((z - middle) / eyes), cls._flat((few - middle) / eyes), middle, eyes

    @staticmethod
    def _complex(points: np.ndarray) -> np.ndarray:
        return points[..., 0] + 1j * points[..., 1]

    @staticmethod
    def _flat(z: np.ndarray) -> np.ndarray:
        return np.concatenate([z.real, z.imag], axis=1)


def hold_to_known(points: np.ndarray, known: np.ndarray) -> np.ndarray:
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
