"""A small training: 24 faces of noise, batches of 8."""

import dataclasses

from asmnet.train import augment
from asmnet.train.recipes import RECIPES

SIZE, MARGIN, FACES = 32, 1.25, 24
RECIPE = dataclasses.replace(
    RECIPES["paper"], batch=8, augmentation=augment.Augmentation(mirror=0.5)
)
