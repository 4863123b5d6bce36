"""What makes the tracker believe in a face, and what makes it doubt one.

docs/measurements/tracking.md has the rules.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scene import FPS, Person, Scene, alike


def seconds_of_searches(scene: Scene, frames: int) -> list[float]:
    """When the detector was asked, since now."""
    start, times = scene.t, []
    for _ in range(frames):
        scene.next()
        times += [scene.t - start] * bool(scene.searches)
    return times


@pytest.mark.parametrize(("score", "count"), [(0.69, 0), (0.71, 1)])
def test_a_new_face_needs_a_score_of_70_percent(score: float, count: int):
    assert len(Scene(Person(score=score)).next()) == count


@pytest.mark.parametrize(
    ("score", "wobble", "count"), [(0.84, 0.06, 0), (0.84, 0.04, 1), (0.85, 0.06, 1)]
)
def test_below_85_percent_its_landmarks_must_be_steady_in_a_turned_crop(
    score: float, wobble: float, count: int
):
    """Within 5 % of the face; the wobble is that of a crop turned by 10 degrees."""
    assert len(Scene(Person(score=score, wobble=wobble)).next()) == count


@pytest.mark.parametrize(("score", "angles"), [(0.95, [0]), (0.8, [0, 10])])
def test_a_sure_face_costs_no_turned_crop(score: float, angles: list[float]):
    scene = Scene(Person(score=score))
    scene.next()
    assert [crop.angle for crop in scene.crops] == angles


def test_a_face_that_stays_the_same_is_looked_at_once_a_second():
    scene = Scene(Person())
    scene.next()
    assert seconds_of_searches(scene, 100) == pytest.approx([1, 2, 3], abs=2.5 / FPS)


def test_a_second_is_enough_to_look_again():
    scene = Scene(Person())
    scene.next(0.5)
    assert [len(scene.searches) for _ in range(4) if scene.next(0.5)] == [0, 1, 0, 1]


@pytest.mark.parametrize(("correlation", "searches"), [(0.88, 1), (0.92, 0)])
def test_it_is_looked_at_when_it_correlates_less_than_90_percent_with_what_was_agreed(
    correlation: float, searches: int
):
    person = Person()
    scene = Scene(person)
    scene.run(8)
    person.phase += alike(correlation)
    (face,) = scene.next()
    assert len(scene.searches) == searches


def test_once_the_detector_verified_new_pixels_it_is_not_asked_again():
    person = Person()
    scene = Scene(person)
    scene.run(8)
    person.phase += alike(0.85)
    scene.next()
    assert scene.searches and not seconds_of_searches(scene, 20)


def test_it_is_what_was_agreed_that_counts_not_the_frame_before():
    """A face that changes by little from frame to frame is looked at all the same."""
    person = Person()
    scene = Scene(person)
    scene.run(8)
    searches = []
    for _ in range(4):
        person.phase += alike(0.98)
        scene.next()
        searches.append(len(scene.searches))
    assert searches == [0, 0, 1, 0], "11, 23, 34 and again 11 degrees: cos 26 = 0.9"


def test_a_face_that_changes_all_the_time_is_looked_at_every_150_ms():
    person = Person()
    scene = Scene(person)
    scene.next()
    frames = []
    for frame in range(40):
        person.phase += alike(0.85)
        assert scene.next()
        frames += [frame] * bool(scene.searches)
    assert len(frames) > 5 and set(np.diff(frames)) == {5}


@pytest.mark.parametrize(("correlation", "searches"), [(0.67, 1), (0.73, 0)])
def test_below_70_percent_with_the_frame_before_it_is_verified_at_once(
    correlation: float, searches: int
):
    person = Person()
    scene = Scene(person)
    scene.run(2)
    person.phase += alike(correlation)
    assert scene.next()
    assert len(scene.searches) == searches


@pytest.mark.parametrize(("score", "count"), [(0.69, 0), (0.71, 1)])
def test_a_doubtful_face_needs_70_percent_again(score: float, count: int):
    person = Person()
    scene = Scene(person)
    scene.run(2)
    person.phase += alike(0.5)
    person.score = score
    assert len(scene.next()) == count


@pytest.mark.parametrize(("wobble", "count"), [(0.04, 1), (0.06, 0)])
def test_a_doubtful_face_must_be_steady_again(wobble: float, count: int):
    person = Person()
    scene = Scene(person)
    scene.run(2)
    person.phase += alike(0.5)
    person.score, person.wobble = 0.8, wobble
    assert len(scene.next()) == count


@pytest.mark.parametrize(("score", "count"), [(0.44, 0), (0.46, 1)])
def test_a_followed_face_needs_a_score_of_45_percent(score: float, count: int):
    person = Person()
    scene = Scene(person)
    scene.next()
    person.score = score
    assert len(scene.run(2 * FPS)) == count


def test_a_followed_face_is_gone_when_the_detector_misses_it_twice():
    person = Person()
    scene = Scene(person)
    scene.next()
    person.detectable = False
    answers = [(len(scene.next()), len(scene.searches)) for _ in range(40)]
    first = next(i for i, (_, searches) in enumerate(answers) if searches)
    assert answers[first] == (1, 1) and answers[first + 1][0] == 0


def test_a_face_that_was_missed_once_and_found_again_is_followed_as_before():
    person = Person()
    scene = Scene(person)
    scene.next()
    person.detectable = False
    while not scene.searches or scene.t < 0.5:
        scene.next()
    person.detectable = True
    (face,) = scene.next()
    assert len(scene.searches) == 1 and face.id == 0
    assert seconds_of_searches(scene, 40) == pytest.approx([1], abs=2.5 / FPS)


@pytest.mark.parametrize(
    "surer",
    [{"rough": 0.99, "score": 0.6}, {"score": 0.84, "wobble": 0.1}],
    ids=["no face close up", "not steady"],
)
def test_what_is_no_face_does_not_hide_one_that_is(surer: dict):
    scene = Scene(Person(x=100, **surer), Person(x=380, score=0.8))
    assert [face.box[0] for face in scene.next()] == [340]


def test_a_face_that_is_followed_does_not_hide_one_that_comes():
    scene = Scene(Person(x=180, score=0.99), max_faces=2)
    scene.next()
    scene.people.append(Person(x=300, score=0.9))
    assert len(scene.run(20)) == 2


def test_the_score_is_the_detectors_latest():
    person = Person(score=0.95, rough=0.6)
    scene = Scene(person)
    assert [face.score for face in scene.next()] == [0.95]
    assert [face.score for face in scene.run(5)] == [pytest.approx(0.95, abs=1e-3)]
    person.score = 0.9
    scene.run(FPS + 3)
    assert [face.score for face in scene.next()] == [pytest.approx(0.9, abs=1e-3)]


def test_the_score_falls_by_how_much_the_face_changed_since_the_frame_before():
    """docs/output.md: times the correlation of the pixels under it, here 16 x 16 of them."""
    person = Person(score=0.9)
    scene = Scene(person)
    scene.run(2)
    thumbnails = []
    for change in (0, alike(0.8)):
        person.phase += change
        (face,) = scene.next()
        thumbnails.append(cv2.resize(scene.views[-1], (16, 16), interpolation=cv2.INTER_AREA))
    correlation = np.corrcoef(thumbnails[0].ravel(), thumbnails[1].ravel())[0, 1]
    assert correlation == pytest.approx(0.8, abs=0.03)
    assert face.score == pytest.approx(0.9 * correlation, abs=1e-3)


def test_sensor_noise_hardly_changes_what_a_face_looks_like():
    """Nor is such a face verified more often: the thumbnails are averages, not samples."""
    scene = Scene(Person(score=0.9))
    scene.noise = 25
    landmarker = scene.tracker.landmarker
    landmarker.spec = landmarker.spec.replace(input_size=224)
    scene.next()
    for _ in range(10):
        (face,) = scene.next()
        assert face.score > 0.99 * 0.9 and not scene.searches


def test_the_score_is_never_negative():
    """A face that turned into its negative, which the detector takes for the same one."""
    person = Person()
    scene = Scene(person)
    scene.run(2)
    person.phase += 180
    assert [face.score for face in scene.next()] == [0]


@pytest.mark.parametrize(("x", "searches"), [(6, 1), (12, 0)])
def test_a_face_of_which_two_fifths_are_outside_is_verified_in_every_frame(x: float, searches: int):
    scene = Scene(Person(x=x))
    for _ in range(3):
        assert scene.next()
    assert len(scene.searches) == searches


@pytest.mark.parametrize(("pixels", "searches"), [(22, 1), (18, 0)])
def test_a_face_that_jumps_by_a_quarter_of_itself_is_verified_at_once(pixels: float, searches: int):
    person = Person(stripes=(0, 1))
    scene = Scene(person)
    scene.run(2)
    person.x += pixels
    assert scene.next()
    assert len(scene.searches) == searches


def test_a_face_that_grows_at_once_is_verified_at_once():
    person = Person()
    scene = Scene(person)
    scene.run(2)
    person.side *= 1.3
    (face,) = scene.next()
    assert len(scene.searches) == 1 and face.id == 0
