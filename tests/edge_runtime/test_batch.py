"""Whole folders: each file's table, one summary, and the same bytes after a kill."""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from asmnet import samples
from asmnet.edge_runtime.batch import main

PORTRAITS = sorted(samples.PORTRAITS.glob("*.jpg"))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three portraits, one in a sub-folder, and a damaged picture."""
    folder = tmp_path_factory.mktemp("archive")
    (folder / "sub").mkdir()
    for picture, place in zip(PORTRAITS, ("a.jpg", "b.jpg", "sub/c.jpg"), strict=False):
        (folder / place).write_bytes(picture.read_bytes())
    (folder / "bad.jpg").write_bytes(PORTRAITS[0].read_bytes()[:2000])
    return folder


def command(archive: Path, out: Path, *options: str) -> list[str]:
    run = "from asmnet.edge_runtime.batch import main; main()"
    return [sys.executable, "-c", run, str(archive), "-o", str(out), "--workers", "1", *options]


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def done(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("done")
    subprocess.run(command(archive, out), check=True, capture_output=True)
    return out


def test_faces_are_numbered_from_0_in_each_file(done: Path):
    for table in (done / "a.jpg.csv", done / "b.jpg.csv"):
        with table.open(newline="") as file:
            assert [row["id"] for row in csv.DictReader(file)] == ["0"]


def test_each_file_has_a_table_and_a_line_of_the_summary(done: Path):
    with (done / "summary.csv").open(newline="") as file:
        lines = {line["file"]: line for line in csv.DictReader(file)}
    assert list(lines) == ["a.jpg", "b.jpg", "bad.jpg", "sub/c.jpg"]
    assert "truncated" in lines["bad.jpg"]["failure"] and not (done / "bad.jpg.csv").exists()
    for name in ("a.jpg", "b.jpg", "sub/c.jpg"):
        assert (lines[name]["frames"], lines[name]["failure"]) == ("1", "")
        assert (done / f"{name}.csv").read_text().count("\n") == 2


def test_killed_after_some_files_it_ends_with_the_same_bytes(archive, done, tmp_path):
    for lines in (1, 2):
        run = subprocess.Popen(
            command(archive, tmp_path), stderr=subprocess.DEVNULL, start_new_session=True
        )
        while len(list(tmp_path.glob(".lines/**/[!.]*.json"))) < lines and run.poll() is None:
            time.sleep(0.001)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    subprocess.run(command(archive, tmp_path), check=True, capture_output=True)
    assert bytes_of(tmp_path) == bytes_of(done)


def test_a_script_for_openface_reads_its_layout(archive, tmp_path):
    run = command(archive, tmp_path, "--format", "openface")
    subprocess.run(run, check=True, capture_output=True)
    with (tmp_path / "a.jpg.csv").open(newline="") as file:
        [row] = csv.DictReader(file)
    values = {name: float(value) for name, value in row.items()}
    assert (values["frame"], values["success"]) == (1, 1) and values["pose_Tz"] > 100
    assert max(abs(values[f"pose_R{axis}"]) for axis in "xyz") < np.pi / 3
    assert values["x_36"] < values["x_45"] and values["y_27"] < values["y_8"]


def test_other_options_do_not_mix_with_what_is_there(refused, archive, done):
    line = refused(main, archive, "-o", done, "--fov", "40")
    assert "begun with other options" in line


def test_a_folder_without_files_is_one_sentence(refused, tmp_path):
    assert "holds no videos or pictures" in refused(main, tmp_path, "-o", tmp_path / "out")


@pytest.mark.parametrize("kept", ["batch.json", ".lines/a.jpg.json"])
def test_a_damaged_record_is_one_sentence(refused, archive, done, tmp_path, kept):
    out = shutil.copytree(done, tmp_path / "out")
    (out / kept).write_text('{"file": ')
    assert f"{out / kept} is damaged" in refused(main, archive, "-o", out)
