"""Equalization: the same function, in numbers that 8 bits hold better.

MobileNetV2's blocks hand each other maps without an activation ("linear
bottlenecks"), which residual additions tie together into streams.  int8 gives a
whole tensor one scale, so a stream's loudest channel leaves the quiet ones few
levels, and a channel that is never negative wastes half of its own.  But being
linear, a channel may be shifted and multiplied as one likes if all that read it
undo it: here so that every channel is centred, and as loud as the loudest.

After Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias
Correction" (ICCV 2019), section 4.1, who equalize weights; here it is activations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asmnet.train.keras_graph import inputs_of, readers_of

if TYPE_CHECKING:
    import keras

__all__ = ["equalize"]


def equalize(network: keras.Model, images: np.ndarray, centre: bool = True) -> None:
    """Shift and rescale the linear streams of a network in place; its function stays the same.

    Args:
        network: of `asmnet.train.model.build_model`, or of its kind: 1 x 1 convolutions
            between the streams, or larger ones that fuse them, each followed by a batch
            norm; poolings, a concatenation "features", Dense heads.
        images: (M, size, size, 3) float32 network inputs, which tell the channels' ranges.
        centre: shift as well as rescale.  Good only where the poolings' means are float:
            means of shifted channels differ by constants, which waste an int8 tensor's levels.
    """
    import keras

    readers = readers_of(network)
    streams = [s for s in _streams(network) if _is_linear(s, readers)]
    ranges = _ranges(network, [layer for stream in streams for layer in stream], images)
    for stream in streams:
        # A convolution that reads zeros around its map cannot undo a shift of the map alone.
        movable = centre and not any(
            _pads(r) for layer in stream for r in readers[id(layer.output)]
        )
        # By the identity of the stream's tensors: how far each channel is moved down.
        shift: dict[int, np.ndarray] = {}
        spread = np.zeros(1)
        for layer in stream:
            low, high = ranges[layer.name]
            if isinstance(layer, keras.layers.BatchNormalization):
                shift[id(layer.output)] = (low + high) / 2 * movable
            else:
                shift[id(layer.output)] = np.sum([shift[id(t)] for t in inputs_of(layer)], axis=0)
            moved = shift[id(layer.output)]
            spread = np.maximum(spread, np.maximum(high - moved, moved - low))
        factor = spread.max() / np.maximum(spread, 1e-3 * spread.max())
        for layer in stream:
            moved = shift[id(layer.output)]
            if isinstance(layer, keras.layers.BatchNormalization):
                gamma, beta, mean, variance = layer.get_weights()
                layer.set_weights([gamma * factor, (beta - moved) * factor, mean, variance])
            for reader in readers[id(layer.output)]:
                if isinstance(reader, keras.layers.Conv2D):
                    (kernel,) = reader.get_weights()
                    (norm,) = readers[id(reader.output)]
                    norm.moving_mean.assign_sub(moved @ kernel.sum(axis=(0, 1)))
                    reader.set_weights([kernel / factor[:, None]])
                elif isinstance(reader, keras.layers.GlobalAveragePooling2D):
                    _undo_in_heads(network, reader, moved, factor)


def _ranges(
    network: keras.Model, layers: list[keras.Layer], images: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Lowest and highest value of each channel of these layers' outputs."""
    import keras

    probe = keras.Model(network.input, [layer.output for layer in layers])
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for start in range(0, len(images), 16):
        start = max(0, min(start, len(images) - 16))  # another batch size is another tracing
        for layer, value in zip(layers, probe.predict_on_batch(images[start:][:16]), strict=True):
            low, high = value.min(axis=(0, 1, 2)), value.max(axis=(0, 1, 2))
            if layer.name in found:
                low = np.minimum(low, found[layer.name][0])
                high = np.maximum(high, found[layer.name][1])
            found[layer.name] = low, high
    return found


def _streams(network: keras.Model) -> list[list[keras.Layer]]:
    """Batch norms and additions, in groups that additions tie together, in network order."""
    import keras

    group: dict[int, list[keras.Layer]] = {}
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            group[id(layer.output)] = [layer]
        elif isinstance(layer, keras.layers.Add):
            joined = []
            for tensor in inputs_of(layer):
                joined += [m for m in group[id(tensor)] if m not in joined]
            joined.append(layer)
            for member in joined:
                group[id(member.output)] = joined
    return list({id(members): members for members in group.values()}.values())


def _is_linear(stream: list[keras.Layer], readers: dict[int, list[keras.Layer]]) -> bool:
    """Whether all that read the stream can undo a shift and a factor for each channel."""
    import keras

    able = (keras.layers.Conv2D, keras.layers.Add, keras.layers.GlobalAveragePooling2D)
    return all(isinstance(reader, able) for layer in stream for reader in readers[id(layer.output)])


def _pads(layer: keras.Layer) -> bool:
    """Whether a layer is a convolution that also reads zeros around its input."""
    import keras

    if not isinstance(layer, keras.layers.Conv2D):
        return False
    before, after = layer.input.shape[1], layer.output.shape[1]
    return (after - 1) * layer.strides[0] + layer.kernel_size[0] > before


def _undo_in_heads(
    network: keras.Model, pool: keras.Layer, shift: np.ndarray, factor: np.ndarray
) -> None:
    """Undo a stream's shift and factor in the Dense heads that read this pooling of it."""
    import keras

    row = 0
    for tensor in inputs_of(network.get_layer("features")):
        if tensor is pool.output:
            break
        row += tensor.shape[-1]
    for head in network.layers:
        if isinstance(head, keras.layers.Dense):
            kernel, bias = head.get_weights()
            bias += shift @ kernel[row : row + len(shift)]
            kernel[row : row + len(shift)] /= factor[:, None]
            head.set_weights([kernel, bias])
