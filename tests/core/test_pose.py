"""Head-pose angles: round trips, mirroring, turning, and signs on real labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asmnet.core import (
    euler_from_rotation,
    mirror_pose,
    rotate_pose,
    rotation_from_euler,
)
from asmnet.data.datasets import read_300w

poses = st.tuples(st.floats(-85, 85), st.floats(-89, 89), st.floats(-179, 179))


@given(poses)
def test_round_trip(pose):
    np.testing.assert_allclose(euler_from_rotation(rotation_from_euler(pose)), pose, atol=1e-6)


def test_many_poses_at_once_are_each_alone(rng):
    many = rng.uniform(-80, 80, (2, 3, 3)).astype(np.float32)
    rotations = rotation_from_euler(many)
    np.testing.assert_array_equal(rotations[1, 2], rotation_from_euler(many[1, 2]))
    np.testing.assert_allclose(euler_from_rotation(rotations), many, atol=1e-5)
    assert rotations.dtype == euler_from_rotation(rotations.astype(np.float32)).dtype == np.float64


@pytest.mark.parametrize("yaw", [90, -90])
def test_a_profile_beyond_which_rounding_went_is_a_profile(yaw):
    rotation = rotation_from_euler([yaw, 0, 0])
    rotation[0, 2] *= 1 + 1e-12
    assert euler_from_rotation(rotation)[0] == yaw


@given(poses)
def test_rotations_are_proper(pose):
    rotation = rotation_from_euler(pose)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)


@given(poses)
def test_mirroring_flips_the_rotation(pose):
    flip = np.diag([-1, 1, 1])
    np.testing.assert_allclose(
        rotation_from_euler(mirror_pose(pose)), flip @ rotation_from_euler(pose) @ flip, atol=1e-12
    )


@given(poses, st.floats(-90, 90))
def test_turning_there_and_back(pose, angle):
    back = rotate_pose(rotate_pose(np.array(pose), angle), -angle)
    np.testing.assert_allclose(rotation_from_euler(back), rotation_from_euler(pose), atol=1e-9)


def matrix(about: str, degrees: float) -> np.ndarray:
    """A rotation about one axis in the convention's sense, written out by hand."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rows = {
        "pitch": [[1, 0, 0], [0, c, s], [0, -s, c]],
        "yaw": [[c, 0, -s], [0, 1, 0], [s, 0, c]],
        "roll": [[c, s, 0], [-s, c, 0], [0, 0, 1]],
    }
    return np.array(rows[about])


def test_roll_is_the_innermost_rotation_and_pitch_the_outermost():
    expected = matrix("pitch", -20) @ matrix("yaw", 35) @ matrix("roll", 10)
    np.testing.assert_allclose(rotation_from_euler([35, -20, 10]), expected, atol=1e-12)


@pytest.mark.parametrize("angle", [40, -130])
def test_turning_the_picture_turns_the_whole_head_in_it(angle):
    """Clockwise in the picture, whose x points right and y up."""
    head = matrix("pitch", -20) @ matrix("yaw", 35) @ matrix("roll", 10)
    turned = rotate_pose(np.array([35, -20, 10]), angle)
    np.testing.assert_allclose(
        rotation_from_euler(turned), matrix("roll", angle) @ head, atol=1e-12
    )


def test_turning_a_frontal_face_is_roll():
    np.testing.assert_allclose(rotate_pose(np.zeros(3), 25.0), [0, 0, 25], atol=1e-9)


def test_signs_in_the_picture():
    nose = np.array([0, 0, 1])
    assert (rotation_from_euler([30, 0, 0]) @ nose)[0] < 0, "yaw > 0: nose to the image's left"
    assert (rotation_from_euler([0, 30, 0]) @ nose)[1] > 0, "pitch > 0: the face looks up"
    right_ear_to_left = np.array([1, 0, 0])
    assert (rotation_from_euler([0, 0, 30]) @ right_ear_to_left)[1] < 0, "roll > 0: clockwise"


def geometry(points: np.ndarray) -> tuple[float, np.ndarray]:
    """Tilt of the eye line in degrees, and the nose tip from the eyes in the levelled face."""
    across = points[45] - points[36]
    tilt = np.arctan2(across[1], across[0])
    nose = (points[30] - (points[36] + points[45]) / 2) / np.linalg.norm(across)
    c, s = np.cos(tilt), np.sin(tilt)
    return float(np.degrees(tilt)), np.array([c * nose[0] + s * nose[1], c * nose[1] - s * nose[0]])


def test_true_labels_of_300w_lp_agree_with_the_faces(research_data):
    loadmat = pytest.importorskip("scipy.io").loadmat  # a device has none

    labels, tilts, noses = [], [], []
    for path in sorted((research_data / "pose_300wlp").glob("*.mat")):
        label = loadmat(path)
        pitch, yaw, roll = np.degrees(label["Pose_Para"][0, :3])
        tilt, nose = geometry(label["pt2d"].T)
        labels.append((yaw, pitch, roll)), tilts.append(tilt), noses.append(nose)
    labels, noses = np.array(labels), np.array(noses)
    turned = np.abs(labels[:, 0]) < 60
    assert np.corrcoef(labels[turned, 0], noses[turned, 0])[0, 1] < -0.9
    level = np.abs(labels[:, 0]) < 20
    assert np.abs(labels[level, 2] - np.array(tilts)[level]).mean() < 3


def test_pose_sidecar_agrees_with_the_faces(research_data):
    """Many people, so that pitch (which a 2-D nose shows weakly) is seen too."""
    faces = [f for f in read_300w(research_data / "300w").faces if abs(f.pose[0]) < 10]
    pose = np.stack([f.pose for f in faces])
    shown = [geometry(f.points) for f in faces]
    noses = np.stack([nose for _, nose in shown])
    assert np.corrcoef(pose[:, 0], noses[:, 0])[0, 1] < -0.6
    assert np.corrcoef(pose[:, 1], noses[:, 1])[0, 1] < -0.6, "looking up lifts the nose tip"
    assert np.corrcoef(pose[:, 2], [tilt for tilt, _ in shown])[0, 1] > 0.95
