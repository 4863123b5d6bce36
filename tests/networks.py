"""Small networks for tests of export and evaluation; Keras loads when one is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    import keras

    from asmnet.core import ModelSpec


def _untrained(arch: str, size: int = 64, scheme: str = "ibug68") -> keras.Model:
    """A network with random weights; small ones convert in seconds."""
    import keras

    from asmnet.train.model import build_model

    keras.utils.set_random_seed(1)
    network = build_model(arch, scheme, size)
    # Fresh batch norms are the identity; trained ones are not.
    rng = np.random.default_rng(1)
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
    return network


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
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
