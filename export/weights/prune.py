"""Pruning: channels that are silent on every face leave the network.

Training kills channels: a network that has left ImageNet behind for faces has many in its
last blocks whose ReLU6 answers 0 wherever one looks.  Nothing reads them, so they
and the kernels that make and read them can go.

Silent on the calibration crops is not silent on every face.  Channels that were merely
never positive there speak up on profiles (9 px on WFLW's), so only those go that stayed
well below zero: then faces of all poses move by 0.1 px at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asmnet.data.images import to_inputs
from asmnet.train.keras_graph import inputs_of, readers_of

if TYPE_CHECKING:
    import keras

__all__ = ["prune"]

# How far below zero, in units of a ReLU6 that ends at 6, a channel has to stay on all crops.
MARGIN = 0.5
# Kernels work on so many channels at a time, so the least silent fill up the last group.
GROUP = 8


@dataclass(frozen=True)
class _Block:
    """Layers between which channels can go: what makes them and reads them, by name.

    Attributes:
        expand, expand_norm: the convolution that makes the channels.
        depthwise, depthwise_norm: what each passes through alone, before a ReLU6.
        project: the convolution that mixes them.
    """

    expand: str
    expand_norm: str
    depthwise: str
    depthwise_norm: str
    project: str


def prune(network: keras.Model, crops: np.ndarray) -> keras.Model:
    """A copy of a network without its silent channels.

    Args:
        network: of `asmnet.train.model.build_model`; stays as it is.
        crops: (M, size, size, 3) uint8 RGB that show all there is to see.
    """
    import keras

    blocks = _blocks(network)
    probe = keras.Model(network.input, [network.get_layer(b.depthwise_norm).output for b in blocks])
    kept = {}
    for block, highest in zip(blocks, _highest(probe, crops), strict=True):
        count = -(-int((highest >= -MARGIN).sum()) // GROUP) * GROUP
        kept[block] = np.sort(np.argsort(-highest, kind="stable")[: max(count, GROUP)])
    filters = {block.expand: len(channels) for block, channels in kept.items()}

    def narrower(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        if layer.name in filters:
            config["filters"] = filters[layer.name]
        return layer.__class__.from_config(config)

    copy = keras.models.clone_model(network, clone_function=narrower)
    weights = {layer.name: layer.get_weights() for layer in network.layers}
    for block, channels in kept.items():
        weights[block.project] = [weights[block.project][0][:, :, channels]]
        weights[block.expand] = [weights[block.expand][0][..., channels]]
        weights[block.depthwise] = [weights[block.depthwise][0][:, :, channels]]
        for norm in (block.expand_norm, block.depthwise_norm):
            weights[norm] = [values[channels] for values in weights[norm]]
    for layer in copy.layers:
        layer.set_weights(weights[layer.name])
    return copy


def _blocks(network: keras.Model) -> list[_Block]:
    """Every depthwise convolution with its neighbours; each of these has one reader."""
    import keras

    maker = {id(layer.output): layer for layer in network.layers}
    readers = readers_of(network)

    def reader(layer: keras.Layer) -> keras.Layer:
        (only,) = readers[id(layer.output)]
        return only

    found = []
    for depthwise in network.layers:
        if isinstance(depthwise, keras.layers.DepthwiseConv2D):
            expand = depthwise
            while type(expand) is not keras.layers.Conv2D:
                expand = maker[id(inputs_of(expand)[0])]
            norm = reader(depthwise)
            layers = (expand, reader(expand), depthwise, norm, reader(reader(norm)))
            found.append(_Block(*(layer.name for layer in layers)))
    return found


def _highest(probe: keras.Model, crops: np.ndarray) -> list[np.ndarray]:
    """For each output of a network, the highest value of each channel on any crop."""
    found: list[np.ndarray] = []
    for start in range(0, len(crops), 16):
        start = max(0, min(start, len(crops) - 16))  # another batch size is another tracing
        values = probe.predict_on_batch(to_inputs(crops[start : start + 16]))
        highest = [value.max(axis=(0, 1, 2)) for value in values]
        found = list(map(np.maximum, found or highest, highest))
    return found
