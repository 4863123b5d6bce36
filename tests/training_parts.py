"""A small training: 24 faces of noise, batches of 8."""

import dataclasses

import keras

from asmnet.train import augment
from asmnet.train.recipes import RECIPES

SIZE, MARGIN, FACES = 32, 1.25, 24
RECIPE = dataclasses.replace(
    RECIPES["paper"], batch=8, augmentation=augment.Augmentation(mirror=0.5)
)


def make_network(features=6):
    """One convolution, its batch norm, and the two heads; the same weights each time."""
    keras.utils.set_random_seed(0)
    image = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Conv2D(features, 3, strides=4)(image)
    x = keras.layers.BatchNormalization(momentum=0.9, name="norm")(x)
    x = keras.layers.GlobalAveragePooling2D(name="features")(x)
    heads = {"landmarks": 136, "pose": 3}
    return keras.Model(image, {n: keras.layers.Dense(c, name=n)(x) for n, c in heads.items()})
