"""What `asmnet-batch` writes; its worker is the test's own process."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from concurrent import futures
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from asmnet import samples
from asmnet.edge_runtime import FaceDetector, FaceTracker, Landmarker, batch
from asmnet.edge_runtime.io.recorder import Recorder
from asmnet.edge_runtime.io.sources import Frame

PORTRAITS = sorted(samples.PORTRAITS.glob("*.jpg"))


class Here(futures.Executor):
    """A pool whose workers are this process, one after the other."""

    counts: list[int]

    def __init__(self, count: int, context: object, start: Callable, arguments: tuple) -> None:
        self.counts.append(count)
        start(*arguments)

    def submit(self, work: Callable, /, *arguments: object) -> futures.Future:
        job: futures.Future = futures.Future()
        try:
            job.set_result(work(*arguments))
        except BrokenProcessPool as error:
            job.set_exception(error)
        return job


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr(futures, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(Here, "counts", [], raising=False)
    monkeypatch.setattr(batch, "_end_with_parent", lambda: None)

    def invoke(*arguments: object) -> Result:
        result = CliRunner().invoke(batch.main, [str(a) for a in arguments])
        assert result.exit_code == 0, result.output
        return result

    return invoke


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A portrait, a damaged one, and a video of 6 grey frames at 15 Hz in a folder below."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (folder / "face.JPG").write_bytes(PORTRAITS[0].read_bytes())
    (folder / "bad.jpg").write_bytes(PORTRAITS[0].read_bytes()[:2000])
    (folder / "notes.txt").write_text("no picture")
    (folder / "folder.mp4").mkdir()
    grey = np.full((64, 64, 3), 128, np.uint8)
    with Recorder(folder / "sub" / "grey.mp4") as video:
        for k in range(6):
            video.write(grey, Frame(grey, k / 15, k, 15.0, "grey"))
    return folder


def test_the_summary_counts_frames_faces_and_seconds(run, folder: Path, tmp_path: Path):
    out = tmp_path / "out"
    result = run(folder, "-o", out)
    bad, face, video = table(out / "summary.csv")
    assert face == {"file": "face.JPG", "frames": "1", "faces": "1", "failure": ""} | {
        key: face[key] for key in ("seconds", "fps")
    }
    assert video == {
        "file": "sub/grey.mp4",
        "frames": "6",
        "faces": "0",
        "seconds": "0.333",
        "fps": "15.0",
        "failure": "",
    }
    assert (bad["file"], bad["frames"], bad["faces"], bad["fps"]) == ("bad.jpg", "0", "0", "")
    assert result.stdout == f"files: 3, failed: 1; {out / 'summary.csv'}\n"


def test_progress_tells_the_file_and_the_time_left(
    run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As long for each file that is left as the files until now took on average."""
    clock = iter([100.0, 103.0, 108.0, 109.0])
    monkeypatch.setattr(batch, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    told = run(folder, "-o", tmp_path / "out").stderr.splitlines()
    assert [line.split(": ")[0] for line in told] == [
        "1 of 3, 6 s left",
        "2 of 3, 4 s left",
        "3 of 3, 0 s left",
    ]
    assert {line.split(": ")[1] for line in told} == {"bad.jpg", "face.JPG", "sub/grey.mp4"}


def test_what_is_done_is_not_done_again(run, folder: Path, tmp_path: Path):
    out = tmp_path / "out"
    run(folder, "-o", out)
    before, summary = os.stat(out / "face.JPG.csv"), (out / "summary.csv").read_text()
    (out / "summary.csv").unlink()
    again = run(folder, "-o", out)
    assert os.stat(out / "face.JPG.csv").st_mtime_ns == before.st_mtime_ns
    assert again.stderr == "" and (out / "summary.csv").read_text() == summary


def test_the_table_is_that_of_the_tracker(run, folder: Path, tmp_path: Path):
    run(folder, "-o", tmp_path / "out")
    [row] = table(tmp_path / "out" / "face.JPG.csv")
    face = tracked(folder / "face.JPG")
    assert (row["frame"], row["id"]) == ("0", "0")
    assert float(row["yaw"]) == pytest.approx(face.pose[0], abs=0.01)
    rows = table(tmp_path / "out" / "sub" / "grey.mp4.csv")
    assert [row["frame"] for row in rows] == [str(k) for k in range(6)]


def tracked(picture: Path, **options):
    [face] = FaceTracker(Landmarker.load(), FaceDetector.load(), 1, **options).update(
        cv2.imread(str(picture)), 0.0
    )
    return face


def test_openfaces_columns_are_in_its_units_and_axes(run, folder: Path, tmp_path: Path):
    """Millimetres and radians, x right, y down, z ahead; frames count from 1."""
    run(folder, "-o", tmp_path / "out", "--format", "openface")
    [row] = table(tmp_path / "out" / "face.JPG.csv")
    found = {name: float(value) for name, value in row.items()}
    face = tracked(folder / "face.JPG")
    yaw, pitch, roll = np.radians(face.pose)
    expected = {"frame": 1, "face_id": 0, "timestamp": 0, "confidence": face.score, "success": 1}
    expected |= {f"pose_T{axis}": x for axis, x in zip("xyz", face.position, strict=True)}
    expected |= {"pose_Rx": -pitch, "pose_Ry": yaw, "pose_Rz": roll}
    expected |= {f"x_{k}": x for k, x in enumerate(face.landmarks[:, 0])}
    expected |= {f"y_{k}": y for k, y in enumerate(face.landmarks[:, 1])}
    assert list(found) == list(expected)
    assert found == pytest.approx(expected, abs=0.001)


def test_a_frame_without_a_face_is_a_row_of_zeros_for_openface(run, folder, tmp_path):
    run(folder, "-o", tmp_path / "out", "--format", "openface")
    rows = table(tmp_path / "out" / "sub" / "grey.mp4.csv")
    assert [row["frame"] for row in rows] == [str(k) for k in range(1, 7)]
    assert [float(row["timestamp"]) for row in rows] == pytest.approx(np.arange(6) / 15, abs=1e-3)
    zeros = [set(list(row.values())[1:2] + list(row.values())[3:]) for row in rows]
    assert zeros == [{"0"}] * 6


def test_options_reach_the_tracker(run, folder: Path, tmp_path: Path):
    pair = np.hstack([cv2.imread(str(picture)) for picture in PORTRAITS[1:]])
    cv2.imwrite(str(folder / "two.png"), pair)
    options = ("--faces", 2, "--fov", 40, "--format", "openface")
    run(folder, "-o", tmp_path / "out", *options)
    assert {row["face_id"] for row in table(tmp_path / "out" / "two.png.csv")} == {"0", "1"}
    [row] = table(tmp_path / "out" / "face.JPG.csv")
    away = tracked(folder / "face.JPG", fov=40.0).position[2]
    assert float(row["pose_Tz"]) == pytest.approx(away, abs=0.01)
    kept = json.loads((tmp_path / "out" / "batch.json").read_text())
    assert (kept["faces"], kept["fov"], kept["format"]) == (2, 40.0, "openface")


@pytest.mark.parametrize("options, count", [((), os.cpu_count()), (("--workers", 2), 2)])
def test_no_more_workers_than_cores_wishes_or_files(run, folder, tmp_path, options, count):
    run(folder, "-o", tmp_path / "out", *options)
    run(folder, "-o", tmp_path / "many", "--workers", 99)
    assert Here.counts == [min(count, 3), 3]


@pytest.mark.parametrize("owner, name", [(batch, "_track"), (Here, "submit")])
def test_a_killed_worker_is_one_sentence(
    run, refused, folder, tmp_path, monkeypatch, owner: object, name: str
):
    """Be it at work, or while there are files still to be handed out."""

    def die(*arguments: object) -> None:
        raise BrokenProcessPool

    monkeypatch.setattr(owner, name, die)
    line = refused(batch.main, folder, "-o", tmp_path / "out")
    assert "a worker was killed, memory?; repeat the command to go on" in line


def test_places_that_cannot_be_used_are_one_sentence(refused, folder: Path, tmp_path: Path):
    assert "none is not a folder" in refused(batch.main, tmp_path / "none", "-o", tmp_path / "o")
    line = refused(batch.main, folder, "-o", folder / "sub" / "..")
    assert "is the folder that is read; give another" in line
