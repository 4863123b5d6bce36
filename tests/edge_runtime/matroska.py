"""Small Matroska files with frames at any time, for the tests of sources."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import cv2
import numpy as np

__all__ = ["matroska"]


def matroska(times: Sequence[int], duration: int, known: bool = True) -> bytes:
    """Motion JPEG of nominally 30 frames a second; frame k has grey level k.

    Args:
        times: of the frames, in milliseconds.
        duration: milliseconds, as the header says.
        known: whether the header tells duration and size, as it does unless a stream was saved.
    """
    header = _element(0x1A45DFA3, _element(0x4282, b"matroska"), _element(0x4287, b"\4"))
    length = [_element(0x4489, struct.pack(">d", duration))] if known else []
    info = _element(0x1549A966, _number(0x2AD7B1, 1_000_000), *length)
    video = _element(0xE0, _number(0xB0, 64), _number(0xBA, 48))
    kind = [_number(0xD7, 1), _number(0x73C5, 1), _number(0x83, 1), _element(0x86, b"V_MJPEG")]
    tracks = _element(0x1654AE6B, _element(0xAE, *kind, _number(0x23E383, 33_333_333), video))
    clusters = []
    for level, time in enumerate(times):
        jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), level, np.uint8))[1].tobytes()
        block = _element(
            0xA3, b"\x81\0\0\x80" + jpeg
        )  # track 1, 0 ms after its cluster, a key frame
        clusters.append(_element(0x1F43B675, _number(0xE7, time), block))
    content = info + tracks + b"".join(clusters)
    size = struct.pack(">Q", 1 << 56 | len(content)) if known else b"\x01" + b"\xff" * 7
    return header + bytes.fromhex("18538067") + size + content


def _element(kind: int, *content: bytes) -> bytes:
    name = kind.to_bytes((kind.bit_length() + 7) // 8, "big")
    data = b"".join(content)
    return name + struct.pack(">Q", 1 << 56 | len(data)) + data


def _number(kind: int, value: int) -> bytes:
    return _element(kind, struct.pack(">Q", value))
