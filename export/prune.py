"""Pruning: channels that say nothing on any face leave the network.

Training kills channels: on every crop their ReLU6 answers 0, or nearly the same
number everywhere.  A network whose face has left ImageNet behind has many of them in
its last blocks.  What a constant channel adds to the next convolution is constant
too, so it moves into that convolution's batch norm, and the channel, with the kernels
that made and read it, is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asmnet.export.equalize import inputs_of

if TYPE_CHECKING:
    import keras

__all__ = ["prune"]

# A channel whose standard deviation over all crops and positions is below that of rounding
# a ReLU6 to 8 bits: an integer model could not tell it from noise.
SILENT = 6 / 255 / np.sqrt(12)
# Kernels work on so many channels at a time, so the best of the silent ones fill up the last group.
GROUP = 8


@dataclass(frozen=True)
class _Block:
    """Layers between which channels can go: what makes them and reads them, by name.

    Attributes:
        expand, expand_norm: the convolution that makes the channels.
        depthwise, depthwise_norm, activation: what each passes through alone.
        project, project_norm: the convolution that mixes them.
    """

    expand: str
    expand_norm: str
    depthwise: str
    depthwise_norm: str
    activation: str
    project: str
    project_norm: str


def prune(network: keras.Model, crops: np.ndarray) -> keras.Model:
    """A copy of a network without its silent channels.

    Args:
        network: of `asmnet.train.model.build_model`; stays as it is.
        crops: (M, size, size, 3) uint8 RGB that show all there is to see.
    """
    import keras

    blocks = _blocks(network)
    probe = keras.Model(network.input, [network.get_layer(b.activation).output for b in blocks])
    means = _moments(probe, crops)
    kept = {}
    for block, (mean, square) in zip(blocks, means, strict=True):
        deviation = np.sqrt(np.maximum(square - mean**2, 0))
        count = -(-int((deviation >= SILENT).sum()) // GROUP) * GROUP
        kept[block] = np.sort(np.argsort(-deviation, kind="stable")[: max(count, GROUP)])
    filters = {block.expand: len(channels) for block, channels in kept.items()}

    def narrower(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        if layer.name in filters:
            config["filters"] = filters[layer.name]
        return layer.__class__.from_config(config)

    copy = keras.models.clone_model(network, clone_function=narrower)
    weights = {layer.name: layer.get_weights() for layer in network.layers}
    for (block, channels), (mean, _) in zip(kept.items(), means, strict=True):
        gone = np.setdiff1d(np.arange(len(mean)), channels)
        gamma, beta, average, variance = weights[block.project_norm]
        average = average - mean[gone] @ weights[block.project][0][0, 0, gone]
        weights[block.project_norm] = [gamma, beta, average, variance]
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
    reader = {id(tensor): layer for layer in network.layers for tensor in inputs_of(layer)}
    found = []
    for depthwise in network.layers:
        if isinstance(depthwise, keras.layers.DepthwiseConv2D):
            before = [depthwise]
            while type(before[-1]) is not keras.layers.Conv2D:
                before.append(maker[id(inputs_of(before[-1])[0])])
            after = [depthwise]
            while type(after[-1]) is not keras.layers.Conv2D:
                after.append(reader[id(after[-1].output)])
            project_norm = reader[id(after[-1].output)]
            names = [layer.name for layer in (before[-1], reader[id(before[-1].output)], *after)]
            found.append(_Block(*names, project_norm.name))
    return found


def _moments(probe: keras.Model, crops: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each output of a network, its channels' means and mean squares."""
    totals: list[np.ndarray] = []
    for start in range(0, len(crops), 16):
        values = probe.predict_on_batch(np.float32(crops[start : start + 16]) / 127.5 - 1.0)
        sums = [np.stack([v.mean(axis=(1, 2)).sum(0), np.square(v).mean(axis=(1, 2)).sum(0)])
                for v in values]  # fmt: skip
        totals = [t + s for t, s in zip(totals, sums, strict=True)] if totals else sums
    return [(total[0] / len(crops), total[1] / len(crops)) for total in totals]
