from __future__ import annotations

import cv2
import numpy as np
import pytest

from asmnet import models, samples
from asmnet.core import Crop, ModelSpec, UserError, extract, nme, rotate_pose
from asmnet.edge_runtime import Face, FaceDetector, Landmarker
from asmnet.edge_runtime import landmarker as module
from asmnet.edge_runtime.crops import OPENCV, next_crop
from asmnet.edge_runtime.landmarker import input_table

SPEC = ModelSpec("test", "0", "ibug68", 224, "landmarks", "pose")


class Answers:
    """A network that answers always the same."""

    name = "face.tflite"

    def __init__(self, dtype: type = np.float32, quantization: tuple[float, int] = (0, 0)) -> None:
        self.input = {"dtype": dtype, "quantization": quantization}
        self.landmarks = np.linspace(-0.4, 0.4, 136, dtype=np.float32)[None]
        self.pose = np.array([[10, 20, 30]], np.float32)
        self.expected: tuple = ()
        self.seen = np.zeros(0)

    def require(self, *expected: object) -> None:
        self.expected = expected

    def run(self, tensor: np.ndarray) -> None:
        self.seen = tensor.copy()

    def output(self, name: str) -> np.ndarray:
        return {"landmarks": self.landmarks, "pose": self.pose}[name]


def face_of(landmarker: Landmarker, detector: FaceDetector, image: np.ndarray) -> Face:
    """The picture's best face, cropped anew around its own landmarks as the tracker does."""
    margin = landmarker.spec.margin
    face = landmarker(image, detector.detect(image)[0].to_crop(margin))
    return landmarker(image, Crop.around(face.landmarks, margin))


def test_landmarks_lie_on_the_face(
    landmarker: Landmarker, detector: FaceDetector, portrait: np.ndarray
):
    """Eye, nose and mouth points agree with the detector's keypoints, an independent network."""
    found = detector.detect(portrait)[0]
    face = face_of(landmarker, detector, portrait)
    points, side = face.landmarks, found.to_crop(1.0).side
    assert points.shape == (68, 2) and points.dtype == np.float32
    assert face.pose.shape == (3,) and face.pose.dtype == np.float32
    centres = (points[36:42], points[42:48], points[30:31], points[60:68])
    # The detector's nose and mouth are rough, most of all on a turned head.
    for part, keypoint, near in zip(centres, found.keypoints, (0.08, 0.08, 0.2, 0.2), strict=False):
        assert np.linalg.norm(part.mean(axis=0) - keypoint) < near * side
    np.testing.assert_allclose(face.box[:2], points.min(axis=0))


def test_the_official_portraits_look_at_the_camera(landmarker: Landmarker, detector: FaceDetector):
    image = cv2.imread(str(samples.PORTRAITS / "obama_official.jpg"))
    pose = face_of(landmarker, detector, image).pose
    assert np.abs(pose).max() < 20


def test_a_mirrored_picture_gives_the_mirrored_face(
    landmarker: Landmarker, detector: FaceDetector, astronaut: np.ndarray
):
    face = face_of(landmarker, detector, astronaut)
    mirrored = face_of(landmarker, detector, np.ascontiguousarray(astronaut[:, ::-1]))
    scheme = landmarker.spec.landmark_scheme
    back = mirrored.landmarks[scheme.mirror] * (-1, 1) + (astronaut.shape[1] - 1, 0)
    assert nme(back, face.landmarks, scheme) < 5
    np.testing.assert_allclose(mirrored.pose * (-1, 1, -1), face.pose, atol=8)


def test_a_turned_crop_finds_the_same_points_and_pose(
    landmarker: Landmarker, detector: FaceDetector, portrait: np.ndarray
):
    upright = face_of(landmarker, detector, portrait)
    turned = landmarker(portrait, Crop.around(upright.landmarks, landmarker.spec.margin, angle=12))
    assert nme(turned.landmarks, upright.landmarks, landmarker.spec.landmark_scheme) < 6
    np.testing.assert_allclose(turned.pose, upright.pose, atol=10)


def test_the_detectors_crop_is_close_to_the_landmarks_own(
    landmarker: Landmarker, detector: FaceDetector
):
    """On the shipped faces: centre within 10 % of the side, size within 20 %."""
    margin = landmarker.spec.margin
    for path in sorted(samples.LONDON.glob("*.jpg"))[::10]:
        image = cv2.imread(str(path))
        first = detector.detect(image)[0].to_crop(margin)
        final = face_of(landmarker, detector, image).crop
        assert np.hypot(first.cx - final.cx, first.cy - final.cy) < 0.1 * final.side
        assert first.side == pytest.approx(final.side, rel=0.2)


