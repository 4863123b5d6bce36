"""One training, from labelled faces to `best.keras`."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from rich.console import Console
from rich.progress import track

from asmnet.core import UserError
from asmnet.train.model import build_model, count_flops, load_network
from asmnet.train.packed import pack_faces
from asmnet.train.recipes import RECIPES, Recipe
from asmnet.train.run import History, ProgressBar, State, check_run, open_run
from asmnet.train.shape_model import ShapeModel
from asmnet.train.split import gather
from asmnet.train.trainer import (
    AsmTrainingModel,
    Batches,
    Schedule,
    Validation,
    build,
    estimate_statistics,
    fit_heads,
    use_all_devices,
)

__all__ = ["MARGIN", "fit"]

MARGIN = 1.25  # crop side / longer side of the landmarks' box


def fit(
    data: str,
    run: Path,
    *,
    recipe: str = "modern",
    arch: str = "asmnet",
    loss: str = "asm",
    init: str = "imagenet",
    norm: str = "batch",
    size: int = 224,
    epochs: int | None = None,
    rate: float | None = None,
    seed: int = 0,
    validation: float = 0.1,
    skip_bad: bool = False,
    extra: Sequence[str] = (),
) -> Path:
    """Train, or go on with, one run; see `asmnet-train --help` for the arguments.

    Returns:
        the path of the run's `best.keras`.

    Raises:
        UserError: bad data, settings or faces that differ from the run's, an unusable `init`,
            or another training in the same folder.
    """
    console = Console(markup=False, soft_wrap=True)
    chosen = RECIPES[recipe]
    chosen = dataclasses.replace(
        chosen, epochs=epochs or chosen.epochs, learning_rate=rate or chosen.learning_rate
    )
    settings = dict(data=data, recipe=recipe, arch=arch, loss=loss, init=init, norm=norm, size=size)
    settings |= dict(epochs=chosen.epochs, rate=chosen.learning_rate, seed=seed)
    settings |= dict(validation=validation, margin=MARGIN, skip_bad=skip_bad)
    if extra:
        settings["extra"] = list(extra)
    resumed = check_run(run, settings)
    faces = gather(data, extra, validation, seed, skip_bad)

    devices = use_all_devices(chosen.batch)
    keras.utils.set_random_seed(seed)
    network, copied = _initialise(arch, faces.scheme.name, size, init, chosen)
    console.print(
        f"{network.name}: {network.count_params() / 1e6:.3f} M parameters, "
        f"{count_flops(network) / 1e9:.3f} GFLOP; {len(faces.learning)} faces to learn from, "
        f"{len(faces.held_out)} held out, {len(faces.skipped)} skipped; "
        f"{keras.backend.backend()}, {devices} device(s){'; resumed' if resumed else ''}"
    )

    def bar(pictures):
        return track(pictures, "reading pictures", console=console, transient=True)

    packed = pack_faces(faces.learning, size, MARGIN, bar)
    judged = faces.held_out or faces.learning[:100]
    validation_figures = Validation(network, judged, faces.scheme, MARGIN)
    shape_model = ShapeModel.fit(packed.points, faces.scheme)
    frozen = norm == "frozen"
    averaged = frozen and chosen.average > 0
    fine_tuning = init.endswith(".keras")
    if not fine_tuning:
        _start_at_mean(network, packed.points)
    model = AsmTrainingModel(network, chosen, assist=loss == "asm", frozen=frozen)
    batches = Batches(packed, shape_model, chosen, size, MARGIN, seed)
    model.compile(chosen.optimizer(chosen.epochs * len(batches), averaged))
    build(model, batches)
    # Variables that the first step has to make would have it traced twice.
    model.optimizer.build(model.trainable_variables)
    with open_run(run, settings, faces.record()):
        shape_model.save(run / "shape.npz")
        state = State(run / "state.npz")
        first = state.restore(model)
        batches.start(first)
        if first == 0 and frozen:
            # Of another input size, or trained under other statistics than these faces have: or
            # not; then the network's own are the ones that its weights have learned to live with.
            own = {name: network.get_layer(name).get_weights() for name in copied}
            before = validation_figures.measure()["val_nme"] if "landmarks" in own else math.inf
            estimate_statistics(model, batches)
            if validation_figures.measure()["val_nme"] > before:
                for name, weights in own.items():
                    network.get_layer(name).set_weights(weights)
        if first == 0 and fine_tuning and "landmarks" not in copied:
            fit_heads(model, batches)
        history = History(run, network)
        observers = [validation_figures, history, ProgressBar(chosen.epochs, len(batches))]
        if all(map(importlib.util.find_spec, ("tensorflow", "tensorboard"))):
            observers.append(keras.callbacks.TensorBoard(run / "tensorboard", write_graph=False))
        swap = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if averaged else []
        # Without frozen statistics one more row follows the last epoch: re-estimated ones.
        if not history.reached(chosen.epochs - frozen):
            model.fit(
                batches,
                epochs=chosen.epochs,
                initial_epoch=first,
                verbose=0,
                callbacks=[Schedule(chosen.epochs, fine_tuning), *swap, *observers, state],
            )
            if not frozen:
                estimate_statistics(model, batches)
                history.on_epoch_end(chosen.epochs, validation_figures.measure())
    for note in faces.notes:
        console.print(note)
    if faces.skipped:
        console.print(f"left out {len(faces.skipped)}, the first: {faces.skipped[0]}")
    console.print(history.summary(chosen.epochs))
    return run / "best.keras"


def _initialise(
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


def _start_at_mean(network: keras.Model, points: np.ndarray) -> None:
    """Let an untrained landmark head answer the mean face: it has to learn deviations only."""
    head = network.get_layer("landmarks")
    side = np.ptp(points, axis=1).max(axis=-1)[:, None, None] * MARGIN
    middle = (points.max(axis=1, keepdims=True) + points.min(axis=1, keepdims=True)) / 2
    head.bias.assign(((points - middle) / side).mean(axis=0).ravel())
    head.kernel.assign(np.zeros(head.kernel.shape))
