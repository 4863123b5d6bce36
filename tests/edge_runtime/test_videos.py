"""What a container says about its video's length, by containers made by hand."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import cv2
import pytest

from asmnet.edge_runtime.io.videos import VideoLength, cut_matroska

EBML, SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def length(fps: float, frames: float) -> VideoLength:
    numbers = {cv2.CAP_PROP_FPS: fps, cv2.CAP_PROP_FRAME_COUNT: frames}
    return VideoLength(SimpleNamespace(get=numbers.get), None)  # type: ignore[arg-type]


@pytest.mark.parametrize("fps", [1, 24, 1000])
def test_a_usable_frame_rate_is_believed(fps: float):
    assert length(fps, 48).fps == fps


@pytest.mark.parametrize("fps", [0, 0.5, 1001, 90_000, math.nan, math.inf])
def test_an_unusable_frame_rate_is_30(fps: float):
    assert length(fps, 48).fps == 30


@pytest.mark.parametrize(("fps", "frames", "seconds"), [(24, 48, 2), (0.5, 2, 4), (0, 48, 0)])
def test_the_duration_is_the_containers(fps: float, frames: float, seconds: float):
    assert length(fps, frames).seconds == seconds


@pytest.mark.parametrize("frames", [-1, 0])
def test_nothing_is_missing_from_an_unknown_length(frames: float):
    assert not length(24, frames).is_cut(0, 0.0)


@pytest.mark.parametrize(
    ("size", "content", "cut"),
    [
        (b"\x85", b"12345", False),
        (b"\x85", b"1234", True),
        (b"\x40\x85", bytes(0x85), False),  # sizes of two bytes
        (b"\x40\x85", bytes(0x84), True),
        (b"\x42\x01", bytes(0x201), False),
        (b"\x42\x01", bytes(0x200), True),
        (b"\xff", b"", False),  # a live stream's, which say nothing
        (b"\x01" + 7 * b"\xff", b"", False),
        (b"", b"", True),  # cut within the header
    ],
)
def test_a_segment_is_cut_where_the_file_is_shorter(
    size: bytes, content: bytes, cut: bool, tmp_path: Path
):
    file = tmp_path / "film.mkv"
    file.write_bytes(EBML + b"\x83" + b"any" + SEGMENT + size + content)
    assert cut_matroska(file) is cut


@pytest.mark.parametrize("content", [b"", b"RIFF", EBML + b"\x80" + b"else"])
def test_other_files_say_nothing(content: bytes, tmp_path: Path):
    file = tmp_path / "film"
    file.write_bytes(content)
    assert cut_matroska(file) is None
