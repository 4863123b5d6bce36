"""Pictures: sizes from headers, limits, truncated files, folders."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asmnet.core import UserError
from asmnet.edge_runtime import frames_from
from asmnet.edge_runtime.io import pictures


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tiff"])
def test_a_huge_picture_is_refused_before_it_is_decoded(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A small file of one colour takes gigabytes as pixels."""
    monkeypatch.setattr(pictures, "_MOST_PIXELS", 64 * 48 - 1)
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    path = tmp_path / f"huge{suffix}"
    path.write_bytes(cv2.imencode(suffix, np.zeros((48, 64, 3), np.uint8))[1].tobytes())
    with pytest.raises(UserError, match=f"huge{suffix} is too large: 64 x 48 pixels; scale it"):
        list(frames_from(path))


def test_pictures_up_to_the_limit_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pictures, "_MOST_PIXELS", 64 * 48)
    cv2.imwrite(str(tmp_path / "most.png"), np.zeros((48, 64, 3), np.uint8))
    assert len(list(frames_from(tmp_path / "most.png"))) == 1


ENCODINGS = {
    "PNG": (".png", 3, []),
    "JPEG": (".jpg", 3, []),
    "progressive JPEG": (".jpg", 1, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
    "WebP": (".webp", 3, [cv2.IMWRITE_WEBP_QUALITY, 80]),
    "WebP with transparency": (".webp", 4, [cv2.IMWRITE_WEBP_QUALITY, 80]),
    "lossless WebP": (".webp", 3, []),
    "BMP": (".bmp", 3, []),
    "TIFF": (".tiff", 3, []),
}


@given(st.integers(1, 400), st.integers(1, 300), st.sampled_from(list(ENCODINGS)))
def test_the_size_is_known_from_the_header(width: int, height: int, encoding: str):
    suffix, channels, options = ENCODINGS[encoding]
    image = np.full((height, width, channels), 99, np.uint8)
    content = cv2.imencode(suffix, image, options)[1].tobytes()
    assert pictures.picture_size(content) == (width, height)


STARTS = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"RIFF....WEBPVP8X", b"RIFF....WEBP", b"BM", b"II*\0"]


@given(st.sampled_from(STARTS), st.binary(max_size=60))
def test_a_damaged_header_is_no_size(start: bytes, rest: bytes):
    width, height = pictures.picture_size(start + rest)
    assert width >= 0 and height >= 0


@pytest.mark.parametrize("content", [b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\0\0", b""])
def test_without_a_known_header_there_is_no_size(content: bytes):
    assert pictures.picture_size(content) == (0, 0)


def tiff(order: str, kind: str, width: int, height: int) -> bytes:
    """The start of a TIFF file: its first page's directory, here with three entries."""
    directory = struct.pack(order + "H", 3)
    for tag, value in ((254, 0), (256, width), (257, height)):
        entry = struct.pack(order + "HHI" + kind, tag, {"H": 3, "I": 4}[kind], 1, value)
        directory += entry.ljust(12, b"\0")
    start = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, 8)
    return start + directory + bytes(4)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("kind", "width", "height"),
    [("H", 640, 480), ("H", 40_000, 50_000), ("I", 70_000, 3), ("I", 2**32 - 1, 2**31)],
)
def test_the_size_of_a_tiff_in_either_byte_order(order: str, kind: str, width: int, height: int):
    assert pictures.picture_size(tiff(order, kind, width, height)) == (width, height)


def test_a_png_of_an_impossible_size_is_not_taken_for_a_small_one():
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 2**32 - 1, 2**32 - 1)
    assert pictures.picture_size(header) == (2**32 - 1, 2**32 - 1)


@pytest.mark.parametrize("padding", [1, 2])
def test_padding_between_the_parts_of_a_jpeg_is_skipped(padding: int):
    jpeg = cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes()
    padded = jpeg[:2] + padding * b"\xff" + jpeg[2:]
    assert cv2.imdecode(np.frombuffer(padded, np.uint8), cv2.IMREAD_COLOR).shape == (48, 64, 3)
    assert pictures.picture_size(padded) == (64, 48)


def test_the_size_of_a_large_jpeg_with_a_long_description():
    description = b"\xff\xe1" + struct.pack(">H", 40_000) + bytes(39_998)
    header = b"\xff\xc0" + struct.pack(">HBHH", 17, 8, 50_000, 60_000)
    assert pictures.picture_size(b"\xff\xd8" + description + header) == (60_000, 50_000)


def test_the_end_of_a_thumbnail_is_not_the_pictures(tmp_path: Path, rng: np.random.Generator):
    noise = rng.integers(0, 255, (48, 64, 3), np.uint8)
    small, jpeg = (cv2.imencode(".jpg", image)[1].tobytes() for image in (noise[:8, :8], noise))
    with_thumbnail = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(small) + 2) + small + jpeg[2:]
    (tmp_path / "whole.jpg").write_bytes(with_thumbnail)
    assert pictures.read_bgr(tmp_path / "whole.jpg").shape == (48, 64, 3)
    (tmp_path / "cut.jpg").write_bytes(with_thumbnail[:-20])
    with pytest.raises(UserError, match=r"cut\.jpg is truncated"):
        pictures.read_bgr(tmp_path / "cut.jpg")


def test_pictures_are_found_in_folders_of_folders(tmp_path: Path):
    names = ["b/c/z.PNG", "b/a.jpeg", "a.webp", "notes.txt"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [str(path.relative_to(tmp_path)) for path in pictures.pictures_in(tmp_path)]
    assert found == ["a.webp", "b/a.jpeg", "b/c/z.PNG"]
    with pytest.raises(UserError, match=r"notes\.txt is not a folder"):
        pictures.pictures_in(tmp_path / "notes.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"empty holds no pictures \(\.jpg, "):
        pictures.pictures_in(tmp_path / "empty")


def test_a_bmp_from_top_to_bottom_has_a_size():
    content = bytearray(cv2.imencode(".bmp", np.zeros((48, 64, 3), np.uint8))[1].tobytes())
    struct.pack_into("<i", content, 22, -48)
    assert pictures.picture_size(bytes(content)) == (64, 48)
