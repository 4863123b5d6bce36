"""One conversion: a recipe's bytes, with the contract inside the file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from asmnet.cli.progress import Progress, no_progress, suppress_output
from asmnet.core import ModelSpec, UserError, embed_spec
from asmnet.edge_runtime.interpreter import load_interpreter
from asmnet.evaluate.face_sets import FaceSet
from asmnet.export.recipes import RECIPES, UNCALIBRATED

if TYPE_CHECKING:
    import keras

__all__ = ["convert", "output_names"]


def convert(
    network: keras.Model,
    spec: ModelSpec,
    recipe: str,
    calibration: FaceSet | None,
    target: Path,
    progress: Progress = no_progress,
) -> ModelSpec:
    """Convert a network and write it with its contract.

    Args:
        network, spec: from `load_float`.
        recipe: a key of `RECIPES`.
        calibration: real crops; only `UNCALIBRATED` recipes do without.
        target: the `.tflite` file to write.
        progress: shows it.

    Returns:
        the contract as embedded.

    Raises:
        UserError: no such recipe, or one that needs calibration and got none.
    """
    if recipe not in RECIPES:
        raise UserError(f"unknown recipe {recipe!r}; choose one of {', '.join(RECIPES)}")
    if calibration is None and recipe not in UNCALIBRATED:
        raise UserError(f"recipe {recipe} needs calibration faces")
    crops = np.empty(0) if calibration is None else calibration.images
    with suppress_output():
        content = RECIPES[recipe](network, crops, progress)
    landmarks, pose = output_names(content)
    quantization: dict[str, Any] = {"recipe": recipe}
    if calibration is not None:
        quantization["calibration"] = calibration.record()
    spec = spec.replace(
        name=f"{spec.name}-{recipe.replace('_', '-')}",
        landmarks_tensor=landmarks,
        pose_tensor=pose,
        quantization=quantization,
    )
    target.write_bytes(content)
    embed_spec(target, spec)
    return spec


def output_names(content: bytes) -> tuple[str, str]:
    """Names of the landmarks' and the pose's tensor: the converter orders outputs as it likes.

    Args:
        content: a `.tflite` whose signature has the outputs "landmarks" and "pose".
    """
    outputs = load_interpreter(content).get_signature_runner().get_output_details()
    return str(outputs["landmarks"]["name"]), str(outputs["pose"]["name"])
