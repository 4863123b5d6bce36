"""Preparing weights: the same function in a copy of the network that bears rounding better."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asmnet.cli.progress import Progress, no_progress
from asmnet.data.images import to_inputs
from asmnet.export.weights.bias_correction import correct_bias
from asmnet.export.weights.equalize import equalize
from asmnet.export.weights.prune import prune

if TYPE_CHECKING:
    import keras

__all__ = ["prepare"]

# Crops for equalization and bias correction, whose means settle sooner than ranges do; a channel
# is silent only if it is so on all there are.
PREPARED_ON = 64


def prepare(
    network: keras.Model,
    crops: np.ndarray,
    centre: bool,
    correct: bool = True,
    progress: Progress = no_progress,
) -> keras.Model:
    """A pruned, equalized, bias-corrected copy of a network.

    Args:
        network: the trained one, which stays as it is.
        crops: (M, size, size, 3) uint8 RGB, of which `PREPARED_ON` are looked at.
        centre: see `equalize`; good where what follows the poolings stays float.
        correct: correct biases, which is right once the weights are rounded, and not before.
    """
    some = crops[np.linspace(0, len(crops) - 1, min(PREPARED_ON, len(crops))).astype(int)]
    images = to_inputs(some)
    for _ in progress([None], "preparing weights"):
        copy = prune(network, crops)
        equalize(copy, images, centre=centre)
        if correct:
            correct_bias(copy, images)
    return copy
