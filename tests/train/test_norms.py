"""Folded and fused batch norms change the time that a step takes, and nothing else."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from asmnet.train import norms
from asmnet.train.norms import folded_call, normalised_call


@pytest.fixture(scope="module")
def network():
    """Convolutions of every kind, some of which cannot take their norm in.

    Statistics, factors and offsets are as unlike those of a new network as a trained one's.
    """
    keras.utils.set_random_seed(0)
    image = keras.Input((33, 33, 3))  # odd: `same` pads all sides
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="plain")(image)
    x = layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.8, name="plain_norm")(x))
    x = layers.DepthwiseConv2D(3, strides=2, use_bias=False, name="depthwise")(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization(epsilon=0.1, name="depthwise_norm")(x))
    x = layers.BatchNormalization()(layers.Conv2D(6, 1, bias_initializer="ones")(x))
    read_twice = layers.Conv2D(6, 1, use_bias=False)(x)
    x = layers.Add()([layers.BatchNormalization()(read_twice), read_twice])
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(0.5, seed=3, name="dropout")(layers.GlobalAveragePooling2D()(x))
    heads = {"landmarks": 10, "pose": 3}
    model = keras.Model(image, {n: layers.Dense(count, name=n)(x) for n, count in heads.items()})
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights(
                [
                    gamma * rng.uniform(0.5, 1.5, gamma.shape),
                    beta + rng.normal(0, 0.3, beta.shape),
                    mean + rng.normal(0, 0.3, mean.shape),
                    variance * rng.uniform(0.5, 2, variance.shape),
                ]
            )
    return model


def test_the_answers_are_those_of_the_layers(network, rng):
    images = rng.uniform(-1, 1, (3, 33, 33, 3)).astype(np.float32)
    plain, folded = network(images, training=False), folded_call(network, images)
    for name, expected in plain.items():
        expected = ops.convert_to_numpy(expected)
        np.testing.assert_allclose(
            ops.convert_to_numpy(folded[name]), expected, atol=1e-4 * np.abs(expected).max()
        )


def test_norms_after_convolutions_alone_are_folded(network, rng, monkeypatch):
    """Not those after a bias, after a sum, or after a convolution that something else reads."""
    folded, convolve = [], norms._convolve

    def watched(layer, norm, x):
        folded.append((layer.name, norm.name))
        return convolve(layer, norm, x)

    monkeypatch.setattr(norms, "_convolve", watched)
    folded_call(network, rng.uniform(-1, 1, (3, 33, 33, 3)).astype(np.float32))
    assert folded == [("plain", "plain_norm"), ("depthwise", "depthwise_norm")]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="gradients by its tape")
def test_the_gradients_are_those_of_the_layers(network, rng):
    import tensorflow as tf

    images = rng.uniform(-1, 1, (3, 33, 33, 3)).astype(np.float32)

    def gradients(call):
        with tf.GradientTape() as tape:
            out = call()
            loss = tf.reduce_mean(tf.square(out["landmarks"])) + tf.reduce_mean(out["pose"])
        return tape.gradient(loss, [v.value for v in network.trainable_variables])

    plain = gradients(lambda: network(images, training=False))
    folded = gradients(lambda: folded_call(network, images))
    for one, other in zip(plain, folded, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-3 * float(np.abs(one).max()) + 1e-7)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="gradients by its tape")
def test_normalising_by_the_batch_is_the_layers_own(network, rng):
    """Answers, gradients, and the statistics that are kept for inference."""
    import tensorflow as tf

    images = rng.uniform(-1, 1, (16, 33, 33, 3)).astype(np.float32)
    before, chance = network.get_weights(), network.get_layer("dropout").seed_generator.state
    drawn = np.array(chance)

    def step(call):
        network.set_weights(before)
        chance.assign(drawn)  # both leave the same values out
        with tf.GradientTape() as tape:
            out = call()
            loss = tf.reduce_mean(tf.square(out["landmarks"])) + tf.reduce_mean(out["pose"])
        gradients = tape.gradient(loss, [v.value for v in network.trainable_variables])
        kept = [w.numpy() for w in network.non_trainable_weights]
        return [out["landmarks"], out["pose"], *gradients, *kept]

    plain = step(lambda: network(images, training=True))
    fused = step(lambda: normalised_call(network, images))
    network.set_weights(before)
    for one, other in zip(plain, fused, strict=True):
        # Rounding moves a few values across ReLU6's corners.
        assert np.linalg.norm(other - one) < 2e-2 * np.linalg.norm(one) + 1e-5


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="its operation")
def test_the_statistics_of_few_values_are_the_layers_own():
    """Those of 3 values: their mean square is 2 / 3 of the variance that the operation tells."""
    image = keras.Input((1, 3, 1))
    network = keras.Model(image, layers.BatchNormalization(name="norm", momentum=0.5)(image))
    normalised_call(network, np.array([0, 3, 6], np.float32).reshape(1, 1, 3, 1))
    mean, variance = network.get_layer("norm").get_weights()[2:]
    np.testing.assert_allclose([mean[0], variance[0]], [1.5, 0.5 + 0.5 * 6], rtol=1e-5)


@pytest.mark.parametrize("backend, fused", [("tensorflow", 5), ("jax", 0)])
def test_other_backends_normalise_by_their_layers(network, rng, monkeypatch, backend, fused):
    """Their compilers spare the passes over memory by themselves."""
    before, spared = network.get_weights(), []
    images = rng.uniform(-1, 1, (3, 33, 33, 3)).astype(np.float32)

    def normalise(layer, x):
        spared.append(layer)
        return layer(x, training=True)

    monkeypatch.setattr(norms, "_normalise", normalise)
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    normalised_call(network, images)
    assert len(spared) == fused
    kept = network.get_layer("depthwise_norm").get_weights()
    network.set_weights(before)
    network(images, training=True)
    np.testing.assert_allclose(kept, network.get_layer("depthwise_norm").get_weights(), rtol=1e-5)
    network.set_weights(before)
