"""Calibration faces: what the quantizer learns its ranges from.

One picture repeated, ten pictures, noise: everything converts without a word, and
tracks badly.  So this refuses what is not enough real faces.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asmnet.cli.progress import Progress, no_progress
from asmnet.core import ModelSpec, UserError
from asmnet.evaluate.face_sets import FaceSet, detected_faces
from asmnet.evaluate.picture_split import calibrating, different

__all__ = ["IMAGES", "LEAST", "calibration_faces"]

IMAGES = 200
LEAST = 50
# More pictures than this without a face, and the folder is not one of faces.
MOST_WITHOUT_FACE = 0.2
# What photographs of faces hold, in grey levels: 0.1 % are below and above these, their mean
# lies in between, and skin is redder than blue.  (Shipped faces: 10, 255, 138, 29 apart.)
DARK, BRIGHT, MEANS, REDDER = 40.0, 215.0, (50.0, 205.0), -8.0


def calibration_faces(
    spec: ModelSpec,
    folder: Path | None = None,
    images: int = IMAGES,
    progress: Progress = no_progress,
    judged: Path | None = None,
) -> FaceSet:
    """Crops of real faces, as the runtime cuts them; see `detected_faces`.

    Args:
        judged: the folder whose faces the export will be judged on, of which a part stays
            out of calibration; None: the pictures that ship.

    Raises:
        UserError: fewer than `LEAST` different faces, or pictures that show none.
    """
    if images < LEAST:
        raise UserError(f"--images {images} is too few to calibrate; give {LEAST} or more")
    wanted = calibrating(folder, judged)
    faces = detected_faces(folder, images, spec, progress=progress, wanted=wanted)
    where = folder or faces.source
    looked_at = len(faces.images) - faces.warped + len(faces.missed)
    if len(faces.missed) > MOST_WITHOUT_FACE * looked_at:
        named = ", ".join(faces.missed[:3]) + (", ..." if len(faces.missed) > 3 else "")
        raise UserError(
            f"{where}: no face was found in {len(faces.missed)} of {looked_at} pictures "
            f"({named}); calibration needs pictures of faces"
        )
    pictures = faces.images[: len(faces.images) - faces.warped]
    count = different(faces.looks)
    if count < LEAST:
        besides = f", without the {faces.left_out} that judge," if faces.left_out else ""
        raise UserError(
            f"{where} holds {count} different pictures of faces{besides} and calibration needs "
            f"{LEAST} or more: add pictures, or leave out --calibration to use those that ship "
            "with asmnet"
        )
    _check_pixels(pictures, str(where))
    return faces


def _check_pixels(images: np.ndarray, where: str) -> None:
    """Refuse what no camera made: pixels already normalised, or red and blue in each other's place.

    The contract's normalisation makes inputs of pixels 0 ... 255; ranges learned from others
    would clip every real picture, and no error would say so.
    """
    low, high = np.percentile(images, [0.1, 99.9])
    mean = float(images.mean())
    if low > DARK or high < BRIGHT or not MEANS[0] < mean < MEANS[1]:
        raise UserError(
            f"{where}: grey levels reach from {low:.0f} to {high:.0f} with a mean of {mean:.0f}, "
            "as if the pictures had been normalised; calibrate on photographs as a camera takes "
            "them, 0 to 255"
        )
    redder = float(np.median((images[..., 0] - images[..., 2].astype(np.float32)).mean((1, 2))))
    if redder < REDDER:
        raise UserError(
            f"{where}: faces are bluer than red by {-redder:.0f} grey levels, as if the channels "
            "had been swapped (RGB for BGR); save the pictures anew with red where red was"
        )
