from __future__ import annotations

import contextlib
import itertools
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from matroska import matroska

from asmnet import samples
from asmnet.core import UserError
from asmnet.edge_runtime import frames_from
from asmnet.edge_runtime.io.videos import VideoLength


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
    assert {frame.fps for frame in frames} == {1.0}


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


class Device:
    """Stands for `cv2.VideoCapture`, which opens whatever it is asked to."""

    def __init__(self, **values: float) -> None:
        self.values, self.opened = values, False

    def open(self, *_: object) -> None:
        self.opened = True

    def isOpened(self) -> bool:
        return self.opened

    def get(self, what: int) -> float:
        names = {cv2.CAP_PROP_FPS: "fps", cv2.CAP_PROP_FRAME_COUNT: "count"}
        return self.values.get(names.get(what, ""), 0.0)


@pytest.mark.parametrize("number", ["100", "201", "99999999999999999999"])
def test_a_number_that_no_camera_has_is_one_sentence(number: str, monkeypatch: pytest.MonkeyPatch):
    """OpenCV would take 201 for camera 1."""
    monkeypatch.setattr(cv2, "VideoCapture", Device)
    with pytest.raises(UserError, match=f"no camera {number} found"):
        frames_from(number)


def test_an_unreachable_url_is_named_by_its_host():
    with pytest.raises(UserError, match=r"nothing to play at http://127\.0\.0\.1:9/\.\.\.;"):
        frames_from("http://127.0.0.1:9/x.mp4")


# One frame a second, as a screen recorder writes that sees little change.
RARE = [*range(0, 1000, 33), *range(1000, 20_000, 1000)]


@pytest.mark.parametrize("known", [True, False], ids=["a file", "a saved stream"])
def test_a_video_of_varying_frame_rate_is_whole(known: bool, tmp_path: Path):
    (tmp_path / "screen.mkv").write_bytes(matroska(RARE, 20_000, known))
    times = [frame.t for frame in frames_from(tmp_path / "screen.mkv")]
    assert times == pytest.approx([t / 1000 for t in RARE])


def test_a_video_that_ends_with_a_still_picture_is_whole(tmp_path: Path):
    (tmp_path / "screen.mkv").write_bytes(matroska(range(0, 1000, 33), 60_000))
    assert len(list(frames_from(tmp_path / "screen.mkv"))) == 31


