"""Spoilt views move labels exactly, are the same for every model, and are measured as told."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from asmnet.core import IBUG68, Crop, ModelSpec
from asmnet.data.datasets import Dataset, LabelledFace
from asmnet.evaluate.predictor import Predictor
from asmnet.evaluate.robustness import robustness, spoilt_views

SPEC = ModelSpec("test", "0", "ibug68", 224, "", "")
GEOMETRIC = ("clean", "head rolled", "any roll", "box")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Faces that are white dots on grey, at their landmarks."""
    folder = tmp_path_factory.mktemp("dots")
    rng = np.random.default_rng(3)
    faces = []
    for i in range(3):
        points = rng.uniform(90, 310, (68, 2))
        points[[36, 45]] = [130, 160 + 10 * i], [270, 160]
        image = np.full((400, 400, 3), 60, np.uint8)
        for x, y in points:
            cv2.circle(
                image, (round(16 * x), round(16 * y)), 4 * 16, (255,) * 3, -1, cv2.LINE_AA, 4
            )
        cv2.imwrite(str(folder / f"{i}.png"), image)
        faces.append(LabelledFace(folder / f"{i}.png", points))
    return Dataset(IBUG68, tuple(faces))


def network(answer: np.ndarray) -> Predictor:
    """Gives the same answer to everything."""
    return Predictor(Path("stub"), SPEC, lambda images, progress=None: (
        np.repeat(answer[None], len(images), axis=0), np.zeros((len(images), 3), np.float32)
    ))  # fmt: skip


def views(data: Dataset, index: int = 0, seed: int = 0):
    rng = np.random.default_rng(seed)
    return list(spoilt_views(data.faces[index], data, network(np.zeros((68, 2))), rng))


def test_labels_move_with_the_pixels(data):
    for condition, crop, image in views(data):
        assert image.shape == (224, 224, 3) and image.dtype == np.uint8
        if not condition.startswith(GEOMETRIC):
            continue
        pixels = np.rint(crop.to_units(data.faces[0].points) * 224 + 111.5).astype(int)
        inside = pixels[((pixels >= 0) & (pixels < 224)).all(axis=1)]
        assert len(inside) > 40
        assert image[inside[:, 1], inside[:, 0]].min() > 200, condition


def test_rolled_heads_are_rolled_and_levelled_ones_level(data):
    tilts = {}
    for condition, crop, _ in views(data, 2):
        x, y = np.subtract(*crop.to_units(data.faces[2].points)[[45, 36]])
        tilts.setdefault(condition, np.degrees(np.arctan2(y, x)))
    assert tilts["head rolled by +30°, upright box"] - tilts["clean"] == pytest.approx(30)
    assert tilts["head rolled by -30°, upright box"] - tilts["clean"] == pytest.approx(-30)
    assert tilts["any roll, box turned with the eyes"] == pytest.approx(0, abs=1e-9)


def test_the_same_seed_spoils_the_same(data):
    for (name, crop, image), (again, same, copy) in zip(views(data), views(data), strict=True):
        assert name == again and crop == same
        np.testing.assert_array_equal(image, copy)
    assert any((a[2] != b[2]).any() for a, b in zip(views(data), views(data, seed=1), strict=True))


def test_the_patch_hides_a_part_of_the_face_only(data):
    found = {condition: image for condition, _, image in views(data)}
    patch = next(condition for condition in found if "patch" in condition)
    changed = (found[patch] != found["clean"]).any(axis=2)
    rows, columns = np.where(changed)
    assert np.ptp(rows) < 0.36 * 224 and np.ptp(columns) < 0.36 * 224
    low, high = 0.1 * 224 - 1, 0.9 * 224 + 1  # of a margin of 1.25
    assert rows.min() >= low and columns.min() >= low and max(rows.max(), columns.max()) <= high


def test_figures_of_a_network_that_sees_nothing(data):
    """It answers what is right for the clean view, with a pose of zero."""
    one = Dataset(data.scheme, data.faces[:1])
    points = data.faces[0].points
    stub = network(Crop.around(points, SPEC.margin).to_units(points).astype(np.float32))
    rows = {row["condition"]: row for row in robustness(stub, one)}
    assert rows["clean"]["nme"] == pytest.approx(0, abs=1e-4)
    assert rows["JPEG, quality 20"]["nme"] == pytest.approx(0, abs=1e-4)
    # The crop's side is 1.25 times the longer side of the points' box.
    side = 1.25 * np.ptp(points, axis=0).max()
    eyes = np.linalg.norm(points[45] - points[36])
    moved = rows["box shifted by 10 % (mean of 4 ways)"]
    assert moved["nme"] == pytest.approx(100 * 0.1 * side / eyes, rel=1e-3)
    assert moved["fr10"] == 100 and moved["pose_change"] == 0
    assert rows["head rolled by +30°, upright box"]["pose_change"] == pytest.approx(10)
