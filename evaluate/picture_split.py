"""Which pictures calibrate and which judge: none does both.

Parity on the faces that the quantizer learned its ranges from would be too kind.  Each
picture goes to its side by its content, so that adding pictures to a folder moves none
of the others, and what looks like a picture that calibrated does not judge.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from asmnet import samples
from asmnet.core import UserError

__all__ = ["calibrating", "copies", "different", "judges", "judging", "look"]

# Share of the pictures that judge where one folder does both: of the 103 shipped faces, 35.
SHARE = 0.4
# Two looks nowhere farther apart than this many grey levels show the same picture: copies of
# one in another JPEG quality or size are at 5, the most alike of the shipped faces at 44.
SAME = 18.0
CELLS = 16

Wanted = Callable[[Path], bool]


def judges(picture: Path) -> bool:
    """Whether a picture judges, where it could also calibrate: a function of its bytes alone.

    Raises:
        UserError: it cannot be read.
    """
    try:
        digest = hashlib.sha256(picture.read_bytes()).digest()
    except OSError as error:
        raise UserError(f"cannot read picture {picture}: {error.strerror or error}") from error
    return int.from_bytes(digest[:8], "big") < SHARE * 2**64


def calibrating(calibration: Path | None, faces: Path | None) -> Wanted:
    """Tells which pictures of `calibration` calibrate: all but those that judge.

    Args:
        calibration: the folder of the pictures to calibrate on; None: those that ship.
        faces: the folder of the pictures to judge on; None: those that ship.
    """
    # The shipped pictures are parted whatever else is given, so that a file is the same
    # whichever faces judge it.
    shared = _shipped() if calibration is None or faces is None else faces.resolve()
    return lambda picture: not (picture.resolve().is_relative_to(shared) and judges(picture))


def judging(calibration: Path | None, faces: Path | None) -> Wanted:
    """Tells which pictures of `faces` judge: all but those that calibrate; see `calibrating`."""
    shared = _shipped() if calibration is None or faces is None else calibration.resolve()
    return lambda picture: not picture.resolve().is_relative_to(shared) or judges(picture)


def look(image: np.ndarray) -> np.ndarray:
    """(768,) float32 thumbnail of a picture (H, W, 3) uint8, by which its copies are known."""
    small = cv2.resize(image, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32).ravel()


def copies(one: np.ndarray, others: np.ndarray) -> bool:
    """Whether a `look` is that of a copy of any of the others (M, 768)."""
    return bool((np.abs(others - one).max(axis=1) < SAME).any())


def different(looks: np.ndarray) -> int:
    """How many of the looks (M, 768) are not those of copies of an earlier one."""
    kept = looks[:0]
    for one in looks:
        if not copies(one, kept):
            kept = np.concatenate([kept, one[None]])
    return len(kept)


def _shipped() -> Path:
    return samples.LONDON.parent.resolve()
