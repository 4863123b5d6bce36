"""Odd pictures, odd times and odd answers of the networks: an answer or one sentence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest
from scene import Person, Scene

from asmnet.core import UserError
from asmnet.edge_runtime import (
    FaceDetector,
    FaceTracker,
    Frame,
    Landmarker,
    frames_from,
)
from asmnet.edge_runtime.io.closing import Stream
from asmnet.edge_runtime.tracking import track_source
from asmnet.models import DEFAULT

FPS = 30


@pytest.fixture(scope="module")
def frame() -> np.ndarray:
    """The first of the sample clip: one face."""
    return next(iter(frames_from("demo"))).image


@pytest.mark.parametrize(
    "convert",
    [
        lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2GRAY),
        lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None],
        lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2BGRA),
        lambda image: np.asfortranarray(image),
        lambda image: np.repeat(image, 2, axis=1)[:, ::2],
        lambda image: cv2.resize(image, (7680, 4320)),
    ],
    ids=["grey", "one channel", "BGRA", "column by column", "every other pixel", "8K"],
)
def test_any_picture_will_do(
    convert, frame: np.ndarray, landmarker: Landmarker, detector: FaceDetector
):
    tracker = FaceTracker(landmarker, detector)
    image = convert(frame)
    for k in range(3):
        assert len(tracker.update(image, k / FPS)) == 1


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 1), (3, 5)])
def test_pictures_too_small_for_a_face_hold_none(
    size: tuple[int, int], frame: np.ndarray, landmarker: Landmarker, detector: FaceDetector
):
    tracker = FaceTracker(landmarker, detector)
    for k in range(5):
        assert tracker.update(np.full((*size, 3), 90, np.uint8), k / 5) == []


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((48, 64, 3), np.float32),
        np.full((48, 64, 3), np.nan),
        np.zeros((48, 64, 3), np.uint16),
        np.zeros((0, 64, 3), np.uint8),
        np.zeros((48, 64, 2), np.uint8),
        np.zeros((2, 48, 64, 3), np.uint8),
        [[0, 1], [2, 3]],
        None,
    ],
    ids=["float", "NaN", "uint16", "empty", "two channels", "a batch", "a list", "None"],
)
def test_what_is_no_picture_is_one_sentence(
    image: object, frame: np.ndarray, landmarker: Landmarker, detector: FaceDetector
):
    tracker = FaceTracker(landmarker, detector)
    with pytest.raises(UserError, match="a picture .*"):
        tracker.update(image, 0.0)
    assert len(tracker.update(frame, 0.1)) == 1, "and it goes on"


@pytest.mark.parametrize("t", [math.nan, math.inf, -math.inf, None, "1.0"])
def test_a_time_that_is_none_is_one_sentence(t: object):
    scene = Scene(Person())
    with pytest.raises(UserError, match="a frame's time must be a number of seconds, not"):
        scene.tracker.update(scene.picture(), t)
    assert len(scene.next()) == 1, "and it goes on"


@pytest.mark.parametrize("t", [1, np.float32(1), np.int64(1)], ids=["int", "float32", "int64"])
def test_any_number_will_do_as_a_time(t: float):
    scene = Scene(Person())
    assert len(scene.tracker.update(scene.picture(), t)) == 1


def test_one_face_is_followed_and_smoothed_unless_told():
    person = Person(x=150)
    scene = Scene(person, Person(x=400))
    tracker = FaceTracker(scene.tracker.landmarker, scene.tracker.search.detector)
    for k in range(10):
        person.x += 1
        (face,) = tracker.update(scene.picture(), k / FPS)
    assert person.x - 2 < face.box[[0, 2]].mean() < person.x - 0.2


def test_a_repeated_time_is_the_same_video():
    scene = Scene(Person(), smoothing=True)
    (before,) = scene.run(3)
    for _ in range(3):
        (again,) = scene.next(0)
        assert again.id == before.id
        np.testing.assert_allclose(again.landmarks, before.landmarks)


def test_an_earlier_time_is_another_video():
    scene = Scene(Person())
    (before,) = scene.run(3)
    (after,) = scene.next(-0.001)
    assert after.id != before.id


def test_a_picture_of_another_size_or_shape_is_another_video():
    scene = Scene(Person())
    ids = [face.id for face in scene.run(3)]
    for size in ((500, 360), (360, 500)):
        scene.size = size
        scene.people = [Person(x=size[0] / 2, y=size[1] / 2)]
        ids += [face.id for face in scene.next()]
    assert ids == [0, 1, 2]


@pytest.mark.parametrize("answer", [math.nan, math.inf, -math.inf, 1e30])
@pytest.mark.parametrize("output", ["landmarks", "pose"])
def test_a_damaged_landmark_network_is_one_sentence(
    answer: float, output: str, monkeypatch: pytest.MonkeyPatch
):
    scene = Scene(Person())
    scene.run(2)
    landmarker = scene.tracker.landmarker
    landmarks, pose = landmarker.raw(scene.views[-1])
    (landmarks if output == "landmarks" else pose).reshape(-1)[1] = answer
    monkeypatch.setattr(landmarker, "raw", lambda pixels: (landmarks, pose))
    with pytest.raises(UserError, match=r"^scene answers \S+, which no sound network does; .*"):
        scene.next()
    monkeypatch.undo()
    assert len(scene.next()) == 1, "and it goes on"


@pytest.mark.filterwarnings("error")
def test_landmarks_in_one_point_are_no_error(monkeypatch: pytest.MonkeyPatch):
    scene = Scene(Person(), max_faces=2, smoothing=True)
    scene.run(2)
    answer = np.zeros((68, 2), np.float32), np.zeros(3, np.float32)
    monkeypatch.setattr(scene.tracker.landmarker, "raw", lambda pixels: answer)
    for _ in range(40):
        assert len(scene.next()) <= 2


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [0.0, -50.0, 1e9])
def test_absurd_boxes_of_the_detector_are_no_error(size: float, monkeypatch: pytest.MonkeyPatch):
    scene = Scene(Person(), max_faces=2)
    detect = scene.tracker.search.detector.detect

    def absurd(*arguments: object) -> list:
        (found,) = detect(*arguments) or [None]
        return (
            []
            if found is None
            else [replace(found, box=np.array([9, 9, 9 + size, 9 + size])), found]
        )

    monkeypatch.setattr(scene.tracker.search.detector, "detect", absurd)
    for _ in range(40):
        faces = scene.next()
    assert scene.people[0].x in [face.crop.cx for face in faces]


class Source:
    """Frames of a scene in place of a camera's; tells when it is closed."""

    def __init__(self, still: bool) -> None:
        self.still = still
        self.closed = False

    def __call__(self, source: object) -> Iterator[Frame]:
        self.source = source
        picture = Scene(Person()).picture()
        try:
            for k in range(3):
                yield Frame(picture, k / FPS, k, FPS, "scene", self.still)
        finally:
            self.closed = True


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch):
    """What the networks of a scene answer to a source."""

    def open_(
        still: bool, *arguments: object, **options: object
    ) -> tuple[Source, list[object], Iterator]:
        scene, source, models = Scene(Person(), Person(x=90)), Source(still), []

        def load(model: object, threads: int) -> object:
            models.append(model)
            return scene.tracker.landmarker

        monkeypatch.setattr(track_source, "frames_from", lambda s: Stream(source(s), lambda: None))
        monkeypatch.setattr(Landmarker, "load", load)
        monkeypatch.setattr(FaceDetector, "load", lambda *_: scene.tracker.search.detector)
        return source, models, track_source.track_source(*arguments, **options)

    return open_


def test_track_source_follows_the_frames_of_a_source(opened):
    source, models, answers = opened(False, "somewhere", "some model", 2)
    found = [(frame.index, [face.id for face in faces]) for frame, faces in answers]
    assert found == [(0, [0, 1]), (1, [0, 1]), (2, [0, 1])]
    assert (source.source, models) == ("somewhere", ["some model"])


def test_track_source_follows_one_face_of_the_first_camera_unless_told(opened):
    source, models, answers = opened(still=False)
    assert [len(faces) for _, faces in answers] == [1, 1, 1]
    assert (source.source, models) == (0, [DEFAULT])


def test_track_source_takes_each_still_picture_for_itself(opened):
    _, _, answers = opened(still=True)
    assert [face.id for _, faces in answers for face in faces] == [0, 1, 2]


def test_track_source_leaves_the_source_when_it_is_left(opened):
    source, _, answers = opened(still=False)
    with answers as tracked:
        next(tracked)
        assert not source.closed
    assert source.closed
