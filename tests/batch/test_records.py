"""What a batch remembers: its options, which sources are done, and the summary."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from asmnet.core import UserError
from asmnet.edge_runtime.batch.inputs import Source
from asmnet.edge_runtime.batch.records import keep_line, kept_line, settle, write_summary
from asmnet.edge_runtime.batch.tracking import Line, Settings

SETTINGS = Settings("/videos", "asmnet-spatial-68-160", 1, "csv", 65.0)
SOURCE = Source(Path("/videos/a.mp4"), "a.mp4", size=100, changed=5)
LINE = Line("a.mp4", frames=3, frames_with_faces=2, faces=1, seconds=0.1, fps=30.0)


def test_the_same_options_go_on_where_others_are_refused(tmp_path):
    settle(tmp_path, SETTINGS)
    settle(tmp_path, SETTINGS)
    with pytest.raises(UserError, match="faces was 1, now it is 2"):
        settle(tmp_path, replace(SETTINGS, faces=2))


def test_options_may_name_any_bytes(tmp_path):
    settings = replace(SETTINGS, root="/\udcff")
    settle(tmp_path, settings)
    settle(tmp_path, settings)


@pytest.mark.parametrize("content", [b'{"root": ', b"[1]", b"7", b"\xff", None])
def test_damaged_options_are_one_sentence(tmp_path, content):
    kept = tmp_path / "batch.json"
    kept.mkdir() if content is None else kept.write_bytes(content)
    with pytest.raises(UserError, match="batch.json is damaged"):
        settle(tmp_path, SETTINGS)


@pytest.fixture
def done(tmp_path: Path) -> Path:
    """The folder of a batch in which the source is done."""
    (tmp_path / "a.mp4.csv").touch()
    keep_line(tmp_path, SOURCE, LINE)
    return tmp_path


def test_a_source_that_is_done_has_its_line(done):
    assert kept_line(done, SOURCE, SETTINGS) == LINE


def test_a_source_that_is_not_done_has_none(done):
    assert kept_line(done, replace(SOURCE, name="b.mp4"), SETTINGS) is None


@pytest.mark.parametrize("change", [{"size": 101}, {"changed": 6}])
def test_a_source_that_has_changed_is_done_again(done, change):
    assert kept_line(done, replace(SOURCE, **change), SETTINGS) is None


def test_a_source_without_its_table_is_done_again(done):
    (done / "a.mp4.csv").unlink()
    assert kept_line(done, SOURCE, SETTINGS) is None


def test_a_source_that_failed_needs_no_table(tmp_path):
    keep_line(tmp_path, SOURCE, failed := Line("a.mp4", failure="it is truncated"))
    assert kept_line(tmp_path, SOURCE, SETTINGS) == failed


@pytest.mark.parametrize("content", ['{"line": ', "[]", "{}", '{"line": {"name": "a.mp4"}}'])
def test_a_source_whose_line_is_damaged_is_done_again(done, content):
    [record] = done.glob(".lines/*")
    record.write_text(content)
    assert kept_line(done, SOURCE, SETTINGS) is None


@pytest.mark.parametrize("name", ["n" * 255, "\udcff.mp4"], ids=["long", "not UTF-8"])
def test_a_source_of_any_name_has_its_line(tmp_path, name):
    failed = Line(name, failure="it is truncated")
    keep_line(tmp_path, source := replace(SOURCE, name=name), failed)
    assert kept_line(tmp_path, source, SETTINGS) == failed


def test_the_summary_has_a_row_for_each_source_and_the_number_of_failures(tmp_path):
    picture = Line("b.jpg", frames=1)
    lost = Line("\udcff.mp4", failure='"\udcff.mp4" is no vidéo')
    assert write_summary(tmp_path, [LINE, picture, lost], "csv") == 1
    content = (tmp_path / "summary.csv").read_bytes().decode("utf-8")
    assert list(csv.reader(content.splitlines())) == [
        ["file", "frames", "frames_with_faces", "faces", "seconds", "fps", "failure"],
        ["a.mp4", "3", "2", "1", "0.1", "30.0", ""],
        ["b.jpg", "1", "0", "0", "", "", ""],
        ["\ufffd.mp4", "0", "0", "0", "", "", '"?.mp4" is no vidéo'],
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["summary.csv"]


def test_the_summary_of_parquet_tables_is_one_too(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
    write_summary(tmp_path, [LINE, Line("b.jpg", failure="it is empty")], "parquet")
    rows = parquet.read_table(tmp_path / "summary.parquet").to_pylist()
    assert [row["file"] for row in rows] == ["a.mp4", "b.jpg"]
    assert (rows[0]["seconds"], rows[1]["seconds"]) == (0.1, None)
    assert (tmp_path / "summary.csv").is_file()
