"""Which channels go, and that nothing else changes."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from blocks import SIZE, small_network

from asmnet.data.images import to_inputs
from asmnet.export.weights.prune import prune


@pytest.fixture
def crops(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, (20, SIZE, SIZE, 3), dtype=np.uint8)


def levels(network: keras.Model, block: str, values: np.ndarray) -> None:
    """Let a block's channels have these values before their ReLU6, wherever one looks."""
    norm = network.get_layer(f"{block}_depthwise_BN")
    gamma, _, mean, variance = norm.get_weights()
    norm.set_weights([0 * gamma, values, mean, variance])


def kept(pruned: keras.Model) -> list[int]:
    """The channels of block "b" that are left, where each is known by its kernel."""
    kernels = [pruned.get_layer(f"b_{part}").get_weights()[0] for part in ("depthwise", "project")]
    numbers = [kernels[0][0, 0, :, 0], kernels[1][0, 0, :, 0]]
    np.testing.assert_array_equal(*numbers)
    return numbers[0].astype(int).tolist()


@pytest.fixture
def network() -> keras.Model:
    """Channel k of block "b" has the number k in the kernels after it."""
    network = small_network()
    for name in ("b_depthwise", "b_project"):
        layer = network.get_layer(name)
        (kernel,) = layer.get_weights()
        layer.set_weights([np.broadcast_to(np.arange(24.0)[:, None], kernel.shape)])
    return network


def test_channels_half_a_unit_below_zero_stay(network: keras.Model, crops: np.ndarray) -> None:
    """They may speak on another face; what lies lower goes."""
    silent = np.where(np.arange(24) % 3 == 1, -0.501, -0.5)
    levels(network, "b", silent)
    assert kept(prune(network, crops)) == [k for k in range(24) if k % 3 != 1]


def test_the_least_silent_fill_up_a_group_of_eight(network: keras.Model, crops: np.ndarray) -> None:
    silent = np.full(24, -2.0)
    silent[[3, 5, 7, 11, 13, 17, 19, 21, 23]] = 1.0
    silent[[0, 2, 4, 8, 10, 14, 22]] = -1.0
    levels(network, "b", silent)
    assert kept(prune(network, crops)) == [k for k in range(24) if silent[k] > -2]


def test_of_a_block_without_a_voice_one_group_stays(network: keras.Model, crops) -> None:
    levels(network, "b", -1.0 - np.arange(24) % 3)
    assert kept(prune(network, crops)) == [k for k in range(24) if k % 3 == 0]


def let_brightness_through(network: keras.Model) -> None:
    """Each channel of block "a" is a pixel's brightness: less 1 for nine of them, else less 9."""
    kernel = np.zeros((3, 3, 16, 1))
    kernel[1, 1] = 1
    network.get_layer("a_expand").set_weights([np.ones((1, 1, 3, 16))])
    network.get_layer("a_depthwise").set_weights([kernel])
    zeros, ones = np.zeros(16), np.ones(16)
    network.get_layer("a_expand_BN").set_weights([ones, zeros, zeros, ones])
    less = np.where(np.arange(16) < 9, -1, -9)
    network.get_layer("a_depthwise_BN").set_weights([ones, less, zeros, ones])


@pytest.mark.parametrize("crop", [0, 3, 39])
def test_a_channel_that_one_pixel_of_one_crop_wakes_stays(crop: int) -> None:
    network = small_network()
    let_brightness_through(network)
    crops = np.zeros((40, SIZE, SIZE, 3), np.uint8)
    assert prune(network, crops).get_layer("a_depthwise").output.shape[-1] == 8
    crops[crop, 2, 5] = 255
    assert prune(network, crops).get_layer("a_depthwise").output.shape[-1] == 16


def test_the_answers_and_the_network_itself_stay(crops: np.ndarray) -> None:
    network = small_network()
    for name, silent in (("a", slice(4, 12)), ("b", slice(16))):
        norm = network.get_layer(f"{name}_depthwise_BN")
        gamma, beta, mean, variance = norm.get_weights()
        gamma[silent], beta[silent] = 0, -1
        norm.set_weights([gamma, np.where(gamma > 0, 3, beta), mean, variance])
    before, weights = network.predict_on_batch(to_inputs(crops)), network.get_weights()
    small = prune(network, crops)
    for name in "ab":
        assert small.get_layer(f"{name}_depthwise").output.shape[-1] == 8
    for name, answer in small.predict_on_batch(to_inputs(crops)).items():
        np.testing.assert_allclose(answer, before[name], atol=1e-5)
    for known, weight in zip(weights, network.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, known)
