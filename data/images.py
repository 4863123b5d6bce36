"""Pictures in, crops out: decoding with Pillow, cutting with the shared crop transform."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from asmnet.core import Crop, UserError, extract
from asmnet.data.faces import Dataset, LabelledFace, collect

__all__ = [
    "crop_faces",
    "poses_of",
    "read_face",
    "read_picture",
    "readable",
    "to_inputs",
]


def read_picture(path: Path) -> np.ndarray:
    """Decode a picture, upright by its EXIF tag: (H, W, 3) uint8 RGB.

    Raises:
        UserError: missing, no picture, damaged, or of more pixels than Pillow holds safe
            (89 million), which a small file can claim.
    """
    from PIL import Image, ImageOps  # an extra: named when it is missed

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except Exception as error:  # Pillow's plugins raise SyntaxError, struct.error and others
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(f"cannot read picture {path}: {reason}; replace or remove it") from error


def read_face(face: LabelledFace) -> np.ndarray:
    """Decode the picture of a labelled face: (H, W, 3) uint8 RGB.

    Raises:
        UserError: as `read_picture`; or the labels are of another picture, since the
            middle of their box lies outside of this one.
    """
    picture = read_picture(face.image)
    height, width = picture.shape[:2]
    x, y = (face.points.min(axis=0) + face.points.max(axis=0)) / 2
    if not (0 <= x < width and 0 <= y < height):
        raise UserError(
            f"the landmarks for {face.image} are centred at ({x:.0f}, {y:.0f}), outside its "
            f"{width} x {height} pixels; correct or remove them"
        )
    return picture


def readable(data: Dataset) -> Dataset:
    """Leave out the faces whose pictures cannot be read, and count them.

    Raises:
        UserError: no face is left.
    """

    def face(known: LabelledFace) -> LabelledFace:
        read_face(known)
        return known

    seen = collect(data.scheme, data.faces, face, skip_bad=True)
    return replace(data, faces=seen.faces, skipped=(*data.skipped, *seen.skipped))


def poses_of(faces: Sequence[LabelledFace]) -> np.ndarray:
    """(M, 3) float32 degrees, NaN where a face has no pose label."""
    unknown = np.full(3, np.nan)
    return np.asarray([unknown if f.pose is None else f.pose for f in faces], np.float32)


def to_inputs(crops: np.ndarray) -> np.ndarray:
    """Grey levels 0 ... 255, (M, size, size, 3) RGB, as networks take them: float32 in [-1, 1]."""
    return np.asarray(crops, np.float32) / np.float32(127.5) - np.float32(1)


def crop_faces(
    faces: Sequence[LabelledFace],
    size: int,
    margin: float,
    progress: Callable[[Iterable], Iterable] = iter,
) -> tuple[np.ndarray, np.ndarray, list[Crop]]:
    """The crops that a network is judged on in training, one a face, from the landmarks' box.

    numpy cuts them, as training needs no OpenCV; a device and `asmnet-eval` cut with OpenCV.

    Returns:
        images: (M, size, size, 3) uint8 RGB.
        points: (M, N, 2) float32 labels in crop units.
        crops: where each was cut.
    """
    images = np.empty((len(faces), size, size, 3), np.uint8)
    crops = [Crop.around(face.points, margin) for face in faces]
    for i, face in enumerate(progress(faces)):
        images[i] = extract(read_face(face), crops[i], size)
    points = [c.to_units(f.points) for c, f in zip(crops, faces, strict=True)]
    return images, np.asarray(points, np.float32), crops
