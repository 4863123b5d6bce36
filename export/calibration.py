"""Calibration faces: what the quantizer learns its ranges from.

One picture repeated, ten pictures, noise: everything converts without a word, and
tracks badly.  So this refuses what is not enough real faces.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asmnet.core import ModelSpec, UserError
from asmnet.export.faces import FaceSet, detected_faces
from asmnet.export.terminal import Track, silent

__all__ = ["IMAGES", "LEAST", "calibration_faces"]

IMAGES = 200
LEAST = 50
# More pictures than this without a face, and the folder is not one of faces.
MOST_WITHOUT_FACE = 0.2
# Thumbnails nowhere farther apart than this many grey levels show the same picture: copies
# of one at other JPEG qualities reach 11, the most alike of the shipped faces are at 30.
SAME = 18.0


def calibration_faces(
    spec: ModelSpec, folder: Path | None = None, images: int = IMAGES, track: Track = silent
) -> FaceSet:
    """Crops of real faces, as the runtime cuts them; see `detected_faces`.

    Raises:
        UserError: fewer than `LEAST` different faces, or pictures that show none.
    """
    if images < LEAST:
        raise UserError(f"--images {images} is too few to calibrate; give {LEAST} or more")
    faces = detected_faces(folder, images, spec, track=track)
    where = folder or faces.source
    looked_at = len(faces.images) - faces.warped + len(faces.missed)
    if len(faces.missed) > MOST_WITHOUT_FACE * looked_at:
        named = ", ".join(faces.missed[:3]) + (", ..." if len(faces.missed) > 3 else "")
        raise UserError(
            f"{where}: no face was found in {len(faces.missed)} of {looked_at} pictures "
            f"({named}); calibration needs pictures of faces"
        )
    different = _different(faces.images[: len(faces.images) - faces.warped])
    if different < LEAST:
        raise UserError(
            f"{where} holds {different} different pictures of faces; calibration needs {LEAST} "
            "or more: add pictures, or leave out --calibration to use those that ship with asmnet"
        )
    return faces


def _different(images: np.ndarray) -> int:
    """How many of the crops are not copies of an earlier one."""
    count, size = images.shape[:2]
    cells = 8
    trimmed = images[:, : size // cells * cells, : size // cells * cells]
    small = trimmed.reshape(count, cells, size // cells, cells, size // cells, 3).mean(axis=(2, 4))
    flat = small.reshape(count, -1)
    kept: list[np.ndarray] = []
    for thumbnail in flat:
        if all(np.abs(thumbnail - other).max() >= SAME for other in kept):
            kept.append(thumbnail)
    return len(kept)
