"""WFLW's lists: flags, subsets, malformed lines by their number."""

import numpy as np
import pytest
from PIL import Image

from asmnet.core import UserError
from asmnet.data.datasets import read_dataset, read_wflw


def wflw(tmp_path, lines):
    (tmp_path / "WFLW_annotations").mkdir(parents=True, exist_ok=True)
    (tmp_path / "WFLW_images").mkdir(exist_ok=True)
    Image.new("RGB", (60, 60)).save(tmp_path / "WFLW_images" / "x.jpg")
    (tmp_path / "WFLW_annotations" / "list_98pt_rect_attr_test.txt").write_text("\n".join(lines))
    return tmp_path


COORDINATES = " ".join(f"{i % 60}.5" for i in range(196))


def test_wflw_attributes_and_short_lists(tmp_path):
    root = wflw(tmp_path, [f"{COORDINATES} 1 1 50 50 1 0 0 0 1 0 x.jpg", f"{COORDINATES} x.jpg"])
    faces = read_wflw(root).faces
    assert faces[0].tags == {"pose", "occlusion"} and faces[1].tags == set()
    np.testing.assert_array_equal(faces[0].points[1], [2.5, 3.5])
    assert len(read_wflw(root, "occlusion").faces) == 1
    with pytest.raises(UserError, match="blur"):
        read_wflw(root, "blur")


def test_wflw_trains_on_its_training_list(tmp_path):
    root = wflw(tmp_path, [f"{COORDINATES} x.jpg"])
    (root / "WFLW_annotations" / "list_98pt_rect_attr_train.txt").write_text(
        f"{COORDINATES} x.jpg\n\n" * 3 + "1 2\n"
    )
    with pytest.raises(UserError, match="train.txt, line 7"):
        read_dataset(f"wflw:{root}", "train")
    data = read_dataset(f"wflw:{root}", "train", skip_bad=True)
    assert len(data.faces) == 3 and len(data.skipped) == 1
    assert len(read_dataset(f"wflw:{root}").faces) == 1
    assert read_dataset(f"wflw:{root}").scheme.name == "wflw98"
    with pytest.raises(UserError, match="unknown WFLW subset 'hard'"):
        read_dataset(f"wflw:{root}", "hard")
    with pytest.raises(UserError, match="nowhere is not a folder"):
        read_wflw(root / "nowhere")


def test_a_subsets_own_list_decides(tmp_path):
    flagged = f"{COORDINATES} 1 1 50 50 1 0 0 0 1 0 x.jpg"
    other = COORDINATES.replace("0.5", "1.5", 1)
    root = wflw(tmp_path, [flagged, f"{other} 1 1 50 50 0 0 0 0 0 0 x.jpg"])
    # As the benchmark's own lists are: other fields, and here a face whose picture is not at hand.
    own = root / "WFLW_annotations" / "list_98pt_test_largepose.txt"
    own.write_text(f"{other} x.jpg\n{COORDINATES} gone.jpg\n")
    data = read_wflw(root, "test")
    assert [set(f.tags) for f in data.faces] == [{"occlusion"}, {"pose"}]
    assert data.subsets[:2] == ("full", "pose")
    assert [f.tags for f in read_wflw(root, "pose").faces] == [{"pose"}]


def test_a_malformed_line_among_good_ones_is_named(tmp_path):
    root = wflw(tmp_path, [f"{COORDINATES} x.jpg", "1 2"])
    with pytest.raises(UserError, match="line 2: expected 197, 201 or 207 fields, found 2"):
        read_wflw(root)
    data = read_dataset(f"wflw:{root}", skip_bad=True)
    assert (len(data.faces), len(data.skipped)) == (1, 1)


def test_a_malformed_line_of_a_subsets_own_list_names_no_face(tmp_path):
    root = wflw(tmp_path, [f"{COORDINATES} x.jpg"])
    (root / "WFLW_annotations" / "list_98pt_test_blur.txt").write_text(f"1 2\n{COORDINATES} x.jpg")
    assert read_wflw(root, "test").faces[0].tags == {"blur"}


@pytest.mark.parametrize(
    "line, complaint",
    [
        ("1 2 3 x.jpg", "line 1: expected 197, 201 or 207 fields, found 4"),
        (COORDINATES.replace("7.5", "seven", 1) + " x.jpg", "line 1"),
        (COORDINATES + " gone.jpg", "gone.jpg is missing"),
        (COORDINATES + f" {'long' * 99}.jpg", "long.jpg is missing"),
        (COORDINATES.replace("7.5", "nan", 1) + " x.jpg", "line 1: landmarks must be pixels"),
        (COORDINATES.replace("7.5", "inf", 1) + " x.jpg", "line 1: landmarks must be pixels"),
        (" ".join(["3"] * 196) + " x.jpg", "line 1: the landmarks span 0 x 0 pixels"),
    ],
)
def test_malformed_wflw_lines(tmp_path, line, complaint):
    root = wflw(tmp_path, [line])
    with pytest.raises(UserError, match=complaint):
        read_wflw(root)
    with pytest.raises(UserError, match="no usable face"):
        read_wflw(root, skip_bad=True)
