"""Scripts that were written for OpenFace's tables.

They look for NAME.csv beside the videos' names, take columns by name, with a space before it
(OpenFace before 2.2, and on Windows) or without, or by number, compare `success` with 1 and
`confidence` with a threshold, count frames from 1, and compute with radians and millimetres.
"""

from __future__ import annotations

import csv
import subprocess

import numpy as np
import pytest

SPACES = {"openface": "", "openface-spaces": " "}


@pytest.fixture(scope="module", params=SPACES)
def tables(request, clips, command, tmp_path_factory):
    """Folder of the tables, and what stands before all names of columns but the first."""
    out = tmp_path_factory.mktemp("tables")
    words = command(clips / "0[0-1].avi", out, "--format", request.param)
    subprocess.run(words, check=True, capture_output=True)
    return out, SPACES[request.param]


def test_a_script_with_csv_dictreader(tables):
    """Nose and chin of the frames that can be trusted, by frame and face."""
    folder, space = tables
    points = {}
    with (folder / "00.csv").open() as file:
        for row in csv.DictReader(file):
            if int(row[f"{space}success"]) == 1 and float(row[f"{space}confidence"]) > 0.5:
                key = int(row["frame"]) - 1, int(row[f"{space}face_id"])
                points[key] = [float(row[f"{space}{axis}_{k}"]) for k in (30, 8) for axis in "xy"]
    assert min(points)[0] >= 5 and max(points)[0] == 19  # the first five frames are black
    nose, chin = np.array(list(points.values())).reshape(-1, 2, 2).mean(axis=0)
    assert 0 < nose[0] < 320 and nose[1] < chin[1] < 240


def test_a_script_that_splits_lines(tables):
    """Where columns are found by the header's words, and cells at the same place."""
    folder, space = tables
    header, *lines = (folder / "01.csv").read_text().splitlines()
    names = header.split(f",{space}")
    assert names[:5] == ["frame", "face_id", "timestamp", "confidence", "success"]
    cells = np.array([[float(cell) for cell in line.split(f",{space}")] for line in lines])
    assert cells.shape == (20, 5 + 6 + 2 * 68)
    assert (cells[:, names.index("success")] == cells[:, 4]).all()
    np.testing.assert_allclose(cells[:, names.index("timestamp")], np.arange(20) / 25, atol=1e-3)
    turned = np.degrees(cells[:, [names.index(f"pose_R{axis}") for axis in "xyz"]])
    assert 1 < np.abs(turned).max() < 60
    assert (cells[cells[:, 4] == 1][:, names.index("pose_Tz")] > 100).all()


def test_a_frame_without_a_face_has_a_row_of_zeros(tables):
    folder, _ = tables
    with (folder / "00.csv").open() as file:
        first = next(csv.DictReader(file, skipinitialspace=True))
    assert first.pop("frame") == "1"
    assert {float(value) for value in first.values()} == {0.0}