def test_floats_are_refused_because_their_range_is_unknown(landmarker: Landmarker):
    with pytest.raises(UserError, match="float64"):
        landmarker(np.zeros((10, 10, 3)), Crop(5, 5, 5))


def test_float_input_is_normalised_as_the_contract_says():
    table = input_table(SPEC, np.float32, 0.0, 0)
    np.testing.assert_allclose(table, (np.arange(256) - 127.5) / 127.5, rtol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "zero_point"), [(np.int8, -1), (np.int8, 0), (np.uint8, 127), (np.uint8, 128)]
)
def test_no_grey_levels_merge_when_the_input_is_quantized(dtype: type, zero_point: int):
    """[-1, 1] over 255 steps: every level is a tie between two integers, none may be lost."""
    table = input_table(SPEC, dtype, 2 / 255, zero_point).astype(int)
    assert (np.diff(table) == 1).all()
    real = (table - zero_point) * (2 / 255)
    np.testing.assert_allclose(real, (np.arange(256) - 127.5) / 127.5, atol=1 / 255 + 1e-6)


def test_a_narrow_quantized_input_saturates_instead_of_wrapping():
    table = input_table(SPEC, np.int8, 1 / 255, 0).astype(int)
    assert table[0] == -128 and table[-1] == 127 and (np.diff(table) >= 0).all()


def test_the_network_must_have_the_tensors_of_its_contract():
    network = Answers()
    Landmarker(network, SPEC)
    assert network.expected == (224, 3, {"landmarks": (1, 136), "pose": (1, 3)})


def test_threads_are_those_of_the_network(monkeypatch: pytest.MonkeyPatch):
    made = []
    monkeypatch.setattr(module, "Network", lambda *options: made.append(options) or Answers())
    monkeypatch.setattr(module, "read_spec", lambda path: SPEC)
    Landmarker.load()
    Landmarker.load(models.find(), 3)
    assert made == [(models.find(), 1), (models.find(), 3)]


@pytest.mark.parametrize("dtype", [np.int16, np.float16])
def test_an_input_of_another_type_is_one_sentence(dtype: type):
    with pytest.raises(UserError, match=rf"^face\.tflite takes {np.dtype(dtype).name} input; .*"):
        Landmarker(Answers(dtype, (2 / 255, 0)), SPEC)


def test_the_network_sees_red_first_as_the_contract_says():
    network = Answers()
    Landmarker(network, SPEC)(np.full((50, 50, 3), (255, 0, 51), np.uint8), Crop(25, 25, 20))
    assert network.seen.shape == (1, 224, 224, 3) and network.seen.dtype == np.float32
    np.testing.assert_allclose(network.seen[0, 0, 0], [-0.6, -1, 1], atol=1e-6)


@pytest.mark.parametrize(("dtype", "zero"), [(np.int8, 0), (np.uint8, 128)])
def test_a_quantized_network_sees_levels(dtype: type, zero: int):
    network = Answers(dtype, (2 / 255, zero))
    Landmarker(network, SPEC)(np.full((50, 50, 3), (255, 0, 51), np.uint8), Crop(25, 25, 20))
    assert network.seen.dtype == dtype
    np.testing.assert_allclose(
        network.seen[0, 0, 0].astype(int) - zero, [-76.5, -127.5, 127.5], atol=0.5
    )


def test_crops_are_cut_by_the_devices_own_kernels(astronaut: np.ndarray):
    landmarker, crop = Landmarker(Answers(), SPEC), Crop(230, 120, 500.5)
    cut = landmarker.extract(astronaut, crop)
    np.testing.assert_array_equal(cut, extract(astronaut, crop, 224, OPENCV)[..., ::-1])
    assert (cut != extract(astronaut, crop, 224)[..., ::-1]).any(), "not core's reference"


def test_landmarks_come_to_their_place_in_the_picture():
    """Crop units: the crop's centre is 0, its side 1; a face in a known crop has no score."""
    network = Answers()
    face = Landmarker(network, SPEC)(np.zeros((50, 50, 3), np.uint8), Crop(30, 20, 40))
    np.testing.assert_allclose(
        face.landmarks, network.landmarks.reshape(68, 2) * 40 + (30, 20), atol=1e-4
    )
    np.testing.assert_allclose(face.pose, [10, 20, 30])
    assert face.landmarks.dtype == face.pose.dtype == np.float32
    assert (face.crop, face.score, face.id) == (Crop(30, 20, 40), None, None)
    np.testing.assert_allclose(
        face.box, [*face.landmarks.min(axis=0), *face.landmarks.max(axis=0)], atol=1e-4
    )


