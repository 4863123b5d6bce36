"""Blinks and yawns of a drawn face whose lids and lips are known."""

import numpy as np
import pytest

from asmnet.core import Event, SignalTracker

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
    faces = eyes((9, 1), (4, 0.2), (9, 1))
    near, far = play(faces, scale=4.0)[0], play(faces, scale=0.5)[0]
    np.testing.assert_allclose([f.eyes for f in near], [f.eyes for f in far])


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
