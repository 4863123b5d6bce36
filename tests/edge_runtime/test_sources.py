from __future__ import annotations

import itertools
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from asmnet import samples
from asmnet.core import UserError
from asmnet.edge_runtime import frames_from


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Twenty frames at 10 per second; frame k has grey level 10 k."""
    path = tmp_path / "video.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for k in range(20):
        writer.write(np.full((48, 64, 3), 10 * k, np.uint8))
    writer.release()
    return path


def test_a_video_gives_all_frames_with_their_times(video: Path):
    frames = list(frames_from(video))
    assert [frame.index for frame in frames] == list(range(20))
    np.testing.assert_allclose([frame.t for frame in frames], np.arange(20) / 10, atol=1e-3)
    assert [frame.image.mean() for frame in frames] == pytest.approx(range(0, 200, 10), abs=3)
    assert frames[0].fps == 10 and not frames[0].still and frames[0].name == "video.avi"


def test_the_demo_clip_keeps_time():
    times = [frame.t for frame in itertools.islice(frames_from("demo"), 60)]
    assert times[0] == pytest.approx(0, abs=0.05)
    np.testing.assert_allclose(np.diff(times), 1 / 30, atol=2e-3)


def test_a_folder_gives_its_pictures_in_order_as_stills():
    frames = list(frames_from(samples.PORTRAITS))
    assert [f.name for f in frames] == sorted(p.name for p in samples.PORTRAITS.glob("*.jpg"))
    assert all(frame.still and frame.image.dtype == np.uint8 for frame in frames)
    assert [frame.t for frame in frames] == [0.0, 1.0, 2.0]


def test_a_picture_is_one_frame_whatever_its_name(tmp_path: Path):
    for name in ("face.png", "face"):
        image = cv2.imread(str(samples.PORTRAITS / "astronaut.jpg"))
        (tmp_path / name).write_bytes(cv2.imencode(".png", image)[1].tobytes())
        (frame,) = frames_from(tmp_path / name)
        np.testing.assert_array_equal(frame.image, image)


def bad_sources(folder: Path) -> dict[str, tuple[Path, str]]:
    """Unusable files and folders, and what must be said of each."""
    jpeg = (samples.PORTRAITS / "astronaut.jpg").read_bytes()
    clip = samples.CLIP.read_bytes()
    content = {
        "missing.mp4": (None, "No such file"),
        "empty.mp4": (b"", "is empty"),
        "empty.jpg": (b"", "is empty"),
        "text.mp4": (b"no video at all\n" * 100, "neither a picture nor a video"),
        "text.jpg": (b"no picture at all\n" * 100, "not a picture"),
        "cut.jpg": (jpeg[: len(jpeg) // 2], "truncated"),
        "head.jpg": (jpeg[:100], "truncated"),
        "cut.mp4": (clip[: len(clip) // 2], "truncated"),
    }
    for name, (data, _) in content.items():
        if data is not None:
            (folder / name).write_bytes(data)
    (folder / "no pictures").mkdir()
    return {name: (folder / name, why) for name, (_, why) in content.items()} | {
        "no pictures": (folder / "no pictures", "no pictures in folder")
    }


@pytest.mark.parametrize(
    "name",
    [
        "missing.mp4",
        "empty.mp4",
        "empty.jpg",
        "text.mp4",
        "text.jpg",
        "cut.jpg",
        "head.jpg",
        "cut.mp4",
        "no pictures",
    ],
)
def test_an_unusable_source_is_named_with_the_reason(name: str, tmp_path: Path):
    path, why = bad_sources(tmp_path)[name]
    with pytest.raises(UserError, match=why) as error:
        list(frames_from(path))
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_a_bad_picture_in_a_folder_is_named(tmp_path: Path):
    good = (samples.PORTRAITS / "astronaut.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(good)
    (tmp_path / "b.jpg").write_bytes(good[:5000])
    frames = frames_from(tmp_path)
    assert next(frames).name == "a.jpg"
    with pytest.raises(UserError, match=r"b\.jpg is truncated"):
        next(frames)


def test_a_missing_camera_offers_the_demo():
    with pytest.raises(UserError, match="no camera 97 found; .*try --source demo"):
        frames_from("97")
    with pytest.raises(UserError, match="no camera 97 found"):
        frames_from("/dev/video97")


def test_an_unreachable_url_is_named():
    with pytest.raises(UserError, match=r"nothing to play at http://127\.0\.0\.1:9/x\.mp4"):
        frames_from("http://127.0.0.1:9/x.mp4")


def test_leaving_early_releases_the_file(video: Path):
    frames = frames_from(video)
    next(frames)
    frames.close()
    open_files = {os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")}
    assert str(video) not in open_files
