"""What rounding the weights adds on average is taken away again."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from blocks import SIZE, outputs_of, small_network

from asmnet.export.weights.bias_correction import correct_bias, rounded

AXES = {
    keras.layers.DepthwiseConv2D: (0, 1),
    keras.layers.Conv2D: (0, 1, 2),
    keras.layers.Dense: (0,),
}


@pytest.fixture
def images(rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(-1, 1, (12, SIZE, SIZE, 3)).astype(np.float32)


@pytest.fixture
def network() -> keras.Model:
    """One channel is so loud that its kernel's others round to little."""
    network = small_network()
    for name in ("a_expand", "b_depthwise", "c_project", "pose"):
        layer = network.get_layer(name)
        kernel, *bias = layer.get_weights()
        kernel.ravel()[::5] *= 40
        layer.set_weights([kernel, *bias])
    return network


def rounded_copy(network: keras.Model) -> keras.Model:
    """The network with its kernels as int8 holds them."""
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    for layer in copy.layers:
        if type(layer) in AXES:
            kernel, *bias = layer.get_weights()
            layer.set_weights([rounded(kernel, AXES[type(layer)]), *bias])
    return copy


def means(network: keras.Model, images: np.ndarray) -> np.ndarray:
    """Of all channels behind a batch norm, an addition or a head, one after the other."""
    kinds = (keras.layers.BatchNormalization, keras.layers.Add, keras.layers.Dense)
    names = [layer.name for layer in network.layers if isinstance(layer, kinds)]
    values = outputs_of(network, names, images)
    return np.concatenate([v.reshape(-1, v.shape[-1]).mean(axis=0) for v in values])


def test_rounding_is_tflites() -> None:
    kernel = np.array([[1.0, 10.0], [-0.5, 0.04], [0.003, -2.0]], np.float32)
    steps = rounded(kernel, (0,)) / (np.abs(kernel).max(axis=0) / 127)
    np.testing.assert_allclose(steps, [[127, 127], [-64, 1], [0, -25]], atol=1e-4)


@pytest.mark.parametrize("axes", [(0, 1), (0, 1, 2)])
def test_each_output_channel_has_its_own_scale(axes: tuple[int, ...], rng) -> None:
    kernel = rng.normal(0, 1, (3, 3, 4, 5)).astype(np.float32)
    near = rounded(kernel, axes)
    scale = np.abs(kernel).max(axis=axes, keepdims=True) / 127
    np.testing.assert_allclose(near / scale, np.rint(near / scale), atol=1e-4)
    assert (np.abs(near - kernel) <= 0.501 * scale).all()


def test_a_channel_of_zeros_stays_one() -> None:
    kernel = np.array([[0.0, 2.0], [0.0, -1.0]], np.float32)
    np.testing.assert_allclose(rounded(kernel, (0,)), [[0, 2], [0, -128 / 127]], rtol=1e-6)


def test_every_layers_mean_is_right_with_rounded_kernels(network, images) -> None:
    wanted = means(network, images)
    shifted = np.abs(means(rounded_copy(network), images) - wanted)
    assert shifted.max() > 0.05
    correct_bias(network, images)
    np.testing.assert_allclose(means(rounded_copy(network), images), wanted, atol=1e-4)


def test_the_kernels_themselves_stay_as_they_were(network, images) -> None:
    kernels = {x.name: x.get_weights()[0] for x in network.layers if type(x) in AXES}
    correct_bias(network, images)
    for name, kernel in kernels.items():
        np.testing.assert_array_equal(network.get_layer(name).get_weights()[0], kernel)
