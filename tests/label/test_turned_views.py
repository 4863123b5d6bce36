"""Turned views: the face that was photographed, from elsewhere."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from asmnet import samples
from asmnet.core import IBUG68, extract
from asmnet.data.datasets import read_300w
from asmnet.data.images import read_picture
from asmnet.data.jsonl import read_jsonl, write_jsonl
from asmnet.edge_runtime import FaceDetector, Landmarker
from asmnet.label.face_square import tight_square
from asmnet.label.teachers import FaceMesh
from asmnet.label.turn_cli import main
from asmnet.label.turned_views import Topology, turn


@pytest.fixture(scope="module")
def face(mesh_file):
    """A picture, its mesh, landmarks and pose, and the triangles."""
    teacher, landmarker, detector = FaceMesh(str(mesh_file)), Landmarker.load(), FaceDetector.load()
    found = []
    for path in sorted(samples.LONDON.glob("*.jpg"))[:8]:
        image = read_picture(path)
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        said = landmarker(bgr, detector.detect(bgr)[0].to_crop(landmarker.spec.margin))
        look = teacher.crop(tight_square(said.landmarks, IBUG68))
        mesh, _ = teacher(extract(image, look, teacher.size))
        mesh = np.column_stack([look.to_picture(mesh[:, :2]), mesh[:, 2] * look.side])
        found.append((image, mesh, said.landmarks, said.pose))
    topology = Topology(np.stack([f[1] for f in found]), np.stack([f[3] for f in found]))
    return *found[0], topology


def test_the_own_pose_gives_the_same_picture(face):
    image, mesh, points, pose, topology = face
    view = turn(image, mesh, points, pose, pose, topology)
    np.testing.assert_allclose(view.points, points, atol=0.01)
    np.testing.assert_allclose(view.pose, pose, atol=1e-6)
    middle = view.valid & (
        cv2.fillConvexPoly(
            np.zeros(image.shape[:2], np.uint8), cv2.convexHull(points.astype(np.int32)), 1
        )
        > 0
    )
    assert np.abs(view.image[middle].astype(int) - image[middle]).mean() < 1


@pytest.mark.parametrize("yaw, near, far", [(60, 45, 36), (-60, 36, 45)])
def test_a_turn_hides_the_far_side(face, yaw, near, far):
    """The eye corner, the cheek and the mouth's corner of the side that turns away."""
    image, mesh, points, pose, topology = face
    view = turn(image, mesh, points, pose, np.array([yaw, 0, 0]), topology)
    assert view.pose[0] == pytest.approx(yaw)
    assert view.seen[near] and not view.seen[far]
    jaw = view.seen[:17]
    assert (jaw[9:].mean() > jaw[:8].mean()) == (yaw > 0)
    nose, middle = view.points[30, 0], view.points[[36, 45], 0].mean()
    assert (nose < middle) == (yaw > 0), "yaw > 0: the nose points to the picture's left"


def test_the_drawn_face_shows_the_moved_landmarks(face):
    """A network that never saw the drawing finds the points where the turn puts them."""
    image, mesh, points, pose, topology = face
    view = turn(image, mesh, points, pose, pose + (25, 0, 0), topology)
    landmarker = Landmarker.load()
    box = tight_square(view.points, IBUG68)
    crop = replace(box, side=box.side * landmarker.spec.margin, angle=0.0)
    found = landmarker(cv2.cvtColor(view.image, cv2.COLOR_RGB2BGR), crop)
    error = np.linalg.norm(found.landmarks - view.points, axis=1)[view.seen]
    assert error.mean() < 0.06 * box.side
    assert found.pose[0] == pytest.approx(view.pose[0], abs=8)


def test_the_command_writes_views_to_learn_from(tmp_path, research_data, mesh_file):
    known = read_300w(research_data / "300w").faces
    frontal = [f for f in known if f.pose is not None and np.abs(f.pose[:2]).max() < 10][:6]
    turned_already = [f for f in known if f.pose is not None and abs(f.pose[0]) > 40][:2]
    write_jsonl(tmp_path / "faces.jsonl", [*frontal, *turned_already])
    command = [
        str(tmp_path / "faces.jsonl"),
        "--mesh",
        str(mesh_file),
        "-o",
        str(tmp_path / "views"),
    ]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    views = read_jsonl(tmp_path / "views" / "labels.jsonl").faces
    assert len(views) == 2 * len(frontal)
    assert {view.drawn_from for view in views} == {face.image.resolve() for face in frontal}
    assert all(28 <= abs(view.pose[0]) <= 90 for view in views)
    assert all(0 < (view.weights == 0).sum() < 60 for view in views if abs(view.pose[0]) > 60)
    again = CliRunner().invoke(main, command)
    assert again.exit_code == 2 and "exists" in again.output
