from __future__ import annotations

import csv
import errno
import io
import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from asmnet.core import Crop, UserError
from asmnet.edge_runtime import Face, Frame, frames_from
from asmnet.edge_runtime.sinks import CsvWriter, JsonlWriter, Recorder, Stills, record_line

FACE = Face(
    landmarks=np.array([[10.123, 20.456], [30.789, 5.0]], np.float32),
    pose=np.array([1.234, -5.678, 0.0], np.float32),
    crop=Crop(20, 12, 30),
    score=0.98765,
    id=7,
)


def frame(k: int, fps: float = 20.0, size: tuple[int, int] = (48, 64)) -> Frame:
    return Frame(np.full((*size, 3), 5 * k, np.uint8), k / fps, k, fps, "test")


def test_a_line_has_the_documented_fields():
    image = np.zeros((480, 640, 3), np.uint8)
    line = record_line(Frame(image, 0.1234567, 3, 30.0, "a.mp4"), [FACE])
    assert line == {
        "schema": "asmnet-track/1",
        "frame": 3,
        "t": 0.1235,
        "source": "a.mp4",
        "size": [640, 480],
        "faces": [
            {
                "id": 7,
                "score": 0.988,
                "box": [10.12, 5.0, 30.79, 20.46],
                "landmarks": [[10.12, 20.46], [30.79, 5.0]],
                "pose": {"yaw": 1.23, "pitch": -5.68, "roll": 0.0},
            }
        ],
    }


def test_the_documentation_names_exactly_these_fields():
    text = (Path(__file__).parents[2] / "docs" / "output.md").read_text()
    record = text[text.index("## The record") : text.index("## CSV")]
    line = record_line(replace(frame(0), live=True), [FACE])
    named = {row.split("`")[1] for row in record.splitlines() if row.startswith("| `")}
    assert named == set(line) | {f"faces[].{key}" for key in line["faces"][0]}


def test_live_frames_tell_their_age_and_what_was_dropped():
    live = replace(frame(0), live=True, captured=time.monotonic() - 0.05, dropped=3)
    line = record_line(live, [])
    assert line["latency_ms"] == pytest.approx(50, abs=20) and line["dropped"] == 3


def test_a_table_has_a_row_per_face_and_per_empty_frame(tmp_path: Path):
    path = tmp_path / "out.csv"
    with CsvWriter(path, points=2) as table:
        table.write(record_line(frame(0), [FACE, replace(FACE, id=8)]))
        table.write(record_line(frame(1), []))
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["frame"], row["id"]) for row in rows] == [("0", "7"), ("0", "8"), ("1", "")]
    assert rows[0]["yaw"] == "1.23" and rows[0]["left"] == "10.12" and rows[0]["width"] == "64"
    assert (rows[1]["x0"], rows[1]["y0"], rows[1]["x1"], rows[1]["y1"]) == (
        "10.12", "20.46", "30.79", "5.0",
    )  # fmt: skip
    assert None not in rows[2] and None not in rows[2].values(), "rows of another length"


def test_a_full_disk_is_one_sentence(tmp_path: Path):
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    with JsonlWriter(tmp_path / "out.jsonl") as lines:
        lines._file = Full()
        with pytest.raises(UserError, match="cannot write .*out.jsonl: No space left"):
            lines.write(record_line(frame(0), []))


def test_a_full_disk_ends_a_recording_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Before the room for the index is gone, without which no player opens the file."""
    free = iter([10**9, 10**6])
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=next(free)))
    path = tmp_path / "out.mp4"
    with pytest.raises(UserError, match="is full .1 MB left.: recording stopped"):
        with Recorder(path) as recorder:
            for k in range(5):
                recorder.write(frame(k).image, frame(k))
            recorder._checked = 0.0  # a second later
            recorder.write(frame(5).image, frame(5))
    assert sum(1 for _ in frames_from(path)) == 5


def test_every_line_is_on_disk_as_soon_as_it_is_written(tmp_path: Path):
    path = tmp_path / "new folder" / "out.jsonl"
    with JsonlWriter(path) as lines:
        for k in range(3):
            lines.write(record_line(frame(k), [FACE]))
            assert [json.loads(s)["frame"] for s in path.read_text().splitlines()] == [
                *range(k + 1)
            ]


def test_a_recording_has_every_frame_and_its_speed(tmp_path: Path):
    path = tmp_path / "out.mp4"
    with Recorder(path) as recorder:
        for k in range(40):
            recorder.write(frame(k).image, frame(k))
    frames = list(frames_from(path))
    assert len(frames) == 40 and frames[0].fps == 20
    assert [f.image.mean() for f in frames] == pytest.approx(range(0, 200, 5), abs=4)


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


def test_stills_are_spread_in_time_and_every_picture_is_kept(tmp_path: Path):
    saver = Stills(tmp_path / "video", every=0.5)
    for k in range(21):
        if saver.due(frame(k)):
            saver.write(frame(k).image, frame(k))
    names = sorted(path.name for path in (tmp_path / "video").iterdir())
    assert names == ["frame-000000.jpg", "frame-000010.jpg", "frame-000020.jpg"]
    picture = Frame(frame(0).image, 0.0, 4, 1.0, "a.png", still=True)
    assert saver.due(picture)
    saver.write(picture.image, picture)
    assert cv2.imread(str(tmp_path / "video" / "frame-000004.jpg")).shape == (48, 64, 3)


@pytest.mark.parametrize("sink", [Recorder, JsonlWriter, lambda p: Stills(p, 1.0)])
def test_an_unwritable_place_is_named_at_once(sink, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        sink(tmp_path / "file" / "out.mp4")


def test_a_folder_in_the_files_place_and_another_suffix_are_refused(tmp_path: Path):
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(UserError, match="it is a folder"):
        Recorder(tmp_path / "folder.mp4")
    with pytest.raises(UserError, match=r"out\.avi the suffix \.mp4"):
        Recorder(tmp_path / "out.avi")
