"""Picture files, decoded only if they are whole and of a size that memory can bear."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np

from asmnet.core import IMAGE_SUFFIXES, UserError
from asmnet.edge_runtime.io.cameras import quiet_opencv

__all__ = ["picture_size", "pictures_in", "read_bgr"]

# A small file can hold a huge picture of one colour; so many pixels take 400 MB.
_MOST_PIXELS = 2**27
# JPEG: markers of a frame header; not Huffman tables (C4), JPG (C8), arithmetic coding (CC).
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


def pictures_in(folder: Path) -> list[Path]:
    """The pictures in a folder and its sub-folders, sorted.

    Raises:
        UserError: no folder, or no picture in it.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder; give one that holds pictures of faces")
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
    if not found:
        raise UserError(f"{folder} holds no pictures ({', '.join(IMAGE_SUFFIXES)})")
    return found


def read_bgr(path: Path) -> np.ndarray:
    """A picture, (H, W, 3) uint8 BGR, turned upright if its EXIF data say how.

    Raises:
        UserError: it cannot be read, is empty, truncated or too large, or is no picture.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    if not content:
        raise UserError(f"{path} is empty")
    # A JPEG cut short decodes to a picture with a grey end.  Its end marker FF D9 cannot
    # occur inside compressed data; one in the first half belongs to a thumbnail.
    if content[:2] == b"\xff\xd8" and content.rfind(b"\xff\xd9") < len(content) / 2:
        raise UserError(f"picture {path} is truncated; get it again")
    width, height = picture_size(content)
    if width * height > _MOST_PIXELS:
        raise UserError(
            f"picture {path} is too large: {width} x {height} pixels; "
            f"scale it down to {_MOST_PIXELS / 1e6:.0f} million at most"
        )
    try:
        with quiet_opencv():
            image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except (cv2.error, MemoryError) as error:
        raise UserError(f"{path} is too large or too damaged for OpenCV") from error
    if image is None:
        raise UserError(f"{path} is not a picture that OpenCV can read, or it is truncated")
    return image


def picture_size(content: bytes) -> tuple[int, int]:
    """Width and height in pixels by a picture file's header, without decoding it.

    Knows PNG, JPEG, WebP, BMP and TIFF; (0, 0) for other formats and damaged headers.
    """
    try:
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack_from(">II", content, 16)
        elif content.startswith(b"\xff\xd8"):
            width, height = _jpeg_size(content)
        elif content.startswith(b"RIFF") and content[8:12] == b"WEBP":
            width, height = _webp_size(content)
        elif content.startswith(b"BM"):
            width, height = struct.unpack_from("<ii", content, 18)
        elif content.startswith((b"II*\0", b"MM\0*")):
            width, height = _tiff_size(content)
        else:
            return 0, 0
    except struct.error:
        return 0, 0
    return abs(width), abs(height)  # BMP: a negative height means from top to bottom


def _jpeg_size(content: bytes) -> tuple[int, int]:
    place = 2
    while True:
        start, marker = struct.unpack_from(">BB", content, place)
        if start != 0xFF:
            return 0, 0
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, place + 5)
            return width, height
        if marker == 0xFF:  # padding
            place += 1
        else:
            place += 2 + struct.unpack_from(">H", content, place + 2)[0]


def _webp_size(content: bytes) -> tuple[int, int]:
    kind = content[12:16]
    if kind == b"VP8X":
        numbers = int.from_bytes(content[24:30], "little")
        return (numbers & 0xFFFFFF) + 1, (numbers >> 24) + 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", content, 26)
    return width & 0x3FFF, height & 0x3FFF


def _tiff_size(content: bytes) -> tuple[int, int]:
    """Of the first page."""
    order = "<" if content[:1] == b"I" else ">"
    (directory,) = struct.unpack_from(order + "I", content, 4)
    (count,) = struct.unpack_from(order + "H", content, directory)
    size = {256: 0, 257: 0}
    for entry in range(directory + 2, directory + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(order + "HH", content, entry)
        if tag in size:  # kinds: 3 is a 16-bit number, 4 one of 32 bits
            form = order + ("H" if kind == 3 else "I")
            (size[tag],) = struct.unpack_from(form, content, entry + 8)
    return size[256], size[257]
