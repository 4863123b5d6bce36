"""Blinks and yawns of a drawn face whose lids and lips are known."""

import numpy as np
import pytest

from asmnet.core import Event, SignalTracker
from asmnet.core.landmarks import wflw98_to_ibug68

FPS = 30


def face(lids: float, lips: float = 0.0) -> np.ndarray:
    """(68, 2) mm: `lids` between each eye's lids, `lips` between the lips of a mouth 50 wide."""
    points = np.zeros((68, 2))
    for first in (36, 42):
        points[first : first + 6, 0] = (0, 10, 20, 30, 20, 10)
        points[first + 1 : first + 3, 1] = -lids / 2
        points[first + 4 : first + 6, 1] = lids / 2
    points[60], points[64] = (-25, 0), (25, 0)
    points[62], points[66] = (0, -lips / 2), (0, lips / 2)
    return points


def play(faces, scale: float = 1.0, tracker: SignalTracker | None = None):
    tracker = tracker or SignalTracker()
    told = [tracker(points * scale, scale, k / FPS) for k, points in enumerate(faces)]
    return told, [event for frame in told for event in frame.events]


def eyes(*parts: tuple[float, float]) -> list[np.ndarray]:
    """Faces whose lids keep each width, mm, for so many seconds."""
    return [face(lids) for lids, seconds in parts for _ in range(round(seconds * FPS))]


@pytest.mark.parametrize("level", [6.0, 9.0, 13.0])
def test_a_blink_is_told_once_with_its_times(level):
    _, events = play(eyes((level, 2), (0.5 * level, 0.2), (level, 2)))
    [blink] = events
    assert blink == Event("blink", pytest.approx(2.0, abs=0.04), pytest.approx(2.2, abs=0.04))


def test_distance_changes_nothing():
    faces = eyes((9, 1), (4, 0.2), (9, 1)) + [face(9, 15)]
    near, far = play(faces, scale=4.0)[0], play(faces, scale=0.5)[0]
    np.testing.assert_allclose([f.eyes for f in near], [f.eyes for f in far])
    assert near[-1].mouth == pytest.approx(0.5) and far[-1].mouth == pytest.approx(0.5)


def test_eyes_that_stay_closed_are_no_blink_and_stay_closed():
    told, events = play(eyes((9, 2), (4, 5), (9, 1)))
    assert events == []
    assert max(frame.eyes.max() for frame in told[61:209]) < 0.3


def test_jitter_is_no_blink(rng):
    _, events = play([face(9 + noise) for noise in rng.normal(0, 0.5, 60 * FPS)])
    assert events == []


def test_the_range_is_the_persons_own():
    """Whoever closes the eyes further has half-open eyes where another has closed ones."""
    tight = play(eyes((9, 2), (2, 0.2), (9, 2), (5, 0.1)))[0][-1]
    loose = play(eyes((9, 2), (4.5, 0.2), (9, 2), (5, 0.1)))[0][-1]
    assert loose.eyes.max() < 0.2 < 0.3 < tight.eyes.min()


def test_a_yawn_is_told_and_speech_and_laughter_are_not():
    yawn = [face(9, 45)] * (3 * FPS)
    laugh = [face(9, 18)] * (3 * FPS)
    speech = [face(9, 15 + 15 * np.sin(k)) for k in range(3 * FPS)]
    told, events = play([face(9)] * FPS + laugh + speech + yawn + [face(9)] * FPS)
    assert [event.kind for event in events] == ["yawn"]
    assert events[0].end - events[0].start == pytest.approx(3, abs=0.1)
    assert told[0].mouth == 0 and told[8 * FPS].mouth > 0.9


def test_each_eye_is_told_by_itself():
    """The subject's right one first: points 36 to 41."""
    winking = face(9)
    winking[36:42, 1] *= 0.4
    told, events = play([face(9)] * FPS + [winking] * 5 + [face(9)] * FPS)
    assert told[FPS].eyes.tolist() == [0, 1]
    assert events == [], "a wink is no blink"


def test_the_level_of_open_eyes_rises_quickly():
    """By 63 % in 0.3 s: from 8 mm to 10.5 of 12, while 4 count as closed."""
    told, _ = play(eyes((8, 1), (12, 0.3), (8, 0.04)))
    assert max(frame.eyes.max() for frame in told) == 1
    assert told[-1].eyes == pytest.approx((8 - 4) / (10.5 - 4), abs=0.03)


def test_the_level_of_open_eyes_falls_slowly():
    """By 63 % in 1.5 s: from 12 mm to 10.7 of 10, while 6 count as closed."""
    last = play(eyes((12, 1), (10, 1.5)))[0][-1]
    assert last.eyes == pytest.approx((10 - 6) / (10.7 - 6), abs=0.03)


