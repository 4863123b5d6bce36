"""One file after another, in this process: what is counted, and what stands in the tables."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from asmnet import samples
from asmnet.edge_runtime import Face, FaceDetector, FaceTracker, Landmarker
from asmnet.edge_runtime.batch.inputs import Source
from asmnet.edge_runtime.batch.tracking import Line, Settings, Tracking
from asmnet.edge_runtime.io.recorder import Recorder
from asmnet.edge_runtime.io.sources import Frame

PORTRAITS = sorted(samples.PORTRAITS.glob("*.jpg"))


@pytest.fixture
def track(tmp_path: Path) -> Callable[..., Line]:
    """Tracks one file; its table is in `out`."""

    def run(path: Path, faces: int = 1, layout: str = "csv", fov: float = 65.0) -> Line:
        settings = Settings(str(tmp_path), "asmnet-spatial-68-224", faces, layout, fov)
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


def test_a_line_counts_the_faces_of_a_picture_which_has_no_seconds(track, pair: Path):
    assert track(pair, faces=2) == Line("pair.png", frames=1, frames_with_faces=1, faces=2)


def test_no_more_faces_are_followed_than_wanted(track, pair: Path, tmp_path: Path):
    assert track(pair, faces=1).faces == 1
    assert [row["id"] for row in rows(tmp_path / "out" / "pair.png.csv")] == ["0"]


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


def test_a_frame_without_a_face_is_a_row_of_zeros_for_openface(track, grey: Path, tmp_path: Path):
    track(grey, layout="openface")
    table = rows(tmp_path / "out" / "grey.csv")
    assert [row.pop("frame") for row in table] == [str(k) for k in range(1, 7)]
    times = [float(row.pop("timestamp")) for row in table]
    assert times == pytest.approx(np.arange(6) / 15, abs=1e-3)
    assert {value for row in table for value in row.values()} == {"0"}


def test_a_file_that_cannot_be_read_leaves_no_table(track, tmp_path: Path):
    """Nor one of what it was before."""
    damaged = tmp_path / "damaged.jpg"
    damaged.write_bytes(PORTRAITS[0].read_bytes()[:2000])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "damaged.jpg.csv").write_text("older")
    line = track(damaged)
    assert "truncated" in line.failure and line == Line("damaged.jpg", failure=line.failure)
    assert not list((tmp_path / "out").iterdir())
