"""A person of the sample clip: a neutral picture that can smile.

A smile is a morph between two studio pictures of one person.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from asmnet.core import UserError
from asmnet.edge_runtime.detector import Detection, FaceDetector

__all__ = ["Person", "backdrop", "warp"]


class Person:
    """One or two pictures of a person.

    Attributes:
        picture: (H, W, 3) uint8 BGR, neutral.
        box: (4,) float64 left, top, right, bottom of the face, picture pixels.
    """

    def __init__(self, neutral: Path, smiling: Path | None, detector: FaceDetector) -> None:
        self.picture, face = _read(neutral, detector)
        self.box = face.box
        self._smile: np.ndarray | None = None
        if smiling is not None:
            picture, other = _read(smiling, detector)
            lit = picture * (backdrop(self.picture) / backdrop(picture))
            picture = np.clip(lit + 0.5, 0, 255).astype(np.uint8)
            self._smile = _aligned(picture, other, self.picture, face)
            self._region = _region(self.picture.shape[:2], self.box)
            self._there = _flow(self.picture, self._smile) * self._region
            self._back = _flow(self._smile, self.picture) * self._region

    def smiling(self, amount: float) -> np.ndarray:
        """(H, W, 3) uint8, the picture with 0..1 of the smile.

        Both pictures are moved along the optical flow to the same in-between shape
        before they are blended: features move, they do not fade.
        """
        if self._smile is None or amount == 0:
            return self.picture
        old = _move(self.picture, amount * self._back)
        new = _move(self._smile, (1 - amount) * self._there)
        weight = amount * self._region
        return (old + weight * (new.astype(np.float32) - old) + 0.5).astype(np.uint8)


def _read(path: Path, detector: FaceDetector) -> tuple[np.ndarray, Detection]:
    picture = cv2.imread(str(path))
    if picture is None:
        raise UserError(f"cannot read the picture {path}; it ships in the repository's samples/")
    faces = detector.detect(picture)
    if len(faces) != 1:
        raise UserError(f"{path} shows {len(faces)} faces; choose a picture with one")
    return picture, faces[0]


def _aligned(
    smile: np.ndarray, smiling: Detection, neutral: np.ndarray, face: Detection
) -> np.ndarray:
    """The smiling picture under the similarity that lays its eyes and brow on the neutral ones."""
    upper = [0, 1, 4, 5]  # eyes and ears: a smile moves the mouth and the nose
    first, _ = cv2.estimateAffinePartial2D(smiling.keypoints[upper], face.keypoints[upper])
    rough = warp(smile, first, neutral.shape[:2])
    # The flow over eyes and brow tells what is left to correct.
    left, top, right, bottom = face.box
    x, y = np.meshgrid(np.arange(left, right, 4), np.arange(top, top + 0.5 * (bottom - top), 4))
    grid = np.stack([x, y], axis=-1).reshape(-1, 2).astype(int)
    moved = grid + _flow(neutral, rough)[grid[:, 1], grid[:, 0]]
    second, _ = cv2.estimateAffinePartial2D(moved, grid.astype(np.float64))
    both = np.vstack([second, [0, 0, 1]]) @ np.vstack([first, [0, 0, 1]])
    return warp(smile, both[:2], neutral.shape[:2])


def _region(shape: tuple[int, int], box: np.ndarray) -> np.ndarray:
    """(H, W, 1) float32: 1 on the head, falling smoothly to 0 around it."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    side = box[2] - box[0]
    cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2 - 0.1 * side
    radius = np.hypot((x - cx) / (0.95 * side), (y - cy) / (1.15 * side))
    s = np.clip((1 - radius) / 0.35, 0, 1)
    return (s * s * (3 - 2 * s)).astype(np.float32)[..., None]


def _flow(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(H, W, 2) float32: where each pixel of `source` is found in `target`, relative to it."""
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) for image in (source, target)]
    start = np.zeros((*source.shape[:2], 2), np.float32)
    return cv2.GaussianBlur(method.calc(grey[0], grey[1], start), (0, 0), 2.0)


def _move(image: np.ndarray, flow: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    return cv2.remap(
        image, x + flow[..., 0], y + flow[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )


def warp(image: np.ndarray, matrix: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """`image` under the affine `matrix` (2, 3), in a picture of `shape` (height, width)."""
    return cv2.warpAffine(
        image, matrix, shape[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )


def backdrop(picture: np.ndarray) -> np.ndarray:
    """(3,) mean colour beside the head."""
    h, w = picture.shape[:2]
    return np.concatenate(
        [picture[h // 8 : h // 2, :8], picture[h // 8 : h // 2, w - 8 :]], axis=1
    ).mean(axis=(0, 1))
