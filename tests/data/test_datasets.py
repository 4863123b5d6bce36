"""Readers: real trees read whole, malformed files named with their line."""

import numpy as np
import pytest
from PIL import Image

from asmnet.core import IBUG68, UserError
from asmnet.data.datasets import read_300w, read_dataset, read_pts, read_wflw
from asmnet.data.images import crop_faces, read_picture
from asmnet.data.jsonl import write_jsonl
from asmnet.train.packed import pack_faces


def pts(points, head="version: 1\nn_points: 68\n{\n", tail="}\n"):
    return head + "".join(f"{x} {y}\n" for x, y in points) + tail


@pytest.fixture
def folder(tmp_path, rng):
    """Two faces in the iBUG layout, 1-based, with a pose for one of them."""
    (tmp_path / "afw").mkdir()
    for name in "ab":
        Image.fromarray(rng.integers(0, 256, (90, 80, 3), dtype=np.uint8)).save(
            tmp_path / "afw" / f"{name}.jpg"
        )
        points = rng.uniform(10, 70, (68, 2)).round(3)
        (tmp_path / "afw" / f"{name}.pts").write_text(pts(points))
    (tmp_path / "head_pose.csv").write_text(
        "image,yaw_deg,pitch_deg,roll_deg\nafw/b.jpg,1.5,-2,3\n"
    )
    return tmp_path


def test_ibug_files_are_one_based(folder):
    text = (folder / "afw" / "a.pts").read_text().splitlines()[3]
    first = read_300w(folder).faces[0].points[0]
    np.testing.assert_allclose(first + 1, [float(v) for v in text.split()])


def test_a_file_of_points_ends_at_its_brace(folder):
    path = folder / "afw" / "a.pts"
    known = read_pts(path)
    path.write_text(path.read_text().replace("\n", "\n\n  ") + "notes after the end\n")
    np.testing.assert_array_equal(read_pts(path), known)
    with pytest.raises(UserError, match=r"cannot read .*gone\.pts"):
        read_pts(folder / "gone.pts")


def test_points_that_are_no_text_are_named(folder, rng):
    (folder / "afw" / "a.pts").write_bytes(rng.bytes(5000))
    with pytest.raises(UserError, match=r"a\.pts"):
        read_300w(folder)
    assert len(read_300w(folder, skip_bad=True).faces) == 1


def test_a_folder_with_a_colon_in_its_name_is_a_folder(folder):
    (folder / "afw").rename(folder / "mine:300w")
    for source in (str(folder / "mine:300w"), f"300w:{folder}/mine:300w"):
        assert len(read_dataset(source).faces) == 2


def test_malformed_labels_of_any_source_are_left_out_if_asked(folder):
    write_jsonl(folder / "labels.jsonl", read_300w(folder).faces)
    (folder / "labels.jsonl").open("a").write("{\n")
    (folder / "afw" / "a.pts").write_text("{\n1 2\n}\n")
    for source, faces in ((folder / "labels.jsonl", 2), (folder / "afw", 1)):
        with pytest.raises(UserError, match=r"line 3|a\.pts"):
            read_dataset(str(source))
        data = read_dataset(str(source), skip_bad=True)
        assert (len(data.faces), len(data.skipped)) == (faces, 1)


def test_each_kind_of_source_is_read_as_such(folder, tmp_path):
    write_jsonl(folder / "labels.jsonl", read_300w(folder).faces[:1])
    assert len(read_dataset(str(folder / "labels.jsonl")).faces) == 1
    data = read_dataset(f"300w:{folder}", "train")
    assert len(data.faces) == 2 and data.scheme is IBUG68
    with pytest.raises(UserError, match="common subset"):
        read_dataset(f"300w:{folder}")
    with pytest.raises(UserError, match="is it WFLW's folder"):
        read_dataset(f"wflw:{folder}")


def test_pose_sidecar_is_optional_per_picture(folder):
    a, b = read_300w(folder).faces
    assert a.pose is None
    np.testing.assert_array_equal(b.pose, [1.5, -2, 3])


def test_a_flat_folder_of_ones_own_faces(folder):
    assert len(read_dataset(str(folder / "afw")).faces) == 2


