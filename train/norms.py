"""Batch norms of a training step, in fewer passes over memory; the results are the layers' own.

With fixed statistics a batch norm is one factor and one offset a channel, and
norm(conv(x, W)) = conv(x, W · factor) + offset.  Scaling the small kernel in place of the
large output spares most passes over memory, and changes nothing else: kernel, gamma and beta
get the gradients that they would get layer by layer.

With the batch's own statistics TensorFlow has one operation for what Keras' layer writes as
several: a training step at 112 pixels takes 10.0 ms of a core a crop in place of 16.0
(folded: 8.6; the several written anew in Keras' operations, with a gradient of their own: 13).
So this file alone imports TensorFlow, and only where Keras runs on it.  The other backends'
compilers join the several by themselves.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from asmnet.train.keras_graph import readers_of, run_layers
from asmnet.train.tensors import Tensor

__all__ = ["folded_call", "normalised_call"]


def folded_call(network: keras.Model, images: Tensor) -> Any:
    """What `network(images, training=False)` answers, in fewer passes over memory.

    Args:
        network: a functional model; only batch norms right after a convolution without
            bias that nothing else reads are folded, the rest runs as it is.
        images: (B, size, size, 3) tensor.
    """
    pairs = _norms_after_convolutions(network)
    absorbed = {norm.name for norm in pairs.values()}

    def call(layer: keras.Layer, x: Tensor) -> Tensor:
        if layer.name in pairs:
            return _convolve(layer, pairs[layer.name], x)
        return x if layer.name in absorbed else layer(x, training=False)

    return run_layers(network, images, call)


def normalised_call(network: keras.Model, images: Tensor) -> Any:
    """What `network(images, training=True)` answers, the moving statistics' step included.

    Args:
        network: a functional model.
        images: (B, size, size, 3) tensor.
    """
    if keras.backend.backend() != "tensorflow":
        return network(images, training=True)

    def call(layer: keras.Layer, x: Tensor) -> Tensor:
        if isinstance(layer, keras.layers.BatchNormalization):
            return _normalise(layer, x)
        return layer(x, training=True)

    return run_layers(network, images, call)


def _normalise(layer: keras.layers.BatchNormalization, x: Tensor) -> Tensor:
    from tensorflow.compat.v1.nn import fused_batch_norm  # the one that gives the statistics back

    out, mean, variance = fused_batch_norm(
        x, layer.gamma.value, layer.beta.value, epsilon=layer.epsilon, is_training=True
    )
    count = ops.cast(ops.prod(ops.shape(x)[:-1]), "float32")
    biased = variance * (count - 1) / count  # Keras keeps the mean square, this n / (n - 1) of it
    keep = layer.momentum
    for moving, new in ((layer.moving_mean, mean), (layer.moving_variance, biased)):
        moving.assign(keep * moving + (1 - keep) * ops.stop_gradient(new))
    return out


def _norms_after_convolutions(network: keras.Model) -> dict[str, keras.layers.Layer]:
    """The batch norm behind each convolution that can take it in, by the convolution's name."""
    made_by = {id(layer.output): layer for layer in network.layers}
    readers = readers_of(network)
    pairs = {}
    for norm in network.layers:
        if not isinstance(norm, keras.layers.BatchNormalization):
            continue
        convolution, alone = made_by[id(norm.input)], len(readers[id(norm.input)]) == 1
        if isinstance(convolution, keras.layers.Conv2D | keras.layers.DepthwiseConv2D) and (
            alone and not convolution.use_bias
        ):
            pairs[convolution.name] = norm
    return pairs


def _convolve(layer: keras.Layer, norm: keras.Layer, x: Tensor) -> Tensor:
    factor = norm.gamma / ops.sqrt(norm.moving_variance + norm.epsilon)
    offset = norm.beta - norm.moving_mean * factor
    convolve, kernel = ops.conv, layer.kernel * factor
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        convolve, kernel = ops.depthwise_conv, layer.kernel * factor[:, None]
    out = convolve(
        x, kernel, strides=layer.strides, padding=layer.padding, data_format="channels_last"
    )
    return ops.add(out, offset)  # faster than `+` under TensorFlow
