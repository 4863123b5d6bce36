"""A training set in memory: a square of pixels around each face, from which crops are taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from asmnet.core import Crop, extract
from asmnet.data.faces import LabelledFace
from asmnet.data.images import poses_of, read_face

__all__ = ["PackedFaces", "pack_faces"]

# Room around the face for turning, shifting and zooming out: the packed square
# is this many times the landmarks' box.
PACK_MARGIN = 1.8


@dataclass(frozen=True)
class PackedFaces:
    """A training set in memory.

    Attributes:
        images: (M, P, P, 3) uint8 RGB squares of `PACK_MARGIN` around each face.
        points: (M, N, 2) float32 landmarks in units of the packed square's side,
            origin at its centre.
        pose: (M, 3) float32 degrees, NaN where there is no label.
        weights: (M, N) float32, how much each point counts.
    """

    images: np.ndarray
    points: np.ndarray
    pose: np.ndarray
    weights: np.ndarray


def pack_faces(
    faces: Sequence[LabelledFace],
    size: int,
    margin: float,
    progress: Callable[[Iterable], Iterable] = iter,
) -> PackedFaces:
    """Cut the squares from which augmentation takes its crops.

    Args:
        faces: labelled faces.
        size: network input side; the packed pixels are as fine as the crop's.
        margin: the crop's margin.
        progress: wraps the iteration, to show a bar.
    """
    side = round(size * PACK_MARGIN / margin)
    images = np.empty((len(faces), side, side, 3), np.uint8)
    points = []
    for i, face in enumerate(progress(faces)):
        crop = Crop.around(face.points, PACK_MARGIN)
        images[i] = extract(read_face(face), crop, side)
        points.append(crop.to_units(face.points))
    weights = [np.ones(len(f.points)) if f.weights is None else f.weights for f in faces]
    return PackedFaces(
        images,
        np.asarray(points, np.float32),
        poses_of(faces),
        np.asarray(weights, np.float32),
    )