@pytest.mark.parametrize(
    "line, text, complaint",
    [
        (5, "12.5", "line 5: expected 'x y', found '12.5'"),
        (9, "1 nose", "line 9"),
        (9, "nan 1", "not finite"),
        (9, "1 inf", "not finite"),
        (9, "1e300 1", "landmarks must be pixels"),
        (9, "1e9 1", "landmarks must be pixels"),
        (71, "}", "expected 68 points, found 67"),
    ],
)
def test_malformed_lines_are_named(folder, line, text, complaint):
    path = folder / "afw" / "a.pts"
    lines = path.read_text().splitlines()
    lines[line - 1] = text
    path.write_text("\n".join(lines))
    with pytest.raises(UserError, match=complaint):
        read_300w(folder)
    data = read_300w(folder, skip_bad=True)
    assert len(data.faces) == 1 and len(data.skipped) == 1 and "a.pts" in data.skipped[0]


@pytest.mark.parametrize(
    "points", [np.zeros((68, 2)), np.full((68, 2), 40.0), np.random.default_rng(0).random((68, 2))]
)
def test_points_without_extent_are_no_face(folder, points):
    """All in one place, as broken sets have them; or in units of the picture."""
    (folder / "afw" / "a.pts").write_text(pts(points))
    with pytest.raises(UserError, match=r"a\.pts: the landmarks span .* pixels"):
        read_300w(folder)
    assert len(read_300w(folder, skip_bad=True).skipped) == 1


@pytest.mark.parametrize("keep", [0, 10, 300])
def test_truncated_labels(folder, keep):
    path = folder / "afw" / "a.pts"
    path.write_text(path.read_text()[:keep])
    with pytest.raises(UserError, match="a.pts"):
        read_pts(path)


def test_missing_parts(folder, tmp_path):
    (folder / "afw" / "a.jpg").unlink()
    with pytest.raises(UserError, match="a.pts has no picture"):
        read_300w(folder)
    with pytest.raises(UserError, match="common"):
        read_300w(folder, "common")
    with pytest.raises(UserError, match="nowhere"):
        read_300w(tmp_path / "nowhere")
    with pytest.raises(UserError, match="subset 'hard'"):
        read_300w(folder, "hard")
    (folder / "head_pose.csv").write_text("image,yaw\nx,1\n")
    with pytest.raises(UserError, match="head_pose.csv, line 2"):
        read_300w(folder)


def test_the_test_set_is_what_there_is_of_it(folder):
    with pytest.raises(UserError, match="common"):
        read_300w(folder, "test")
    (folder / "helen").mkdir()
    (folder / "afw").rename(folder / "helen" / "testset")
    assert read_300w(folder, "test").subsets == ("common",)
    with pytest.raises(UserError, match="challenging.*no full"):
        read_300w(folder, "full")
    (folder / "ibug").mkdir()
    for name in ("b.pts", "b.jpg"):
        (folder / "helen" / "testset" / name).rename(folder / "ibug" / name)
    data = read_300w(folder, "test")
    assert data.subsets == ("common", "challenging", "full")
    counts = [sum(data.belongs(f, s) for f in data.faces) for s in data.subsets]
    assert counts == [1, 1, 2]
    assert read_300w(folder, "full").subsets == ("full",)


def write_poses(folder, *rows):
    (folder / "head_pose.csv").write_text("image,yaw_deg,pitch_deg,roll_deg\n" + "\n".join(rows))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("afw/a.jpg,inf,0,0", "pose"),
        ("afw/a.jpg,nan,0,0", "pose"),
        ("afw/a.jpg,1,2", "expected image,yaw_deg,pitch_deg,roll_deg$"),
        ("a,b", "expected image,yaw_deg,pitch_deg,roll_deg$"),
    ],
)
def test_a_malformed_pose_is_named_or_left_out(folder, row, reason):
    write_poses(folder, "afw/b.jpg,1.5,-2,3", row)
    with pytest.raises(UserError, match=rf"head_pose\.csv, line 3: .*{reason}"):
        read_300w(folder)
    data = read_300w(folder, skip_bad=True)
    assert [face.pose is None for face in data.faces] == [True, False]
    assert len(data.skipped) == 1


