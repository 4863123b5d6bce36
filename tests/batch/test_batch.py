"""Each file's table, one summary, and the same bytes after a kill."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from asmnet.edge_runtime.batch.cli import main


def summary(out: Path) -> dict[str, dict[str, str]]:
    with (out / "summary.csv").open(newline="") as file:
        return {line["file"]: line for line in csv.DictReader(file)}


def test_each_file_has_a_table_or_a_reason(done):
    lines = summary(done)
    assert list(lines) == ["a.jpg", "b.jpg", "bad.jpg", "sub/c.jpg"]
    assert "truncated" in lines.pop("bad.jpg")["failure"]
    assert not (done / "bad.jpg.csv").exists()
    for name, line in lines.items():
        assert (line["frames"], line["faces"], line["seconds"], line["failure"]) == (
            "1",
            "1",
            "",
            "",
        )
        assert (done / f"{name}.csv").read_text().count("\n") == 2


def test_faces_are_numbered_from_0_in_each_file(done):
    for table in (done / "a.jpg.csv", done / "b.jpg.csv"):
        with table.open(newline="") as file:
            assert [row["id"] for row in csv.DictReader(file)] == ["0"]


def test_the_summary_tells_the_length_of_a_video_and_how_much_of_it_shows_a_face(
    clips, command, tmp_path
):
    subprocess.run(command(clips / "00.avi", tmp_path), check=True, capture_output=True)
    line = summary(tmp_path)["00.avi"]
    assert (line["frames"], line["seconds"], line["fps"]) == ("20", "0.8", "25.0")
    assert 1 <= int(line["frames_with_faces"]) <= 15


@pytest.mark.slow
def test_killed_after_some_files_it_ends_with_the_same_bytes(
    archive, done, command, content, tmp_path
):
    for lines in (1, 2):
        run = subprocess.Popen(
            command(archive, tmp_path), stderr=subprocess.DEVNULL, start_new_session=True
        )
        while len(list(tmp_path.glob(".lines/[!.]*.json"))) < lines and run.poll() is None:
            time.sleep(0.001)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    subprocess.run(command(archive, tmp_path), check=True, capture_output=True)
    assert content(tmp_path) == content(done)


def test_what_is_done_is_not_done_again_until_the_file_changes(archive, command, tmp_path):
    videos, out = shutil.copytree(archive, tmp_path / "videos"), tmp_path / "out"
    subprocess.run(command(videos, out), check=True, capture_output=True)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.jpg.csv")}
    shutil.copy(videos / "a.jpg", videos / "bad.jpg")  # whole at last
    (out / "b.jpg.csv").unlink()
    subprocess.run(command(videos, out), check=True, capture_output=True)
    after = {path: path.stat().st_mtime_ns for path in out.rglob("*.jpg.csv")}
    same = {path.name for path, time in after.items() if before.get(path) == time}
    assert same == {"a.jpg.csv", "c.jpg.csv"} and len(after) == 4
    assert not summary(out)["bad.jpg"]["failure"]


def test_a_full_disk_ends_the_batch_and_is_no_failure_of_a_file(archive, tmp_path, refused):
    (tmp_path / "a.jpg.csv").mkdir()  # as good as a disk that takes no more
    assert "a.jpg.csv: it is a folder" in refused(main, archive, "-o", tmp_path, "--workers", "1")
    assert not list(tmp_path.glob(".lines/*a.jpg*"))


def test_names_may_be_any_bytes_and_of_any_length(archive, command, tmp_path):
    videos, out = tmp_path / "videos", tmp_path / "out"
    videos.mkdir()
    content = (archive / "a.jpg").read_bytes()
    for name in (b'\xff, "x".jpg', b"n" * 247 + b".jpg", b"m" * 251 + b".jpg"):
        (videos / os.fsdecode(name)).write_bytes(content)
    subprocess.run(command(videos, out), check=True, capture_output=True)
    lines = summary(out)
    assert lines['\ufffd, "x".jpg']["failure"] == lines["n" * 247 + ".jpg"]["failure"] == ""
    assert "too long" in lines["m" * 251 + ".jpg"]["failure"]


def test_progress_tells_what_fails_and_when_the_end_is_near(archive, command, tmp_path):
    slow = "import asmnet.edge_runtime.batch.cli as cli; cli._EVERY = 0; cli.main()"
    words = command(archive, tmp_path)
    words[2] = slow
    told = subprocess.run(words, check=True, capture_output=True, text=True).stderr.splitlines()
    assert any(line.startswith("bad.jpg: ") for line in told)
    assert any("of 4 files" in line and "left, until" in line for line in told)


def test_other_options_do_not_mix_with_what_is_there(refused, archive, done):
    line = refused(main, archive, "-o", done, "--fov", "40")
    assert "begun with other options: fov was 65.0, now it is 40.0" in line


def test_another_archive_does_not_mix_with_what_is_there(refused, archive, done):
    assert "begun with other options: root" in refused(main, archive / "sub", "-o", done)


@pytest.mark.parametrize("name", ["batch.json", "summary.csv"])
def test_the_results_do_not_depend_on_where_they_are_written(done, name):
    assert str(done) not in (done / name).read_text()
    if name == "batch.json":
        assert json.loads((done / name).read_text())["format"] == "csv"
