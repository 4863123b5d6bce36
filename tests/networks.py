"""Small networks for tests of export and evaluation; Keras loads when one is asked for."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    import keras

    from asmnet.core import ModelSpec
    from asmnet.export.recipes import Recipe


def _untrained(arch: str, size: int = 64, scheme: str = "ibug68") -> keras.Model:
    """A network with random weights; small ones convert in seconds."""
    import keras

    from asmnet.train.model import build_model

    keras.utils.set_random_seed(1)
    network = build_model(arch, scheme, size)
    shake_norms(network, seed=1)
    return network


def shake_norms(network: keras.Model, seed: int) -> None:
    """Give batch norms values as if trained: fresh ones are the identity."""
    import keras

    rng = np.random.default_rng(seed)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            count = layer.gamma.shape[0]
            layer.set_weights(
                [
                    rng.uniform(0.5, 1.5, count),
                    rng.normal(0, 0.3, count),
                    rng.normal(0, 0.1, count),
                    rng.uniform(0.05, 0.3, count),
                ]
            )


def _once(recipe: Recipe) -> Recipe:
    """The recipe; the same network on the same crops it converts once."""
    made: dict[bytes, bytes] = {}

    def convert(network: keras.Model, crops: np.ndarray, *rest) -> bytes:
        key = hashlib.sha256(network.to_json().encode())
        for array in (*network.get_weights(), crops):
            key.update(np.ascontiguousarray(array))
        if key.digest() not in made:
            made[key.digest()] = recipe(network, crops, *rest)
        return made[key.digest()]

    return convert


@pytest.fixture(scope="session")
def conversions() -> Iterator[Mapping[str, Recipe]]:
    """What `convert` uses while tests run: recipes that do nothing twice, since each takes seconds.

    But `qat_int8`: tests change how long it tunes.
    """
    module = importlib.import_module("asmnet.export.convert")
    known = {name: _once(recipe) for name, recipe in module.RECIPES.items()}
    known["qat_int8"] = module.RECIPES["qat_int8"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "RECIPES", known)
        yield known


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory: pytest.TempPathFactory, conversions) -> Path:
    """An untrained ASMNet at 64 px: converts in seconds."""
    network = _untrained("asmnet")
    path = tmp_path_factory.mktemp("tiny") / "tiny.keras"
    network.save(path)
    return path


@pytest.fixture(scope="session")
def spatial() -> keras.Model:
    """An untrained network with the fusion that keeps positions, 98 points at 80 px.

    At that size two of its projections read beyond their maps' edges.
    """
    return _untrained("asmnet_spatial", 80, "wflw98")


@pytest.fixture(scope="session")
def tiny(tiny_file: Path) -> tuple[keras.Model, ModelSpec]:
    """The small network and its contract."""
    from asmnet.train.checkpoint import load_float

    return load_float(tiny_file)


@pytest.fixture(scope="session")
def tiny_crops(tiny: tuple[keras.Model, ModelSpec]) -> np.ndarray:
    """(64, 64, 64, 3) uint8 RGB crops of shipped faces."""
    from asmnet.export import calibration_faces

    return calibration_faces(tiny[1], images=64).images
