"""Fine-tuning sees what the device will compute, and makes the integer file better at it."""

from __future__ import annotations

import importlib
from pathlib import Path

import keras
import numpy as np
import pytest

from asmnet.cli.progress import suppress_output
from asmnet.core import UserError
from asmnet.edge_runtime import Landmarker
from asmnet.edge_runtime.parity import run_file
from asmnet.evaluate.face_sets import FaceSet
from asmnet.export import recipes
from asmnet.export.convert import convert
from asmnet.export.qat import keras2 as twin
from asmnet.export.recipes import FLOAT_LAYERS
from asmnet.export.weights.prepare import prepare


@pytest.fixture(scope="module")
def prepared(tiny, tiny_crops: np.ndarray) -> keras.Model:
    with suppress_output():
        return prepare(tiny[0], tiny_crops, centre=True)


def answers(network: keras.Model, crops: np.ndarray) -> np.ndarray:
    """(M, N, 2) crop units."""
    inputs = np.float32(crops) / 127.5 - 1
    return np.asarray(network.predict_on_batch(inputs)["landmarks"]).reshape(len(crops), -1, 2)


def exported(tiny, recipe: str, crops: np.ndarray, folder: Path) -> np.ndarray:
    """Landmarks of the file that a recipe makes of the small network."""
    names = tuple(map(str, range(len(crops))))
    faces = FaceSet(crops, names, "test", tiny[1].landmark_scheme)
    file = folder / f"{recipe}.tflite"
    with suppress_output():
        convert(*tiny, recipe, faces, file)
    return run_file(Landmarker.load(file), crops)[0]


def test_a_twin_gives_its_weights_back(tiny, tiny_crops: np.ndarray) -> None:
    """The weights go to Keras 2, batch norms folded, and return; the answers stay."""
    copy = keras.models.clone_model(tiny[0])
    copy.set_weights(tiny[0].get_weights())
    twin.write_back(twin.to_keras2(tiny[0]), copy)
    crops = tiny_crops[:8]
    np.testing.assert_allclose(answers(copy, crops), answers(tiny[0], crops), atol=1e-5)


def test_what_is_simulated_is_what_the_file_computes(
    tiny, tiny_crops: np.ndarray, prepared: keras.Model, tmp_path: Path
) -> None:
    """As far off: a kernel not rounded, or a tensor rounded that is not, and it is elsewhere."""
    from asmnet.export.qat import finetune as qat

    with suppress_output():
        pupil = qat._rounded(twin.to_keras2(prepared), FLOAT_LAYERS)
    inputs = np.float32(tiny_crops) / 127.5 - 1
    pupil(inputs, training=True)  # shows it the ranges
    simulated = np.asarray(pupil(inputs, training=False)[0]).reshape(len(inputs), -1, 2)
    exact = answers(tiny[0], tiny_crops)
    real = exported(tiny, "int8", tiny_crops, tmp_path)
    assert np.abs(simulated - exact).mean() == pytest.approx(np.abs(real - exact).mean(), rel=0.3)


def test_fine_tuning_brings_the_file_closer(
    tiny, tiny_crops: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from asmnet.export.qat import finetune as qat

    monkeypatch.setattr(qat, "STEPS", 100)
    monkeypatch.setattr(qat, "RATE", 3e-5)  # an untrained network has farther to go
    exact = answers(tiny[0], tiny_crops)
    errors = {
        recipe: np.abs(exported(tiny, recipe, tiny_crops, tmp_path) - exact).mean()
        for recipe in ("int8", "qat_int8")
    }
    assert errors["qat_int8"] < 0.95 * errors["int8"]


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError("no such module", name=name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(UserError, match=r"needs tensorflow_model_.*: pip install 'asmnet\[qat\]'"):
        twin.load_keras2()
    assert "qat_int8" in recipes.RECIPES
