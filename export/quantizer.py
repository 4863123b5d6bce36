"""From a float `.tflite` file to integers, by ai-edge-quantizer."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from asmnet.cli.progress import Progress
from asmnet.data.images import to_inputs

if TYPE_CHECKING:
    from ai_edge_litert.schema_py_generated import ModelT

__all__ = ["quantize", "serialize"]


def quantize(
    content: bytes,
    crops: np.ndarray,
    progress: Progress,
    integer: Collection[str],
    layers: str = "^",
    bits: int = 8,
) -> bytes:
    """Let operations of a network compute in integers, by the ranges that crops show.

    What computes in float need not be stored in float: the kernels of the other convolutions and
    heads are kept in 8 bits too.  A DEQUANTIZE operation in front of each makes floats of it
    again, once, when an interpreter loads the file.

    Args:
        content: a float32 `.tflite` whose one input is called "image".
        crops: (M, size, size, 3) uint8 RGB; ranges are the extremes of all.
        progress: shows it.
        integer: the kinds of operations, by TFLite's names; "INPUT" and "OUTPUT" if the file
            shall take and answer integers.
        layers: a regular expression: names of the layers of these kinds that compute in integers.
        bits: of activations, 8 or 16; kernels always have 8, one scale an output channel.
    """
    from ai_edge_quantizer.calibrator import CalibrationMode, Calibrator
    from ai_edge_quantizer.qtyping import TFLOperationName
    from ai_edge_quantizer.quantizer import Quantizer
    from ai_edge_quantizer.recipe_manager import RecipeManager
    from ai_edge_quantizer.utils.qsv_utils import min_max_update

    recipe = RecipeManager()
    for kind in ("CONV_2D", "FULLY_CONNECTED"):
        recipe.add_weight_only_config(".*", TFLOperationName(kind), 8)
    for kind in integer:  # the last rule that fits holds
        recipe.add_static_config(layers, TFLOperationName(kind), bits, 8)
    # By default it averages the crops' ranges.
    ranges = Calibrator(
        content,
        num_threads=1,
        mode=CalibrationMode.CALIBRATION_PROFILER_BASED,
        qsv_update_func=min_max_update,
    )
    # The input's range is the contract's, whatever these crops happen to reach.
    whole = crops[:1].copy()
    whole[0, 0, :2] = [[0], [255]]
    for crop in progress([*whole, *crops[1:]], "calibrating"):
        ranges.calibrate({"serving_default": [{"image": to_inputs(crop[None])}]}, recipe)
    made = Quantizer(content, recipe.get_quantization_recipe())
    result = made.quantize(ranges.get_model_qsvs(), enable_progress_report=False)
    return _constants_inside(bytes(result.quantized_model))


def _constants_inside(content: bytes) -> bytes:
    """The same file with its constants in the FlatBuffer, where every interpreter looks.

    ai-edge-quantizer puts them behind it (offset and size of TFLite's schema, made for files of
    more than 2 GB).  TensorFlow Lite from a buffer in memory, as its Java wrappers use it, then
    says that an "input tensor lacks data".

    Args:
        content: a `.tflite` file.
    """
    from ai_edge_litert.schema_py_generated import ModelT

    model = ModelT.InitFromPackedBuf(content, 0)
    for buffer in model.buffers:
        if buffer.offset:
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return serialize(model)


def serialize(model: ModelT) -> bytes:
    """The `.tflite` file of a model that was read by TFLite's schema, its constants inside."""
    import flatbuffers

    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
