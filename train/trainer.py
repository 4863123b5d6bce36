"""The training loop: Keras' own `fit`, on any backend, one device or several."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import keras
import numpy as np
from keras import ops

from asmnet.core import Scheme, nme, pose_mae, ridge_regression
from asmnet.data.datasets import Face
from asmnet.data.images import crop_faces, poses_of, to_inputs
from asmnet.train import augment
from asmnet.train.folding import folded_call
from asmnet.train.loss import alpha_at, total_loss
from asmnet.train.packed import PackedFaces
from asmnet.train.recipes import Recipe
from asmnet.train.shape_model import ShapeModel

__all__ = [
    "AsmTrainingModel",
    "Batches",
    "Schedule",
    "Validation",
    "build",
    "estimate_statistics",
    "fit_heads",
    "predict",
    "use_all_devices",
]


class AsmTrainingModel(keras.Model):
    """A network under the ASM-assisted loss; augmentation runs inside the compiled step.

    Args:
        network: maps (B, size, size, 3) to "landmarks" and "pose".
        recipe: tells the distance.
        assist: whether the ASM term counts.
        frozen: normalise by the stored batch-norm statistics while training.
    """

    def __init__(self, network: keras.Model, recipe: Recipe, assist: bool, frozen: bool):
        super().__init__()
        self.network = network
        self.recipe = recipe
        self.assist = assist
        self.frozen = frozen
        # Weights, not attributes: they change between epochs on every backend, and
        # `finished` travels inside the saved state.
        self.alpha = self.add_weight(shape=(), initializer="ones", trainable=False, name="alpha")
        self.finished = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="finished"
        )

    def call(self, inputs: dict, training: bool = False) -> dict:
        """Network outputs of augmented packed pictures."""
        images = augment.apply(inputs["images"], inputs, self.network.input_shape[1])
        if training and self.frozen:
            return folded_call(self.network, images)
        return self.network(images, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The paper's L (Eq. 12); plain regression when not assisted."""
        alpha = self.alpha if self.assist else 0.0
        return total_loss(y, y_pred, alpha, self.recipe.distance)


class Schedule(keras.callbacks.Callback):
    """Sets the ASM term's weight for the epoch.

    Fine-tuning of a trained network stays in the schedule's last third: going back
    to the smooth shapes would undo its details.
    """

    def __init__(self, epochs: int, fine_tuning: bool):
        super().__init__()
        self.epochs, self.fine_tuning = epochs, fine_tuning

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:  # noqa: D102
        third = self.epochs - 1 if self.fine_tuning else epoch
        self.model.alpha.assign(alpha_at(third, self.epochs))


class Validation(keras.callbacks.Callback):
    """Adds the validation figures of each epoch to its logs; first among the observers."""

    def __init__(self, network: keras.Model, faces: Sequence[Face], scheme: Scheme, margin: float):
        super().__init__()
        self.network, self.scheme = network, scheme
        self.images, self.points, _ = crop_faces(faces, network.input_shape[1], margin)
        self.pose = poses_of(faces)

    def measure(self) -> dict[str, float]:
        """Mean NME in % and, where poses are known, the mean of their MAE in degrees."""
        found, angles = predict(self.network, self.images)
        figures = {"val_nme": float(nme(found, self.points, self.scheme).mean())}
        known = ~np.isnan(self.pose).any(axis=1)
        if known.any():
            figures["val_pose_mae"] = float(pose_mae(angles[known], self.pose[known]).mean())
        return figures

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:  # noqa: D102
        if logs is not None:
            logs.update(self.measure())


