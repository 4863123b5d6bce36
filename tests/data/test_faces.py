"""What a label may be, and what belongs to a part of a set."""

from pathlib import Path

import numpy as np
import pytest

from asmnet.core import IBUG68, UserError
from asmnet.data.faces import Dataset, LabelledFace, check_labels, collect, part_of, picture_of

SQUARE = np.array([[0.0, 0], [10, 0], [10, 10], [0, 10]])
FRONTAL = np.zeros(3)


@pytest.mark.parametrize(
    "points, pose",
    [
        (SQUARE, None),
        (SQUARE / 10, None),  # one pixel wide
        (SQUARE - 5, None),  # a face that the picture cuts
        (SQUARE * 1e4, None),  # as far as any picture goes
        (SQUARE, np.array([-360.0, 360, 0])),
    ],
)
def test_what_a_face_may_be(points, pose):
    check_labels("here", points, pose)


@pytest.mark.parametrize(
    "points, pose, complaint",
    [
        (SQUARE * 1.0001e4, None, "here: landmarks must be pixels"),
        (-SQUARE * 1.0001e4, None, "here: landmarks must be pixels"),
        (np.where(SQUARE > 5, np.nan, SQUARE), None, "here: landmarks must be pixels"),
        (SQUARE * (1, 0.099), None, "here: the landmarks span 10 x 0.99 pixels"),
        (SQUARE * (0.099, 1), None, "here: the landmarks span 0.99 x 10 pixels"),
        (SQUARE, np.array([360.5, 0, 0]), "here: the pose 360.5, 0, 0 is not in degrees"),
        (SQUARE, np.array([0, 0, np.nan]), "here: the pose 0, 0, nan is not in degrees"),
    ],
)
def test_what_no_face_is(points, pose, complaint):
    with pytest.raises(UserError, match=complaint):
        check_labels("here", points, pose)


def read(entry):
    if entry < 0:
        raise UserError(f"{entry} is negative")
    return LabelledFace(Path(f"{entry}.png"), SQUARE)


def test_bad_entries_are_left_out_on_request_only():
    with pytest.raises(UserError, match=r"-2 is negative .*--skip-bad"):
        collect(IBUG68, [1, -2, 3], read, skip_bad=False)
    data = collect(IBUG68, [1, -2, 3], read, skip_bad=True)
    assert [face.image.stem for face in data.faces] == ["1", "3"]
    assert data.skipped == ("-2 is negative",) and data.scheme is IBUG68


def test_no_face_at_all_is_told_with_a_reason():
    with pytest.raises(UserError, match="the last problem: -3 is negative"):
        collect(IBUG68, [-2, -3], read, skip_bad=True)
    with pytest.raises(UserError, match="there are no labels"):
        collect(IBUG68, [], read, skip_bad=True)


def test_parts_of_a_set():
    faces = tuple(LabelledFace(Path(f"{tag}.png"), SQUARE, None, frozenset([tag])) for tag in "ab")
    data = Dataset(IBUG68, faces, subsets=("full", "a", "b"))
    assert part_of(data, "a").faces == faces[:1] and part_of(data, "a").subsets == ("a",)
    assert part_of(data, "full").faces == faces
    assert [data.belongs(faces[0], part) for part in data.subsets] == [True, True, False]
    assert part_of(data, "a").belongs(faces[1], "a"), "of one subset, all faces count"
    with pytest.raises(UserError, match="none of the 2 faces belongs to the subset c"):
        part_of(data, "c")


@pytest.mark.parametrize("suffix", [".jpg", ".JPG", ".png", ".jpeg", ".bmp"])
def test_the_picture_beside_a_label(tmp_path, suffix):
    (tmp_path / f"a{suffix}").touch()
    assert picture_of(tmp_path / "a.pts") == tmp_path / f"a{suffix}"


def test_a_label_without_a_picture_is_named(tmp_path):
    (tmp_path / "a.txt").touch()
    with pytest.raises(UserError, match=r"a\.pts has no picture beside it \(\.jpg, \.jpeg"):
        picture_of(tmp_path / "a.pts")