def test_a_truncated_video_of_varying_frame_rate_says_so(tmp_path: Path):
    content = matroska(RARE, 20_000)
    (tmp_path / "cut.mkv").write_bytes(content[: len(content) * 9 // 10])
    with pytest.raises(UserError, match=r"cut\.mkv is truncated: it ended after 4\d frames, 1\d\."):
        list(frames_from(tmp_path / "cut.mkv"))


@pytest.mark.parametrize(
    ("count", "fps", "frames", "end", "cut"),
    [
        (871, 30, 59, 29.0, False),  # a count that is an estimate, as in FLV and MPEG-TS
        (871, 30, 44, 14.0, True),
        (59, 2.18, 59, 10.0, False),  # an exact count, and a picture that stays, as in MP4
        (900, 30, 810, 26.97, False),  # a tenth is no estimate
        (900, 30, 809, 27.0, False),
        (900, 30, 809, 26.97, True),
        (0, 30, 5, 0.2, False),  # nothing known
        (-9e15, 0, 5, 0.2, False),
    ],
)
def test_what_counts_as_truncated_in_other_containers(
    count: float, fps: float, frames: int, end: float, cut: bool
):
    length = VideoLength(Device(count=count, fps=fps), None)  # type: ignore[arg-type]
    assert length.is_cut(frames, end) == cut


def test_a_long_pause_within_the_duration_is_believed(tmp_path: Path):
    (tmp_path / "pause.mkv").write_bytes(matroska([0, 33, 3_600_000, 3_600_033], 3_600_066))
    times = [frame.t for frame in frames_from(tmp_path / "pause.mkv")]
    assert times == pytest.approx([0, 0.033, 3600, 3600.033], abs=1e-3)


def test_a_jump_beyond_any_duration_is_not(tmp_path: Path):
    """A recorder would fill the disk with copies of the frame before it."""
    (tmp_path / "jump.mkv").write_bytes(matroska([0, 33, 3_600_000, 3_600_500], 0, known=False))
    times = [frame.t for frame in frames_from(tmp_path / "jump.mkv")]
    assert times == pytest.approx([0, 0.033, 0.066, 0.566], abs=2e-3)


def test_a_pause_is_believed_where_the_duration_is_unknown(tmp_path: Path):
    (tmp_path / "pause.mkv").write_bytes(matroska([0, 9_000, 9_033], 0, known=False))
    times = [frame.t for frame in frames_from(tmp_path / "pause.mkv")]
    assert times == pytest.approx([0, 9, 9.033], abs=1e-3)


class Played:
    """Stands for an opened `cv2.VideoCapture`: its frames' times, whatever containers allow."""

    def __init__(self, times: list[float], fps: float, count: int) -> None:
        self.times, self.place = times, -1
        self.values = {cv2.CAP_PROP_FPS: fps, cv2.CAP_PROP_FRAME_COUNT: count}
        self.released = False

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.place += 1
        there = self.place < len(self.times)
        return there, np.zeros((4, 4, 3), np.uint8) if there else None

    def get(self, what: int) -> float:
        return 1000 * self.times[self.place] if what == cv2.CAP_PROP_POS_MSEC else self.values[what]

    def release(self) -> None:
        self.released = True


@pytest.mark.parametrize(
    ("read", "told"),
    [
        ([3600.0, 3600.25, 3600.5], [0, 0.25, 0.5]),  # cut out of a longer one
        ([0.0, 10.0, 10.25], [0, 10, 10.25]),  # the longest gap that is believed
        ([0.0, 10.5, 11.0], [0, 0.25, 0.75]),
        ([0.0, 0.0, 0.0], [0, 0.25, 0.5]),  # no times at all
    ],
)
def test_times_begin_at_zero_and_grow(
    read: list[float], told: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "video.avi").write_bytes(b"a video")
    played = Played(read, fps=4, count=0)
    monkeypatch.setattr(cv2, "VideoCapture", lambda path: played)
    assert [frame.t for frame in frames_from(tmp_path / "video.avi")] == told
    assert played.released


@pytest.mark.parametrize(("count", "cut"), [(22, False), (23, True)])
def test_the_last_picture_is_seen_for_as_long_as_any(
    count: int, cut: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Here a quarter of a second: it ends at 5.0 s of 5.5 or 5.75, and a tenth may be missing."""
    (tmp_path / "video.avi").write_bytes(b"a video")
    played = Played([0, 2, 4.75], fps=4, count=count)
    monkeypatch.setattr(cv2, "VideoCapture", lambda path: played)
    with pytest.raises(UserError, match="truncated") if cut else contextlib.nullcontext():
        list(frames_from(tmp_path / "video.avi"))


def test_times_that_go_back_go_on(tmp_path: Path):
    (tmp_path / "back.mkv").write_bytes(matroska([0, 33, 66, 10, 43], 0, known=False))
    times = [frame.t for frame in frames_from(tmp_path / "back.mkv")]
    assert times == pytest.approx([0, 0.033, 0.066, 0.1, 0.133], abs=2e-3)


def test_a_name_that_is_no_text_is_made_readable(tmp_path: Path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jpg"))
    path.write_bytes((samples.PORTRAITS / "astronaut.jpg").read_bytes())
    assert [frame.name for frame in frames_from(path)] == ["\ufffd.jpg"]


@pytest.mark.parametrize("path", ["x" * 5000, "a\0b"], ids=["too long", "a zero"])
def test_an_impossible_path_is_one_sentence(path: str):
    with pytest.raises(UserError, match="cannot read source"):
        frames_from(path)


def test_leaving_early_releases_the_file(video: Path):
    frames = frames_from(video)
    next(frames)
    frames.close()
    open_files = {os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")}
    assert str(video) not in open_files
