"""The same function, in channels that are centred and equally loud."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from blocks import SIZE, outputs_of, small_network
from keras import layers

from asmnet.export.weights.equalize import equalize

STREAMS = (["a_project_BN", "b_project_BN", "ab"], ["c_project_BN"])


@pytest.fixture
def images(rng: np.random.Generator) -> np.ndarray:
    """More than are looked at together; the quiet ones are in the middle."""
    images = rng.uniform(-1, 1, (40, SIZE, SIZE, 3)).astype(np.float32)
    images[1:-1] /= 8
    return images


@pytest.fixture
def network() -> keras.Model:
    return small_network()


def loudness(network: keras.Model, stream: list[str], images: np.ndarray) -> np.ndarray:
    """(C,) the largest magnitude of each channel of a stream."""
    return np.max([np.abs(v).max(axis=(0, 1, 2)) for v in outputs_of(network, stream, images)], 0)


def off_centre(network: keras.Model, layer: str, images: np.ndarray) -> np.ndarray:
    """(C,) how far the middle of each channel's range is from zero, in ranges."""
    (values,) = outputs_of(network, [layer], images)
    low, high = values.min(axis=(0, 1, 2)), values.max(axis=(0, 1, 2))
    return np.abs(low + high) / (high - low)


@pytest.mark.parametrize("centre", [True, False])
def test_the_answers_stay(network: keras.Model, images: np.ndarray, centre: bool) -> None:
    before = network.predict_on_batch(images)
    equalize(network, images, centre)
    for name, answer in network.predict_on_batch(images).items():
        np.testing.assert_allclose(answer, before[name], atol=1e-4)


@pytest.mark.parametrize("centre", [True, False])
def test_all_channels_of_a_stream_are_equally_loud(network, images, centre: bool) -> None:
    """Also one that was a hundred times quieter than the others."""
    norm = network.get_layer("c_project_BN")
    gamma, beta, mean, variance = norm.get_weights()
    gamma[2], beta[2] = gamma[2] / 100, beta[2] / 100
    norm.set_weights([gamma, beta, mean, variance])
    equalize(network, images, centre)
    for stream in STREAMS:
        level = loudness(network, stream, images)
        np.testing.assert_allclose(level, level.max(), rtol=1e-3)


def test_the_loudest_channel_stays_as_loud(network, images) -> None:
    before = [loudness(network, stream, images).max() for stream in STREAMS]
    equalize(network, images, centre=False)
    after = [loudness(network, stream, images).max() for stream in STREAMS]
    np.testing.assert_allclose(after, before, rtol=1e-3)


def test_shifting_is_the_default(network, images) -> None:
    equalize(network, images)
    for name in ("a_project_BN", "b_project_BN", "c_project_BN"):
        assert off_centre(network, name, images).max() < 1e-3


def test_a_channel_that_is_always_zero_does_no_harm(network, images) -> None:
    norm = network.get_layer("c_project_BN")
    gamma, beta, mean, variance = norm.get_weights()
    gamma[2], beta[2] = 0, 0
    norm.set_weights([gamma, beta, mean, variance])
    before = network.predict_on_batch(images)
    equalize(network, images)
    for name, answer in network.predict_on_batch(images).items():
        np.testing.assert_allclose(answer, before[name], atol=1e-4)


@pytest.mark.parametrize(
    "kernel, stride, padding, movable",
    [
        (1, 1, "same", True),
        (2, 2, "same", True),
        (3, 1, "valid", True),
        (3, 1, "same", False),
        (3, 2, "same", False),
    ],
)
def test_a_map_with_zeros_around_it_is_not_shifted(
    kernel: int, stride: int, padding: str, movable: bool, images: np.ndarray
) -> None:
    """A convolution that reads them cannot undo a shift of the map alone."""
    keras.utils.set_random_seed(0)
    image = keras.Input((SIZE, SIZE, 3), name="image")
    x = layers.Conv2D(6, 1, use_bias=False)(image)
    x = layers.BatchNormalization(beta_initializer="ones", name="stream")(x)
    x = layers.Conv2D(6, kernel, strides=stride, padding=padding, use_bias=False)(x)
    x = layers.BatchNormalization(name="other")(x)
    pool = layers.GlobalAveragePooling2D()(x)
    features = layers.Concatenate(name="features")([pool])
    network = keras.Model(image, layers.Dense(3, name="pose")(features))
    before = network.predict_on_batch(images)
    equalize(network, images)
    np.testing.assert_allclose(network.predict_on_batch(images), before, atol=1e-4)
    assert (off_centre(network, "stream", images).max() < 1e-3) == movable
    level = loudness(network, ["stream"], images)
    np.testing.assert_allclose(level, level.max(), rtol=1e-3)