def test_a_pose_file_that_is_none_is_named(folder, rng):
    (folder / "head_pose.csv").write_bytes(rng.bytes(5000))
    with pytest.raises(UserError, match=r"head_pose\.csv"):
        read_300w(folder)


def test_poses_that_belong_to_no_picture_are_told(folder):
    write_poses(folder, "b.jpg,1,2,3", "afw/b.jpg,1,2,3", f"{'long' * 99}.jpg,1,2,3")
    (note,) = read_300w(folder).notes
    assert "2 of 3 rows name no picture" in note and "'b.jpg'" in note


def spoil(path, how):
    """Leave a picture as crashes, downloads and attacks leave them."""
    data = path.read_bytes()
    if how == "text":
        path.write_bytes(b"not a picture")
    elif how == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "missing":
        path.unlink()
    elif how == "bomb":  # 144 million pixels in 18 kB
        Image.new("1", (12_000, 12_000)).save(path, "png")
    elif how == "PNG chunk":  # for which Pillow raises SyntaxError
        Image.open(path).save(path, "png")
        data = path.read_bytes()
        path.write_bytes(data.replace(b"IDAT", b"\x00DAT", 1))


@pytest.mark.parametrize("how", ["text", "truncated", "empty", "missing", "bomb", "PNG chunk"])
def test_a_bad_picture_is_named_or_left_out(folder, how):
    spoil(folder / "afw" / "a.jpg", how)
    with pytest.raises(UserError, match=r"a\.(jpg|pts)"):
        pack_faces(read_dataset(f"300w:{folder}", "train").faces, 32, 1.25)
    data = read_dataset(f"300w:{folder}", "train", skip_bad=True)
    assert [face.image.stem for face in data.faces] == ["b"]
    assert len(data.skipped) == 1 and "afw/a." in data.skipped[0]


def test_landmarks_of_another_picture_are_named_or_left_out(folder, rng):
    (folder / "afw" / "a.pts").write_text(pts(rng.uniform(300, 360, (68, 2))))
    with pytest.raises(UserError, match=r"a\.jpg are centred at \(3.., 3..\), outside its 80 x 90"):
        crop_faces(read_300w(folder).faces, 32, 1.25)
    data = read_dataset(f"300w:{folder}", "train", skip_bad=True)
    assert len(data.faces) == 1 and "a.jpg" in data.skipped[0]


def test_a_picture_is_turned_upright(tmp_path):
    picture = np.zeros((20, 40, 3), np.uint8)
    picture[:, :20] = 200
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    Image.fromarray(picture).save(tmp_path / "a.png", exif=exif)
    upright = read_picture(tmp_path / "a.png")
    assert upright.shape == (40, 20, 3) and (upright[:20] == 200).all()


def test_the_official_subsets_are_complete(research_data):
    assert len(read_300w(research_data / "300w").faces) == 2012
    common = read_300w(research_data / "300w", "common").faces
    assert len(common) == 554
    assert all(f.pose is not None for f in common)
    assert len(read_wflw(research_data / "wflw").faces) == 72
    assert len(read_wflw(research_data / "wflw", "blur").faces) == 27
    assert len(read_dataset(f"300wlp:{research_data / 'pose_300wlp'}").faces) == 60


def test_packed_squares_and_crops_hold_their_faces(research_data):
    faces = read_300w(research_data / "300w", "common").faces[:8]
    packed = pack_faces(faces, 112, 1.25)
    assert packed.images.shape == (8, 161, 161, 3)
    assert np.abs(packed.points).max() == pytest.approx(0.5 / 1.8, abs=1e-6)
    images, points, crops = crop_faces(faces, 112, 1.25)
    np.testing.assert_allclose(crops[3].to_picture(points[3]), faces[3].points, atol=1e-3)
    # Eyes are darker than the cheeks below them: the pixels are where the labels say.
    for image, labels in zip(images, points, strict=True):
        pixels = np.rint(labels * 112 + 55.5).astype(int)
        eye = pixels[[37, 38, 40, 41]].mean(axis=0).astype(int)
        cheek = (pixels[41] + pixels[48]) // 2
        assert image[eye[1], eye[0]].mean() < image[cheek[1], cheek[0]].mean() + 25
    assert IBUG68.count == points.shape[1]
