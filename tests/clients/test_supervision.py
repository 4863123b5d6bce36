"""Faces in `supervision`: what its own tools make of them."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from asmnet import samples
from asmnet.core import SCHEMES, Crop, UserError
from asmnet.edge_runtime import Face, FaceDetector, FaceTracker, Landmarker
from asmnet.edge_runtime.images import as_bgr
from asmnet.edge_runtime.supervision import edges, to_detections, to_key_points

sv = pytest.importorskip(
    "supervision", reason="needs supervision: pip install 'asmnet[supervision]'"
)


@pytest.fixture
def faces(rng: np.random.Generator) -> list[Face]:
    """A small face that looks to its right, then a large one that looks ahead."""
    small = Face(
        rng.uniform(10, 60, (68, 2)).astype(np.float32),
        np.array([-40, 1, 2], np.float32),
        Crop(35, 35, 70),
        score=0.6,
        id=7,
    )
    points = rng.uniform(100, 190, (68, 2)).astype(np.float32)
    large = replace(small, landmarks=points, pose=np.array([3, 4, 5], np.float32), score=0.9, id=2)
    return [small, large]


def test_boxes_ids_and_confidence_arrive(faces: list[Face]):
    detections = to_detections(faces)
    np.testing.assert_array_equal(detections.xyxy, [face.box for face in faces])
    assert detections.tracker_id.tolist() == [7, 2]
    np.testing.assert_allclose(detections.confidence, [0.6, 0.9])
    assert detections.class_id.tolist() == [0, 0]
    assert detections["class_name"].tolist() == ["face", "face"]


def test_points_ids_and_confidence_arrive(faces: list[Face]):
    points = to_key_points(faces)
    np.testing.assert_array_equal(points.xy, [face.landmarks for face in faces])
    assert points["tracker_id"].tolist() == [7, 2]
    np.testing.assert_allclose(points.detection_confidence, [0.6, 0.9])


def test_the_boxes_of_the_points_are_the_detections(faces: list[Face]):
    np.testing.assert_array_equal(
        to_key_points(faces).as_detections().xyxy, to_detections(faces).xyxy
    )


def test_faces_are_chosen_by_their_pose(faces: list[Face]):
    boxes, points = to_detections(faces), to_key_points(faces)
    assert boxes[np.abs(boxes["pose"][:, 0]) < 15].tracker_id.tolist() == [2]
    assert points[np.abs(points["pose"][:, 0]) < 15]["tracker_id"].tolist() == [2]


def test_a_frame_without_faces_can_be_filtered_merged_and_drawn(faces: list[Face]):
    none, points = to_detections([]), to_key_points([])
    assert none.tracker_id.tolist() == [], "labels are often made by going through the ids"
    assert len(none[np.abs(none["pose"][:, 0]) < 15]) == 0
    assert len(sv.Detections.merge([none, to_detections(faces)])) == 2
    assert len(points) == 0 and points.is_empty()
    blank = np.zeros((200, 200, 3), np.uint8)
    assert not sv.EdgeAnnotator(edges=edges()).annotate(blank.copy(), points).any()


def test_outside_tracking_there_are_no_ids(faces: list[Face]):
    untracked = [replace(face, id=None, score=None) for face in faces]
    detections, points = to_detections(untracked), to_key_points(untracked)
    assert detections.tracker_id is None and detections.confidence is None
    assert "tracker_id" not in points.data and points.detection_confidence is None


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_lines_join_the_points_that_ours_join(scheme):
    """Each alone: a line from point A to point B colours both and the middle."""
    x, y = np.meshgrid(np.arange(10) * 40 + 10, np.arange(10) * 40 + 10)
    points = np.stack([x.ravel(), y.ravel()], 1)[: scheme.count].astype(np.float32)
    face = Face(points, np.zeros(3, np.float32), Crop(0, 0, 1))
    for ours, theirs in zip(scheme.edges, edges(scheme), strict=True):
        drawn = sv.EdgeAnnotator(sv.Color.WHITE, 1, [theirs]).annotate(
            np.zeros((400, 400, 3), np.uint8), to_key_points([face])
        )
        a, b = points[list(ours)].astype(int)
        for column, row in (a, b, (a + b) // 2):
            assert drawn[row - 1 : row + 2, column - 1 : column + 2].any()


def test_a_tracked_face_crosses_a_line_once():
    """Their counter by our ids, on a picture that moves to the right by 240 pixels."""
    portrait = as_bgr(samples.PORTRAITS / "astronaut.jpg")
    height, width = portrait.shape[:2]
    tracker = FaceTracker(Landmarker.load(), FaceDetector.load())
    line = None
    for step in range(13):
        image = np.zeros((height, width + 240, 3), np.uint8)
        image[:, step * 20 : step * 20 + width] = portrait
        detections = to_detections(tracker.update(image, step / 25))
        if line is None:
            middle = detections.xyxy[0, [0, 2]].mean() + 120
            ends = sv.Point(middle, 0), sv.Point(middle, height)
            line = sv.LineZone(*ends, triggering_anchors=[sv.Position.CENTER])
        line.trigger(detections)
    assert {line.in_count, line.out_count} == {0, 1}


def test_without_supervision_the_remedy_is_said(faces: list[Face], monkeypatch):
    monkeypatch.setitem(sys.modules, "supervision", None)
    for convert in (to_detections, to_key_points):
        with pytest.raises(UserError, match=r"pip install 'asmnet\[supervision\]'"):
            convert(faces)
