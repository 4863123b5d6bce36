"""Which face keeps its number, and which one is new."""

from __future__ import annotations

import numpy as np
import pytest
from scene import Person, Scene, alike


def hide(scene: Scene, *people: Person, frames: int = 10) -> None:
    """They are gone for so many frames."""
    for person in people:
        person.visible = False
    scene.run(frames)
    for person in people:
        person.visible = True


@pytest.mark.parametrize(("phase", "same"), [(86, True), (95, False)])
def test_a_cut_makes_all_faces_new(phase: float, same: bool):
    """Even a face that looks the same at the same place; no pan changes the picture so much."""
    scene = Scene(Person())
    (before,) = scene.run(2)
    picture = scene.picture()
    scene.background += phase
    correlation = np.corrcoef(picture.ravel(), scene.picture().ravel())[0, 1]
    assert (0.15 < correlation < 0.3) if same else (0 < correlation < 0.15)
    (after,) = scene.next()
    assert (after.id == before.id) == same


def test_after_a_cut_nobody_is_remembered():
    person = Person()
    scene = Scene(person)
    (before,) = scene.run(2)
    hide(scene, person)
    scene.background += 180
    (after,) = scene.run(4)
    assert after.id != before.id


@pytest.mark.parametrize(("gap", "same"), [(1, True), (1.0625, False)])
def test_a_gap_of_more_than_a_second_between_two_frames_makes_all_faces_new(gap: float, same: bool):
    scene = Scene(Person())
    (before,) = scene.next(0.5)
    (after,) = scene.next(gap)
    assert (after.id == before.id) == same


@pytest.mark.parametrize(("hidden", "same"), [(6, True), (7, False)])
def test_a_lost_face_is_remembered_for_less_than_a_second(hidden: int, same: bool):
    """It is seen again after 7/8 of a second, and after 8/8."""
    person = Person()
    scene = Scene(person)
    (before,) = scene.next(0.5)
    for frame in range(hidden + 1):
        person.visible = frame == hidden
        faces = scene.next(0.125)
    assert (faces[0].id == before.id) == same


@pytest.mark.parametrize(
    ("off", "correlation", "same"),
    [
        (0.2, 0.3, True),  # where it was: whoever was hidden may look different still
        (0.2, 0.1, False),
        (0.25, 0.6, False),
        (0.3, 0.6, False),
        (0.4, 0.8, True),  # half a face away, and alike
        (0.5, 1.0, False),
    ],
)
@pytest.mark.parametrize("across", [True, False], ids=["across", "down"])
def test_a_lost_face_is_known_again_by_its_place_and_its_looks(
    off: float, correlation: float, same: bool, across: bool
):
    person = Person()
    scene = Scene(person)
    (before,) = scene.run(2)
    hide(scene, person)
    person.x += off * person.side * across
    person.y -= off * person.side * (not across)
    person.phase += alike(correlation)
    (after,) = scene.run(4)
    assert (after.id == before.id) == same


@pytest.mark.parametrize(
    ("growth", "same"), [(0.8, False), (0.82, True), (1.2, True), (1.25, False)]
)
def test_a_lost_face_is_not_known_again_at_another_size(growth: float, same: bool):
    person = Person()
    scene = Scene(person)
    (before,) = scene.run(2)
    hide(scene, person)
    person.side *= growth
    (after,) = scene.run(4)
    assert (after.id == before.id) == same


@pytest.mark.parametrize("moves_on", [True, False])
def test_a_lost_face_is_looked_for_where_it_should_be_by_then(moves_on: bool):
    """It moved by 5 pixels a frame, so 80 pixels further on after 16 frames: a whole face."""
    person = Person(x=100)
    scene = Scene(person)
    for _ in range(6):
        (before,) = scene.next()
        person.x += 5
    hide(scene, person, frames=15)
    person.x += 75 * moves_on
    faces = []
    while not faces:
        faces = scene.next()
        person.x += 5 * moves_on
    assert (faces[0].id == before.id) == moves_on


def test_two_lost_faces_are_not_confused():
    left, right = Person(x=120), Person(x=360, stripes=(2, -1))
    scene = Scene(left, right, max_faces=2)
    before = {face.id: face.box[0] for face in scene.run(8)}
    hide(scene, left, right)
    after = {face.id: face.box[0] for face in scene.run(12)}
    assert len(before) == 2 and after == pytest.approx(before)


