"""Packing: kernels of float layers stored in 8 bits, unpacked once, when a file is loaded.

What computes in float need not be stored in float.  Each output channel of a kernel
gets a scale, as int8 layers' kernels do, and a DEQUANTIZE operation in front of the
layer makes floats of it again; interpreters run it when they load the model, not for
every picture.
"""

from __future__ import annotations

import numpy as np

__all__ = ["quantize_float_kernels"]


def quantize_float_kernels(content: bytes) -> bytes:
    """Store the kernels of a `.tflite` file's float layers as int8, one scale an output channel.

    Args:
        content: a model with one graph.

    Returns:
        the same model, its float CONV_2D and FULLY_CONNECTED kernels a quarter of the size.
    """
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
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
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))
