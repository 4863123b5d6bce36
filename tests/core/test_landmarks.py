"""Landmark schemes: mirroring, groups and the 98 -> 68 map, on real labels."""

import numpy as np
import pytest

from asmnet.core import IBUG68, SCHEMES, WFLW98, nme, to_scheme, wflw98_to_ibug68
from asmnet.data.datasets import read_300w, read_wflw


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_mirror_is_an_involution_that_swaps_the_eyes(scheme):
    assert (scheme.mirror[scheme.mirror] == np.arange(scheme.count)).all()
    right, left = scheme.outer_eyes
    assert scheme.mirror[right] == left


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_groups_cover_every_point_once(scheme):
    points = sorted(i for group in scheme.groups.values() for i in group)
    assert points == list(range(scheme.count))
    for name, group in scheme.groups.items():
        partner = name.replace("right", "#").replace("left", "right").replace("#", "left")
        assert {int(scheme.mirror[i]) for i in group} == set(scheme.groups[partner])


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_edges_stay_inside_a_group(scheme):
    group_of = {i: name for name, group in scheme.groups.items() for i in group}
    assert all(group_of[a] == group_of[b] for a, b in scheme.edges)


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_eyes_and_mouth_are_drawn_closed_and_the_jaw_open(scheme):
    ends = [i for edge in scheme.edges for i in edge]
    for name in ("right_eye", "left_eye", "mouth"):
        # WFLW's pupils are joined to nothing.
        joined = [i for i in scheme.groups[name] if i not in (96, 97)]
        assert {ends.count(i) for i in joined} == {2}, name
    jaw = scheme.groups["jaw"]
    assert [ends.count(jaw[0]), ends.count(jaw[1]), ends.count(jaw[-1])] == [1, 2, 1]


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_the_outer_eyes_distance_is_each_faces_own(scheme):
    points = np.full((2, scheme.count, 2), 50.0)
    right, left = scheme.outer_eyes
    points[:, right], points[0, left], points[1, left] = (1, 2), (4, 6), (1, 12)
    assert scheme.interocular(points).tolist() == [5, 10]


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
@pytest.mark.parametrize(
    ("left", "degrees"), [((3, 0), 0), ((0, 2), 90), ((2, -2), -45), ((-1, 0), 180)]
)
def test_the_eyes_angle_is_clockwise_with_y_down(scheme, left, degrees):
    points = np.full((scheme.count, 2), 50.0)
    points[list(scheme.outer_eyes)] = (7, 9), np.add((7, 9), left)
    assert scheme.eyes_angle(points) == pytest.approx(degrees)


def test_points_of_either_scheme_become_those_of_68(rng):
    both = rng.uniform(size=(2, 98, 2))
    np.testing.assert_array_equal(to_scheme(both, IBUG68), wflw98_to_ibug68(both))
    assert to_scheme(both, WFLW98) is both
    assert to_scheme(both[:, :68], IBUG68).shape == (2, 68, 2)


def test_nobody_can_change_the_order_of_mirrored_points():
    with pytest.raises(ValueError, match="read-only"):
        IBUG68.mirror[0] = 0


def test_the_mean_real_face_is_symmetric(research_data):
    faces = read_300w(research_data / "300w").faces[:400]
    shapes = np.stack([f.points - f.points.mean(axis=0) for f in faces])
    mean = shapes.mean(axis=0)
    assert nme(mean[IBUG68.mirror] * [-1, 1], mean, IBUG68) < 4


def test_wflw_to_ibug_picks_anatomically_equal_points(research_data):
    faces = read_wflw(research_data / "wflw").faces
    points = np.stack([f.points for f in faces])
    converted = wflw98_to_ibug68(points)
    np.testing.assert_array_equal(
        IBUG68.interocular(converted),
        WFLW98.interocular(points),
    )
    # Mirroring before or after the conversion is the same.
    np.testing.assert_array_equal(
        converted[:, IBUG68.mirror], wflw98_to_ibug68(points[:, WFLW98.mirror])
    )
    # The jaw runs from the subject's right ear over the chin, the lowest jaw point.
    assert (converted[:, 8, 1] > converted[:, 0, 1]).mean() > 0.95


def test_conversion_refuses_other_schemes():
    with pytest.raises(ValueError, match=r"\(68, 2\)"):
        wflw98_to_ibug68(np.zeros((68, 2)))