def test_two_faces_that_change_places_unseen_are_known_by_their_looks():
    left, right = Person(x=220, stripes=(2, 1)), Person(x=260, y=180, stripes=(1, 2))
    scene = Scene(left, max_faces=1)
    (first,) = scene.run(2)
    hide(scene, left)
    scene.people = [right]
    (second,) = scene.run(4)
    assert second.id != first.id


def test_a_face_that_is_known_again_is_known_once():
    """Two faces that could both be the lost one: one of them is new."""
    person = Person(stripes=(0, 2))
    scene = Scene(person, max_faces=2)
    (before,) = scene.run(2)
    hide(scene, person)
    scene.people.append(Person(x=person.x + 35, stripes=(0, 2)))
    person.x -= 35
    assert sorted(face.id for face in scene.run(8)) == [before.id, before.id + 1]


def test_what_hides_a_face_bit_by_bit_is_not_taken_for_its_looks():
    """The face as the detector last agreed to it is what is known again."""
    person = Person()
    scene = Scene(person)
    (before,) = scene.next()
    person.detectable = False
    while scene.next():
        person.phase += alike(0.75)
    assert person.phase > 150
    person.detectable, person.phase = True, 0
    person.x += 0.3 * person.side
    (after,) = scene.run(4)
    assert after.id == before.id


def test_looks_that_the_detector_agreed_to_are_known_again():
    """In the same frame, before the face was lost."""
    person = Person()
    scene = Scene(person)
    (before,) = scene.run(3)
    person.phase += alike(0.4)
    scene.next()
    hide(scene, person)
    person.x += 0.4 * person.side
    (after,) = scene.run(4)
    assert after.id == before.id


def test_a_face_that_is_covered_by_another_is_known_by_how_it_looked_before():
    """Two boxes overlap: what either shows may be the other, though the detector agrees."""
    front, behind = Person(x=300, stripes=(2, -1)), Person(x=150)
    scene = Scene(behind, front, max_faces=2)
    (before, _) = scene.run(10)
    assert before.box[0] == pytest.approx(110)
    while front.x > 225:
        front.x -= 5
        scene.next()
    for _ in range(12):
        behind.phase += 10
        faces = scene.next()
    assert [face.id for face in faces] == [0, 1]
    hide(scene, behind, front)
    behind.phase, front.x = 0, 400
    behind.x += 0.3 * behind.side
    faces = scene.run(8)
    assert before.id in [face.id for face in faces if face.box[0] < 200]


@pytest.mark.parametrize(("apart", "count"), [(30, 2), (19, 1)])
def test_two_tracks_on_one_face_become_one(apart: float, count: int):
    """Boxes of 80 pixels, 30 apart, overlap by 45 % (one face passes in front of another);
    19 apart by 62 %: the older track stays."""
    left, right = Person(x=200), Person(x=320, stripes=(2, -1))
    scene = Scene(left, right, max_faces=2)
    faces = scene.run(8)
    assert [face.id for face in faces] == [0, 1]
    while right.x - left.x > apart:
        right.x = max(right.x - 4, left.x + apart)
        faces = scene.next()
    assert [face.id for face in faces] == [0, 1][:count]


def test_the_detectors_answer_for_one_face_does_not_confirm_another():
    """It finds the left one only, whose box covers half of the right one's."""
    left, right = Person(x=200), Person(x=320, stripes=(2, -1))
    scene = Scene(left, right, max_faces=2)
    scene.run(8)
    while right.x - left.x > 22:
        right.x -= 4
        scene.next()
    assert len(scene.run(2)) == 2
    right.detectable = False
    right.phase += alike(0.6)
    assert [face.id for face in scene.next()] == [0]


def test_faces_come_in_the_order_of_their_numbers():
    """Also when an older face is known again beside a younger one."""
    left, right = Person(x=120), Person(x=360, stripes=(2, -1))
    scene = Scene(left, right, max_faces=2)
    scene.run(8)
    hide(scene, left)
    faces = scene.run(8)
    assert [face.id for face in faces] == [0, 1]


def test_no_more_faces_than_asked_for_the_surest_first():
    people = [Person(x=80, score=0.9), Person(x=240, score=0.99), Person(x=400, score=0.95)]
    scene = Scene(*people, max_faces=2)
    faces = scene.run(30)
    assert [round(float(face.box[[0, 2]].mean())) for face in faces] == [240, 400]


def test_numbers_are_never_used_again():
    scene = Scene(Person())
    ids = []
    for _ in range(3):
        scene.tracker.reset()
        ids += [face.id for face in scene.next()]
    assert ids == [0, 1, 2]
