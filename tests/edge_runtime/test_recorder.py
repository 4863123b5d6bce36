"""An annotated video is whole at every moment, and keeps time."""

from __future__ import annotations

import errno
import struct
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asmnet.core import UserError
from asmnet.edge_runtime import Frame, frames_from
from asmnet.edge_runtime.io import recorder
from asmnet.edge_runtime.io.recorder import Recorder
from tests.disks import full_disk


def frame(k: int, fps: float = 20.0, size: tuple[int, int] = (48, 64)) -> Frame:
    return Frame(np.full((*size, 3), 5 * k % 250, np.uint8), k / fps, k, fps, "test")


@full_disk()
def test_a_full_disk_ends_a_recording_in_one_sentence(tmp_path: Path, rng: np.random.Generator):
    noise = rng.integers(0, 255, (48, 64, 3), np.uint8)
    with pytest.raises(UserError, match=r"cannot write .*out\.mp4: File too large: recording st"):
        with Recorder(tmp_path / "out.mp4") as recorder:
            for k in range(1000):
                recorder.write(noise, frame(k))
                time.sleep(0.001)
    assert k < 999, "told while it records, not at its end"
    kept = len(list(frames_from(tmp_path / "out.mp4")))
    assert kept >= 12 and kept % 12 == 0, "whole fragments"


@full_disk()
def test_a_disk_that_is_full_at_the_end_is_told_as_well(tmp_path: Path, rng: np.random.Generator):
    noise = rng.integers(0, 255, (480, 640, 3), np.uint8)
    with pytest.raises(UserError, match=r"cannot write .*out\.mp4: File too large"):
        with Recorder(tmp_path / "out.mp4") as recorder:
            recorder.write(noise, frame(0))


