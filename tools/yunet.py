"""Make models/face_detection_yunet.tflite, the detector of turned faces, from YuNet's ONNX file.

    pip install onnx
    python tools/yunet.py yunet_n_dynamic.onnx

Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector" (Machine Intelligence Research,
2023): no anchors, one answer a cell on grids of 8, 16 and 32 pixels.  The file here answers in
the form of BlazeFace's, so that one decoder reads both (`asmnet.edge_runtime.detector`).

Calibrated on the shipped pictures.  Nothing is written if the answers stray from those of OpenCV's
own `FaceDetectorYN`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import cv2
import numpy as np
from ai_edge_litert.schema_py_generated import ModelT

from asmnet import models, samples
from asmnet.cli.progress import no_progress, suppress_output
from asmnet.core import Crop, UserError, atomic_path, cli_errors, extract
from asmnet.edge_runtime.crops import OPENCV_PADDED
from asmnet.edge_runtime.detector import FaceDetector, iou
from asmnet.edge_runtime.interpreter import Network
from asmnet.export.float_file import converter_of
from asmnet.export.quantizer import quantize, serialize

if TYPE_CHECKING:
    import keras

SIZE = 320
STRIDES = (8, 16, 32)
# From YuNet's box, hairline to chin, to BlazeFace's square, brows to chin, in heights of the
# former: how far down, and how large.
DOWN, SCALE = 0.061, 0.866
# The others answer in units that 8 bits do not hold; they take no time.
INTEGER = ("PADV2", "CONV_2D", "ADD", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "RESIZE_NEAREST_NEIGHBOR")
# From OpenCV's answers: intersection over union, and difference in score.
LEAST_OVERLAP, MOST_SCORE = 0.8, 0.1


def build(path: Path) -> keras.Model:
    """The network of YuNet's file, from RGB in [-1, 1] to answers like BlazeFace's."""
    import keras
    import onnx
    from keras import layers

    graph = onnx.load(path).graph
    weights = {entry.name: onnx.numpy_helper.to_array(entry) for entry in graph.initializer}
    picture = keras.Input((SIZE, SIZE, 3))
    # Black around the picture, which is no longer 0.
    known = {"input": keras.ops.pad(picture, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-1)}
    for node in graph.node:
        first = known.get(node.input[0]) if node.input else None
        if node.op_type == "Conv":
            kernel, bias = (weights[name] for name in node.input[1:])
            alone = kernel.shape[1] == 1 and kernel.shape[0] > 1  # a depthwise convolution
            if node.input[0] == "input":  # it learned from BGR in 0 ... 255
                bias = bias + 127.5 * kernel.sum(axis=(1, 2, 3))
                kernel = 127.5 * kernel[:, ::-1]
                layer = layers.Conv2D(len(kernel), 3, strides=2)
            elif alone:
                layer = layers.DepthwiseConv2D(kernel.shape[2], padding="same")
            else:
                layer = layers.Conv2D(len(kernel), kernel.shape[2], padding="same")
            answer = layer(first)
            layer.set_weights([kernel.transpose((2, 3, 0, 1) if alone else (2, 3, 1, 0)), bias])
        elif node.op_type == "Relu":
            answer = layers.ReLU()(first)
        elif node.op_type == "MaxPool":
            answer = layers.MaxPooling2D(2)(first)
        elif node.op_type == "Resize":
            answer = layers.UpSampling2D(2)(first)
        elif node.op_type == "Add":
            answer = layers.Add()([known[name] for name in node.input])
        else:  # what follows the last convolutions is done below
            answer = first
        known[node.output[0]] = answer
    return keras.Model(picture, _answers(known))


def _answers(known: dict[str, Any]) -> dict[str, Any]:
    """Offsets from the cells' middles, sides and logits, of all cells."""
    from keras import ops

    boxes, scores = [], []
    for stride in STRIDES:
        flat = (1, (SIZE // stride) ** 2, -1)
        kind, seen, box = (
            ops.reshape(known[f"{name}_{stride}"], flat) for name in ("cls", "obj", "bbox")
        )
        scores.append(ops.sqrt(ops.sigmoid(kind) * ops.sigmoid(seen)))
        height = stride * ops.exp(box[..., 3:])
        # A box's middle is told from its cell's corner.
        x = box[..., 0:1] * stride - 0.5 * stride
        y = box[..., 1:2] * stride - (0.5 * stride - DOWN * height)
        boxes.append(ops.concatenate([x, y, SCALE * height, SCALE * height], axis=-1))
    score = ops.clip(ops.concatenate(scores, axis=1), 1e-7, 1 - 1e-7)
    return {
        "regressors": ops.concatenate(boxes, axis=1),
        "classificators": ops.log(score / (1 - score)),
    }


def pictures() -> Iterator[np.ndarray]:
    """(320, 320, 3) uint8 RGB: the shipped pictures, each in a square up to four times as large."""
    rng = np.random.default_rng(0)
    for path in [*sorted(samples.LONDON.glob("*.jpg")), *sorted(samples.PORTRAITS.glob("*.jpg"))]:
        image = cv2.imread(str(path))
        height, width = image.shape[:2]
        square = Crop((width - 1) / 2, (height - 1) / 2, 4 ** rng.uniform() * max(height, width))
        yield np.ascontiguousarray(extract(image, square, SIZE, OPENCV_PADDED)[..., ::-1])


def convert(network: keras.Model) -> bytes:
    """An int8 file with float input and outputs, which go by BlazeFace's names."""
    crops = np.stack([*pictures()])
    content = quantize(converter_of(network).convert(), crops, no_progress, INTEGER)
    model = ModelT.InitFromPackedBuf(content, 0)
    (graph,), (signature,) = model.subgraphs, model.signatureDefs
    for tensor in graph.tensors:
        tensor.name = b""  # they take a third of the file
    for output in signature.outputs:
        graph.tensors[output.tensorIndex].name = output.name
    return serialize(model)


def check(content: bytes, path: Path) -> None:
    """Compare with OpenCV's detector on the shipped pictures.

    Raises:
        UserError: a face that OpenCV finds is missing or elsewhere.
    """
    detector = FaceDetector(Network(content))
    reference = cv2.FaceDetectorYN.create(str(path), "", (SIZE, SIZE), 0.6)
    overlaps, scores = [], []
    for picture in pictures():
        image = np.ascontiguousarray(picture[..., ::-1])
        found = detector.detect(image)
        for x, y, width, height, *_, score in reference.detect(image)[1]:
            middle = np.array([x + width / 2, y + height / 2 + DOWN * height]) - 0.5
            box = np.concatenate([middle - SCALE * height / 2, middle + SCALE * height / 2])
            same = max(found, key=lambda face: float(iou(box, face.box[None])[0]), default=None)
            overlaps.append(0.0 if same is None else float(iou(box, same.box[None])[0]))
            scores.append(1.0 if same is None else abs(same.score - score))
    click.echo(
        f"OpenCV finds {len(overlaps)} faces; boxes overlap by {np.mean(overlaps):.3f}, at least "
        f"{min(overlaps):.3f}; scores differ by {np.mean(scores):.3f}, at most {max(scores):.3f}"
    )
    if min(overlaps) < LEAST_OVERLAP or max(scores) > MOST_SCORE:
        raise UserError(f"the converted {path} does not answer as OpenCV's detector does")


@click.command()
@click.argument("path", metavar="FILE.onnx", type=click.Path(exists=True, path_type=Path))
@cli_errors(extra="export")
def main(path: Path) -> None:
    """Convert FILE.onnx, check it and write it among the models."""
    with suppress_output():
        content = convert(build(path))
    check(content, path)
    with atomic_path(models.TURNED_DETECTOR) as partial:
        partial.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    click.echo(f"{models.TURNED_DETECTOR}: {len(content):,} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()
