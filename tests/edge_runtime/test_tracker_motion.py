"""Where the tracker looks: crops of faces that move, and searches for faces that may come."""

from __future__ import annotations

import numpy as np
import pytest
from scene import FPS, Person, Scene


def centre(crop: object) -> tuple[float, float]:
    return crop.cx, crop.cy


def seconds_of_searches(scene: Scene, frames: int, step: float) -> np.ndarray:
    """When the detector was asked in frames of so many seconds."""
    times = []
    for _ in range(frames):
        scene.next(step)
        times += [scene.t] * bool(scene.searches)
    return np.array(times)


def test_the_crop_moves_with_the_face():
    """At 18 pixels a frame, a fifth of the face: the first crop of each frame sits on it."""
    person = Person(x=60, y=300)
    scene = Scene(person)
    for frame in range(15):
        assert scene.next()
        if frame > 1:
            assert centre(scene.crops[0]) == pytest.approx((person.x, person.y), abs=0.01)
            assert len(scene.crops) == 1
        person.x, person.y = person.x + 18, person.y - 12


def test_the_crop_goes_no_further_than_a_face_moves_in_100_ms():
    """After a longer gap nobody knows where it went."""
    person = Person(x=100)
    scene = Scene(person)
    for _ in range(4):
        scene.next()
        person.x += 6
    scene.next(0.8)
    assert centre(scene.crops[0]) == pytest.approx((118 + 0.1 * 6 * FPS, 180), abs=0.01)


def test_two_frames_at_one_time_do_not_spoil_the_speed():
    person = Person(x=100)
    scene = Scene(person)
    for _ in range(4):
        scene.next()
        person.x += 10
    scene.next(0)
    scene.next(1 / FPS)
    assert centre(scene.crops[0]) == pytest.approx((150, 180), abs=0.01)


@pytest.mark.parametrize(("pixels", "crops"), [(5, 1), (5.5, 2)])
@pytest.mark.parametrize("across", [1, 0], ids=["across", "down"])
def test_a_crop_that_is_off_by_a_twentieth_is_taken_again(pixels: float, crops: int, across: int):
    """Of its side, here 100 pixels; the second one sits on the face."""
    person = Person()
    scene = Scene(person)
    scene.run(2)
    person.x += pixels * across
    person.y += pixels * (not across)
    (face,) = scene.next()
    assert len(scene.crops) == crops
    if crops == 2:
        assert centre(face.crop) == pytest.approx((person.x, person.y))


@pytest.mark.parametrize(("growth", "crops"), [(0.9, 2), (0.91, 1), (1.09, 1), (1.1, 2)])
def test_a_crop_of_another_size_by_a_tenth_is_taken_again(growth: float, crops: int):
    person = Person()
    scene = Scene(person)
    scene.run(2)
    person.side *= growth
    (face,) = scene.next()
    assert len(scene.crops) == crops
    if crops == 2:
        assert face.crop.side == pytest.approx(100 * growth)


def test_a_face_that_jumped_out_of_its_crop_is_found_in_the_same_frame():
    """The detector sees it where the landmarks are not, and the crop follows: as sure as new."""
    person = Person(score=0.9)
    scene = Scene(person)
    scene.run(2)
    person.x += 45
    (face,) = scene.next()
    assert face.id == 0 and face.score == pytest.approx(0.9)
    assert face.box[[0, 2]].mean() == pytest.approx(person.x)


def test_a_face_whose_landmarks_slide_off_is_still_the_same():
    """The detector sees it where it was."""
    person = Person()
    scene = Scene(person)
    scene.run(2)
    person.slip = 35
    assert [face.id for face in scene.next()] == [0]
    assert scene.searches


def test_the_detector_looks_at_twice_the_face():
    scene = Scene(Person(x=100, y=250))
    scene.next()
    (whole, _), (close, _) = scene.searches
    assert whole is None
    assert (close.cx, close.cy, close.side) == pytest.approx((100, 250, 160))


@pytest.mark.parametrize(("side", "crop"), [(2.0, 8.0), (8.0, 10.0)])
def test_a_face_of_a_few_pixels_is_looked_at_through_16(side: float, crop: float):
    """Its crop has 8 or more: smaller ones hold nothing."""
    person = Person()
    scene = Scene(person)
    scene.run(2)
    person.side, person.phase = side, 90
    scene.next()
    assert [look.side for look, _ in scene.searches][0] == pytest.approx(16)
    assert min(crop.side for crop in scene.crops) == crop


