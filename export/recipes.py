"""Recipes: how a float network becomes the bytes of a `.tflite` file.

A recipe takes the network, calibration crops (M, size, size, 3) uint8 RGB (which those
of `UNCALIBRATED` ignore) and a progress display.  To add one, write its function and
put that into `RECIPE_ORDER`, which runs from the most bits to the fewest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from asmnet.cli.progress import Progress, no_progress
from asmnet.export.float_file import converter_of
from asmnet.export.quantizer import quantize
from asmnet.export.weights.prepare import prepare

if TYPE_CHECKING:
    import keras

__all__ = [
    "RECIPES",
    "UNCALIBRATED",
    "Recipe",
    "float16",
    "float32",
    "full_int8",
    "int16x8",
    "int8",
    "qat_int8",
    "prepared_float",
]

Recipe = Callable[["keras.Model", np.ndarray, Progress], bytes]

TRUNK = ("CONV_2D", "DEPTHWISE_CONV_2D", "ADD")
HEAD = ("MEAN", "CONCATENATION", "RESHAPE", "FULLY_CONNECTED")
# What `int8` leaves in float: the head, where maps of very different ranges meet in one vector,
# and the fusion of `asmnet_spatial`, by its layers' names.
FUSION = ("project_", "fuse")
FLOAT_LAYERS = (*FUSION, "pool_", "features", "positions", "landmarks", "pose")


def float32(network: keras.Model, crops: np.ndarray, progress: Progress) -> bytes:
    """The network as it is: float32 weights, activations, input and outputs."""
    return converter_of(network).convert()


def float16(network: keras.Model, crops: np.ndarray, progress: Progress) -> bytes:
    """float16 weights: half the size.  CPUs compute in float32, GPU delegates in float16."""
    import tensorflow as tf

    converter = converter_of(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def int16x8(network: keras.Model, crops: np.ndarray, progress: Progress) -> bytes:
    """int8 weights, int16 activations: little jitter, and slow where kernels are made for 8 bits.

    Input and outputs are float32.
    """
    prepared = prepare(network, crops, centre=False, progress=progress)
    return quantize(float32(prepared, crops, progress), crops, progress, TRUNK + HEAD, bits=16)


def int8(network: keras.Model, crops: np.ndarray, progress: Progress) -> bytes:
    """int8 convolutions, weights per channel; float32 from where the maps are fused on.

    A concatenation in int8 forces the six pooled tensors onto one scale, which leaves
    the narrowest about 28 of 256 levels; the sum of projected maps would be rounded five
    times.  In float the fusion and the heads cost some hundredths of a millisecond, and as
    their kernels are stored in 8 bits, no space.  The input is int8, the outputs are float32.
    """
    return _float_head(prepare(network, crops, centre=True, progress=progress), crops, progress)


def qat_int8(network: keras.Model, crops: np.ndarray, progress: Progress) -> bytes:
    """`int8` after quantization-aware fine-tuning: less jitter, in minutes instead of seconds.

    Needs the extra `qat`.
    """
    from asmnet.export.qat.finetune import finetune  # an extra: named when it is missed

    prepared = prepare(network, crops, centre=True, progress=progress)
    tuned = finetune(network, prepared, crops, FLOAT_LAYERS, progress=progress)
    return _float_head(tuned, crops, progress)


def full_int8(network: keras.Model, crops: np.ndarray, progress: Progress) -> bytes:
    """Every tensor int8, input and outputs too, for hardware without floats.

    Its outputs cannot leave the range that they had in calibration: calibrate on faces
    that look everywhere.
    """
    prepared = prepare(network, crops, centre=False, progress=progress)
    everything = ("INPUT", *TRUNK, *HEAD, "OUTPUT")
    return quantize(float32(prepared, crops, progress), crops, progress, everything)


RECIPE_ORDER = (float32, float16, int16x8, qat_int8, int8, full_int8)
RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {recipe.__name__: recipe for recipe in RECIPE_ORDER}
)
UNCALIBRATED = ("float32", "float16")
# Recipes that round the poolings too, so that streams must not be centred: see `equalize`.
INTEGER_HEAD = ("full_int8", "int16x8")


def prepared_float(network: keras.Model, recipe: str, crops: np.ndarray) -> bytes:
    """The network whose numbers an int8 recipe rounds, as a float32 file: what it loses is in that.

    Args:
        network: the trained one.
        recipe: a key of `RECIPES`.
        crops: those of the recipe.
    """
    # Biases are right for rounded weights only; uncorrected it is the same function as before.
    centre = recipe not in INTEGER_HEAD
    return float32(prepare(network, crops, centre, correct=False), crops, no_progress)


def _float_head(prepared: keras.Model, crops: np.ndarray, progress: Progress) -> bytes:
    """An int8 file whose fusion and heads compute in float."""
    layers = f"^(?!{'|'.join(FUSION)})"  # names that begin otherwise
    content = float32(prepared, crops, progress)
    return quantize(content, crops, progress, ("INPUT", *TRUNK), layers)
