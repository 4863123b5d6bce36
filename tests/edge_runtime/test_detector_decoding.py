"""What the detector makes of its network's numbers, told by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asmnet.core import Crop, UserError
from asmnet.edge_runtime import FaceDetector
from asmnet.edge_runtime.detector import Detection, iou

SQUARE = Crop(200, 100, 128)
PICTURE = np.zeros((240, 320, 3), np.uint8)


class Answers:
    """A network that sees no face, until told."""

    def __init__(self, size: int = 128, count: int = 896, numbers: int = 16) -> None:
        self.input = {"shape": np.array([1, size, size, 3])}
        self.regressors = np.zeros((1, count, numbers), np.float32)
        self.logits = np.full((1, count, 1), -50, np.float32)
        self.seen = np.zeros(0)
        self.expected: tuple = ()

    def require(self, *expected: object) -> None:
        self.expected = expected

    def run(self, tensor: np.ndarray) -> None:
        self.seen = tensor.copy()

    def output(self, name: str) -> np.ndarray:
        return (self.regressors if name == "regressors" else self.logits).copy()

    def face(self, anchor: int, score: float, *box: float) -> None:
        """An anchor's answer: its centre's offset, width and height in pixels of the square."""
        self.logits[0, anchor, 0] = np.log(score / (1 - score))
        self.regressors[0, anchor, :4] = box


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def detector(answers: Answers) -> FaceDetector:
    return FaceDetector(answers)


def fine(row: int, column: int) -> int:
    """The first of two anchors of a cell of 8 x 8 pixels."""
    return 2 * (16 * row + column)


def coarse(row: int, column: int) -> int:
    """The first of six anchors of a cell of 16 x 16 pixels."""
    return 512 + 6 * (8 * row + column)


@pytest.mark.parametrize(
    ("anchor", "x", "y"),
    [
        (fine(2, 5), 5.5 * 8, 2.5 * 8),
        (fine(2, 5) + 1, 5.5 * 8, 2.5 * 8),
        (coarse(7, 3), 3.5 * 16, 7.5 * 16),
        (coarse(7, 3) + 5, 3.5 * 16, 7.5 * 16),
    ],
)
def test_a_box_lies_beside_its_anchor(
    detector: FaceDetector, answers: Answers, anchor: int, x: float, y: float
):
    """In a square of 128 pixels whose corner is (136, 36) in the picture."""
    answers.face(anchor, 0.8, 3, -2, 30, 20)
    (found,) = detector.detect(PICTURE, SQUARE)
    x, y = 136 + x + 3, 36 + y - 2
    np.testing.assert_allclose(found.box, [x - 15, y - 10, x + 15, y + 10], atol=1e-4)


@pytest.mark.parametrize(
    ("anchor", "x", "y"),
    [
        (40 * 2 + 5, 5.5 * 8, 2.5 * 8),
        (1600 + 20 * 7 + 3, 3.5 * 16, 7.5 * 16),
        (2000 + 10 * 9 + 1, 1.5 * 32, 9.5 * 32),
    ],
)
def test_the_network_of_turned_faces_has_an_anchor_in_each_cell(anchor: int, x: float, y: float):
    """Of 8, 16 and 32 pixels, in a square of 320."""
    answers = Answers(320, 2100, 4)
    answers.face(anchor, 0.8, 3, -2, 30, 30)
    (found,) = FaceDetector(answers).detect(np.zeros((320, 320, 3), np.uint8))
    x, y = x + 3 - 0.5, y - 2 - 0.5
    np.testing.assert_allclose(found.box, [x - 15, y - 15, x + 15, y + 15], atol=1e-4)
    assert found.keypoints.shape == (0, 2)
    assert answers.expected == (
        320, 3, {"regressors": (1, 2100, 4), "classificators": (1, 2100, 1)}
    )  # fmt: skip


def test_boxes_are_as_large_as_the_square_says(detector: FaceDetector, answers: Answers):
    answers.face(fine(8, 8), 0.8, -4, -4, 32, 32)
    (found,) = detector.detect(PICTURE, Crop(200, 100, 64))
    np.testing.assert_allclose(found.box, [192, 92, 208, 108], atol=1e-4)


def test_without_a_square_the_whole_picture_is_searched(detector: FaceDetector, answers: Answers):
    """Its middle is that of the square, as large as its longer side: pixels count from 0."""
    answers.face(fine(8, 8), 0.8, -4, -4, 64, 64)
    (found,) = detector.detect(PICTURE)
    np.testing.assert_allclose(found.box, [79.5, 39.5, 239.5, 199.5], atol=1e-4)


def test_six_keypoints_follow_the_box(detector: FaceDetector, answers: Answers):
    answers.face(fine(0, 0), 0.8, 0, 0, 20, 20)
    answers.regressors[0, fine(0, 0), 4:] = np.arange(12)
    (found,) = detector.detect(PICTURE, SQUARE)
    np.testing.assert_allclose(found.keypoints, np.arange(12).reshape(6, 2) + (140, 40), atol=1e-4)


def test_in_a_turned_square_everything_turns(detector: FaceDetector, answers: Answers):
    """By 90 degrees clockwise: right becomes down."""
    answers.face(fine(8, 8), 0.8, 16, -4, 20, 20)
    answers.regressors[0, fine(8, 8), 4:6] = -4, -14
    (found,) = detector.detect(PICTURE, Crop(200, 100, 128, 90))
    np.testing.assert_allclose(found.box, [190, 110, 210, 130], atol=1e-4)
    np.testing.assert_allclose(found.keypoints[0], [210, 100], atol=1e-4)


@pytest.mark.parametrize(("threshold", "count"), [(0.3, 3), (0.5, 2), (0.75, 1), (0.95, 0)])
def test_faces_below_the_least_score_are_none(
    detector: FaceDetector, answers: Answers, threshold: float, count: int
):
    for column, score in enumerate((0.4, 0.9, 0.7)):
        answers.face(fine(5, 5 * column), score, 0, 0, 20, 20)
    found = detector.detect(PICTURE, SQUARE, threshold)
    assert [face.score for face in found] == pytest.approx([0.9, 0.7, 0.4][:count], abs=1e-6)


def test_a_score_of_a_half_is_enough_unless_told(detector: FaceDetector, answers: Answers):
    answers.face(fine(5, 0), 0.49, 0, 0, 20, 20)
    answers.face(fine(5, 5), 0.51, 0, 0, 20, 20)
    assert [face.score for face in detector.detect(PICTURE)] == pytest.approx([0.51])


@pytest.mark.filterwarnings("error")
def test_a_network_that_is_beyond_doubt_has_a_score_of_one(
    detector: FaceDetector, answers: Answers
):
    answers.face(fine(5, 5), 0.9, 0, 0, 20, 20)
    answers.logits[0, fine(5, 5)] = 1e5
    assert [face.score for face in detector.detect(PICTURE)] == [1]


def test_boxes_of_one_face_are_averaged_by_their_scores(detector: FaceDetector, answers: Answers):
    """0.9 of one and 0.6 of the other are 3 : 2; the face is as sure as the surer one."""
    answers.face(fine(5, 5), 0.9, 0, 0, 20, 20)
    answers.face(fine(5, 5) + 1, 0.6, 5, -5, 30, 10)
    answers.regressors[0, fine(5, 5), 4] = 10
    (found,) = detector.detect(PICTURE, SQUARE)
    x, y = 136 + 44 + 2, 36 + 44 - 2
    np.testing.assert_allclose(found.box, [x - 12, y - 8, x + 12, y + 8], atol=1e-4)
    assert found.keypoints[0, 0] == pytest.approx(136 + 44 + 6, abs=1e-4)
    assert found.score == pytest.approx(0.9)


@pytest.mark.parametrize(("off", "count"), [(10, 1), (11.5, 2)])
def test_boxes_that_share_less_than_30_percent_are_two_faces(
    detector: FaceDetector, answers: Answers, off: float, count: int
):
    """Boxes of 20 pixels, 10 apart, share a third; 11.5 apart, 27 %."""
    answers.face(fine(5, 5), 0.8, 0, 0, 20, 20)
    answers.face(fine(5, 5) + 1, 0.9, off, 0, 20, 20)
    found = detector.detect(PICTURE, SQUARE)
    assert len(found) == count and found[0].score == pytest.approx(0.9)


def test_a_third_box_between_two_faces_belongs_to_the_surer(
    detector: FaceDetector, answers: Answers
):
    for off, score in ((0, 0.8), (16, 0.9), (8, 0.6)):
        answers.face(fine(5, 5) + off // 8 * 2, score, 0, 0, 20, 20)
    left, right = sorted(detector.detect(PICTURE, SQUARE), key=lambda face: face.box[0])
    assert (left.score, right.score) == pytest.approx((0.8, 0.9))
    assert left.box[0] == pytest.approx(136 + 44 - 10, abs=1e-4)
    assert right.box[0] == pytest.approx(136 + 44 - 10 + 16 - 8 * 0.4, abs=1e-4)


def test_boxes_without_an_area_are_answered_one_by_one(detector: FaceDetector, answers: Answers):
    answers.face(fine(5, 5), 0.9, 0, 0, 0, 0)
    answers.face(fine(9, 5), 0.8, 0, 0, 0, 0)
    assert len(detector.detect(PICTURE, SQUARE)) == 2


def test_a_box_of_negative_size_is_taken_the_right_way_round(
    detector: FaceDetector, answers: Answers
):
    answers.face(fine(8, 8), 0.8, -4, -4, -20, -20)
    (found,) = detector.detect(PICTURE, SQUARE)
    np.testing.assert_allclose(found.box, [190, 90, 210, 110], atol=1e-4)


def test_the_network_sees_red_first_from_minus_one_to_one(detector: FaceDetector, answers: Answers):
    detector.detect(np.full((9, 9, 3), (255, 0, 51), np.uint8))
    assert answers.seen.shape == (1, 128, 128, 3) and answers.seen.dtype == np.float32
    np.testing.assert_allclose(answers.seen[0, 64, 64], [-0.6, -1, 1], atol=1e-6)


def test_outside_the_picture_it_sees_black(detector: FaceDetector, answers: Answers):
    """As in the pictures that it learned from; a wide picture has its borders above and below."""
    detector.detect(np.full((40, 80, 3), 255, np.uint8))
    middle = answers.seen[0, :, 64, 0]
    assert (middle[:28] == -1).all() and (middle[36:92] == 1).all() and (middle[100:] == -1).all()


def test_the_crop_is_lower_and_smaller_than_the_box():
    """By 5.7 % of the box's side, and 3.2 %: so the landmarks of labelled faces say."""
    found = Detection(np.array([100, 90, 160, 130.0]), 0.9, np.zeros((6, 2)))
    crop = found.to_crop(1.25)
    assert (crop.cx, crop.cy, crop.side, crop.angle) == pytest.approx(
        (130, 110 + 0.057 * 50, 1.25 * 0.968 * 50, 0)
    )