class Batches(keras.utils.PyDataset):
    """Shuffled, augmented batches; a function of seed and epoch alone, so runs resume exactly."""

    def __init__(
        self,
        faces: PackedFaces,
        shape_model: ShapeModel,
        recipe: Recipe,
        size: int,
        margin: float,
        seed: int,
    ):
        super().__init__(workers=1)
        self.faces, self.recipe, self.scheme = faces, recipe, shape_model.scheme
        self.size, self.margin, self.seed = size, margin, seed
        self.smoothed = ops.convert_to_numpy(shape_model.smooth(faces.points))
        self.start(0)

    def __len__(self) -> int:
        """Whole batches only: one shape, one compilation."""
        return max(1, len(self.faces.points) // self.recipe.batch)

    def start(self, epoch: int) -> None:
        """Put the batches of `epoch` in order."""
        self.epoch = epoch
        order = np.random.default_rng((self.seed, self.epoch)).permutation(len(self.faces.points))
        self.order = np.resize(order, max(len(order), self.recipe.batch))

    def on_epoch_end(self) -> None:
        """Next epoch, next order."""
        self.start(self.epoch + 1)

    def __getitem__(self, index: int) -> tuple[dict, dict]:
        """Packed pictures with the parameters of their augmentation, and moved labels."""
        chosen = self.order[index * self.recipe.batch :][: self.recipe.batch]
        parameters, targets = augment.draw(
            np.random.default_rng((self.seed, self.epoch, index)),
            self.faces.points[chosen],
            self.smoothed[chosen],
            self.faces.pose[chosen],
            self.scheme,
            self.recipe.strength,
            self.faces.images.shape[1],
            self.size,
            self.margin,
            self.faces.weights[chosen],
        )
        return {"images": self.faces.images[chosen], **parameters}, targets


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


def build(model: keras.Model, batches: Batches) -> None:
    """Build a model of batches without running it, for which JAX would compile each operation."""
    inputs, _ = batches[0]
    model({key: keras.KerasTensor(x.shape, str(x.dtype)) for key, x in inputs.items()})


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
        return self.network(images, training=True)


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
        normalising.predict_on_batch(batches[step][0])
        for total, weight in zip(totals, weights, strict=True):
            total += ops.convert_to_numpy(weight)
    for layer, value in zip(norms, momentum, strict=True):
        layer.momentum = value
    for total, weight in zip(totals, weights, strict=True):
        weight.assign(total / rounds)


def fit_heads(
    model: AsmTrainingModel, batches: Batches, rounds: int = 160, ridge: float = 1e-3
) -> None:
    """Start new heads on a trained trunk from the ridge regression of the labels.

    By gradient descent alone they take many epochs to reach degrees and the right scale,
    and spoil the trunk meanwhile.

    Args:
        rounds: batches of augmented faces to regress on.
        ridge: regularization relative to the features' mean square.
    """
    network = model.network
    trunk = keras.Model(network.input, network.get_layer("features").output)
    size = network.input_shape[1]
    features, points, pose = [], [], []
    for step in range(rounds):
        if step % len(batches) == 0:
            batches.start(step // len(batches))  # the same faces, otherwise augmented
        inputs, targets = batches[step % len(batches)]
        inputs = {key: ops.convert_to_tensor(value) for key, value in inputs.items()}
        x = augment.apply(inputs["images"], inputs, size)
        features.append(trunk.predict_on_batch(x))
        points.append(targets["landmarks"])
        pose.append(targets["pose"])
    x, labels = np.concatenate(features), {"landmarks": np.concatenate(points)}
    labels["pose"] = np.concatenate(pose)
    for name, y in labels.items():
        known = ~np.isnan(y).any(axis=1)
        if not known.any():
            continue
        a = x[known].astype(np.float64)
        strength = ridge * a.var(axis=0).mean() * len(a) + 1e-9
        kernel, bias = ridge_regression(a, y[known], strength)
        head = network.get_layer(name)
        head.kernel.assign(kernel)
        head.bias.assign(bias)
    batches.start(0)


def use_all_devices(batch: int) -> int:
    """Spread batches over all devices that the backend sees; returns how many.

    Only the JAX backend distributes through Keras.
    """
    if keras.backend.backend() != "jax":
        return 1
    devices = keras.distribution.list_devices()
    count = math.gcd(len(devices), batch)
    if count > 1:
        keras.distribution.set_distribution(
            keras.distribution.DataParallel(devices=devices[:count])
        )
    return count
