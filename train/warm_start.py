"""Where a training starts: ImageNet's weights or another network's, and heads that fit them."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from asmnet.core import UserError, ridge_regression
from asmnet.train import augment
from asmnet.train.asm_model import AsmTrainingModel
from asmnet.train.batches import Batches
from asmnet.train.model import build_model, load_network
from asmnet.train.recipes import Recipe

__all__ = ["fit_heads", "initialise", "shrink_heads", "start_at_mean"]

# The largest that cost held-out faces next to nothing (experiments.md, Small heads).
SMALL = {"landmarks": 3e-3, "pose": 1e-1}


def initialise(
    arch: str, scheme: str, size: int, init: str, recipe: Recipe
) -> tuple[keras.Model, set[str]]:
    """Build the network and fill it from `init`; the names of the layers that came from there."""
    if not init.endswith(".keras"):
        weights = None if init == "none" else init
        return build_model(arch, scheme, size, weights, recipe.dropout), set()
    network = build_model(arch, scheme, size, None, recipe.dropout)
    try:
        source = load_network(init)
    except UserError as error:
        raise UserError(f"cannot start from {init}: {error}; give a trained .keras file") from error
    copied = _transfer(source, network)
    if not copied:
        raise UserError(f"cannot start from {init}: it has no layer of {network.name}")
    return network, copied


def _transfer(source: keras.Model, network: keras.Model) -> set[str]:
    """Copy the layers that both networks have, by name and shapes; which ones.

    A head with more features than the given one's ignores the new ones at first:
    `asmnet_spatial` starts as the `asmnet` that it contains.
    """
    given = {layer.name: layer.get_weights() for layer in source.layers}
    widened = (source.name.split("_")[0], network.name[:14]) == ("asmnet", "asmnet_spatial")
    copied = set()
    for layer in network.layers:
        weights = given.get(layer.name, [])
        if widened and isinstance(layer, keras.layers.Dense) and len(weights) == 2:
            missing = layer.kernel.shape[0] - len(weights[0])
            weights[0] = np.pad(weights[0], ((0, max(missing, 0)), (0, 0)))
        if weights and [w.shape for w in weights] == [tuple(w.shape) for w in layer.weights]:
            layer.set_weights(weights)
            copied.add(layer.name)
    return copied


def start_at_mean(network: keras.Model, points: np.ndarray, margin: float) -> None:
    """Let an untrained landmark head answer the mean face: it has to learn deviations only."""
    head = network.get_layer("landmarks")
    side = np.ptp(points, axis=1).max(axis=-1)[:, None, None] * margin
    middle = (points.max(axis=1, keepdims=True) + points.min(axis=1, keepdims=True)) / 2
    head.bias.assign(((points - middle) / side).mean(axis=0).ravel())
    head.kernel.assign(np.zeros(head.kernel.shape))


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
    x, labels = _seen(network, batches, rounds)
    for name, y in labels.items():
        known = ~np.isnan(y).any(axis=1)
        if known.any():
            _regress(network.get_layer(name), x[known], y[known], ridge)


def shrink_heads(
    network: keras.Model,
    batches: Batches,
    rounds: int = 160,
    ridges: Mapping[str, float] = SMALL,
) -> None:
    """Make trained heads as small as their answers allow, so that int8 disturbs these less.

    A regression on 1,500 features, most of which vary together, leaves large weights that
    cancel each other out, and a training keeps or makes them.  Rounded features do not cancel
    out.  So the heads become the ridge regression of their own answers
    (docs/measurements/experiments.md).

    Args:
        rounds: batches of augmented faces to regress on.
        ridges: for each head, relative to the features' mean square.
    """
    x, _ = _seen(network, batches, rounds)
    for name, ridge in ridges.items():
        head = network.get_layer(name)
        _regress(head, x, ops.convert_to_numpy(head(x)), ridge)


def _seen(
    network: keras.Model, batches: Batches, rounds: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Features of so many batches of augmented faces, and their labels."""
    trunk = keras.Model(network.input, network.get_layer("features").output)
    size = network.input_shape[1]
    features, points, pose = [], [], []
    for step in range(rounds):
        if step % len(batches) == 0:
            batches.start(step // len(batches))  # the same faces, otherwise augmented
        inputs, targets = batches.whole(step % len(batches))
        inputs = {key: ops.convert_to_tensor(value) for key, value in inputs.items()}
        x = augment.apply(inputs["images"], inputs, size)
        features.append(trunk.predict_on_batch(x))
        points.append(targets["landmarks"])
        pose.append(targets["pose"])
    batches.start(0)
    labels = {"landmarks": np.concatenate(points), "pose": np.concatenate(pose)}
    return np.concatenate(features), labels


def _regress(head: keras.layers.Dense, x: np.ndarray, y: np.ndarray, ridge: float) -> None:
    """Make a head the ridge regression of `y` (M, K) on features `x` (M, F)."""
    a = x.astype(np.float64)
    strength = ridge * a.var(axis=0).mean() * len(a) + 1e-9
    kernel, bias = ridge_regression(a, y, strength)
    head.kernel.assign(kernel)
    head.bias.assign(bias)