def test_with_nobody_there_searches_become_rare_and_stay_at_ten_a_second():
    gaps = np.diff(seconds_of_searches(Scene(), 400, 0.002))
    assert gaps[0] < 0.02 and (np.diff(gaps) > -0.003).all()
    assert gaps[-1] == pytest.approx(0.1, abs=0.003)


def test_a_lost_face_is_searched_for_at_once():
    person = Person()
    scene = Scene(person)
    scene.run(2)
    person.visible = False
    assert scene.next() == []
    assert (None, 0.5) in scene.searches
    gaps = np.diff(seconds_of_searches(scene, 100, 0.002))
    assert gaps[0] < 0.04, "and often, at first"


def test_after_a_cut_faces_are_searched_for_at_once():
    scene = Scene()
    scene.run(30)
    scene.people = [Person()]
    while scene.searches:
        scene.people[0].visible = False
        scene.next(0.001)
    scene.people[0].visible = True
    scene.background = 180
    assert len(scene.next(0.001)) == 1


def test_while_a_face_is_followed_others_are_searched_for_every_150_ms():
    scene = Scene(Person(), max_faces=2)
    scene.next()
    gaps = np.diff(seconds_of_searches(scene, 400, 0.002))
    assert gaps == pytest.approx([0.15] * len(gaps), abs=0.003) and len(gaps) >= 4


def test_when_all_faces_are_there_nobody_searches():
    scene = Scene(Person(), max_faces=1)
    scene.next()
    assert len(seconds_of_searches(scene, 25, 1 / FPS)) == 0


def test_a_small_face_is_found_in_one_of_the_squares():
    """Too small for the whole picture, at whose ends two squares are searched in turn."""
    for x in (40, 440):
        scene = Scene(Person(x=x, side=40))
        assert scene.run(4)


def test_a_small_face_is_found_beside_a_large_one():
    """One look at a time: the whole picture and each square in turn."""
    scene = Scene(Person(x=360), Person(x=40, side=40), max_faces=2)
    assert len(scene.next()) == 1
    looks = []
    for _ in range(15):
        faces = scene.next()
        looks += ["whole" if where is None else where.cx for where, _ in scene.searches[:1]]
    assert len(faces) == 2
    assert looks == [299.5, "whole", 179.5]


def test_the_whole_picture_is_enough_where_it_is_square():
    scene = Scene(size=(360, 360))
    scene.next()
    assert scene.searches == [(None, 0.5)]


@pytest.mark.parametrize(
    ("speed", "frames"), [(0.2, 0.455), (0.6, 0.157), (1.8, 0.053)], ids=["slow", "brisk", "quick"]
)
def test_points_are_late_by_less_than_half_a_frame(speed: float, frames: float):
    """A face that moves by so many face widths a second, and how many frames the answer lags."""
    person = Person(x=60)
    scene = Scene(person, smoothing=True, size=(600, 360))
    for _ in range(70):
        (face,) = scene.next()
        lag = (person.x - face.box[[0, 2]].mean()) / person.side * FPS / speed
        person.x += speed * person.side / FPS
    assert lag == pytest.approx(frames, rel=0.02)


def test_the_pose_is_late_by_less_than_a_frame():
    """A head that turns by 45 degrees a second."""
    person = Person()
    scene = Scene(person, smoothing=True)
    for _ in range(40):
        (face,) = scene.next()
        lag = (person.yaw - face.pose[0]) / 45 * FPS
        person.yaw += 45 / FPS
    assert lag == pytest.approx(0.796, abs=0.004)
    assert face.pose.dtype == face.landmarks.dtype == np.float32


def test_without_smoothing_nothing_is_late():
    person = Person(x=60)
    scene = Scene(person, smoothing=False)
    for _ in range(20):
        (face,) = scene.next()
        assert face.box[[0, 2]].mean() == pytest.approx(person.x, abs=0.01)
        assert face.pose[0] == pytest.approx(person.yaw)
        person.x, person.yaw = person.x + 5, person.yaw + 2


def test_the_stopwatch_tells_the_stages_of_the_latest_frame():
    scene = Scene(Person(), smoothing=True)
    watch = scene.tracker.stopwatch
    scene.next()
    assert set(watch.seconds) == {"detect", "crop", "network", "smooth"}
    scene.next()
    assert set(watch.seconds) == {"crop", "network", "smooth"}
