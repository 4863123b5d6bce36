"""When the tracker asks the detector of turned faces, which is slow, and what it makes of it."""

from __future__ import annotations

import numpy as np
import pytest
from scene import FPS, Person, Scene, alike

from asmnet import models
from asmnet.edge_runtime import FaceDetector, FaceTracker, Landmarker


def test_a_profile_that_blazeface_misses_is_tracked(
    landmarker: Landmarker,
    detector: FaceDetector,
    turned_detector: FaceDetector,
    profile: np.ndarray,
):
    assert FaceTracker(landmarker, detector).update(profile, 0.0) == []
    tracker = FaceTracker(landmarker, detector, turned=turned_detector)
    for frame in range(3):
        (face,) = tracker.update(profile, frame / FPS)
        assert face.id == 0 and 190 < face.box[0] < face.box[2] < 280


def test_a_picture_by_itself_is_searched_for_profiles_too():
    scene = Scene(Person(profile=True), turned=True)
    assert len(scene.next()) == 1


def test_where_the_first_detector_finds_a_face_the_other_is_not_asked():
    scene = Scene(Person(), turned=True)
    for _ in range(3 * FPS):
        assert scene.next() and not scene.turned_searches


def test_the_detectors_take_turns_so_that_no_frame_waits_for_both():
    scene = Scene(turned=True)
    scene.next()  # a video's first frame waits for both
    own, other = 0, 0
    for _ in range(2 * FPS):
        scene.next()
        assert not (scene.searches and scene.turned_searches)
        own, other = own + bool(scene.searches), other + bool(scene.turned_searches)
    assert own > 5 and other > 5 and abs(own - other) <= 1


def test_it_searches_the_whole_picture_once_in_a_frame():
    scene = Scene(turned=True)
    for _ in range(FPS):
        scene.next()
        assert scene.turned_searches in ([], [(None, 0.5)])


def test_a_profile_that_comes_is_found_within_two_searches():
    scene = Scene(turned=True)
    scene.run(2 * FPS)
    scene.people.append(Person(profile=True))
    assert any(scene.next() for _ in range(8)), "searches are a tenth of a second apart"


def test_a_profile_beside_a_followed_face_is_found():
    scene = Scene(Person(x=120), max_faces=2, turned=True)
    scene.run(5)
    scene.people.append(Person(x=360, profile=True))
    assert len(scene.run(20)) == 2


def test_beside_a_followed_face_the_first_detector_still_searches_everywhere_in_turn():
    scene = Scene(Person(), max_faces=2, turned=True, size=(640, 360))
    scene.next()
    searched = []
    for _ in range(3 * FPS):
        scene.next()
        searched += [region and region.cx for region, least in scene.searches if least == 0.5]
    assert set(searched[:4]) == {None, 179.5, 319.5, 459.5}


def test_a_tracker_is_loaded_with_both_shipped_detectors(monkeypatch):
    loaded = []
    monkeypatch.setattr(Landmarker, "load", lambda *what: loaded.append(what))
    monkeypatch.setattr(FaceDetector, "load", lambda *what: loaded.append(what) or what[0])
    tracker = FaceTracker.load("some model", 3, threads=2, fov=50)
    assert loaded == [("some model", 2), (models.DETECTOR, 2), (models.TURNED_DETECTOR, 2)]
    assert tracker.search.detector == models.DETECTOR
    assert tracker.search.turned == models.TURNED_DETECTOR
    assert (tracker.max_faces, tracker.fov, tracker.smoothing) == (3, 50, True)
    assert FaceTracker.load().max_faces == 1


@pytest.mark.parametrize(("score", "count"), [(0.69, 0), (0.71, 1)])
def test_a_new_profile_needs_the_same_score(score: float, count: int):
    assert len(Scene(Person(profile=True, score=score), turned=True).next()) == count


def test_a_face_that_turns_away_is_kept():
    """The first detector misses it, once; in the next frame the other finds it, close up."""
    person = Person()
    scene = Scene(person, turned=True)
    scene.next()
    person.profile = True
    for _ in range(3 * FPS):
        (face,) = scene.next()
        assert face.id == 0
        assert None not in [region for region, _ in scene.searches + scene.turned_searches]


def test_a_profile_is_verified_by_the_detector_that_knows_it():
    person = Person(profile=True)
    scene = Scene(person, turned=True)
    scene.next()
    looks = 0
    for _ in range(100):
        assert scene.next() and not scene.searches
        looks += len(scene.turned_searches)
    assert looks == 3


def test_a_profile_that_changes_at_once_is_kept():
    person = Person(profile=True)
    scene = Scene(person, turned=True)
    scene.run(3)
    person.phase += alike(0.5)
    (face,) = scene.next()
    assert face.id == 0 and len(scene.turned_searches) == 1


def test_what_both_detectors_miss_is_gone():
    person = Person()
    scene = Scene(person, turned=True)
    scene.next()
    person.detectable = False
    assert scene.run(2 * FPS) == []