def test_closed_is_half_of_open_until_the_eyes_close_further():
    told, _ = play(eyes((8, 1), (4, 0.04), (6, 0.04)))
    assert told[-2].eyes == pytest.approx(0, abs=0.02)
    assert told[-1].eyes == pytest.approx(0.5, abs=0.03)


def test_closed_is_a_fifth_of_open_at_least():
    last = play(eyes((10, 1), (0, 0.1), (6, 0.04)))[0][-1]
    assert last.eyes == pytest.approx((6 - 2) / (10 - 2), abs=0.03)


def test_closed_is_two_thirds_of_open_at_most():
    """Whose eyes are narrower than at first does not have them half closed for ever."""
    last = play(eyes((12, 1), (10.5, 5), (9, 5), (8, 9), (6.6, 0.04)))[0][-1]
    assert last.eyes == pytest.approx((6.6 - 5.2) / (8 - 5.2), abs=0.03)


def test_how_far_eyes_close_is_forgotten_in_minutes():
    """63 % of the way back to half of open in one."""
    at_once = play(eyes((9, 1), (2, 0.1), (5, 0.04)))[0][-1]
    later = play(eyes((9, 1), (2, 0.1), (9, 60), (5, 0.04)))[0][-1]
    assert at_once.eyes == pytest.approx((5 - 2) / (9 - 2), abs=0.03)
    assert later.eyes == pytest.approx((5 - 3.6) / (9 - 3.6), abs=0.03)


@pytest.mark.parametrize("seconds, blinks", [(0.1, 1), (0.55, 1), (0.7, 0)])
def test_a_blink_is_short(seconds, blinks):
    assert len(play(eyes((9, 2), (4, seconds), (9, 1)))[1]) == blinks


def test_a_blink_ends_when_the_eyes_are_well_open_again():
    """Lids that tremble half-way are one blink."""
    trembling = [(5.5, 0.07), (7.1, 0.07)] * 3  # openness 0.2 and 0.6
    [blink] = play(eyes((9, 2), *trembling, (9, 1)))[1]
    assert blink.start == pytest.approx(2.0, abs=0.04)
    assert blink.end == pytest.approx(2.4, abs=0.08)


def test_every_blink_is_told():
    assert len(play(eyes(*[(9, 1), (4, 0.1)] * 5, (9, 1)))[1]) == 5


def mouths(*parts: tuple[float, float]) -> list[np.ndarray]:
    """Faces whose lips keep each distance, mm, for so many seconds."""
    return [face(9, lips) for lips, seconds in parts for _ in range(round(seconds * FPS))]


def test_a_mouth_is_wide_open_at_30_mm_or_as_far_as_it_was():
    """What was wider is forgotten in minutes, by 63 % in one."""
    told, _ = play(mouths((15, 0.04), (60, 0.04), (30, 0.04), (30, 60)))
    assert [frame.mouth for frame in told[:3]] == pytest.approx([0.5, 1, 0.5], abs=0.01)
    assert told[-1].mouth == pytest.approx(30 / (30 + 30 / np.e), abs=0.01)


@pytest.mark.parametrize(
    "lips, seconds, yawns", [(30, 3, 0), (31, 3, 1), (31, 1.5, 1), (31, 1.4, 0)]
)
def test_a_yawn_is_tall_and_long(lips, seconds, yawns):
    """Taller than 0.6 of the mouth's 50 mm, for 1.5 s."""
    assert len(play(mouths((0, 1), (lips, seconds), (0, 1)))[1]) == yawns


def test_a_yawn_ends_when_the_mouth_is_well_closed_again():
    """At less than 0.45 of its width; until then it still yawns."""
    [yawn] = play(mouths((0, 1), (35, 1), (22.5, 0.5), (35, 1), (22, 1)))[1]
    assert yawn == Event("yawn", pytest.approx(1.0, abs=0.04), pytest.approx(3.5, abs=0.04))


def test_a_mouth_of_no_width_is_no_error():
    points = face(9, 40)
    points[[60, 64]] = 0
    assert SignalTracker()(points, 1.0, 0.0).mouth == 1


def test_98_points_tell_the_same():
    faces = eyes((9, 1), (4, 0.2), (9, 1))
    places = wflw98_to_ibug68(np.repeat(np.arange(98)[:, None], 2, axis=1))[:, 0]
    wide = np.zeros((len(faces), 98, 2))
    wide[:, places] = faces
    np.testing.assert_allclose([f.eyes for f in play(wide)[0]], [f.eyes for f in play(faces)[0]])