def test_a_pose_in_a_turned_crop_turns_with_it():
    face = Landmarker(Answers(), SPEC)(np.zeros((50, 50, 3), np.uint8), Crop(30, 20, 40, 15))
    np.testing.assert_allclose(face.pose, rotate_pose(np.array([10.0, 20, 30]), 15), atol=1e-4)
    assert face.pose.dtype == np.float32


def test_without_a_crop_the_detector_finds_the_faces_the_surest_first(
    astronaut: np.ndarray, detector: FaceDetector
):
    """Each once more around what was found where the detector says, with the contract's margin."""
    head = astronaut[30:230, 100:340]
    picture = np.hstack([head, head[:, ::-1]])
    found = detector.detect(picture)
    assert len(found) == 2
    spec = SPEC.replace(margin=1.5)
    network = Answers()
    faces = Landmarker(network, spec)(picture)
    assert [face.score for face in faces] == [seen.score for seen in found]
    units = network.landmarks.reshape(-1, 2)
    for face, seen in zip(faces, found, strict=True):
        first = seen.to_crop(1.5).to_picture(units).astype(np.float32)
        assert face.crop == next_crop(first, 1.5)
        np.testing.assert_allclose(face.landmarks, face.crop.to_picture(units), rtol=1e-6)
    assert found[0].score > found[1].score


def test_a_face_whose_points_lie_in_one_place_is_still_a_crop():
    crop = next_crop(np.full((68, 2), 5.0), 1.25)
    assert (crop.cx, crop.cy, crop.side, crop.angle) == (5, 5, 8, 0)


def test_the_detector_is_loaded_once(monkeypatch: pytest.MonkeyPatch, detector: FaceDetector):
    loaded = []

    def load() -> FaceDetector:
        loaded.append(detector)
        return detector

    monkeypatch.setattr(FaceDetector, "load", load)
    landmarker = Landmarker(Answers(), SPEC)
    for _ in range(3):
        assert landmarker(np.zeros((50, 50, 3), np.uint8)) == []
    assert len(loaded) == 1


@pytest.mark.parametrize(
    "convert",
    [
        lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2GRAY),
        lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None],
        lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2BGRA),
        lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)[..., :3],
        lambda image: np.ascontiguousarray(image.transpose(2, 0, 1)).transpose(1, 2, 0),
        lambda image: image[::-1].copy()[::-1],
        lambda image: np.ascontiguousarray(image[..., ::-1])[..., ::-1],
    ],
    ids=["grey", "one channel", "BGRA", "a part", "by channel", "upside down", "RGB"],
)
def test_any_picture_will_do(convert, landmarker: Landmarker, astronaut: np.ndarray):
    (expected,), (face,) = landmarker(astronaut), landmarker(convert(astronaut))
    assert nme(face.landmarks, expected.landmarks, landmarker.spec.landmark_scheme) < 4


@pytest.mark.parametrize(
    "image",
    [np.zeros((0, 9, 3), np.uint8), np.zeros((9, 9, 2), np.uint8), np.zeros((9, 9, 3), bool), None],
    ids=["empty", "two channels", "bool", "None"],
)
def test_what_is_no_picture_is_one_sentence(image: object, landmarker: Landmarker):
    for crop in ((), (Crop(4, 4, 4),)):
        with pytest.raises(UserError, match="^a picture .*"):
            landmarker(image, *crop)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1)])
def test_pictures_of_a_pixel_hold_no_face(size: tuple[int, int], landmarker: Landmarker):
    image = np.full((*size, 3), 90, np.uint8)
    assert landmarker(image) == []
    assert np.isfinite(landmarker(image, Crop(0, 0, 1)).landmarks).all()


@pytest.mark.parametrize("output", ["landmarks", "pose"])
def test_a_damaged_network_is_one_sentence(output: str):
    network = Answers()
    getattr(network, output)[0, 2] = np.nan
    with pytest.raises(UserError, match="^test answers nan, .* its file is damaged"):
        Landmarker(network, SPEC)(np.zeros((50, 50, 3), np.uint8), Crop(25, 25, 20))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
def test_grey_levels_go_the_way_that_clips_less(dtype: type):
    """One end of 256 levels must be cut by the 255 steps of a symmetric input."""
    low = np.iinfo(dtype).min
    for zero in (low + 127, low + 128):
        table = input_table(SPEC, dtype, 2 / 255, zero).astype(int)
        assert len(np.unique(table)) == 256
    tight = input_table(SPEC, dtype, 2 / 254, low + 127).astype(int)
    assert (tight[0], tight[-1]) == (low, low + 254)