def test_after_a_failure_nothing_is_appended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The disk may have room again by then, but the recording would have a hole."""
    results = iter([None, None, OSError(errno.ENOSPC, "No space left")])
    append = recorder._append

    def fail_once(file: int, content: bytes) -> None:
        if (error := next(results, None)) is not None:
            raise error
        append(file, content)

    monkeypatch.setattr(recorder, "_append", fail_once)
    with pytest.raises(UserError, match="No space left"), Recorder(tmp_path / "out.mp4") as video:
        for k in range(60):
            video._check = lambda: None  # type: ignore[method-assign]  # the encoder goes on
            video.write(frame(k).image, frame(k))
            time.sleep(0.002)
        del video._check
    assert 0 < count_of(tmp_path / "out.mp4") < 24


@given(st.integers(0, 200))
def test_only_whole_fragments_are_saved(cut: int):
    """An index without its pictures would be a damaged end."""
    box = struct.Struct(">I4s")
    index, pictures = box.pack(28, b"moof") + bytes(20), box.pack(48, b"mdat") + bytes(40)
    content = box.pack(24, b"moov") + bytes(16) + 2 * (index + pictures)
    ends = [0, 24, 24 + 76, 24 + 152]
    assert recorder._whole(content[:cut]) == max(end for end in ends if end <= cut)


@full_disk()
def test_an_interrupt_is_not_hidden_by_a_full_disk(tmp_path: Path, rng: np.random.Generator):
    noise = rng.integers(0, 255, (480, 640, 3), np.uint8)
    with pytest.raises(KeyboardInterrupt), Recorder(tmp_path / "out.mp4") as recorder:
        recorder.write(noise, frame(0))
        raise KeyboardInterrupt


def test_a_recording_has_every_frame_and_its_speed(tmp_path: Path):
    path = tmp_path / "out.mp4"
    with Recorder(path) as recorder:
        for k in range(40):
            recorder.write(frame(k).image, frame(k))
    frames = list(frames_from(path))
    assert len(frames) == 40 and frames[0].fps == 20
    assert [f.image.mean() for f in frames] == pytest.approx(range(0, 200, 5), abs=4)


def test_rounded_times_cost_no_frame(tmp_path: Path):
    path = tmp_path / "out.mp4"
    with Recorder(path) as recorder:
        for k in range(45):
            rounded = replace(frame(k, fps=30), t=round(0.1 + k / 30, 3))
            recorder.write(rounded.image, rounded)
    levels = [f.image.mean() for f in frames_from(path)]
    assert len(levels) == 45 and np.diff(levels) == pytest.approx(np.full(44, 5), abs=3)


def test_irregular_frames_are_recorded_at_their_time(tmp_path: Path):
    """A camera nominally at 20 Hz that delivers 4 Hz: the video still lasts as long."""
    path = tmp_path / "out.mp4"
    with Recorder(path) as recorder:
        for k in range(8):
            late = Frame(frame(k).image, k / 4, k, 20.0, "camera")
            recorder.write(late.image, late)
    assert len(list(frames_from(path))) == pytest.approx(8 * 5, abs=5)


def test_a_recording_is_playable_after_an_exception(tmp_path: Path):
    path = tmp_path / "out.mp4"
    with pytest.raises(KeyboardInterrupt), Recorder(path) as recorder:
        for k in range(40):
            recorder.write(frame(k).image, frame(k))
            if k == 24:
                raise KeyboardInterrupt
    assert len(list(frames_from(path))) == 25
    assert list(tmp_path.iterdir()) == [path]


def test_a_recording_can_be_watched_while_it_grows(tmp_path: Path):
    """Nor does it need an end: what kills the program leaves all but the last second."""
    path = tmp_path / "out.mp4"
    with Recorder(path) as recorder:
        for k in range(60):
            recorder.write(frame(k).image, frame(k))
        deadline = time.monotonic() + 5
        while count_of(path) < 48:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert count_of(path) == 60


def count_of(path: Path) -> int:
    """How many frames can be read of a video, be it whole or not."""
    capture, count = cv2.VideoCapture(str(path)), 0
    while capture.read()[0]:
        count += 1
    return count


def test_pictures_of_a_second_each_fill_their_time(tmp_path: Path):
    """By repetition: a fragment of 12 frames is not to hold 12 s."""
    path = tmp_path / "out.mp4"
    with Recorder(path) as recorder:
        for k in range(3):
            still = Frame(frame(10 * k).image, float(k), k, 1.0, "a.png", still=True)
            recorder.write(still.image, still)
    frames = list(frames_from(path))
    assert len(frames) == 25 and frames[0].fps == pytest.approx(12)
    assert [f.image.mean() for f in frames[::12]] == pytest.approx([0, 50, 100], abs=4)


def test_pictures_that_come_too_fast_are_left_out(tmp_path: Path):
    """As many frames as time has passed, the first picture's included."""
    path = tmp_path / "out.mp4"
    with Recorder(path) as recorder:
        for k in range(41):
            fast = Frame(frame(k).image, k / 40, k, 20.0, "camera")
            recorder.write(fast.image, fast)
    assert len(list(frames_from(path))) == 21


def test_without_an_encoder_it_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "out.mp4"
    path.write_text("an older recording")
    monkeypatch.setattr(cv2.VideoWriter, "fourcc", lambda *_: 1)
    with pytest.raises(UserError, match=r"OpenCV cannot encode .*out\.mp4"):
        with Recorder(path) as recorder:
            recorder.write(frame(0).image, frame(0))
    assert path.read_text() == "an older recording"


def test_nothing_recorded_leaves_nothing(tmp_path: Path):
    with Recorder(tmp_path / "out.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_odd_and_changing_picture_sizes_are_recorded(tmp_path: Path):
    path = tmp_path / "out.mp4"
    with Recorder(path) as recorder:
        recorder.write(frame(0, size=(47, 63)).image, frame(0))
        recorder.write(frame(1, size=(90, 30)).image, frame(1))
    assert [f.image.shape for f in frames_from(path)] == [(46, 62, 3)] * 2


def test_a_folder_in_the_files_place_and_another_suffix_are_refused(tmp_path: Path):
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(UserError, match="it is a folder"):
        Recorder(tmp_path / "folder.mp4")
    with pytest.raises(UserError, match=r"out\.avi the suffix \.mp4"):
        Recorder(tmp_path / "out.avi")
