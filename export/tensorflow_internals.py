"""All that hangs on parts of TensorFlow that it does not promise to keep.

A new TensorFlow may break this file alone; `tests/export/test_recipes.py` would show it.
docs/measurements/quantization.md has ai-edge-quantizer's figures beside ours.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from asmnet.core import UserError

if TYPE_CHECKING:
    import keras

__all__ = ["converter_of", "parse", "quantize_except", "quantize_float_kernels", "serialize"]


def parse(content: bytes) -> Any:
    """A `.tflite` file as objects of its schema: subgraphs, operators, tensors, buffers."""
    from tensorflow.lite.tools import flatbuffer_utils

    return flatbuffer_utils.convert_bytearray_to_object(bytearray(content))


def serialize(model: Any) -> bytes:
    """The bytes of what `parse` gave."""
    from tensorflow.lite.tools import flatbuffer_utils

    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def converter_of(network: keras.Model) -> Any:
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


def quantize_except(
    converter: Any, kinds: Collection[str], layers: Collection[str], integer_input: bool = True
) -> bytes:
    """An int8 file with some operations and the outputs left in float.

    Does what `tf.lite.experimental.QuantizationDebugger` does with its `denylisted_ops`, which
    knows no integer input.

    Args:
        converter: calibrates; see `converter_of`.
        kinds: TFLite's names of operations that stay float.
        layers: beginnings of the names of layers that do.
        integer_input: the input is int8 too.
    """
    import tensorflow as tf
    from tensorflow.lite.python.convert import mlir_quantize

    converter._experimental_calibrate_only = True
    calibrated = converter.convert()
    (graph,) = parse(calibrated).subgraphs
    names = {graph.tensors[operator.outputs[0]].name.decode() for operator in graph.operators}
    kept = {name for name in names if any(f"/{layer}" in name for layer in layers)}
    quantized: bytes = mlir_quantize(
        calibrated,
        input_data_type=tf.int8 if integer_input else tf.float32,
        denylisted_ops=set(kinds),
        denylisted_nodes=kept,
    )
    return quantized


def quantize_float_kernels(content: bytes) -> bytes:
    """Store the kernels of a `.tflite` file's float layers as int8, one scale an output channel.

    What computes in float need not be stored in float.  A DEQUANTIZE operation in front of each
    layer makes floats of its kernel again, once, when an interpreter loads the file.

    Args:
        content: a model with one graph.

    Returns:
        the same model, its float CONV_2D and FULLY_CONNECTED kernels a quarter of the size.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    model = parse(content)
    (graph,) = model.subgraphs
    codes = [max(c.builtinCode, c.deprecatedBuiltinCode) for c in model.operatorCodes]
    unpack = schema.OperatorCodeT()
    unpack.builtinCode = unpack.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    unpack.version = 5  # the first that knows one scale a channel
    model.operatorCodes.append(unpack)
    layers = (schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.FULLY_CONNECTED)
    unpacking = []
    for operator in graph.operators:
        index = operator.inputs[1] if codes[operator.opcodeIndex] in layers else -1
        kernel = graph.tensors[index]
        if index < 0 or kernel.type != schema.TensorType.FLOAT32:
            continue
        values = np.frombuffer(bytes(model.buffers[kernel.buffer].data), np.float32)
        values = values.reshape(kernel.shape[0], -1)  # output channels come first
        scales = np.maximum(np.abs(values).max(axis=1), 1e-12) / 127
        packed = schema.TensorT()
        packed.name = kernel.name + b"/packed"
        packed.shape, packed.type = kernel.shape, schema.TensorType.INT8
        packed.buffer, kernel.buffer = kernel.buffer, 0  # by convention the empty one
        model.buffers[packed.buffer].data = list(
            np.rint(values / scales[:, None]).astype(np.int8).view(np.uint8).ravel()
        )
        packed.quantization = schema.QuantizationParametersT()
        packed.quantization.scale = scales.astype(np.float32)
        packed.quantization.zeroPoint = np.zeros(len(scales), np.int64)
        packed.quantization.quantizedDimension = 0
        step = schema.OperatorT()
        step.opcodeIndex = len(model.operatorCodes) - 1
        step.inputs, step.outputs = [len(graph.tensors)], [index]
        graph.tensors.append(packed)
        unpacking.append(step)
    graph.operators = unpacking + graph.operators
    return serialize(model)
