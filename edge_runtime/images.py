"""Images as the rest of the runtime wants them: (H, W, 3) uint8 BGR."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol, TypeAlias, Union

import cv2
import numpy as np

from asmnet.core import UserError
from asmnet.edge_runtime.io.pictures import read_bgr

__all__ = ["ImageLike", "as_bgr"]


class _PilImage(Protocol):
    """An image of Pillow, which need not be installed."""

    def convert(self, mode: str) -> Any: ...


# What functions that take an image accept: pixels, a path, or a PIL image.
ImageLike: TypeAlias = Union[np.ndarray, str, "os.PathLike[str]", _PilImage]


def as_bgr(image: ImageLike) -> np.ndarray:
    """Bring an image to (H, W, 3) uint8 BGR; one that already is passes through uncopied.

    Args:
        image: uint8, (H, W) or (H, W, 1) grey, (H, W, 3) BGR or (H, W, 4) BGRA
            (alpha is dropped); or the path of a file; or a PIL image.

    Raises:
        UserError: any other type or shape, no pixels, or a file that cannot be read.  Floats are
            refused because 0..1 and 0..255 cannot be told apart safely.
    """
    if isinstance(image, str | os.PathLike):
        return read_bgr(Path(image))
    if not isinstance(image, np.ndarray) and hasattr(image, "convert"):
        return np.ascontiguousarray(np.asarray(image.convert("RGB"))[..., ::-1])
    if not isinstance(image, np.ndarray):
        raise UserError(
            f"a picture must be a numpy array, a path or a PIL image, not {type(image).__name__}"
        )
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