def test_boxes_that_touch_share_nothing():
    boxes = np.array([[2, 0, 4, 2], [2, 2, 4, 4], [0, 0, 4, 4], [1, 1, 1, 1]], float)
    np.testing.assert_allclose(iou(np.array([0, 0, 2, 2.0]), boxes), [0, 0, 0.25, 0])
    np.testing.assert_array_equal(iou(np.zeros(4), np.zeros((1, 4))), [0])


def test_boxes_apart_from_each_other_share_nothing_in_any_direction():
    box = np.array([10, 10, 20, 20.0])
    others = np.array([[x, y, x + 5, y + 9] for x in (0, 12, 30) for y in (-9, 12, 30)], float)
    expected = np.zeros(9)
    expected[4] = 5 * 8 / (100 + 45 - 40)
    np.testing.assert_allclose(iou(box, others), expected)


def test_the_network_must_have_the_tensors_of_blazeface(detector: FaceDetector, answers: Answers):
    tensors = {"regressors": (1, 896, 16), "classificators": (1, 896, 1)}
    assert answers.expected == (128, 3, tensors)


@pytest.mark.parametrize("answer", [math.nan, math.inf, 1e30])
@pytest.mark.parametrize("output", ["logits", "regressors"])
def test_a_damaged_network_is_one_sentence(
    detector: FaceDetector, answers: Answers, answer: float, output: str
):
    answers.face(fine(5, 5), 0.9, 0, 0, 20, 20)
    getattr(answers, output)[0, fine(5, 5), -1] = answer
    with pytest.raises(UserError, match="^the face detector answers .*its file is damaged"):
        detector.detect(PICTURE)


def test_what_the_network_says_where_it_sees_no_face_does_not_matter(
    detector: FaceDetector, answers: Answers
):
    answers.face(fine(5, 5), 0.9, 0, 0, 20, 20)
    answers.regressors[0, fine(9, 5)] = np.nan
    assert len(detector.detect(PICTURE)) == 1


@pytest.mark.parametrize("threshold", [0, 1, -0.5, 70, math.nan])
def test_a_threshold_that_is_no_score_is_one_sentence(detector: FaceDetector, threshold: float):
    with pytest.raises(UserError, match=f"a threshold of {threshold} .* between 0 and 1"):
        detector.detect(PICTURE, threshold=threshold)
