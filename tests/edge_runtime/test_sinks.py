from __future__ import annotations

import csv
import json
import os
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from asmnet.core import Crop, Event, UserError
from asmnet.edge_runtime import Face, Frame
from asmnet.edge_runtime.io.recorder import Recorder
from asmnet.edge_runtime.io.sinks import CsvWriter, JsonlWriter, Stills, record_line
from tests.disks import full_disk

FACE = Face(
    landmarks=np.array([[10.123, 20.456], [30.789, 5.0]], np.float32),
    pose=np.array([1.234, -5.678, 0.0], np.float32),
    crop=Crop(20, 12, 30),
    score=0.98765,
    id=7,
)


TRACKED = replace(
    FACE,
    position=np.array([12.34, -5.0, 600.06], np.float32),
    eyes=np.array([0.91239, 1.0]),
    mouth=0.24961,
    events=(Event("blink", 1.00001, 1.24999),),
)


def frame(k: int, fps: float = 20.0, size: tuple[int, int] = (48, 64)) -> Frame:
    return Frame(np.full((*size, 3), 5 * k % 250, np.uint8), k / fps, k, fps, "test")


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


def test_a_tracked_face_has_its_signals_behind_what_was_there_before():
    before, now = FACE.to_dict(), TRACKED.to_dict()
    assert list(now)[: len(before)] == list(before)
    assert {key: now[key] for key in now if key not in before} == {
        "position": {"x": 12.3, "y": -5.0, "z": 600.1},
        "eyes": {"right": 0.912, "left": 1.0},
        "mouth": 0.25,
        "events": [{"kind": "blink", "start": 1.0, "end": 1.25}],
    }


def test_a_table_ends_with_the_signals(tmp_path: Path):
    with CsvWriter(tmp_path / "out.csv", points=2) as table:
        table.write(record_line(frame(0), [TRACKED]))
    with (tmp_path / "out.csv").open(newline="") as file:
        [row] = csv.DictReader(file)
    signals = dict(list(row.items())[-8:])
    assert list(signals.values()) == ["12.3", "-5.0", "600.1", "0.912", "1.0", "0.25", "1.0", ""]


def test_the_documentation_names_exactly_these_fields():
    text = (Path(__file__).parents[2] / "docs" / "output.md").read_text()
    record = text[text.index("## The record") : text.index("## CSV")]
    line = record_line(replace(frame(0), live=True), [TRACKED])
    named = {row.split("`")[1] for row in record.splitlines() if row.startswith("| `")}
    assert named == set(line) | {f"faces[].{key}" for key in line["faces"][0]}


def test_live_frames_tell_their_age_and_what_was_dropped():
    live = replace(frame(0), live=True, captured=time.monotonic() - 0.05, dropped=3)
    line = record_line(live, [])
    assert line["latency_ms"] == pytest.approx(50, abs=20) and line["dropped"] == 3
    assert line["latency_ms"] == round(line["latency_ms"], 1) and type(line["latency_ms"]) is float


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


def test_the_tables_header_is_the_documented_one(tmp_path: Path):
    with CsvWriter(tmp_path / "out.csv", points=2):
        pass
    text = (Path(__file__).parents[2] / "docs" / "output.md").read_text()
    section = text[text.index("## CSV") : text.index("## Open Sound Control")]
    named = [name for part in section.split("`")[1::2] for name in part.split(", ")]
    documented, signals = named[: named.index("x0")], named[named.index("...") + 1 :]
    header = (tmp_path / "out.csv").read_text().splitlines()[0].split(",")
    assert header == [*documented, "x0", "y0", "x1", "y1", *signals]


def test_a_name_that_is_no_text_ends_no_table(tmp_path: Path):
    with CsvWriter(tmp_path / "out.csv", points=2) as table:
        table.write(record_line(replace(frame(0), name="\udcff.jpg"), [FACE]))
    assert "?.jpg" in (tmp_path / "out.csv").read_text()


def test_a_face_that_nothing_judged_has_no_score():
    assert record_line(frame(0), [replace(FACE, score=None)])["faces"][0]["score"] is None


def test_lines_go_on_after_the_disk_had_no_room(tmp_path: Path):
    with JsonlWriter(tmp_path / "out.jsonl") as lines:
        lines.write(record_line(frame(0), []))
        with full_disk(100), pytest.raises(UserError, match="cannot write"):
            lines.write(record_line(frame(1), [FACE]))
        lines.write(record_line(frame(2), []))
    text = (tmp_path / "out.jsonl").read_text()
    assert [json.loads(line)["frame"] for line in text.splitlines()] == [0, 2]


@pytest.mark.parametrize("sink", [JsonlWriter, lambda path: CsvWriter(path, points=2)])
@full_disk()
def test_a_full_disk_is_one_sentence_and_lines_stay_whole(sink, tmp_path: Path):
    path = tmp_path / "out"
    with sink(path) as lines, pytest.raises(UserError, match="cannot write .*out: File too large"):
        for k in range(1000):
            lines.write(record_line(frame(k), [FACE]))
    text = path.read_text()
    assert 19_000 < len(text) <= 20_000 and text.endswith("\n") and "\0" not in text


@full_disk()
def test_a_full_disk_loses_one_still_in_one_sentence(tmp_path: Path, rng: np.random.Generator):
    saver = Stills(tmp_path, every=0)
    saver.write(frame(0).image, frame(0))
    noise = rng.integers(0, 255, (480, 640, 3), np.uint8)
    with pytest.raises(UserError, match=r"cannot write .*frame-000001\.jpg: File too large"):
        saver.write(noise, frame(1))
    assert os.listdir(tmp_path) == ["frame-000000.jpg"]


def test_a_picture_too_large_for_a_jpeg_is_one_sentence(tmp_path: Path):
    image = np.zeros((1, 70_000, 3), np.uint8)
    with pytest.raises(UserError, match=r"cannot encode .*frame-000000\.jpg"):
        Stills(tmp_path, every=0).write(image, frame(0))


def test_every_line_is_on_disk_as_soon_as_it_is_written(tmp_path: Path):
    path = tmp_path / "new folder" / "out.jsonl"
    with JsonlWriter(path) as lines:
        for k in range(3):
            lines.write(record_line(frame(k), [FACE]))
            assert [json.loads(s)["frame"] for s in path.read_text().splitlines()] == [
                *range(k + 1)
            ]


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
