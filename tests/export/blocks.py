"""A network of three inverted bottlenecks: what MobileNetV2 is made of, in a few weights."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from tests.networks import shake_norms

SIZE = 8


def bottleneck(
    x: keras.KerasTensor, name: str, wide: int, narrow: int, stride: int = 1
) -> keras.KerasTensor:
    """Expand, filter each channel alone, project; with stride 2, zeros come from a layer."""
    x = layers.Conv2D(wide, 1, use_bias=False, name=f"{name}_expand")(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization(name=f"{name}_expand_BN")(x))
    if stride == 2:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    x = layers.DepthwiseConv2D(
        3,
        strides=stride,
        padding="same" if stride == 1 else "valid",
        use_bias=False,
        name=f"{name}_depthwise",
    )(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization(name=f"{name}_depthwise_BN")(x))
    x = layers.Conv2D(narrow, 1, use_bias=False, name=f"{name}_project")(x)
    return layers.BatchNormalization(name=f"{name}_project_BN")(x)


def small_network(seed: int = 0) -> keras.Model:
    """Poolings of two streams and a map that keeps positions, under two heads.

    "a" and "b" are one stream, by a residual addition; "c" is another.  The map reads the first by
    a convolution whose stride is its kernel.
    """
    keras.utils.set_random_seed(seed)
    image = keras.Input((SIZE, SIZE, 3), name="image")
    a = bottleneck(image, "a", 16, 6)
    ab = layers.Add(name="ab")([a, bottleneck(a, "b", 24, 6)])
    c = bottleneck(ab, "c", 16, 5, stride=2)
    coarse = layers.Conv2D(4, 2, strides=2, use_bias=False, name="coarse")(ab)
    fine = layers.Conv2D(4, 1, use_bias=False, name="fine")(c)
    norms = [layers.BatchNormalization()(coarse), layers.BatchNormalization()(fine)]
    positions = layers.Flatten()(layers.Add(name="fuse")(norms))
    pools = [layers.GlobalAveragePooling2D()(ab), layers.GlobalAveragePooling2D()(c)]
    features = layers.Concatenate(name="features")([*pools, positions])
    heads = {"landmarks": 4, "pose": 3}
    network = keras.Model(
        image, {name: layers.Dense(count, name=name)(features) for name, count in heads.items()}
    )
    shake_norms(network, seed)
    return network


def outputs_of(network: keras.Model, names: list[str], images: np.ndarray) -> list[np.ndarray]:
    """What layers answer, by name."""
    probe = keras.Model(network.input, {name: network.get_layer(name).output for name in names})
    answers = probe.predict_on_batch(images)
    return [answers[name] for name in names]
