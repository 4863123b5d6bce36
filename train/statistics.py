"""Batch-norm statistics, estimated afresh for the present weights and input size."""

from __future__ import annotations

import math
from collections.abc import Collection

import keras
import numpy as np
from keras import ops

from asmnet.train import augment
from asmnet.train.asm_model import AsmTrainingModel, build
from asmnet.train.batches import Batches
from asmnet.train.callbacks import Validation
from asmnet.train.norms import normalised_call

__all__ = ["estimate_statistics", "settle_statistics"]


class _Normalising(keras.Model):
    """A network that normalises by the batch, which its statistics take up, and learns nothing.

    Its `predict_on_batch` is compiled; layers called one by one are not, which under JAX means
    that every operation is, by itself.
    """

    def __init__(self, network: keras.Model):
        super().__init__(name="normalising")
        self.network = network

    def call(self, inputs: dict, training: bool = False) -> dict:
        """Network outputs of augmented packed pictures."""
        images = augment.apply(inputs["images"], inputs, self.network.input_shape[1])
        return normalised_call(self.network, images)


def estimate_statistics(model: AsmTrainingModel, batches: Batches, rounds: int = 40) -> None:
    """Re-estimate the batch-norm statistics for the present weights and input size.

    Moving statistics lag behind weights that move, and remember the last few
    batches only.  Here every round counts the same: the plain mean over
    `rounds` batches, or all if they are fewer.
    """
    norms = [
        layer
        for layer in model.network.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    weights = [weight for layer in norms for weight in layer.non_trainable_weights]
    momentum = [layer.momentum for layer in norms]
    totals = [np.zeros(weight.shape) for weight in weights]
    rounds = min(rounds, len(batches))  # a batch is the same every time
    for layer in norms:
        layer.momentum = 0.0
    normalising = _Normalising(model.network)
    build(normalising, batches)
    for step in range(rounds):
        normalising.predict_on_batch(batches.whole(step)[0])
        for total, weight in zip(totals, weights, strict=True):
            total += ops.convert_to_numpy(weight)
    for layer, value in zip(norms, momentum, strict=True):
        layer.momentum = value
    for total, weight in zip(totals, weights, strict=True):
        weight.assign(total / rounds)


def settle_statistics(
    model: AsmTrainingModel, batches: Batches, copied: Collection[str], validation: Validation
) -> None:
    """Choose the statistics with which a training with frozen ones begins.

    A network that comes from another input size, or from other faces, needs those of the new
    ones; one whose weights have learned to live with its own keeps them.  The held-out faces
    tell which.

    Args:
        model: a training.
        batches: its faces.
        copied: names of the layers that came from a trained network.
        validation: held-out faces.
    """
    network = model.network
    own = {name: network.get_layer(name).get_weights() for name in copied}
    before = validation.measure()["val_nme"] if "landmarks" in own else math.inf
    estimate_statistics(model, batches)
    if validation.measure()["val_nme"] > before:
        for name, weights in own.items():
            network.get_layer(name).set_weights(weights)
