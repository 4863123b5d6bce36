"""What a `.tflite` file holds: its operations, their numbers and their arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Operation", "integer_share", "operations"]


@dataclass(frozen=True)
class Operation:
    """One operation of a graph, in the order in which it runs.

    Attributes:
        kind: TFLite's name, for example "CONV_2D".
        version: of the operation; an interpreter must know it.
        layer: the layer of ours that it came from, as far as its output's name tells.
        output: full name of its (first) output tensor.
        shape, dtype: of that tensor.
        scale, zero_point: its quantization; None for floats.
        macs: multiplications with a weight.
        weights: bytes of its constant inputs.
        integer: whether it multiplies integers.
    """

    kind: str
    version: int
    layer: str
    output: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None
    zero_point: int | None
    macs: int
    weights: int
    integer: bool


def operations(content: bytes) -> list[Operation]:
    """The operations of a `.tflite` file with one graph, in their order.

    Args:
        content: the file.
    """
    from ai_edge_litert import schema_py_generated as schema

    kinds = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    types = {v: k.lower() for k, v in vars(schema.TensorType).items() if isinstance(v, int)}
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    (graph,) = model.subgraphs
    found = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = kinds[max(code.builtinCode, code.deprecatedBuiltinCode)]
        output = graph.tensors[operator.outputs[0]]
        inputs = [graph.tensors[i] for i in operator.inputs if i >= 0]
        constants = [model.buffers[t.buffer].data for t in inputs]
        quantized = output.quantization is not None and output.quantization.scale is not None
        name = output.name.decode()
        found.append(
            Operation(
                kind=kind,
                version=code.version,
                layer=_layer(name),
                output=name,
                shape=tuple(int(n) for n in output.shape),
                dtype=types[output.type],
                scale=float(output.quantization.scale[0]) if quantized else None,
                zero_point=int(output.quantization.zeroPoint[0]) if quantized else None,
                macs=_macs(kind, output.shape, [t.shape for t in inputs]),
                weights=sum(len(data) for data in constants if data is not None),
                integer=types[inputs[0].type].startswith("int") and types[output.type] != "float32",
            )
        )
    return found


def integer_share(found: Sequence[Operation]) -> float:
    """Fraction of the multiplications that are done in integers."""
    total = sum(operation.macs for operation in found)
    return sum(o.macs for o in found if o.integer) / total if total else 0.0


def _layer(name: str) -> str:
    """The Keras layer in a tensor's name, such as block_2_add_1/Add;more."""
    parts = name.split(";")[0].split("/")
    if len(parts) > 3:  # of a file by 0.1.0: NET_1/NET_1/block_2_add_1/Add
        parts = parts[2:]
    return parts[0].removesuffix("_1")


def _macs(kind: str, out: Sequence[int], inputs: Sequence[Sequence[int]]) -> int:
    """Multiplications with weights; TFLite's kernels are (O, H, W, I), (1, H, W, C), (O, I)."""
    if kind == "CONV_2D":
        return int(np.prod(out)) * int(np.prod(inputs[1][1:]))
    if kind == "DEPTHWISE_CONV_2D":
        return int(np.prod(out)) * int(np.prod(inputs[1][1:3]))
    if kind == "FULLY_CONNECTED":
        return int(np.prod(inputs[1]))
    return 0
