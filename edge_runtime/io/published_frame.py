"""A frame on its way from the tracker to the viewers of the live page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np

__all__ = ["PublishedFrame"]

# Pixels; more would cost a Raspberry Pi's processor and Wi-Fi, and a page shows few more.
LONGEST_SIDE = 960
QUALITY = 80


@dataclass(frozen=True, eq=False)
class PublishedFrame:
    """A frame as the tracker left it.

    Attributes:
        picture: (H, W, 3) uint8 BGR without drawing.
        line: what `record_line` made of the frame.
        stages: milliseconds by name.
        fps: frames per second.
    """

    picture: np.ndarray
    line: Mapping[str, Any]
    stages: Mapping[str, float]
    fps: float

    @cached_property
    def jpeg(self) -> bytes:
        """Encoded when the first viewer wants it, for all of them."""
        scale = LONGEST_SIDE / max(self.picture.shape[:2])
        picture = self.picture
        if scale < 1:
            size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        return jpeg.tobytes()
