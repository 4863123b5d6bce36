"""Equalization changes no answer; bias correction takes away what rounding adds on average."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from asmnet.export.bias_correction import correct_bias, rounded
from asmnet.export.equalize import equalize
from asmnet.train.model import TAPS, build_model


@pytest.fixture
def inputs(tiny_crops: np.ndarray) -> np.ndarray:
    return np.float32(tiny_crops[:32]) / 127.5 - 1.0


@pytest.fixture
def network(tiny) -> keras.Model:
    """A copy that a test may change."""
    copy = keras.models.clone_model(tiny[0])
    copy.set_weights(tiny[0].get_weights())
    return copy


def loudness(network: keras.Model, inputs: np.ndarray, layer: str) -> np.ndarray:
    """(C,) the largest magnitude of each channel."""
    probe = keras.Model(network.input, network.get_layer(layer).output)
    return np.abs(probe.predict_on_batch(inputs)).max(axis=(0, 1, 2))


@pytest.mark.parametrize("centre", [True, False])
@pytest.mark.parametrize("arch", ["asmnet", "mobilenetv2"])
def test_equalization_keeps_the_function(arch: str, centre: bool, inputs: np.ndarray) -> None:
    keras.utils.set_random_seed(2)
    network = build_model(arch, size=64)
    before = network.predict_on_batch(inputs)
    equalize(network, inputs, centre)
    after = network.predict_on_batch(inputs)
    for name in ("landmarks", "pose"):
        np.testing.assert_allclose(after[name], before[name], rtol=1e-3, atol=1e-5)


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


def test_bias_correction_restores_the_means(network: keras.Model, inputs) -> None:
    kernels = {
        layer.name: (0, 1) if isinstance(layer, keras.layers.DepthwiseConv2D) else (0, 1, 2)
        for layer in network.layers
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)
    }

    def features_with_rounded_kernels() -> np.ndarray:
        kept = network.get_weights()
        for name, axes in kernels.items():
            layer = network.get_layer(name)
            layer.set_weights([rounded(layer.get_weights()[0], axes)])
        found = probe.predict_on_batch(inputs).mean(axis=0)
        network.set_weights(kept)
        return found

    probe = keras.Model(network.input, network.get_layer("features").output)
    wanted = probe.predict_on_batch(inputs).mean(axis=0)
    offset = np.abs(features_with_rounded_kernels() - wanted).mean()
    trained = {name: network.get_layer(name).get_weights()[0] for name in kernels}
    correct_bias(network, inputs)
    corrected = np.abs(features_with_rounded_kernels() - wanted).mean()
    assert corrected < 0.05 * offset
    for name, kernel in trained.items():
        np.testing.assert_array_equal(network.get_layer(name).get_weights()[0], kernel)
