"""The same network in Keras 2, for tensorflow-model-optimization, which knows no Keras 3.

Batch norms are folded into the convolutions before them, as the converter folds them,
so that what is trained is what will be rounded.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from asmnet.core import UserError
from asmnet.train.keras_graph import inputs_of, readers_of

if TYPE_CHECKING:
    import keras

__all__ = ["load_keras2", "to_keras2", "write_back"]

TOLERANCE = 1e-5


def load_keras2() -> Any:
    """The package `tf_keras`, once sure that tensorflow-model-optimization is there too.

    Raises:
        UserError: one of them is not installed.
    """
    try:
        importlib.import_module("tensorflow_model_optimization")
        return importlib.import_module("tf_keras")
    except ImportError as error:
        raise UserError(
            f"quantization-aware fine-tuning needs {error.name}: pip install 'asmnet[qat]'"
        ) from error


def to_keras2(network: keras.Model) -> Any:
    """A Keras-2 network with the same layers' names, weights and answers.

    Args:
        network: of `asmnet.train.model.build_model`, or prepared by
            `asmnet.export.weights.prepare`.

    Returns:
        (B, size, size, 3) float32 to [landmarks (B, 2 N), pose (B, 3)].

    Raises:
        UserError: tf_keras is missing, or the answers differ by more than `TOLERANCE`.
    """
    import keras

    keras2 = load_keras2()
    plain = {
        keras.layers.ReLU: lambda layer: keras2.layers.ReLU(layer.max_value, name=layer.name),
        keras.layers.Add: lambda layer: keras2.layers.Add(name=layer.name),
        keras.layers.ZeroPadding2D: lambda layer: keras2.layers.ZeroPadding2D(
            layer.padding, name=layer.name
        ),
        keras.layers.GlobalAveragePooling2D: lambda layer: keras2.layers.GlobalAveragePooling2D(
            name=layer.name
        ),
        keras.layers.Concatenate: lambda layer: keras2.layers.Concatenate(name=layer.name),
        keras.layers.Flatten: lambda layer: keras2.layers.Flatten(name=layer.name),
        keras.layers.Dense: lambda layer: keras2.layers.Dense(layer.units, name=layer.name),
        keras.layers.Conv2D: lambda layer: keras2.layers.Conv2D(
            layer.filters, layer.kernel_size, layer.strides, layer.padding, name=layer.name
        ),
        keras.layers.DepthwiseConv2D: lambda layer: keras2.layers.DepthwiseConv2D(
            layer.kernel_size, layer.strides, layer.padding, name=layer.name
        ),
    }
    image = keras2.Input(network.input_shape[1:], name=network.input.name)
    values = {id(network.input): image}
    for layer in network.layers[1:]:
        tensors = [values[id(tensor)] for tensor in inputs_of(layer)]
        value = tensors[0] if len(tensors) == 1 else tensors
        if type(layer) in plain:
            value = plain[type(layer)](layer)(value)
        elif not isinstance(layer, (keras.layers.BatchNormalization, keras.layers.Dropout)):
            raise UserError(f"layer {layer.name} ({type(layer).__name__}) is unknown to Keras 2")
        values[id(layer.output)] = value
    outputs = [values[id(network.output[name])] for name in ("landmarks", "pose")]
    copy = keras2.Model(image, outputs, name=network.name)
    for layer, norm in _weighted(network):
        kernel, *bias = layer.get_weights()
        if norm is not None:
            gamma, beta, mean, variance = norm.get_weights()
            factor = gamma / np.sqrt(variance + norm.epsilon)
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            kernel = kernel * (factor[:, None] if depthwise else factor)
            bias = [beta - mean * factor]
        copy.get_layer(layer.name).set_weights([kernel, *bias])
    trial = np.random.default_rng(0).uniform(-1, 1, (2, *network.input_shape[1:]))
    exact = network.predict_on_batch(trial.astype(np.float32))
    landmarks, pose = copy.predict_on_batch(trial.astype(np.float32))
    # Pose is in degrees: relative to a turn of about one radian.
    turned = np.abs(pose - exact["pose"]).max() / 57
    worst = max(np.abs(landmarks - exact["landmarks"]).max(), turned)
    if not worst <= TOLERANCE:
        raise UserError(f"{network.name} in Keras 2 differs by {worst:.1e}; report this")
    return copy


def write_back(copy: Any, network: keras.Model) -> None:
    """Give a network the weights of the one in Keras 2: batch norms become additions of the biases.

    Args:
        copy: of `to_keras2`, or its fine-tuned copy with layers of the same names.
        network: the one that it was made of; changed in place.
    """
    for layer, norm in _weighted(network):
        kernel, bias = copy.get_layer(layer.name).get_weights()
        if norm is None:
            layer.set_weights([kernel, bias])
        else:
            layer.set_weights([kernel])
            one = np.ones_like(bias)
            norm.set_weights([one, bias, np.zeros_like(bias), one - norm.epsilon])


def _weighted(network: keras.Model) -> list[tuple[keras.Layer, keras.Layer | None]]:
    """The layers with kernels, each with the batch norm that reads it, if one does."""
    import keras

    readers = readers_of(network)
    found: list[tuple[keras.Layer, keras.Layer | None]] = []
    for layer in network.layers:
        # DepthwiseConv2D is no Conv2D in Keras 3.
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)):
            (norm,) = readers[id(layer.output)]
            found.append((layer, norm))
        elif isinstance(layer, keras.layers.Dense):
            found.append((layer, None))
    return found
