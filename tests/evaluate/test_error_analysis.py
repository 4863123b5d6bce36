"""The study tells apart what it says it tells apart, on errors made for it."""

from __future__ import annotations

import numpy as np
import pytest

from asmnet.core import IBUG68, nme
from asmnet.evaluate.error_analysis import by_part, by_yaw

TURN = np.array([[0.8, -0.6], [0.6, 0.8]])


@pytest.fixture
def truth(rng: np.random.Generator) -> np.ndarray:
    """Twenty faces of points, of any size and roll."""
    shape = rng.normal(0, 0.2, (68, 2))
    shape[[36, 45]] = [-0.3, 0], [0.3, 0]
    angles, sizes = rng.uniform(-2, 2, 20), rng.uniform(0.5, 3, 20)
    turns = np.array([[[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]] for a in angles])
    return sizes[:, None, None] * np.einsum("mij,nj->mni", turns, shape)


def test_parts_add_up_to_the_nme(truth, rng):
    points = truth + rng.normal(0, 0.02, truth.shape)
    groups = by_part(points, truth, IBUG68)["groups"]
    whole = nme(points, truth, IBUG68).mean()
    assert groups["whole face"]["nme"] == pytest.approx(whole)
    parts = [groups[part] for part in ("jaw", "brows", "nose", "eyes", "mouth")]
    assert sum(part["points"] for part in parts) == 68
    assert sum(part["points"] * part["nme"] for part in parts) / 68 == pytest.approx(whole)


def test_what_all_faces_share_is_bias_however_they_are_rolled(truth):
    points = truth.copy()
    eyes = truth[:, 45] - truth[:, 36]
    points[:, 8] += 0.1 * eyes
    jaw = by_part(points, truth, IBUG68)["groups"]["jaw"]
    assert jaw["nme"] == pytest.approx(10 / 17)
    assert jaw["bias"] == pytest.approx(10 / np.sqrt(17))
    assert jaw["spread"] == pytest.approx(0, abs=1e-9)


def test_what_differs_by_face_is_spread(truth):
    signs = np.where(np.arange(20) % 2, 1, -1)[:, None]
    points = truth.copy()
    points[:, 30] += 0.1 * signs * (truth[:, 45] - truth[:, 36])
    nose = by_part(points, truth, IBUG68)["groups"]["nose"]
    assert nose["bias"] == pytest.approx(0, abs=1e-9)
    assert nose["spread"] == pytest.approx(10 / 3)


@pytest.mark.parametrize(
    ("kind", "spoil"),
    [
        ("shift", lambda p: p + 0.1),
        ("turn and scale", lambda p: p + 0.1 * (p - p.mean(1, keepdims=True)) @ TURN),
    ],
)
def test_kinds(truth, kind, spoil):
    shares = by_part(spoil(truth), truth, IBUG68)["kinds"]
    assert sum(shares.values()) == pytest.approx(100)
    assert shares[kind] == pytest.approx(100)


def test_noise_is_shape(truth, rng):
    shares = by_part(truth + rng.normal(0, 0.01, truth.shape), truth, IBUG68)["kinds"]
    assert shares["shape"] > 90, "two shifts, a turn and a scale out of 136 numbers"


def test_yaw_bins():
    yaw = np.array([0, -14, 20, -50, 80, np.nan])
    labels = np.stack([yaw, yaw * 0, yaw * 0], axis=1)
    found = by_yaw(np.array([1, 3, 12, np.nan, np.nan, 9]), labels + [1, 2, 3], labels)
    assert list(found) == ["0 - 15", "15 - 30", "45 and more"]
    assert found["0 - 15"] == {
        "faces": 2, "nme": 2, "fr10": 0, "yaw": 1, "pitch": 2, "roll": 3
    }  # fmt: skip
    assert found["15 - 30"]["fr10"] == 100
    assert found["45 and more"]["faces"] == 2 and found["45 and more"]["nme"] is None
