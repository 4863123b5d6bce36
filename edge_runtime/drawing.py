"""Faces drawn into a picture: landmarks, pose axes, numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from asmnet.core import ANGLES, SCHEMES, Scheme, rotation_from_euler
from asmnet.edge_runtime.landmarker import Face

__all__ = ["draw", "mirrored", "text_block"]

_LINE = (96, 220, 96)
_POINT = (255, 255, 255)
_AXES = ((60, 60, 235), (70, 190, 70), (235, 120, 50))  # x red, y green, z blue
_FACE = cv2.FONT_HERSHEY_SIMPLEX
_SHIFT = 4  # OpenCV draws at 1/16 pixel


def draw(image: np.ndarray, faces: Sequence[Face], scheme: Scheme | None = None) -> None:
    """Draw faces into a picture, in place, at sizes that follow face and picture.

    Args:
        image: (H, W, 3) uint8 BGR.
        faces: what a landmarker or tracker answered.
        scheme: tells which points to join; None: the scheme with as many landmarks.
    """
    plates: list[tuple[float, float]] = []
    for face in faces:
        joined = scheme or next(s for s in SCHEMES.values() if s.count == len(face.landmarks))
        box = face.box
        side = float((box[2:] - box[:2]).max())
        thickness = max(1, round(side / 220))
        points = _fixed(face.landmarks)
        for a, b in joined.edges:
            cv2.line(image, points[a], points[b], _LINE, thickness, cv2.LINE_AA, _SHIFT)
        radius = max(1.0, side / 160)
        for point in points:
            cv2.circle(image, point, round(radius * 2**_SHIFT), _POINT, -1, cv2.LINE_AA, _SHIFT)
        _axes(image, face, joined, side)
        whole = np.rint(face.pose) + 0.0  # no "-0"
        lines = [f"{name} {angle:+.0f}" for name, angle in zip(ANGLES, whole, strict=True)]
        if face.id is not None:
            lines.insert(0, f"face {face.id}")
        gap = side / 12
        width, height = text_size(image, lines)
        # Beside the face, on the side where there is room.
        right = box[2] + gap
        x = right if right + width <= image.shape[1] else box[0] - gap - width
        x = _inside(x, image.shape[1] - width)
        y = _inside((box[1] + box[3] - height) / 2, image.shape[0] - height)
        y = _clear(x, y, (width, height), plates, image.shape[0])
        plates.append((x, y))
        text_block(image, lines, (x, y))


def _inside(value: float, most: float) -> float:
    return float(max(0.0, min(value, most)))


def _clear(
    x: float, y: float, size: tuple[int, int], plates: list[tuple[float, float]], bottom: int
) -> float:
    """The top of a plate that covers none of the plates before it: below or above them."""
    width, height = size
    gap = height / 13
    for left, top in plates:
        if abs(x - left) < width and abs(y - top) < height:
            below = top + height + gap
            above = _inside(top - gap - height, bottom)
            y = below if below + height <= bottom else above
    return y


def mirrored(face: Face, width: int) -> Face:
    """The face in the mirrored picture, `width` pixels wide; points keep their numbers."""
    landmarks = face.landmarks * (-1, 1) + (width - 1, 0)
    place = None if face.position is None else face.position * (-1, 1, 1)
    return replace(face, landmarks=landmarks, pose=face.pose * (-1, 1, -1), position=place)


def _axes(image: np.ndarray, face: Face, scheme: Scheme, side: float) -> None:
    """The head's axes, from the nose: x to its left cheek, y up, z straight ahead."""
    origin = face.landmarks[list(scheme.groups["nose"])].mean(axis=0)
    # The pose's y axis points up, the picture's down.
    tips = rotation_from_euler(face.pose)[:2].T * (1, -1) * (side * 0.45) + origin
    thickness = max(2, round(side / 90))
    # The farthest first, so that the nearest lies on top.
    for axis in np.argsort(rotation_from_euler(face.pose)[2]):
        start, tip = _fixed(np.stack([origin, tips[axis]]))
        cv2.line(image, start, tip, _AXES[axis], thickness, cv2.LINE_AA, _SHIFT)


def _font(image: np.ndarray) -> tuple[float, int, int]:
    """Font scale, stroke and line height that read well on a picture of this size."""
    capital = max(8.0, min(image.shape[:2]) / 54)
    # OpenCV's plain font has capitals 21 px high at scale 1.
    return capital / 21, max(1, round(capital / 10)), round(capital * 1.7)


def text_size(image: np.ndarray, lines: Sequence[str]) -> tuple[int, int]:
    """Width and height in pixels of `text_block` on this picture."""
    scale, stroke, line = _font(image)
    widths = (cv2.getTextSize(text, _FACE, scale, stroke)[0][0] for text in lines)
    return max(widths) + line // 2, line * len(lines) + line // 3


def text_block(image: np.ndarray, lines: Sequence[str], corner: tuple[float, float]) -> None:
    """White text on a darkened plate, moved so that it stays inside the picture.

    Args:
        image: (H, W, 3) uint8 BGR, drawn into.
        lines: at least one.
        corner: left, top in pixels.
    """
    scale, stroke, line = _font(image)
    width, height = text_size(image, lines)
    x = int(np.clip(corner[0], 0, max(0, image.shape[1] - width)))
    y = int(np.clip(corner[1], 0, max(0, image.shape[0] - height)))
    plate = image[y : y + height, x : x + width]
    plate[:] = plate // 3
    for number, text in enumerate(lines, start=1):
        base = (x + line // 4, y + line * number - line // 6)
        cv2.putText(image, text, base, _FACE, scale, (255, 255, 255), stroke, cv2.LINE_AA)


def _fixed(points: np.ndarray) -> list[tuple[int, int]]:
    """Pixels to OpenCV's fixed-point coordinates; wild values are kept within its range."""
    scaled = np.clip(np.nan_to_num(points), -30000, 30000) * 2**_SHIFT
    return [(int(x), int(y)) for x, y in np.rint(scaled)]
