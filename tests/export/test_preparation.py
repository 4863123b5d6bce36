"""The networks that are shipped: pruned and equalized they answer the same."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from asmnet.export.weights.bias_correction import correct_bias, rounded
from asmnet.export.weights.equalize import equalize
from asmnet.export.weights.prune import prune
from asmnet.train.model import build_model


@pytest.fixture
def inputs(tiny_crops: np.ndarray) -> np.ndarray:
    return np.float32(tiny_crops[:32]) / 127.5 - 1.0


@pytest.fixture
def network(tiny) -> keras.Model:
    """A copy that a test may change."""
    return copy_of(tiny[0])


def copy_of(network: keras.Model) -> keras.Model:
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    return copy


def fitted(inputs: np.ndarray, size: int) -> np.ndarray:
    """The same pictures, padded to another size."""
    more = size - inputs.shape[1]
    return np.pad(inputs, ((0, 0), (0, more), (0, more), (0, 0)), mode="reflect")


def test_pruning_removes_silent_channels_and_nothing_else(
    network: keras.Model, inputs: np.ndarray, tiny_crops: np.ndarray
) -> None:
    """Channels far below zero everywhere go, in groups of 8; the answers stay."""
    network = prune(network, tiny_crops)  # random weights silence many
    silenced = {"expanded_conv_depthwise": 16, "block_4_depthwise": 24}
    for name, count in silenced.items():
        norm = network.get_layer(f"{name}_BN")
        gamma, beta, mean, variance = norm.get_weights()
        gamma[:count], beta[:count] = 0, -2.0
        norm.set_weights([gamma, beta, mean, variance])
    small = prune(network, tiny_crops)
    for name, count in silenced.items():
        gone = channels(network, name) - channels(small, name)
        # Up to 7 may fill up a group.
        assert gone % 8 == 0 and gone > count - 8
    before, after = network.predict_on_batch(inputs), small.predict_on_batch(inputs)
    for name in ("landmarks", "pose"):
        np.testing.assert_allclose(after[name], before[name], rtol=1e-4, atol=1e-5)


def channels(network: keras.Model, layer: str) -> int:
    return network.get_layer(layer).output.shape[-1]


@pytest.mark.parametrize(
    ("arch", "size", "centre"),
    # At 80 two projections of the spatial fusion read zeros beyond their maps.
    [
        ("asmnet", 64, False),
        ("mobilenetv2", 64, True),
        ("asmnet_spatial", 64, True),
        ("asmnet_spatial", 80, True),
    ],
)
def test_equalization_keeps_the_function(
    arch: str, size: int, centre: bool, inputs: np.ndarray
) -> None:
    keras.utils.set_random_seed(2)
    network = build_model(arch, size=size)
    inputs = fitted(inputs, size)
    before = network.predict_on_batch(inputs)
    equalize(network, inputs, centre)
    after = network.predict_on_batch(inputs)
    for name in ("landmarks", "pose"):
        np.testing.assert_allclose(after[name], before[name], rtol=1e-3, atol=1e-5)


def test_a_map_with_zeros_around_it_is_not_shifted(spatial: keras.Model, inputs) -> None:
    """At 80 px two projections read zeros beyond their maps, which no shift of the map moves.

    Batch norms that are not fresh shift every stream, so the answers would be elsewhere.
    """
    network, inputs = copy_of(spatial), fitted(inputs, 80)
    before = network.predict_on_batch(inputs)
    equalize(network, inputs, centre=True)
    after = network.predict_on_batch(inputs)
    for name in ("landmarks", "pose"):
        np.testing.assert_allclose(after[name], before[name], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("arch", ["asmnet", "asmnet_spatial"])
def test_bias_correction_restores_the_means(arch: str, tiny, spatial, inputs) -> None:
    network = copy_of(tiny[0] if arch == "asmnet" else spatial)
    inputs = fitted(inputs, network.input_shape[1])
    axes_of = {
        keras.layers.DepthwiseConv2D: (0, 1),
        keras.layers.Conv2D: (0, 1, 2),
        keras.layers.Dense: (0,),
    }
    kernels = {
        layer.name: axes_of[type(layer)] for layer in network.layers if type(layer) in axes_of
    }

    def means_with_rounded_kernels() -> list[np.ndarray]:
        kept = network.get_weights()
        for name, axes in kernels.items():
            layer = network.get_layer(name)
            kernel, *bias = layer.get_weights()
            layer.set_weights([rounded(kernel, axes), *bias])
        found = means()
        network.set_weights(kept)
        return found

    def means() -> list[np.ndarray]:
        outputs = [network.get_layer(n).output for n in ("features", "landmarks", "pose")]
        found = keras.Model(network.input, outputs).predict_on_batch(inputs)
        return [part.mean(axis=0) for part in found]

    def errors() -> list[float]:
        pairs = zip(means_with_rounded_kernels(), wanted, strict=True)
        return [float(np.abs(found - own).mean()) for found, own in pairs]

    wanted = means()
    offsets = errors()
    trained = {name: network.get_layer(name).get_weights()[0] for name in kernels}
    correct_bias(network, inputs)
    # The heads' own biases make their means exact but for float rounding, and so do the batch
    # norms those of pooled maps.  A batch norm has one mean a channel, though, so where a map's
    # positions are features of their own, each keeps what it differs by from the others.
    limits = (0.05, 0.05, 0.05) if arch == "asmnet" else (0.9, 0.05, 0.05)
    for corrected, offset, limit in zip(errors(), offsets, limits, strict=True):
        assert corrected < limit * offset
    for name, kernel in trained.items():
        np.testing.assert_array_equal(network.get_layer(name).get_weights()[0], kernel)
