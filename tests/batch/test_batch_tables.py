"""Parquet: what its readers see is what the CSV says, with types."""

from __future__ import annotations

import csv
import subprocess
import sys

import numpy as np
import pytest

from asmnet.edge_runtime.batch.cli import main

parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")


@pytest.fixture(scope="module")
def both(clips, command, tmp_path_factory):
    """Results of the same videos as CSV and as Parquet, two faces."""
    folder = tmp_path_factory.mktemp("both")
    for layout in ("csv", "parquet"):
        words = command(clips / "0[0-1].avi", folder / layout, "--format", layout, "--faces", "2")
        subprocess.run(words, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("name", ["00.avi", "summary"])
def test_a_table_equals_the_csv(both, name):
    table = parquet.read_table(both / "parquet" / f"{name}.parquet")
    with (both / "csv" / f"{name}.csv").open(newline="") as file:
        columns, *rows = csv.reader(file)
    assert table.column_names == columns and table.num_rows == len(rows) > 1
    for column, cells in zip(columns, zip(*rows, strict=True), strict=True):
        typed = table[column].to_pylist()
        text = isinstance(typed[0], str)
        assert typed == [cell if text else float(cell) if cell else None for cell in cells]


def test_columns_have_types(both):
    table = parquet.read_table(both / "parquet" / "00.avi.parquet")
    kinds = {name: str(table.schema.field(name).type) for name in table.column_names}
    assert (kinds["frame"], kinds["id"], kinds["source"]) == ("int64", "int64", "string")
    assert {kinds[name] for name in ("t", "score", "yaw", "x0", "y67", "mouth", "blink")} == {
        "double"
    }
    faces = table.filter(np.array([i is not None for i in table["id"].to_pylist()]))
    assert 0 < faces.num_rows < table.num_rows and faces["x0"].null_count == 0


def test_long_videos_are_written_in_parts(tmp_path, monkeypatch):
    from asmnet.edge_runtime.io import parquet as ours

    monkeypatch.setattr(ours, "_ROWS", 3)
    with ours.ParquetWriter(tmp_path / "a.parquet", 68) as table:
        for number in range(7):
            table.write({"frame": number, "t": 0.0, "source": "", "size": [4, 3], "faces": []})
    file = parquet.ParquetFile(tmp_path / "a.parquet")
    assert file.num_row_groups == 3
    assert file.read()["frame"].to_pylist() == list(range(7))


def test_without_pyarrow_it_is_one_sentence(archive, tmp_path, refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    line = refused(main, archive, "-o", tmp_path / "out", "--format", "parquet")
    assert "pip install 'asmnet[batch]'" in line and not (tmp_path / "out").exists()
