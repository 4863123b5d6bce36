"""`asmnet-label`: labels that another network can learn from."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from asmnet import models, samples
from asmnet.core import IBUG68, WFLW98, Crop, UserError, extract, nme, wflw98_to_ibug68
from asmnet.data.boxes import read_boxes
from asmnet.data.images import read_picture
from asmnet.data.jsonl import read_jsonl
from asmnet.edge_runtime import FaceDetector
from asmnet.label.adapter import LandmarkAdapter
from asmnet.label.cli import main
from asmnet.label.manual_points import align_to_manual
from asmnet.label.teachers import FaceMesh, label_face, load_teacher

FACE = sorted(samples.LONDON.glob("*.jpg"))[0]


@pytest.fixture(scope="module")
def teacher():
    return load_teacher("asmnet-68-224")


@pytest.fixture(scope="module")
def box():
    return FaceDetector.load().detect(cv2.imread(str(FACE)))[0].to_crop(1.0)


def test_a_badly_placed_box_gives_the_same_label(teacher, box):
    image = read_picture(FACE)
    right = label_face(image, box, [teacher])
    off = label_face(image, Crop(box.cx + 0.06 * box.side, box.cy, 1.1 * box.side), [teacher])
    eyes = np.linalg.norm(right.points[45] - right.points[36])
    assert np.linalg.norm(right.points - off.points, axis=1).mean() / eyes < 0.01
    assert right.spread < 2.0


def test_a_wall_divides_the_views(teacher, rng):
    wall = rng.integers(0, 255, (300, 300, 3)).astype(np.uint8)
    assert label_face(wall, Crop(150, 150, 200), [teacher]).spread > 3.0


def test_98_points_follow_the_68_but_not_the_schemes_habits(rng):
    shape = rng.uniform(50, 250, (1, 98, 2))
    points = np.repeat(shape, 8, axis=0)
    habit = np.zeros((68, 2))
    habit[8] = (0, 5)  # one scheme puts the chin lower, on every face
    known = wflw98_to_ibug68(points) + habit
    np.testing.assert_allclose(align_to_manual(points, known), points, atol=1e-6)
    known[0] += (3.0, -2.0)  # one face was labelled elsewhere, as a whole
    moved = align_to_manual(points, known) - points
    np.testing.assert_allclose(moved[0], np.tile([3.0, -2.0], (98, 1)) * 7 / 8, atol=0.3)


@pytest.mark.parametrize("depth", [False, True])
def test_an_adapter_is_learned_and_turns_with_the_face(rng, depth):
    mean = rng.uniform(-1, 1, (98, 3)) * 50
    points = mean + rng.normal(0, 2, (300, 98, 3))
    labels = points[:, 20:88, :2] + rng.normal(0, 2, (68, 2))
    labels[:, 5] += 0.1 * points[:, 3, 2:]  # one label follows the depth of a point
    points = points if depth else points[..., :2]
    adapter = LandmarkAdapter(points[:250], labels[:250], ridge=1e-3)
    found = adapter(points[250:])
    error = np.abs(found - labels[250:])
    assert error[:, :5].max() < 0.5, "the habit is the same on every face"
    assert (error[:, 5].max() < 0.5) == depth
    turn = np.array([[0.6, 0.8], [-0.8, 0.6]]) * 3
    moved = points[250:].copy()
    moved[..., :2] = moved[..., :2] @ turn + 100
    moved[..., 2:] *= 3
    np.testing.assert_allclose(adapter(moved), found @ turn + 100, atol=1e-6)


class Stubborn:
    """A teacher that answers the same 68 points in the middle of every crop, shifted a little."""

    size, scheme = 64, IBUG68

    def __init__(self, shift: float, share: float = 1.0) -> None:
        self.shape = np.random.default_rng(0).uniform(-0.4, 0.4, (68, 2))
        self.shape = (self.shape + self.shape[IBUG68.mirror] * (-1, 1)) / 2  # mirrored, the same
        self.shape[30] += (0, shift)
        self.counts = share

    def crop(self, box):
        return Crop(100, 100, 100)

    def share(self, yaw):
        return self.counts if abs(yaw) < 40 else 0.0

    def __call__(self, rgb):
        return self.shape.copy(), None


def test_teachers_are_averaged_by_their_share_and_their_disagreement_told(rng):
    image = np.zeros((200, 200, 3), np.uint8)
    teachers = [Stubborn(0.0, share=3), Stubborn(0.1, share=1)]
    said = label_face(image, Crop(100, 100, 80), teachers, yaw=0)
    alone = label_face(image, Crop(100, 100, 80), teachers[:1], yaw=0)
    assert said.points[30, 1] - alone.points[30, 1] == pytest.approx(2.5, abs=0.01)
    assert said.away.argmax() == 30 and said.away[30] > 7
    assert np.delete(said.away, 30).max() < 3  # the crops' two sizes are no disagreement


def test_a_teacher_without_a_share_is_not_heard():
    image = np.zeros((200, 200, 3), np.uint8)
    fading, other = Stubborn(0.1), Stubborn(0.0)
    other.share = lambda yaw: 1.0
    turned = label_face(image, Crop(100, 100, 80), [fading, other], yaw=60)
    alone = label_face(image, Crop(100, 100, 80), [other], yaw=60)
    np.testing.assert_allclose(turned.points, alone.points)


def test_the_mesh_turns_with_the_face(mesh_file):
    mesh = FaceMesh(str(mesh_file))
    image = read_picture(FACE)
    box = FaceDetector.load().detect(cv2.imread(str(FACE)))[0].to_crop(1.0)

    def seen(angle):
        look = mesh.crop(Crop(box.cx, box.cy, box.side, angle))
        return look.to_picture(mesh(extract(image, look, mesh.size))[0][:, :2])

    upright = seen(0)
    width = np.ptp(upright[:, 0])
    assert upright.shape == (478, 2) and 0.8 < width / box.side < 1.4
    assert np.linalg.norm(seen(15) - upright, axis=1).mean() < 0.03 * width


def test_a_folder_of_pictures_becomes_labels(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "face.jpg").write_bytes(FACE.read_bytes())
    cv2.imwrite(str(folder / "wall.png"), np.full((300, 300, 3), 90, np.uint8))
    out = tmp_path / "labels.jsonl"
    result = CliRunner().invoke(main, [str(folder), "-o", str(out)])
    assert result.exit_code == 0, result.output
    assert "1 faces with 68 points; left out: 1 without a face" in result.output
    face = read_jsonl(out).faces[0]
    assert face.image.samefile(folder / "face.jpg") and np.abs(face.pose).max() < 15


def test_teachers_are_translated_to_98_points_too(tmp_path, refused):
    """A 68-point network learns the other points from faces that have them."""
    faces, wide, both = tmp_path / "faces", tmp_path / "wide.jsonl", tmp_path / "both.jsonl"
    faces.mkdir()
    for picture in sorted(samples.LONDON.glob("*.jpg"))[:40]:
        (faces / picture.name).write_bytes(picture.read_bytes())
    one = ["--teacher", "asmnet-spatial-98-160"]
    two = [*one, "--teacher", models.DEFAULT, "--adapt-to", str(wide)]
    for words in ([*one, "-o", str(wide)], [*two, "-o", str(both)]):
        result = CliRunner().invoke(main, [str(faces), *words])
        assert result.exit_code == 0, result.output
        assert "faces with 98 points; left out: 0" in result.output
    before, after = read_jsonl(wide).faces, read_jsonl(both).faces
    errors = [nme(b.points, a.points, WFLW98) for a, b in zip(before, after, strict=True)]
    assert 0.1 < np.max(errors) < 2.0
    assert "leave --out-98 out" in refused(main, faces, *two, "-o", both, "--out-98", wide)


def test_an_unreadable_picture_costs_no_other_its_labels(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a-face.jpg").write_bytes(FACE.read_bytes())
    (folder / "half.jpg").write_bytes(FACE.read_bytes()[:5000])
    out = tmp_path / "labels.jsonl"
    result = CliRunner().invoke(main, [str(folder), "-o", str(out)])
    assert result.exit_code == 0, result.output
    assert [face.image.name for face in read_jsonl(out).faces] == ["a-face.jpg"]
    assert "1 unreadable pictures" in result.output and "half.jpg" in result.output


class Network:
    """An ONNX network as OpenCV gives it, with a fixed answer."""

    def __init__(self, answer):
        self.answer = answer

    def setInput(self, blob):  # noqa: N802
        assert blob.shape == (1, 3, 112, 112)

    def forward(self):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    "answer, complaint",
    [
        (np.zeros((1, 136), np.float32), r"answers \(1, 136\)"),
        (np.full((1, 196), np.nan, np.float32), "finite"),
        (cv2.error("wrong\nshape"), "cannot use teacher other.onnx: wrong shape"),
    ],
)
def test_another_kind_of_onnx_network_is_named(monkeypatch, answer, complaint):
    monkeypatch.setattr(cv2.dnn, "readNetFromONNX", lambda path: Network(answer))
    with pytest.raises(UserError, match=complaint):
        load_teacher("other.onnx")


def test_an_onnx_teachers_fractions_become_crop_units(monkeypatch):
    answer = np.full((1, 196), 55.5 / 112, np.float32)  # the crop's middle
    monkeypatch.setattr(cv2.dnn, "readNetFromONNX", lambda path: Network(answer))
    points, pose = load_teacher("other.onnx")(np.zeros((112, 112, 3), np.uint8))
    assert pose is None
    np.testing.assert_allclose(points, np.zeros((98, 2)), atol=1e-6)


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        (["{folder}", "--teacher", "absent.onnx"], "absent.onnx"),
        (["{folder}", "--teacher", "absent.task"], "absent.task"),
        (["{folder}", "--adapt-to", "{labelled}"], "--adapt-to is for teachers of other points"),
        (["{folder}", "--adapt-to", "300w:anywhere"], "anywhere"),
        (["{folder}", "--teacher", "asmnet-5"], "unknown model 'asmnet-5'"),
        (["{folder}/nowhere"], "is not a folder"),
        (["{folder}"], "no face was found"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, labelled_faces, refused, arguments, complaint):
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((300, 300, 3), 90, np.uint8))
    out = tmp_path / "out" / "labels.jsonl"
    arguments = [a.format(folder=tmp_path, labelled=labelled_faces) for a in arguments]
    assert complaint in refused(main, *arguments, "-o", out)
    assert not out.exists()


def test_several_workers_write_the_same_labels(tmp_path):
    """Those of all that can be read, in the order of the pictures."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number, face in enumerate(sorted(samples.LONDON.glob("*.jpg"))[:6]):
        (pictures / f"{number}.jpg").write_bytes(face.read_bytes())
    (pictures / "3.jpg").write_bytes(b"no picture")
    written = []
    for workers in ("1", "2"):
        out = tmp_path / f"{workers}.jsonl"
        words = [str(pictures), "--teacher", "asmnet-68-224", "--workers", workers, "-o", str(out)]
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0 and "left out too: 1 unreadable" in result.output
        written.append(out.read_text())
    assert written[0] == written[1] and written[0].count("\n") == 5


