"""Recipes: how a float network becomes the bytes of a `.tflite` file.

A recipe takes the network, calibration crops (M, size, size, 3) uint8 RGB (which those
of `UNCALIBRATED` ignore) and a progress display.  To add one, write its function and
its name in `RECIPES`, a ladder from the most bits to the fewest.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from asmnet.cli.progress import Progress, no_progress
from asmnet.core import UserError
from asmnet.data.images import to_inputs
from asmnet.export.weights.prepare import prepare
from asmnet.export.weights.weight_only import quantize_float_kernels

if TYPE_CHECKING:
    import keras

__all__ = [
    "RECIPES",
    "UNCALIBRATED",
    "Recipe",
    "dynamic_range",
    "float16",
    "float32",
    "full_int8",
    "int16x8",
    "int8",
    "qat_int8",
    "prepared_float",
]

Recipe = Callable[["keras.Model", np.ndarray, Progress], bytes]

# What stays in float: the operations from the poolings on, where maps of very different
# ranges meet in one vector; and what `asmnet_spatial` has besides, by its layers' names.
HEAD = ("MEAN", "CONCATENATION", "RESHAPE", "FULLY_CONNECTED")
FUSION = ("project_", "fuse")
FLOAT_LAYERS = (*FUSION, "pool_", "features", "positions", "landmarks", "pose")


def float32(network: keras.Model, crops: np.ndarray, progress: Progress) -> bytes:
    """The network as it is: float32 weights, activations, input and outputs."""
    return _converter(network).convert()


def float16(network: keras.Model, crops: np.ndarray, progress: Progress) -> bytes:
    """float16 weights: half the size.  CPUs compute in float32, GPU delegates in float16."""
    import tensorflow as tf

    converter = _converter(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def dynamic_range(network: keras.Model, crops: np.ndarray, progress: Progress) -> bytes:
    """int8 weights; activations float32, rounded to 8 bits anew for each picture where it helps.

    Needs no calibration as such: the crops only prune channels and correct biases.
    """
    import tensorflow as tf

    converter = _converter(prepare(network, crops, centre=True, progress=progress))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter.convert()


def int16x8(network: keras.Model, crops: np.ndarray, progress: Progress) -> bytes:
    """int8 weights, int16 activations: little jitter, and slow where kernels are made for 8 bits.

    Input and outputs are float32.
    """
    import tensorflow as tf

    converter = _calibrated(
        prepare(network, crops, centre=False, progress=progress), crops, progress
    )
    converter.target_spec.supported_ops = [
        tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    ]
    return converter.convert()


def int8(network: keras.Model, crops: np.ndarray, progress: Progress) -> bytes:
    """int8 convolutions, weights per channel; float32 from where the maps are fused on.

    A concatenation in int8 forces the six pooled tensors onto one scale, which leaves
    the narrowest about 28 of 256 levels; the sum of projected maps would be rounded five
    times.  In float the fusion and the heads cost some hundredths of a millisecond, and as
    their kernels are stored in 8 bits, no space: see `quantize_float_kernels`.  The input is int8,
    the outputs are float32.
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
    import tensorflow as tf

    converter = _calibrated(
        prepare(network, crops, centre=False, progress=progress), crops, progress
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


RECIPE_ORDER = (float32, float16, int16x8, dynamic_range, qat_int8, int8, full_int8)
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


def _converter(network: keras.Model) -> Any:
    """A converter of the network at batch size 1, batch norms folded.

    `TFLiteConverter.from_keras_model` would write a SavedModel with every layer an object and
    every weight a variable, and read it back twice: two thirds of the time of a conversion.
    Here the SavedModel holds one function of constants, and the file is the same.
    """
    import keras
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    if keras.backend.backend() != "tensorflow":
        raise UserError(
            f"conversion needs Keras on TensorFlow, not on {keras.backend.backend()}; "
            "set KERAS_BACKEND=tensorflow"
        )
    image = keras.Input(batch_shape=(1, *network.input_shape[1:]), name="image")
    single = keras.Model(image, network(image), name=network.name)
    signature = tf.TensorSpec(image.shape, tf.float32, name="image")
    traced = tf.function(lambda x: single(x, training=False), autograph=False)
    function = traced.get_concrete_function(signature)
    constant, names = convert_variables_to_constants_v2(function), sorted(network.output)
    module = tf.Module()
    module.unused = tf.Variable(0.0)

    def answer(image: Any) -> dict[str, Any]:
        # Contracts hold the outputs' names.  Of a function that reads a variable, and is the
        # second signature, they are those that `from_keras_model` has given them ever since.
        module.unused.read_value()
        return dict(zip(names, constant(image), strict=True))

    serve = tf.function(answer, autograph=False).get_concrete_function(signature)
    folder = tempfile.mkdtemp()
    try:
        tf.saved_model.save(module, folder, {"serve": serve, "serving_default": serve})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, ["serving_default"])
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(converter, shutil.rmtree, folder, ignore_errors=True)  # it reads it again
    return converter


def _fusion(content: bytes) -> set[str]:
    """The operations that fuse maps with their positions kept, by their outputs' names."""
    from tensorflow.lite.tools import flatbuffer_utils

    (graph,) = flatbuffer_utils.convert_bytearray_to_object(bytearray(content)).subgraphs
    names = {graph.tensors[operator.outputs[0]].name.decode() for operator in graph.operators}
    return {name for name in names if any(f"/{part}" in name for part in FUSION)}


def _float_head(prepared: keras.Model, crops: np.ndarray, progress: Progress) -> bytes:
    """An int8 file whose fusion and heads compute in float."""
    import tensorflow as tf
    from tensorflow.lite.python.convert import mlir_quantize

    converter = _calibrated(prepared, crops, progress)
    # What `tf.lite.experimental.QuantizationDebugger` does with its `denylisted_ops`;
    # called directly because that class knows no integer input.
    converter._experimental_calibrate_only = True
    calibrated = converter.convert()
    return quantize_float_kernels(
        mlir_quantize(
            calibrated,
            input_data_type=tf.int8,
            denylisted_ops=set(HEAD),
            denylisted_nodes=_fusion(calibrated),
        )
    )


def _calibrated(prepared: keras.Model, crops: np.ndarray, progress: Progress) -> Any:
    """A converter that quantizes, by the ranges that the crops show."""
    import tensorflow as tf

    def samples() -> Iterator[list[np.ndarray]]:
        # The input's range is the contract's, whatever these crops happen to reach.
        whole = crops[:1].copy()
        whole[0, 0, :2] = [[0], [255]]
        for crop in progress([*whole, *crops[1:]], "calibrating"):
            yield [to_inputs(crop[None])]

    converter = _converter(prepared)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples
    return converter
