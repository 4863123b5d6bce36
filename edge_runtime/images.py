"""Pictures as the rest of the runtime wants them: (H, W, 3) uint8 BGR."""

from __future__ import annotations

import cv2
import numpy as np

from asmnet.core import UserError

__all__ = ["as_bgr"]


def as_bgr(image: np.ndarray) -> np.ndarray:
    """Bring a picture to (H, W, 3) uint8 BGR; one that already is passes through uncopied.

    Args:
        image: uint8, (H, W) or (H, W, 1) grey, (H, W, 3) BGR or (H, W, 4) BGRA
            (alpha is dropped).

    Raises:
        UserError: any other type or shape, or no pixels.  Floats are refused because
            0..1 and 0..255 cannot be told apart safely.
    """
    if not isinstance(image, np.ndarray):
        raise UserError(f"a picture must be a numpy array, not {type(image).__name__}")
    if image.dtype != np.uint8:
        raise UserError(
            f"a picture of {image.dtype} values cannot be used; convert it to uint8, 0..255"
        )
    if image.size and image.ndim == 3 and image.shape[2] == 3:
        return image
    if image.size and (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 1)):
        return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    if image.size and image.ndim == 3 and image.shape[2] == 4:
        return cv2.cvtColor(image, cv2.COLOR_BGRA2BGR)
    raise UserError(
        f"a picture of shape {image.shape} cannot be used; it must be (height, width, 3) BGR"
    )
