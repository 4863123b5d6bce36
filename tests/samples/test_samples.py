"""What ships is small, readable, attributed, and the clip's truth is true."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from asmnet import models, samples
from asmnet.edge_runtime.detector import FaceDetector, iou
from tools.sample_clip import make_clip

ROOT = Path(samples.__file__).parent
NOTICE = ROOT.parent / "NOTICE"
PICTURES = sorted(ROOT.rglob("*.jpg"))


@cache
def truth() -> dict:
    return json.loads(samples.CLIP_TRUTH.read_text())


@cache
def frames() -> list[np.ndarray]:
    """The clip's frames, decoded once; raw they would take 0.8 GB, so they wait as JPEG."""
    capture = cv2.VideoCapture(str(samples.CLIP))
    kept = []
    while (read := capture.read())[0]:
        kept.append(cv2.imencode(".jpg", read[1], [cv2.IMWRITE_JPEG_QUALITY, 98])[1])
    return kept


def frame(index: int) -> np.ndarray:
    return cv2.imdecode(frames()[index], cv2.IMREAD_COLOR)


def test_everything_weighs_less_than_8_mb():
    files = [p for p in ROOT.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert sum(p.stat().st_size for p in files) < 8e6


def test_a_hundred_different_people_half_of_them_smiling():
    kinds, people = zip(*(p.stem.split("_")[:2] for p in samples.LONDON.iterdir()), strict=True)
    assert Counter(kinds) == {"neutral": 50, "smiling": 50}
    assert len(set(people)) == 100


@pytest.mark.parametrize("path", PICTURES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_every_picture_shows_exactly_one_face(path):
    image = cv2.imread(str(path))
    assert image is not None and max(image.shape) <= 640
    assert len(detector().detect(image)) == 1


@cache
def detector() -> FaceDetector:
    return FaceDetector.load()


@pytest.mark.parametrize(
    "document", [ROOT / "README.md", ROOT / "LICENSE", NOTICE], ids=lambda p: p.name
)
def test_every_picture_is_attributed(document):
    text = document.read_text()
    assert "10.6084/m9.figshare.5047666" in text and "CC BY 4.0" in text
    for path in PICTURES:
        folder = path.parent.relative_to(ROOT).as_posix()
        assert f"{folder}/" in text
        if folder == "portraits":
            assert path.name in text


def test_notice_names_the_detector_file_that_ships():
    assert hashlib.sha256(models.DETECTOR.read_bytes()).hexdigest() in NOTICE.read_text()


def test_clip_has_a_frame_for_every_line_of_the_truth():
    assert len(frames()) == truth()["count"] == len(truth()["frames"]) == 900
    assert frame(0).shape == (truth()["height"], truth()["width"], 3)
    assert [f["index"] for f in truth()["frames"]] == list(range(900))


def test_clip_holds_what_a_tracker_must_survive():
    rows = truth()["frames"]
    faces = [face for row in rows for face in row["faces"]]
    height = [(f["box"][3] - f["box"][1]) / truth()["height"] for f in faces]
    roll = [np.degrees(np.arctan2(f["transform"][1][0], f["transform"][0][0])) for f in faces]
    assert min(height) < 0.26 and max(height) > 0.69
    assert min(roll) < -24 and max(roll) > 24
    assert {0.0, 1.0} <= {f["smile"] for f in faces}
    assert sum(len(row["faces"]) == 2 for row in rows) > 3 * truth()["fps"]
    empty = "".join(" " if row["faces"] else "x" for row in rows).split()
    assert len(empty) >= 2 and len(max(empty)) >= 2 * truth()["fps"]
    assert min(row["light"]["gain"] for row in rows) < 0.5
    assert len({face["person"] for face in faces}) == 5


def test_faces_that_share_a_frame_do_not_overlap():
    for row in truth()["frames"]:
        if len(row["faces"]) == 2:
            one, other = (np.array(face["box"]) for face in row["faces"])
            assert iou(one, other[None])[0] == 0


@pytest.mark.slow
def test_detector_finds_every_expected_face_and_no_ghost():
    expected = found = 0
    for row in truth()["frames"]:
        boxes = np.array([d.box for d in detector().detect(frame(row["index"]))]).reshape(-1, 4)
        assert row["faces"] or not len(boxes), f"a ghost in frame {row['index']}"
        for face in row["faces"]:
            if face["face_expected"]:
                expected += 1
                found += bool(len(boxes) and iou(np.array(face["box"]), boxes).max() > 0.5)
    assert found >= 0.99 * expected


# Still; zoomed in; zoomed out; rolled each way; dim; warm; one-sided; noisy; two; portrait.
@pytest.mark.parametrize("index", [10, 150, 210, 267, 312, 436, 462, 480, 640, 703, 715, 880])
def test_transform_is_true_to_a_fraction_of_a_pixel(index):
    image = cv2.cvtColor(frame(index), cv2.COLOR_BGR2GRAY).astype(np.float32)
    row = truth()["frames"][index]
    assert row["faces"]
    for face in row["faces"]:
        assert face["smile"] == 0
        source = cv2.imread(str(ROOT / truth()["sources"][face["person"]]["neutral"]), 0)
        left, top, right, bottom = np.round(face["box"]).astype(int)
        inside = np.s_[max(top, 0) : bottom, max(left, 0) : right]

        def likeness(dx, dy, face=face, source=source, inside=inside):
            moved = np.array(face["transform"]) + [[0, 0, dx], [0, 0, dy]]
            there = cv2.warpAffine(source, moved, image.shape[::-1], flags=cv2.INTER_LINEAR)
            return np.corrcoef(there[inside].ravel(), image[inside].ravel())[0, 1]

        true = likeness(0, 0)
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            assert true > likeness(dx, dy) > likeness(3 * dx, 3 * dy)


@pytest.mark.slow
def test_the_shipped_clip_is_what_the_script_makes():
    for row, (made, written) in zip(
        truth()["frames"][:3], make_clip.render(make_clip.make_rooms(detector())), strict=False
    ):
        assert json.loads(json.dumps(written)) == row
        assert cv2.PSNR(made, frame(row["index"])) > 35


def test_the_script_names_a_bad_output(tmp_path):
    result = CliRunner().invoke(make_clip.main, ["-o", str(tmp_path / "clip.avi")])
    assert result.exit_code == 2 and "clip.avi is no .mp4 file" in result.output
    assert not list(tmp_path.iterdir())


def test_moving_as_the_truth_says_keeps_the_world_still():
    """The box's centre, taken back through `transform`, is always the source's own."""
    for row in truth()["frames"]:
        for face in row["faces"]:
            left, top, right, bottom = truth()["sources"][face["person"]]["box"]
            centre = np.array(face["transform"]) @ [(left + right) / 2, (top + bottom) / 2, 1]
            box = np.array(face["box"])
            assert np.abs((box[:2] + box[2:]) / 2 - centre).max() < 0.02
            assert face["face_expected"] == (face["visible"] >= 0.9)
