"""One training, from labelled faces to `best.keras`."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.util
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console
from rich.progress import track

from asmnet.core import ModelSpec, UserError
from asmnet.train.asm_model import AsmTrainingModel, build, use_all_devices
from asmnet.train.batches import Batches
from asmnet.train.callbacks import ProgressBar, Schedule, Validation
from asmnet.train.cores import parts_for
from asmnet.train.label_offset import LabelOffset
from asmnet.train.model import count_flops
from asmnet.train.packed import pack_faces
from asmnet.train.processes import join
from asmnet.train.recipes import RECIPES, Recipe
from asmnet.train.run import History, State, check_run, open_run, save_model
from asmnet.train.shape_model import ShapeModel
from asmnet.train.split import TrainingFaces, gather
from asmnet.train.statistics import estimate_statistics, settle_statistics
from asmnet.train.warm_start import fit_heads, initialise, shrink_heads, start_at_mean

__all__ = ["MARGIN", "fit"]

MARGIN = ModelSpec.margin  # crop side / longer side of the landmarks' box


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
    batch: int | None = None,
    seed: int = 0,
    validation: float = 0.1,
    skip_bad: bool = False,
    extra: Sequence[str] = (),
    shares: Sequence[float] = (),
    epoch_faces: int = 20_000,
) -> Path:
    """Train, or go on with, one run; see `asmnet-train --help` for the arguments.

    Returns:
        the path of the run's `best.keras`.

    Raises:
        UserError: bad data, settings or faces that differ from the run's, an unusable `init`,
            another training in the same folder, or other processes that train on something else.
    """
    chosen = _chosen(recipe, epochs, rate, batch)
    settings = dict(data=data, recipe=recipe, arch=arch, loss=loss, init=init, norm=norm, size=size)
    settings |= dict(epochs=chosen.epochs, rate=chosen.learning_rate, seed=seed)
    settings |= dict(validation=validation, margin=MARGIN, skip_bad=skip_bad)
    if chosen.batch != RECIPES[recipe].batch:
        settings["batch"] = chosen.batch
    if extra:
        settings["extra"] = list(extra)
    if shares:
        _check_shares(shares, 1 + len(extra))
        settings |= dict(shares=list(shares), epoch_faces=epoch_faces)
    resumed = check_run(run, settings)
    frozen, fine_tuning = norm == "frozen", init.endswith(".keras")
    parts = parts_for(chosen.batch) if frozen else 1  # before anything is computed
    faces = gather(data, extra, validation, seed, skip_bad)

    keras.utils.set_random_seed(seed)
    processes = join()
    processes.agree(_given(settings, faces, run))
    writes = processes.index == 0
    console = Console(markup=False, soft_wrap=True, quiet=not writes)
    devices = use_all_devices(chosen.batch, processes.count)
    network, copied = initialise(arch, faces.scheme.name, size, init, chosen)
    console.print(
        f"{_size(network)}; {_numbers(faces)}; {keras.backend.backend()}, {devices} device(s)"
        f"{f' of {processes.count} processes' if processes.count > 1 else ''}"
        f"{'; resumed' if resumed else ''}"
    )

    def bar(pictures: Iterable) -> Iterable:
        return track(pictures, "reading pictures", console=console, transient=True)

    packed = pack_faces(faces.learning, size, MARGIN, bar)
    validations = _validations(network, faces)
    offset = None
    if chosen.augmentation.mirror:
        offset = LabelOffset(network, faces.learning[: faces.counts[0]], MARGIN)
    shape_model = ShapeModel.fit(packed.points, faces.scheme)
    averaged = frozen and chosen.ema_momentum > 0
    if not fine_tuning:
        start_at_mean(network, packed.points, MARGIN)
    model = AsmTrainingModel(network, chosen, assist=loss == "asm", frozen=frozen, parts=parts)
    chances = _chances(shares, faces.counts) if shares else None
    rows = processes.rows(chosen.batch)
    batches = Batches(packed, shape_model, chosen, size, MARGIN, seed, chances, epoch_faces, rows)
    model.compile(chosen.optimizer(chosen.epochs * len(batches), averaged))
    build(model, batches)
    # Variables that the first step has to make would have it traced twice.
    model.optimizer.build(model.trainable_variables)
    record = open_run(run, settings, faces.record()) if writes else contextlib.nullcontext()
    with processes.told(), record:
        if writes:
            shape_model.save(run / "shape.npz")
        state = State(run / "state.npz", writes)
        first = state.restore(model)
        batches.start(first)
        if first == 0 and frozen:
            settle_statistics(model, batches, copied, validations[0])
        if first == 0 and fine_tuning and "landmarks" not in copied:
            fit_heads(model, batches)
        history = History(run, network)
        observers: list[keras.callbacks.Callback] = [*validations]
        if writes:
            observers += [history, ProgressBar(chosen.epochs, len(batches))]
        if processes.count == 1:
            observers += _tensorboard(run)
        if offset:
            observers = offset.around(observers)
        swap = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if averaged else []
        # Without frozen statistics one more row follows the last epoch: re-estimated ones.
        if not history.reached(chosen.epochs - frozen):
            model.fit(
                batches,
                epochs=chosen.epochs,
                initial_epoch=first,
                verbose=0,
                shuffle=False,  # the batches are, by the seed
                callbacks=[Schedule(chosen.epochs, fine_tuning), *swap, *observers, state],
            )
            if not frozen:
                estimate_statistics(model, batches)
                with offset.added() if offset else contextlib.nullcontext():
                    figures = _measure(validations)
                    if writes:
                        history.on_epoch_end(chosen.epochs, figures)
            # The best network is a file, which other machines may not see.
            if fine_tuning and processes.count == 1 and (best := run / "best.keras").exists():
                network.load_weights(best)
                shrink_heads(network, batches)
                save_model(network, best)
                listed = ", ".join(f"{k} {v:.3f}" for k, v in _measure(validations).items())
                console.print(f"heads made small: {listed}")
    for line in [*_remarks(faces), history.summary(chosen.epochs)]:
        console.print(line)
    return run / "best.keras"


def _chosen(recipe: str, epochs: int | None, rate: float | None, batch: int | None) -> Recipe:
    """A recipe with what the caller set otherwise."""
    given: dict[str, Any] = {"epochs": epochs, "learning_rate": rate, "batch": batch}
    return dataclasses.replace(RECIPES[recipe], **{k: v for k, v in given.items() if v})


def _remarks(faces: TrainingFaces) -> list[str]:
    """What was not there, and which faces were left out."""
    if not faces.skipped:
        return [*faces.notes]
    return [*faces.notes, f"left out {len(faces.skipped)}, the first: {faces.skipped[0]}"]


def _tensorboard(run: Path) -> list[keras.callbacks.Callback]:
    """Its log, where it is installed; one process of several cannot compute what it needs."""
    if all(map(importlib.util.find_spec, ("tensorflow", "tensorboard"))):
        return [keras.callbacks.TensorBoard(run / "tensorboard", write_graph=False)]
    return []


def _check_shares(shares: Sequence[float], sources: int) -> None:
    if len(shares) != sources or not sum(shares) > 0:
        given = ",".join(f"{share:g}" for share in shares)
        raise UserError(
            f"--shares {given}: give one number for --data and one for each of "
            f"{sources - 1} --extra, not all 0"
        )


def _size(network: keras.Model) -> str:
    return (
        f"{network.name}: {network.count_params() / 1e6:.3f} M parameters, "
        f"{count_flops(network) / 1e9:.3f} GFLOP"
    )


def _numbers(faces: TrainingFaces) -> str:
    held_out = len(faces.held_out) + len(faces.held_out_extra)
    return (
        f"{len(faces.learning)} faces to learn from, {held_out} held out, "
        f"{len(faces.skipped)} skipped"
    )


def _validations(network: keras.Model, faces: TrainingFaces) -> list[Validation]:
    """On the held-out faces of `--data`, which tell the best epoch, and on those of `--extra`."""
    found = [Validation(network, faces.held_out or faces.learning[:100], faces.scheme, MARGIN)]
    if faces.held_out_extra:
        found += [Validation(network, faces.held_out_extra, faces.scheme, MARGIN, "val_extra")]
    return found


def _measure(validations: Sequence[Validation]) -> dict[str, float]:
    return {key: value for each in validations for key, value in each.measure().items()}


def _given(settings: Mapping[str, Any], faces: TrainingFaces, run: Path) -> dict[str, str]:
    """What processes that train together must have been given alike, wherever it lies."""
    paths = ("data", "extra", "init")
    init = Path(settings["init"])
    return {
        "settings": json.dumps({k: v for k, v in settings.items() if k not in paths}),
        "faces or labels": json.dumps(faces.record()),
        "initial weights": _digest(init) if init.is_file() else str(init),
        "run folder": _digest(run / "state.npz") + _digest(run / "log.csv"),
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "absent"


def _chances(shares: Sequence[float], counts: Sequence[int]) -> np.ndarray:
    """How often each face is drawn, so that each source has its share however large it is."""
    each = [share / max(count, 1) for share, count in zip(shares, counts, strict=True)]
    return np.repeat(each, counts)
