"""The network under its loss: what Keras' own `fit` trains, on one device or several."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np

from asmnet.core import UserError
from asmnet.data.images import to_inputs
from asmnet.train import augment
from asmnet.train.batches import Batches
from asmnet.train.cores import in_parts
from asmnet.train.loss import total_loss
from asmnet.train.norms import folded_call, normalised_call
from asmnet.train.recipes import Recipe
from asmnet.train.tensors import Tensor

__all__ = ["AsmTrainingModel", "build", "predict", "use_all_devices"]


class AsmTrainingModel(keras.Model):
    """A network under the ASM-assisted loss; augmentation runs inside the compiled step.

    Args:
        network: maps (B, size, size, 3) to "landmarks" and "pose".
        recipe: tells the distance.
        assist: whether the ASM term counts.
        frozen: normalise by the stored batch-norm statistics while training.
        parts: of a batch that run side by side in a training step; frozen ones only.
    """

    def __init__(
        self, network: keras.Model, recipe: Recipe, assist: bool, frozen: bool, parts: int = 1
    ):
        super().__init__()
        self.network = network
        self.recipe = recipe
        self.assist = assist
        self.frozen = frozen
        self.parts = parts
        # Weights, not attributes: they change between epochs on every backend, and
        # `finished` travels inside the saved state.
        self.alpha = self.add_weight(shape=(), initializer="ones", trainable=False)
        self.finished = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs: dict, training: bool = False) -> dict:
        """Network outputs of augmented packed pictures."""
        if training and self.frozen:
            return in_parts(self._frozen_call, inputs, self.recipe.batch, self.parts)
        images = self._augmented(inputs)
        if training:
            return normalised_call(self.network, images)
        return self.network(images, training=False)

    def _augmented(self, inputs: dict) -> Tensor:
        return augment.apply(inputs["images"], inputs, self.network.input_shape[1])

    def _frozen_call(self, inputs: dict) -> dict:
        return folded_call(self.network, self._augmented(inputs))

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:
        """The paper's L (Eq. 12); plain regression when not assisted."""
        alpha = self.alpha if self.assist else 0.0
        return total_loss(y, y_pred, alpha, self.recipe.point_loss)


def build(model: keras.Model, batches: Batches) -> None:
    """Build a model of batches without running it, for which JAX would compile each operation."""
    inputs, _ = batches.whole(0)
    model({key: keras.KerasTensor(x.shape, str(x.dtype)) for key, x in inputs.items()})


def predict(
    network: keras.Model,
    images: np.ndarray,
    batch: int = 64,
    progress: Callable[[Iterable], Iterable] = iter,
) -> tuple[np.ndarray, np.ndarray]:
    """Run a network on crops.

    Args:
        images: (M, size, size, 3) uint8 RGB.
        batch: how many at a time; of more, all batches have this size, for one compilation.
        progress: wraps the iteration, to show a bar.

    Returns:
        landmarks (M, N, 2) crop units and pose (M, 3) degrees, float32.
    """
    landmarks, pose = [], []
    for start in progress(range(0, len(images), batch)):
        chunk = images[start : start + batch]
        short = batch - len(chunk) if len(images) > batch else 0
        chunk = np.pad(chunk, ((0, short), (0, 0), (0, 0), (0, 0)))
        out = network.predict_on_batch(to_inputs(chunk))
        landmarks.append(out["landmarks"][: batch - short])
        pose.append(out["pose"][: batch - short])
    points = np.concatenate(landmarks)
    return points.reshape(len(images), -1, 2), np.concatenate(pose)


def use_all_devices(batch: int, processes: int = 1) -> int:
    """Spread batches over all devices that the backend sees; returns how many.

    Only the JAX backend distributes through Keras.

    Args:
        batch: faces a step, of all devices together.
        processes: how many share the training, with as many devices each.

    Raises:
        UserError: the devices of several processes cannot share a batch evenly.
    """
    if keras.backend.backend() != "jax":
        return 1
    devices = keras.distribution.list_devices()
    count = math.gcd(len(devices), batch)
    if processes > 1 and count < len(devices):
        raise UserError(
            f"{len(devices)} devices cannot share a batch of {batch} faces evenly; give --batch, "
            f"a multiple of {len(devices)}"
        )
    if count > 1:
        distribution = keras.distribution.DataParallel(
            devices=devices[:count],
            auto_shard_dataset=False,  # `Batches` gives each process its rows
        )
        keras.distribution.set_distribution(distribution)
    return count