def test_boxes_of_another_detector_tell_where_the_faces_are(tmp_path, box):
    """The file's pose too; a picture that it does not name is left alone."""
    (tmp_path / "a.jpg").write_bytes(FACE.read_bytes())
    (tmp_path / "unnamed.jpg").write_bytes(FACE.read_bytes())
    x, y, side = box.cx - box.side / 2, box.cy - box.side / 2, box.side
    rows = ["file,x,y,w,h,yaw,pitch,roll,blur", f"a.jpg,{x},{y},{side},{side},3,-4,5,0.1"]
    (tmp_path / "faces.csv").write_text("\n".join(rows))
    out = tmp_path / "labels.jsonl"
    result = CliRunner().invoke(main, [str(tmp_path), "--teacher", "asmnet-68-224", "-o", str(out)])
    assert result.exit_code == 0, result.output
    (face,) = read_jsonl(out).faces
    assert face.image.name == "a.jpg" and face.pose.tolist() == [3, -4, 5]
    assert np.abs(face.points.mean(axis=0) - (box.cx, box.cy)).max() < 0.2 * box.side


@pytest.mark.parametrize(
    "row", ["a.jpg,1,2,3", "a.jpg,1,2,0,4", "a.jpg,1,2,nan,4", "a.jpg,1,x,3,4"]
)
def test_a_row_that_is_no_box_is_named(tmp_path, row):
    (tmp_path / "faces.csv").write_text(f"file,x,y,w,h\n{row}\n")
    with pytest.raises(UserError, match="faces.csv, line 2"):
        read_boxes(tmp_path / "faces.csv")
