"""A made-up camera for Chromium: a part of the sample clip, each frame with its number in it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from frames import clip

__all__ = ["BITS", "CELL", "number", "options", "write"]

BITS, CELL = 10, 16  # black and white squares in the upper left corner, the lowest bit first


def number(frame: np.ndarray) -> int:
    """What the squares of a frame (H, W, C) say."""
    row = frame[CELL // 2, CELL // 2 : BITS * CELL : CELL].mean(axis=-1)
    return int(sum(1 << bit for bit in range(BITS) if row[bit] > 127))


def write(path: Path, start: float, end: float) -> list[np.ndarray]:
    """Write that part of the clip, in seconds, as JPEGs one after another; the frames, BGR."""
    frames = []
    with path.open("wb") as file:
        for n, frame in enumerate(list(clip())[round(start * 30) : round(end * 30)]):
            for bit in range(BITS):
                frame[:CELL, bit * CELL : (bit + 1) * CELL] = 255 * (n >> bit & 1)
            packed = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 95])[1]
            file.write(packed.tobytes())
            frames.append(cv2.imdecode(packed, cv2.IMREAD_COLOR))
    return frames


def options(path: Path) -> tuple[str, ...]:
    """What Chromium must be told to have that camera, and to allow it."""
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={path}",
    )
