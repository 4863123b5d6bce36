"""Equalization: the same function, in numbers that 8 bits hold better.

MobileNetV2's blocks hand each other maps without an activation ("linear
bottlenecks"), which residual additions tie together into streams.  int8 gives a
whole tensor one scale, so a stream's loudest channel leaves the quiet ones few
levels.  But a linear channel may be multiplied by any factor if all that read it
divide by the same: here by what makes every channel as loud as the loudest.

After Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias
Correction" (ICCV 2019), section 4.1, who equalize weights; here it is activations.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

__all__ = ["equalize", "inputs_of"]


def equalize(network: keras.Model, images: np.ndarray) -> None:
    """Rescale the linear streams of a network in place; its function stays the same.

    Args:
        network: of `asmnet.train.model.build_model`, or of its kind: convolutions,
            batch norms, activations, additions, poolings, a concatenation, Dense heads.
        images: (M, size, size, 3) float32 network inputs, which tell how loud channels are.
    """
    import keras

    readers = defaultdict(list)
    for layer in network.layers:
        for tensor in inputs_of(layer):
            readers[id(tensor)].append(layer)
    streams = [s for s in _streams(network) if _is_linear(s, readers)]
    layers = [layer for stream in streams for layer in stream]
    probe = keras.Model(network.input, [layer.output for layer in layers])
    loudest: dict[str, np.ndarray] = {}
    for start in range(0, len(images), 16):
        for layer, value in zip(layers, probe.predict_on_batch(images[start:][:16]), strict=True):
            peak = np.abs(value).max(axis=(0, 1, 2))
            loudest[layer.name] = np.maximum(peak, loudest.get(layer.name, 0.0))
    for stream in streams:
        peak = np.max([loudest[layer.name] for layer in stream], axis=0)
        factor = peak.max() / np.maximum(peak, 1e-3 * peak.max())
        for layer in stream:
            if isinstance(layer, keras.layers.BatchNormalization):
                gamma, beta, mean, variance = layer.get_weights()
                layer.set_weights([gamma * factor, beta * factor, mean, variance])
            for reader in readers[id(layer.output)]:
                if isinstance(reader, keras.layers.Conv2D):
                    kernel, *bias = reader.get_weights()
                    reader.set_weights([kernel / factor[:, None], *bias])
                elif isinstance(reader, keras.layers.GlobalAveragePooling2D):
                    _divide_heads(network, reader, factor)


def inputs_of(layer: keras.Layer) -> list:
    """The tensors that a layer of a functional network reads, in order."""
    return layer.input if isinstance(layer.input, list) else [layer.input]


def _streams(network: keras.Model) -> list[list[keras.Layer]]:
    """Batch norms and additions, in groups that additions tie together."""
    import keras

    group: dict[int, list[keras.Layer]] = {}
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            group[id(layer.output)] = [layer]
        elif isinstance(layer, keras.layers.Add):
            joined = [layer]
            for tensor in inputs_of(layer):
                joined += [m for m in group[id(tensor)] if m not in joined]
            for member in joined:
                group[id(member.output)] = joined
    return list({id(members): members for members in group.values()}.values())


def _is_linear(stream: list[keras.Layer], readers: dict[int, list[keras.Layer]]) -> bool:
    """Whether all that read the stream can divide by a factor for each channel."""
    import keras

    able = (keras.layers.Conv2D, keras.layers.Add, keras.layers.GlobalAveragePooling2D)
    return all(
        isinstance(reader, able)
        for layer in stream
        for reader in readers[id(layer.output)]
    )


def _divide_heads(network: keras.Model, pool: keras.Layer, factor: np.ndarray) -> None:
    """Divide the rows of the Dense heads that read this pooling."""
    import keras

    features = network.get_layer("features")
    row = 0
    for tensor in inputs_of(features):
        if tensor is pool.output:
            break
        row += tensor.shape[-1]
    for head in network.layers:
        if isinstance(head, keras.layers.Dense):
            kernel, bias = head.get_weights()
            kernel[row : row + len(factor)] /= factor[:, None]
            head.set_weights([kernel, bias])
