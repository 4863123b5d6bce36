"""Faces and batches of a small training."""

import numpy as np
import pytest
from PIL import Image
from training_parts import FACES, MARGIN, RECIPE, SIZE

from asmnet.core import IBUG68
from asmnet.data.faces import LabelledFace
from asmnet.data.jsonl import write_jsonl
from asmnet.train.batches import Batches
from asmnet.train.packed import PackedFaces
from asmnet.train.shape_model import ShapeModel


@pytest.fixture(scope="module")
def packed():
    """Noise, with face-like shapes and a pose for all but the first."""
    rng = np.random.default_rng(2)
    angle = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    points = 0.25 * np.stack([np.sin(angle), -np.cos(angle)], -1) + rng.normal(
        0, 0.01, (FACES, 68, 2)
    )
    pose = rng.normal(0, 20, (FACES, 3))
    pose[0] = np.nan
    images = rng.integers(0, 256, (FACES, 46, 46, 3), dtype=np.uint8)
    weights = np.ones(points.shape[:2], np.float32)
    return PackedFaces(images, points.astype(np.float32), pose.astype(np.float32), weights)


@pytest.fixture(scope="module")
def shape_model(packed):
    return ShapeModel.fit(packed.points, IBUG68)


@pytest.fixture
def batches(packed, shape_model):
    return Batches(packed, shape_model, RECIPE, SIZE, MARGIN, seed=5)


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    """Two files of labels, 40 and 30 faces on pictures of noise."""
    rng, folder = np.random.default_rng(3), tmp_path_factory.mktemp("labels")
    angle = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    circle = 20 * np.stack([np.sin(angle), -np.cos(angle)], -1) + 32
    files = []
    for name, count in (("mine", 40), ("more", 30)):
        faces = []
        for k in range(count):
            picture = folder / f"{name}-{k}.png"
            Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(picture)
            faces.append(LabelledFace(picture, circle + rng.normal(0, 1, (68, 2))))
        files.append(folder / f"{name}.jsonl")
        write_jsonl(files[-1], faces)
    return [str(file) for file in files]
