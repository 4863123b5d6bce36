"""Faces of which only a detector's box is known."""

from pathlib import Path

import numpy as np
import pytest

from asmnet.core import Crop, UserError
from asmnet.data.boxes import BOXES, read_boxes


def table(folder: Path, *rows: str, head: str = "file,x,y,w,h,yaw,pitch,roll") -> Path:
    path = folder / BOXES
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_box_gives_about_the_square_of_the_landmarks(tmp_path):
    """0.92 of its longer side, a little below its middle: as YuNet's boxes lie on faces."""
    wide, high = read_boxes(table(tmp_path, "a.jpg,10,20,200,100,,,", "a.jpg,10,20,100,200,,,"))
    assert wide[1] == Crop(110.0, pytest.approx(74.0), pytest.approx(184.0))
    assert high[1] == Crop(60.0, pytest.approx(128.0), pytest.approx(184.0))


def test_a_face_has_its_picture_and_no_points(tmp_path):
    [(face, _)] = read_boxes(table(tmp_path, "sub/Zoë.jpg,1,2,3,4,,,"))
    assert face.image == tmp_path / "sub" / "Zoë.jpg"
    assert face.points.shape == (0, 2) and face.pose is None


def test_the_pose_is_known_where_all_three_angles_are(tmp_path):
    rows = read_boxes(table(tmp_path, "a.jpg,1,2,3,4,10,-20,30", "a.jpg,1,2,3,4,10,-20,"))
    np.testing.assert_array_equal(rows[0][0].pose, [10, -20, 30])
    assert rows[1][0].pose is None
    [(face, _)] = read_boxes(table(tmp_path, "a.jpg,1,2,3,4", head="file,x,y,w,h"))
    assert face.pose is None


def test_other_columns_are_left_alone(tmp_path):
    [(face, square)] = read_boxes(table(tmp_path, "9,a.jpg,4,3,2,1", head="id,file,h,w,y,x"))
    assert face.image.name == "a.jpg" and square.side == pytest.approx(0.92 * 4)


@pytest.mark.parametrize(
    "row, complaint",
    [
        ("a.jpg,1,2,3", "line 3: expected file, x, y, w, h"),
        ("a.jpg,1,2,three,4,,,", "line 3: expected file, x, y, w, h .*three"),
        ("a.jpg,1,2,3,4,left,0,0", "line 3: expected file, x, y, w, h .*left"),
        ("a.jpg,1,2,0,4,,,", "line 3: a box needs finite numbers and a positive size"),
        ("a.jpg,1,2,3,-1,,,", "line 3: a box needs finite numbers and a positive size"),
        ("a.jpg,inf,2,3,4,,,", "line 3: a box needs finite numbers"),
        ("a.jpg,1,nan,3,4,,,", "line 3: a box needs finite numbers"),
        ("a.jpg,1,2,3,4,0,nan,0", "line 3: a box needs finite numbers"),
    ],
)
def test_a_row_that_is_no_box_is_named(tmp_path, row, complaint):
    with pytest.raises(UserError, match=rf"faces\.csv, {complaint}"):
        read_boxes(table(tmp_path, "a.jpg,1,2,3,4,,,", row))


def test_a_box_of_less_than_a_pixel_is_one(tmp_path):
    [(_, square)] = read_boxes(table(tmp_path, "a.jpg,1,2,0.5,0.4,,,"))
    assert square.side == pytest.approx(0.46)


def test_a_table_without_rows_or_columns_is_told(tmp_path):
    with pytest.raises(UserError, match=r"faces\.csv holds no face; expected one a row"):
        read_boxes(table(tmp_path))
    with pytest.raises(UserError, match="line 2: expected file, x, y, w, h"):
        read_boxes(table(tmp_path, "a.jpg,1,2", head="file,x,y"))


def test_a_table_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*faces\.csv: .*correct or remove it"):
        read_boxes(tmp_path / BOXES)
    (tmp_path / BOXES).write_bytes(b"file,x,y,w,h\n\xff\xfe,1,2,3,4\n")
    with pytest.raises(UserError, match=r"cannot read .*faces\.csv: .*correct or remove it"):
        read_boxes(tmp_path / BOXES)
