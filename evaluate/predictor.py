"""A trained network behind one call, whichever file it comes in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from asmnet import models
from asmnet.cli.progress import Progress, no_progress, suppress_output
from asmnet.core import ModelSpec, read_spec
from asmnet.edge_runtime import Landmarker
from asmnet.edge_runtime.parity import run_file
from asmnet.train.checkpoint import load_float

__all__ = ["Predict", "Predictor", "load_predictor", "model_files"]

BATCH = 32


class Predict(Protocol):
    """Runs a network on crops."""

    def __call__(
        self, images: np.ndarray, progress: Progress = no_progress
    ) -> tuple[np.ndarray, np.ndarray]:
        """(M, size, size, 3) uint8 RGB crops to (M, N, 2) crop units and (M, 3) degrees."""


@dataclass(frozen=True)
class Predictor:
    """A network, ready to run: its file, its contract and the call."""

    file: Path
    spec: ModelSpec
    predict: Predict


def load_predictor(file: Path) -> Predictor:
    """Load a `.keras` file of asmnet-train or a `.tflite` file of asmnet-export.

    Raises:
        UserError: missing, corrupt or foreign.
    """
    if file.suffix == ".tflite":
        spec = read_spec(file)
        with suppress_output():
            landmarker = Landmarker.load(file)
        return Predictor(
            file, spec, lambda images, progress=no_progress: run_file(landmarker, images, progress)
        )
    network, spec = load_float(file)
    from asmnet.train.asm_model import predict  # imports Keras: after `load_float`, in silence

    def run(images: np.ndarray, progress: Progress = no_progress) -> tuple[np.ndarray, np.ndarray]:
        with suppress_output():
            return predict(network, images, BATCH, lambda starts: progress(starts, "running Keras"))

    return Predictor(file, spec, run)


def model_files(names: Iterable[str]) -> list[Path]:
    """The files that names and paths mean, each once: for a shipped name both, float and int8.

    Raises:
        UserError: neither a shipped name nor the path of a model file.
    """
    files: dict[Path, None] = {}
    for name in names:
        kinds = (".keras", ".tflite") if name in models.shipped() else (".tflite",)
        files |= dict.fromkeys(models.find(name, kind) for kind in kinds)
    return list(files)
