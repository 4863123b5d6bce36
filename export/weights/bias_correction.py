"""Bias correction: what rounding the weights adds on average is taken away again.

Rounding a kernel to int8 shifts the mean of every channel that it makes, and the
shifts add up from layer to layer: on ASMNet most of the landmarks' error is one
constant offset.  Nagel et al., "Data-Free Quantization Through Weight Equalization
and Bias Correction" (ICCV 2019), section 4.2, in its empirical form (appendix D).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from asmnet.train.keras_graph import inputs_of

if TYPE_CHECKING:
    import keras

__all__ = ["correct_bias", "rounded"]


def rounded(kernel: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """A kernel as TFLite's int8 holds it: symmetric, one scale for each output channel.

    Folding a batch norm multiplies output channels and so changes nothing here.

    Args:
        kernel: float32.
        axes: all but those of the output channels.
    """
    scale = np.abs(kernel).max(axis=axes, keepdims=True) / 127
    scale[scale == 0] = 1
    return np.rint(kernel / scale) * scale


def correct_bias(network: keras.Model, images: np.ndarray) -> None:
    """Adjust the batch norms' means in place, so that int8 kernels give the float means.

    Two copies of the network, float and with rounded kernels, take the same images from
    layer to layer; each batch norm absorbs the difference that has arisen before it, and
    the heads' biases what their own kernels add.

    Args:
        network: a functional network: a batch norm follows every convolution, and Dense
            layers have biases.
        images: (M, size, size, 3) float32 network inputs.
    """
    import keras
    from keras import ops

    layers = network.layers[1:]
    last_reader = {id(tensor): layer for layer in layers for tensor in inputs_of(layer)}
    start = ops.convert_to_tensor(images)
    # (float, rounded) values by the identity of the functional graph's tensors.
    values: dict[int, tuple[Any, Any]] = {id(network.input): (start, start)}
    for layer in layers:
        tensors = inputs_of(layer)
        exact, near = zip(*(values[id(tensor)] for tensor in tensors), strict=True)
        exact_out = layer(exact[0] if len(exact) == 1 else list(exact))
        if isinstance(layer, keras.layers.BatchNormalization):
            axes = tuple(range(len(exact[0].shape) - 1))
            layer.moving_mean.assign_add(ops.mean(near[0], axes) - ops.mean(exact[0], axes))
        weights = _round_kernel(layer)
        near_out = layer(near[0] if len(near) == 1 else list(near))
        if weights is not None:
            layer.set_weights(weights)
        if isinstance(layer, keras.layers.Dense):
            layer.bias.assign_add(ops.mean(exact_out, 0) - ops.mean(near_out, 0))
        values[id(layer.output)] = (exact_out, near_out)
        for tensor in tensors:
            if last_reader[id(tensor)] is layer:
                del values[id(tensor)]  # all activations together are gigabytes


def _round_kernel(layer: keras.Layer) -> list[np.ndarray] | None:
    """Round a layer's kernel in place; returns its weights as they were, or None without one."""
    import keras

    if isinstance(layer, keras.layers.DepthwiseConv2D):
        axes: tuple[int, ...] = (0, 1)
    elif isinstance(layer, keras.layers.Conv2D):
        axes = (0, 1, 2)
    elif isinstance(layer, keras.layers.Dense):
        axes = (0,)
    else:
        return None
    weights = layer.get_weights()
    layer.set_weights([rounded(weights[0], axes), *weights[1:]])
    return weights
