"""Labels as JSON lines: what is written is read again, and what is wrong is named."""

import numpy as np
import pytest

from asmnet.core import UserError
from asmnet.train.datasets import Face
from asmnet.train.labels import read_jsonl, write_jsonl

POINTS = "[" + ",".join(["[1, 2]"] * 68) + "]"


def test_round_trip(tmp_path, rng):
    picture = tmp_path / "pictures" / "a.jpg"
    faces = [
        Face(picture, rng.uniform(0, 300, (68, 2)), np.array([10.0, -5.0, 2.0])),
        Face(picture, rng.uniform(0, 300, (68, 2))),
    ]
    write_jsonl(tmp_path / "labels.jsonl", faces)
    read = read_jsonl(tmp_path / "labels.jsonl")
    assert read.scheme.name == "ibug68"
    for given, got in zip(faces, read.faces, strict=True):
        assert got.image == given.image
        np.testing.assert_allclose(got.points, given.points, atol=0.005)
    np.testing.assert_allclose(read.faces[0].pose, [10, -5, 2])
    assert read.faces[1].pose is None


def test_paths_are_relative_to_the_file(tmp_path):
    (tmp_path / "labels.jsonl").write_text(f'{{"image": "a/b.jpg", "landmarks": {POINTS}}}\n')
    assert read_jsonl(tmp_path / "labels.jsonl").faces[0].image == tmp_path / "a" / "b.jpg"


@pytest.mark.parametrize(
    "line, complaint",
    [
        ("{", "line 1: expected image, landmarks, pose"),
        ('{"image": "a.jpg"}', "line 1: expected image, landmarks, pose"),
        ('{"image": "a.jpg", "landmarks": [1, 2]}', "line 1: landmarks are not"),
        ('{"image": "a.jpg", "landmarks": [[1, NaN]]}', "line 1: landmarks are not"),
        ('{"image": "a.jpg", "landmarks": [[1, 2]]}', "68 or 98 points in every line, found 1"),
        (f'{{"image": "a.jpg", "landmarks": {POINTS}, "pose": [1]}}', "line 1: expected"),
        ("", "found no face"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, line, complaint):
    path = tmp_path / "labels.jsonl"
    path.write_text(line)
    with pytest.raises(UserError, match=complaint):
        read_jsonl(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="absent.jsonl"):
        read_jsonl(tmp_path / "absent.jsonl")
