"""Where the faces of a picture are: BlazeFace, and YuNet for turned ones.

Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile
GPUs" (2019).  The shipped file is MediaPipe's short-range model: 128 x 128 RGB in
[-1, 1], 896 anchors of unit size on a 16 x 16 grid (two each) and an 8 x 8 grid
(six each); for each a box, six keypoints and a logit.

Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector" (2023).  Its shipped file was
brought into the same form by tools/yunet.py: 320 x 320, grids of 40, 20 and 10, boxes alone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import cv2
import numpy as np

from asmnet import models
from asmnet.core import Crop, UserError, extract
from asmnet.edge_runtime.crops import OPENCV_PADDED
from asmnet.edge_runtime.images import as_bgr
from asmnet.edge_runtime.interpreter import Network, require_numbers

__all__ = ["Detection", "FaceDetector", "find_face", "iou"]

_SIZE = 128
# By the input's side: numbers that the network tells of each anchor, and its grids, with the
# anchors of each cell.
_FORMS: dict[int, tuple[int, tuple[tuple[int, int], ...]]] = {
    _SIZE: (16, ((16, 2), (8, 6))),
    320: (4, ((40, 1), (20, 1), (10, 1))),
}
_OVERLAP = 0.3
# From the detector's box to the tight box of the 68 landmarks, in box sides: how far
# down, and how large.  Measured on the 2,012 training pictures of 300-W with
# `python bench/detector_box.py FOLDER_OF_300W`, which prints what remains.
_DOWN, _SCALE = 0.057, 0.968
_REGRESSORS, _LOGITS = "regressors", "classificators"


@dataclass(frozen=True, eq=False)
class Detection:
    """A face found by the detector.

    Attributes:
        box: (4,) float64 left, top, right, bottom in picture pixels: brows to chin,
            roughly; square.
        score: 0..1.
        keypoints: (6, 2) float64 picture pixels: the subject's right eye, left eye,
            nose tip, mouth, right ear, left ear.  (0, 2) of YuNet.
    """

    box: np.ndarray
    score: float
    keypoints: np.ndarray

    def to_crop(self, margin: float) -> Crop:
        """About the crop that `Crop.around(landmarks, margin)` would give.

        Args:
            margin: of the model's contract.

        Measured errors, in % of the landmarks' box: centre 3 across and 4 down, size 7
        (standard deviations; see `_DOWN`).
        """
        side = float((self.box[2:] - self.box[:2]).mean())
        x, y = (self.box[:2] + self.box[2:]) / 2
        return Crop(float(x), float(y) + _DOWN * side, margin * _SCALE * side)


def _anchors(size: int = _SIZE) -> np.ndarray:
    """(N, 2) float32 anchor centres in [0, 1], in the order of the network's outputs.

    Args:
        size: the input's side.
    """
    centres = []
    for cells, each in _FORMS[size][1]:
        axis = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(axis, axis, indexing="ij")
        centres.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), each, axis=0))
    return np.concatenate(centres).astype(np.float32)


def iou(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of a box (4,) with boxes (M, 4), left top right bottom: (M,)."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    both = np.prod(np.clip(high - low, 0, None), axis=-1)
    area = np.prod(box[2:] - box[:2]) + np.prod(others[:, 2:] - others[:, :2], axis=-1)
    ratio: np.ndarray = both / np.maximum(area - both, 1e-12)
    return ratio


class FaceDetector:
    """A network that finds faces.

    BlazeFace finds those larger than about a tenth of the searched square; YuNet those half as
    large, and profiles, in several times the time.
    """

    def __init__(self, network: Network) -> None:
        shape = tuple(network.input["shape"])
        self._size = next((size for size in _FORMS if shape[1:2] == (size,)), _SIZE)
        self._anchors = _anchors(self._size)
        count, numbers = len(self._anchors), _FORMS[self._size][0]
        network.require(self._size, 3, {_REGRESSORS: (1, count, numbers), _LOGITS: (1, count, 1)})
        self._network = network
        self._table = ((np.arange(256) - 127.5) / 127.5).astype(np.float32)

    @classmethod
    def load(cls, path: str | os.PathLike[str] = models.DETECTOR, threads: int = 1) -> FaceDetector:
        """Load a shipped file, or another with the same tensors.

        Args:
            path: `models.DETECTOR` or `models.TURNED_DETECTOR`, for example.
            threads: CPU threads of one inference.

        Raises:
            UserError: the file is missing, corrupt or another model, or no interpreter works.
        """
        return cls(Network(path, threads))

    def detect(
        self, image: np.ndarray, region: Crop | None = None, threshold: float = 0.5
    ) -> list[Detection]:
        """Faces, best first.

        Args:
            image: uint8 BGR (H, W, 3); grey and BGRA are converted.
            region: the square to search; the whole picture if not given.  A smaller
                one finds smaller faces.
            threshold: least score, between 0 and 1.

        Raises:
            UserError: the image or the threshold cannot be used, or the network answers NaN
                or the like.
            ValueError: the region is not a finite square.
        """
        image = as_bgr(image)
        if not 0 < threshold < 1:
            raise UserError(f"a threshold of {threshold} cannot be used; give one between 0 and 1")
        height, width = image.shape[:2]
        if region is None:
            region = Crop((width - 1) / 2, (height - 1) / 2, max(height, width))
        square = cv2.cvtColor(extract(image, region, self._size, OPENCV_PADDED), cv2.COLOR_BGR2RGB)
        self._network.run(cv2.LUT(square, self._table)[None])
        logits = self._network.output(_LOGITS)[0, :, 0]
        # sigmoid(logit) >= threshold, without taking all exponentials.
        candidates = np.flatnonzero(logits >= np.log(threshold / (1 - threshold)))
        scores = 1 / (1 + np.exp(-np.clip(logits[candidates], -100, 100)))
        raw = self._network.output(_REGRESSORS)[0, candidates] / self._size
        require_numbers("the face detector", logits, raw)
        # (M, K, 2): box centre, box size, keypoints, in parts of the square.
        pairs = raw.reshape(len(raw), raw.shape[1] // 2, 2)
        pairs[:, :1] += self._anchors[candidates][:, None]
        pairs[:, 2:] += self._anchors[candidates][:, None]
        return [self._in_picture(*face, region) for face in _merge(pairs, scores)]

    @staticmethod
    def _in_picture(pairs: np.ndarray, score: float, region: Crop) -> Detection:
        points = region.to_picture(np.delete(pairs, 1, axis=0) - 0.5)
        half = np.abs(pairs[1]) * region.side / 2
        box = np.concatenate([points[0] - half, points[0] + half])
        return Detection(box, score, points[1:])


def _merge(pairs: np.ndarray, scores: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Weighted non-maximum suppression: overlapping boxes are averaged, not dropped.

    The average of many anchors' answers has less jitter than the
    single best (section 3.4 of the paper).
    """
    boxes = np.concatenate([pairs[:, 0] - pairs[:, 1] / 2, pairs[:, 0] + pairs[:, 1] / 2], axis=1)
    faces = []
    left = np.argsort(-scores)
    while len(left):
        same = iou(boxes[left[0]], boxes[left]) > _OVERLAP
        same[0] = True  # a degenerate box does not even overlap itself
        group = left[same]
        mean = np.average(pairs[group], axis=0, weights=scores[group])
        faces.append((mean, float(scores[left[0]])))
        left = left[~same]
    return faces


def find_face(
    image: np.ndarray, detector: FaceDetector, wanted: Crop | None = None
) -> Detection | None:
    """The best face of the picture, or the one whose centre lies in `wanted`.

    The detector needs room around a face: a picture that is all face is searched again
    as a part of a larger one.  A wanted face is searched in its surroundings, as the
    tracker searches for a face that it knows of.
    """
    height, width = image.shape[:2]
    whole = Crop((width - 1) / 2, (height - 1) / 2, max(height, width))
    centre = wanted or whole
    for room in (1.0, 2.0) if wanted is None else (2.0, 3.5):
        for face in detector.detect(image, replace(centre, side=room * centre.side)):
            middle = (face.box[:2] + face.box[2:]) / 2
            if wanted is None or np.abs(wanted.to_units(middle)).max() < 0.5:
                return face
    return None
