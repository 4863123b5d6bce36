"""Labels as JSON lines: what is written is read again, and what is wrong is named."""

import json

import numpy as np
import pytest

from asmnet.core import UserError
from asmnet.data.datasets import LabelledFace
from asmnet.data.jsonl import read_jsonl, write_jsonl

POINTS = "[" + ",".join(f"[{i}, {i % 9}]" for i in range(68)) + "]"
WIDE = "[" + ",".join(f"[{i}, {i % 9}]" for i in range(98)) + "]"


def entry(landmarks=POINTS, **more):
    fields = {"image": '"a.jpg"', "landmarks": landmarks, **more}
    return "{" + ", ".join(f'"{key}": {value}' for key, value in fields.items()) + "}"


def test_round_trip(tmp_path, rng):
    picture = tmp_path / "pictures" / "a.jpg"
    faces = [
        LabelledFace(picture, rng.uniform(0, 300, (68, 2)), np.array([10.0, -5.0, 2.0])),
        LabelledFace(picture, rng.uniform(0, 300, (68, 2)), weights=np.linspace(0, 1, 68)),
    ]
    write_jsonl(tmp_path / "labels.jsonl", faces)
    read = read_jsonl(tmp_path / "labels.jsonl")
    assert read.scheme.name == "ibug68"
    for given, got in zip(faces, read.faces, strict=True):
        assert got.image == given.image
        np.testing.assert_allclose(got.points, given.points, atol=0.005)
    np.testing.assert_allclose(read.faces[0].pose, [10, -5, 2])
    assert read.faces[1].pose is None
    assert read.faces[0].weights is None
    np.testing.assert_allclose(read.faces[1].weights, np.linspace(0, 1, 68), atol=0.005)


def test_a_turned_view_names_the_picture_that_it_was_drawn_from(tmp_path, rng):
    original = tmp_path / "elsewhere" / "a.jpg"
    points = rng.uniform(0, 300, (68, 2))
    views = [LabelledFace(tmp_path / "a.jpg", points, drawn_from=original)]
    write_jsonl(tmp_path / "labels.jsonl", [*views, LabelledFace(tmp_path / "b.jpg", points)])
    read = read_jsonl(tmp_path / "labels.jsonl").faces
    assert [face.drawn_from for face in read] == [original, None]
    (tmp_path / "labels.jsonl").write_text(entry(drawn_from='"sub/a.jpg"'))
    [view] = read_jsonl(tmp_path / "labels.jsonl").faces
    assert view.drawn_from == tmp_path / "sub" / "a.jpg"


def test_paths_are_relative_to_the_file(tmp_path):
    (tmp_path / "labels.jsonl").write_text(f'{{"image": "a/b.jpg", "landmarks": {POINTS}}}\n')
    assert read_jsonl(tmp_path / "labels.jsonl").faces[0].image == tmp_path / "a" / "b.jpg"


@pytest.mark.parametrize(
    "line, complaint",
    [
        ("{", "line 2: expected image, landmarks, pose"),
        ("[1, 2]", "line 2: expected image, landmarks, pose"),
        ("\xff\x00", "line 2: expected image, landmarks, pose"),
        ("[" * 100_000, "line 2: expected image, landmarks, pose"),
        ('{"image": "a.jpg"}', "line 2: expected image, landmarks, pose"),
        (entry(image="7"), "line 2: expected image, landmarks, pose"),
        (entry("[1, 2]"), "line 2: landmarks are not"),
        (entry("[[1, 2]]"), "line 2: expected 68 points, found 1"),
        (entry(WIDE), "line 2: expected 68 points, found 98"),
        (entry(POINTS.replace("[7,", "[NaN,")), "line 2: landmarks must be pixels"),
        (entry(POINTS.replace("[7,", "[1e300,")), "line 2: landmarks must be pixels"),
        (entry(POINTS.replace("[7,", f"[{10**400},")), "line 2: expected image"),
        (entry(weights="[1]"), "line 2: weights are not 68 numbers"),
        (entry(weights=str([2] * 68)), "line 2: weights are not 68 numbers"),
        (entry(pose="[1]"), "line 2: expected image, landmarks, pose"),
        (entry(pose="[1, Infinity, 2]"), "line 2: the pose 1, inf, 2 is not in degrees"),
        (entry(pose=f"[1, {10**400}, 2]"), "line 2: expected image, landmarks, pose"),
    ],
)
def test_a_malformed_line_is_named_or_left_out(tmp_path, line, complaint):
    path = tmp_path / "labels.jsonl"
    path.write_text(f"{entry()}\n{line}\n", encoding="latin-1")
    with pytest.raises(UserError, match=complaint):
        read_jsonl(path)
    data = read_jsonl(path, skip_bad=True)
    assert len(data.faces) == 1
    assert [complaint in why for why in data.skipped] == [True]


def test_blank_lines_count_as_lines(tmp_path):
    path = tmp_path / "labels.jsonl"
    path.write_text(f"\n{entry()}\n  \n{entry()}\n{{")
    with pytest.raises(UserError, match=r"labels\.jsonl, line 5: expected"):
        read_jsonl(path)
    assert len(read_jsonl(path, skip_bad=True).faces) == 2


def test_names_in_any_script(tmp_path):
    face = LabelledFace(tmp_path / "Zoë 顔.jpg", np.arange(136.0).reshape(68, 2))
    write_jsonl(tmp_path / "labels.jsonl", [face])
    assert read_jsonl(tmp_path / "labels.jsonl").faces[0].image == face.image
    (tmp_path / "plain.jsonl").write_text(entry(image='"顔.jpg"'), encoding="utf-8")
    assert read_jsonl(tmp_path / "plain.jsonl").faces[0].image.name == "顔.jpg"


def test_labels_are_written_to_a_hundredth(tmp_path):
    points = np.arange(136.0).reshape(68, 2) + 0.1234
    write_jsonl(
        tmp_path / "a.jsonl", [LabelledFace(tmp_path / "a.jpg", points, np.full(3, 1.23456))]
    )
    line = json.loads((tmp_path / "a.jsonl").read_text())
    assert line["landmarks"][0] == [0.12, 1.12] and line["pose"] == [1.23, 1.23, 1.23]


def test_the_number_of_points_tells_the_scheme(tmp_path):
    path = tmp_path / "labels.jsonl"
    path.write_text(f"{entry(WIDE)}\n{entry(WIDE)}\n")
    assert read_jsonl(path).scheme.name == "wflw98"
    path.write_text(entry("[[1, 2], [5, 6]]"))
    with pytest.raises(UserError, match="expected 68 or 98 points, found 2"):
        read_jsonl(path)


def test_a_file_without_labels_is_named(tmp_path):
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(UserError, match=r"empty.jsonl holds no labels"):
        read_jsonl(tmp_path / "empty.jsonl")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="absent.jsonl"):
        read_jsonl(tmp_path / "absent.jsonl")
