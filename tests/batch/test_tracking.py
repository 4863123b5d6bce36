"""One file after another, in this process: what is counted, and what stands in the tables."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from asmnet import models, samples
from asmnet.edge_runtime import Face, FaceDetector, FaceTracker, Landmarker
from asmnet.edge_runtime.batch import tracking
from asmnet.edge_runtime.batch.inputs import Source
from asmnet.edge_runtime.batch.openface import OpenFaceWriter
from asmnet.edge_runtime.batch.tracking import Line, Settings, Tracking
from asmnet.edge_runtime.io.recorder import Recorder
from asmnet.edge_runtime.io.sources import Frame

PROFILE = Path(__file__).parents[1] / "edge_runtime/profile.jpg"
PORTRAITS = sorted(samples.PORTRAITS.glob("*.jpg"))


@pytest.fixture
def track(tmp_path: Path) -> Callable[..., Line]:
    """Tracks one file; its table is in `out`."""

    def run(path: Path, faces: int = 1, layout: str = "csv", fov: float = 65.0) -> Line:
        settings = Settings(str(tmp_path), models.DEFAULT, faces, layout, fov)
        (tmp_path / "out").mkdir(exist_ok=True)
        return Tracking(settings, tmp_path / "out")(Source(path, path.name, 0, 0))

    return run


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def grey(tmp_path: Path) -> Path:
    """A video of 6 frames at 15 Hz without a face."""
    picture = np.full((64, 64, 3), 128, np.uint8)
    with Recorder(tmp_path / "grey.mp4") as video:
        for k in range(6):
            video.write(picture, Frame(picture, k / 15, k, 15.0, "grey"))
    return tmp_path / "grey.mp4"


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A picture of two faces."""
    pictures = [cv2.imread(str(picture)) for picture in PORTRAITS[1:]]
    cv2.imwrite(str(tmp_path / "pair.png"), np.hstack(pictures))
    return tmp_path / "pair.png"


def test_a_line_counts_the_frames_and_seconds_of_a_video(track, grey: Path):
    assert track(grey) == Line("grey.mp4", frames=6, seconds=0.4, fps=15.0)


def test_a_line_rounds_rate_and_seconds_to_thousandths(track, monkeypatch):
    """Four frames of a face at 59.94 Hz, as television has it."""
    face, rate = cv2.imread(str(PORTRAITS[0])), 60000 / 1001
    frames = (Frame(face, k / rate, k, rate, "ntsc.mp4") for k in range(4))
    monkeypatch.setattr(tracking, "frames_from", lambda _path: frames)
    expected = Line("ntsc.mp4", frames=4, frames_with_faces=4, faces=1, seconds=0.067, fps=59.94)
    assert track(Path("ntsc.mp4")) == expected


def test_a_line_counts_the_faces_of_a_picture_which_has_no_seconds(track, pair: Path):
    assert track(pair, faces=2) == Line("pair.png", frames=1, frames_with_faces=1, faces=2)


def test_no_more_faces_are_followed_than_wanted(track, pair: Path, tmp_path: Path):
    assert track(pair, faces=1).faces == 1
    assert [row["id"] for row in rows(tmp_path / "out" / "pair.png.csv")] == ["0"]


def test_a_face_turned_to_the_side_is_followed(track):
    assert track(PROFILE).faces == 1


def test_a_worker_is_one_thread(track, grey: Path, monkeypatch):
    monkeypatch.setenv("OPENCV_FFMPEG_THREADS", "8")
    cv2.setNumThreads(8)
    track(grey)
    assert (os.environ["OPENCV_FFMPEG_THREADS"], cv2.getNumThreads()) == ("1", 1)


def test_a_frame_without_a_face_is_a_row(track, grey: Path, tmp_path: Path):
    track(grey)
    table = rows(tmp_path / "out" / "grey.mp4.csv")
    assert [(row["frame"], row["id"]) for row in table] == [(str(k), "") for k in range(6)]


