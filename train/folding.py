"""A network with frozen statistics, run with its batch norms folded into the convolutions.

With fixed statistics a batch norm is one factor and one offset a channel, and
norm(conv(x, W)) = conv(x, W · factor) + offset.  Scaling the small kernel in place of the
large output spares most passes over memory of a training step, and changes nothing else:
kernel, gamma and beta get the gradients that they would get layer by layer.
"""

from __future__ import annotations

import keras
from keras import ops

__all__ = ["folded_call"]


def folded_call(network: keras.Model, images):
    """What `network(images, training=False)` answers, in fewer passes over memory.

    Args:
        network: a functional model; only batch norms right after a convolution without
            bias that nothing else reads are folded, the rest runs as it is.
        images: (B, size, size, 3) tensor.
    """
    pairs = _norms_after_convolutions(network)
    absorbed = {norm.name for norm in pairs.values()}

    def run(layer):
        if layer.name in pairs:
            return lambda x, **_: _convolve(layer, pairs[layer.name], x)
        if layer.name in absorbed:
            return lambda x, **_: x
        return lambda *args, **kwargs: layer(*args, **{**kwargs, "training": False})

    return network._run_through_graph(images, run)


def _norms_after_convolutions(network: keras.Model) -> dict[str, keras.layers.Layer]:
    """The batch norm behind each convolution that can take it in, by the convolution's name."""
    pairs = {}
    for norm in network.layers:
        if not isinstance(norm, keras.layers.BatchNormalization):
            continue
        convolution = norm.input._keras_history.operation
        alone = sum(len(node.outputs) for node in convolution._outbound_nodes) == 1
        if isinstance(convolution, keras.layers.Conv2D | keras.layers.DepthwiseConv2D) and (
            alone and not convolution.use_bias
        ):
            pairs[convolution.name] = norm
    return pairs


def _convolve(layer, norm, x):
    factor = norm.gamma / ops.sqrt(norm.moving_variance + norm.epsilon)
    offset = norm.beta - norm.moving_mean * factor
    convolve, kernel = ops.conv, layer.kernel * factor
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        convolve, kernel = ops.depthwise_conv, layer.kernel * factor[:, None]
    out = convolve(
        x, kernel, strides=layer.strides, padding=layer.padding, data_format="channels_last"
    )
    return ops.add(out, offset)  # faster than `+` under TensorFlow
