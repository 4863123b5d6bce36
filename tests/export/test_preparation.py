"""Pruning and equalization change no answer; bias correction takes away what rounding adds."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from asmnet.export.weights.bias_correction import correct_bias, rounded
from asmnet.export.weights.equalize import equalize
from asmnet.export.weights.prune import prune
from asmnet.train.model import TAPS, build_model


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


def loudness(network: keras.Model, inputs: np.ndarray, layer: str) -> np.ndarray:
    """(C,) the largest magnitude of each channel."""
    probe = keras.Model(network.input, network.get_layer(layer).output)
    return np.abs(probe.predict_on_batch(inputs)).max(axis=(0, 1, 2))


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


def test_channels_that_another_face_may_wake_stay(
    network: keras.Model, tiny_crops: np.ndarray
) -> None:
    norm = network.get_layer("block_4_depthwise_BN")
    gamma, _, mean, variance = norm.get_weights()
    norm.set_weights([0 * gamma, np.full_like(gamma, -0.1), mean, variance])
    assert channels(prune(network, tiny_crops), "block_4_depthwise") == 192


def channels(network: keras.Model, layer: str) -> int:
    return network.get_layer(layer).output.shape[-1]


@pytest.mark.parametrize("centre", [True, False])
@pytest.mark.parametrize(
    ("arch", "size"),
    # At 80 two projections of the spatial fusion read zeros beyond their maps.
    [("asmnet", 64), ("mobilenetv2", 64), ("asmnet_spatial", 64), ("asmnet_spatial", 80)],
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


@pytest.mark.parametrize("centre", [True, False])
def test_centring_puts_zero_in_the_middle_of_each_channel(
    centre: bool, network: keras.Model, inputs
) -> None:
    equalize(network, inputs, centre)
    output = network.get_layer("expanded_conv_project_BN").output
    values = keras.Model(network.input, output).predict_on_batch(inputs)
    low, high = values.min(axis=(0, 1, 2)), values.max(axis=(0, 1, 2))
    off_centre = np.abs(low + high) / (high - low)
    assert (off_centre.max() < 1e-3) == centre


def test_equalization_makes_channels_equally_loud(network: keras.Model, inputs) -> None:
    def spread() -> np.ndarray:
        loud = [loudness(network, inputs, tap) for tap in TAPS]
        return np.array([np.median(peak / peak.max()) for peak in loud])

    before = spread()
    equalize(network, inputs)
    assert (spread() > before).all()
    # A stream of one tensor ends up exactly level.
    level = loudness(network, inputs, "expanded_conv_project_BN")
    np.testing.assert_allclose(level, level.max(), rtol=1e-4)


def test_rounding_is_tflites() -> None:
    kernel = np.array([[1.0, 10.0], [-0.5, 0.04], [0.003, -2.0]], np.float32)
    steps = rounded(kernel, (0,)) / (np.abs(kernel).max(axis=0) / 127)
    np.testing.assert_allclose(steps, [[127, 127], [-64, 1], [0, -25]], atol=1e-4)
    assert (rounded(np.zeros((3, 2), np.float32), (0,)) == 0).all()


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