def tracked(picture: Path, **options: float) -> Face:
    [face] = FaceTracker(Landmarker.load(), FaceDetector.load(), 1, **options).update(
        cv2.imread(str(picture)), 0.0
    )
    return face


def test_openfaces_columns_are_in_its_units_and_axes(track, tmp_path: Path):
    """Millimetres and radians, x right, y down, z ahead; frames count from 1."""
    track(PORTRAITS[0], layout="openface", fov=40.0)
    [row] = rows(tmp_path / "out" / PORTRAITS[0].with_suffix(".csv").name)
    face = tracked(PORTRAITS[0], fov=40.0)
    yaw, pitch, roll = np.radians(face.pose)
    expected = {"frame": 1, "face_id": 0, "timestamp": 0, "confidence": face.score, "success": 1}
    expected |= {f"pose_T{axis}": x for axis, x in zip("xyz", face.position, strict=True)}
    expected |= {"pose_Rx": -pitch, "pose_Ry": yaw, "pose_Rz": roll}
    expected |= {f"x_{k}": x for k, x in enumerate(face.landmarks[:, 0])}
    expected |= {f"y_{k}": y for k, y in enumerate(face.landmarks[:, 1])}
    assert list(row) == list(expected)
    assert {key: float(x) for key, x in row.items()} == pytest.approx(expected, abs=0.001)
    assert all(len(x.partition(".")[2]) <= 3 for x in row.values())


def test_a_face_that_no_detector_has_scored_earns_no_confidence_from_openface(tmp_path: Path):
    picture = cv2.imread(str(PORTRAITS[0]))
    face = replace(tracked(PORTRAITS[0]), score=None)
    with OpenFaceWriter(tmp_path / "a.csv") as table:
        table.write(Frame(picture, 0.0, 0, 30.0, "a"), [face])
    [row] = rows(tmp_path / "a.csv")
    assert (row["confidence"], row["success"]) == ("0.0", "1")


def test_a_frame_without_a_face_is_a_row_of_zeros_for_openface(track, grey: Path, tmp_path: Path):
    track(grey, layout="openface")
    table = rows(tmp_path / "out" / "grey.csv")
    assert [row.pop("frame") for row in table] == [str(k) for k in range(1, 7)]
    times = [row.pop("timestamp") for row in table]
    assert times == ["0.0", "0.067", "0.133", "0.2", "0.267", "0.333"]
    assert {value for row in table for value in row.values()} == {"0"}


@pytest.mark.parametrize("before", [[], ["damaged.jpg.csv"]])
def test_a_file_that_cannot_be_read_leaves_no_table(track, before, tmp_path: Path):
    """Nor one of what it was before."""
    damaged = tmp_path / "damaged.jpg"
    damaged.write_bytes(PORTRAITS[0].read_bytes()[:2000])
    (tmp_path / "out").mkdir()
    for table in before:
        (tmp_path / "out" / table).write_text("older")
    line = track(damaged)
    assert "truncated" in line.failure and line == Line("damaged.jpg", failure=line.failure)
    assert not list((tmp_path / "out").iterdir())


def test_a_failure_says_what_is_wrong_and_offers_no_demo(track, tmp_path: Path):
    (tmp_path / "empty.jpg").touch()
    assert track(tmp_path / "empty.jpg").failure == f"{tmp_path / 'empty.jpg'} is empty"


def test_a_file_that_trips_a_decoder_is_a_failure_too(track, monkeypatch):
    monkeypatch.setattr(tracking, "frames_from", lambda _path: 1 / 0)
    assert track(Path("odd.mp4")).failure == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize(("length", "too_long"), [(251, False), (252, True)])
def test_names_of_tables_have_255_bytes_at_most(track, length: int, too_long: bool):
    failure = track(Path("n" * (length - 4) + ".jpg")).failure
    assert failure.startswith("its name is too long") == too_long
