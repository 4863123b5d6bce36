"""The paper's four models under one schedule, several seeds each, judged on the same faces.

RUN/NAME-seedK/         one run folder of `asmnet-train` each, with its test.npz
RUN/tables.md, .json    what they show, beside what the paper printed
RUN/ablation.png        the error distributions, and the mean errors

Within a seed the models differ in architecture and loss only; a seed also chooses the
faces that are held out to select `best.keras`.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asmnet.core import IBUG68, UserError, atomic_path, nme, to_scheme
from asmnet.data.datasets import SUBSETS_300W, Dataset, read_dataset
from asmnet.data.images import crop_faces, poses_of
from asmnet.evaluate.ablation.statistics import Scores, difference, summarise
from asmnet.train.split import fingerprint

__all__ = ["MODELS", "SPATIAL", "ablation", "find_tests"]

# The paper's names, each with its architecture and loss; then our own, on request.
MODELS = {
    "mnv2": ("mobilenetv2", "mse"),
    "mnv2_r": ("mobilenetv2", "asm"),
    "ASMNet_nr": ("asmnet", "mse"),
    "ASMNet": ("asmnet", "asm"),
}
SPATIAL = {"asmnet_spatial": ("asmnet_spatial", "asm")}
PAIRS = (("mnv2", "mnv2_r"), ("ASMNet_nr", "ASMNet"))

Crops = Callable[[str], tuple[np.ndarray, np.ndarray]]


def ablation(
    data: str,
    run: Path,
    *,
    size: int = 112,
    epochs: int = 12,
    seeds: int = 3,
    recipe: str = "modern",
    init: str = "imagenet",
    tests: Sequence[str] = (),
    spatial: bool = False,
    skip_bad: bool = False,
) -> Path:
    """Train what is missing, judge it, and write and print the tables.

    Returns:
        the path of `tables.md`.

    Raises:
        UserError: bad data, no test set, or a training that ended early.
    """
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 130)
    models = MODELS | (SPATIAL if spatial else {})
    learning = read_dataset(data, "train", skip_bad)
    sets = find_tests(data, tests, skip_bad)
    folders = {name: [run / f"{name}-seed{k}" for k in range(seeds)] for name in models}
    order = [(name, seed) for seed in range(seeds) for name in models]
    common = dict(data=data, recipe=recipe, init=init, size=size, epochs=epochs)
    for number, (name, seed) in enumerate(order, 1):
        folder = folders[name][seed]
        arch, loss = models[name]
        settings = common | dict(arch=arch, loss=loss, seed=seed)
        finished = _finished(folder, settings)
        state = "finished before" if finished else f"{arch}, loss {loss}"
        console.print(f"[bold]{number}/{len(order)} {escape(folder.name)}[/bold]: {state}")
        if not finished:
            _train(folder, settings, skip_bad)

    # What follows imports Keras: only now, as the trainings needed the memory.
    scores = _judge(folders, sets, console)
    figures = {
        "settings": common | dict(run=str(run), seeds=seeds, tests=list(tests), spatial=spatial),
        "learning_faces": len(learning.faces),
        "cost": _cost(models, learning.scheme.name, size),
        "sets": {title: _summary(title, scores) for title in sets},
    }
    from asmnet.evaluate.ablation.tables import make_tables, plot_ablation, to_markdown

    tables = make_tables(figures)
    title = next(iter(sets))
    errors = {name: [one.errors for one in runs[title]] for name, runs in scores.items()}
    with atomic_path(run / "tables.json") as file:
        file.write_text(json.dumps(figures, indent=2) + "\n")
    with atomic_path(run / "ablation.png") as file:
        plot_ablation(file, figures, title, {n: np.concatenate(e) for n, e in errors.items()})
    with atomic_path(run / "tables.md") as file:
        file.write_text(to_markdown(figures, tables), encoding="utf-8")
    for table in tables:
        console.print(table, "")
    look = f"Look at {run / 'tables.md'} and {run / 'ablation.png'}"
    console.print(look, soft_wrap=True, markup=False)
    return run / "tables.md"


def find_tests(data: str, tests: Sequence[str] = (), skip_bad: bool = False) -> dict[str, Dataset]:
    """The test sets that belong to the training data, then those of `tests`, by title.

    Args:
        data, tests: "300w:DIR", "wflw:DIR" or a folder, as `asmnet-train --data` takes them.
        skip_bad: leave out malformed files instead of raising.

    Raises:
        UserError: there is none, two have the same title, or one cannot be read.
    """
    sets: dict[str, Dataset] = {}
    for source in (data, *tests):
        kind, _, folder = source.rpartition(":")
        own, root = source == data, Path(folder)
        name = root.resolve().name
        if kind == "wflw":
            title, parts = "WFLW" if own else f"{name}:", {"full": "full"}
        else:
            held = [part for part in ("common", "challenging") if _holds(root, part)]
            title, parts = "300-W" if own else f"{name}:", {part: part for part in held}
            if len(held) == 2:
                parts["full"] = "full"
            elif not held and not own:
                parts["all"] = "common"  # a flat folder, which has no subsets
        for label, part in parts.items():
            if f"{title} {label}" in sets:
                raise UserError(f"two test sets are called {title} {label}; rename one's folder")
            sets[f"{title} {label}"] = read_dataset(source, part, skip_bad)
    if not sets:
        raise UserError(f"{data} has no test set of its own; give labelled faces with --test")
    return sets


def _holds(root: Path, subset: str) -> bool:
    return any((root / part).is_dir() for part in SUBSETS_300W[subset])


def _finished(folder: Path, settings: Mapping[str, Any]) -> bool:
    """Whether the run went to its end, under these settings."""
    try:
        known = json.loads((folder / "run.json").read_text())
        with (folder / "log.csv").open(newline="") as file:
            last = max(int(row["epoch"]) for row in csv.DictReader(file))
        same = all(known.get(key) == value for key, value in settings.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error):
        return False  # missing or damaged: the training itself says what is wrong
    # One row follows the last epoch: the re-estimated statistics.
    return same and last == settings["epochs"] and (folder / "best.keras").exists()


def _train(folder: Path, settings: Mapping[str, Any], skip_bad: bool) -> None:
    """One training in a process of its own: its memory and random state end with it."""
    options = [text for key, value in settings.items() for text in (f"--{key}", str(value))]
    options += ["--run", str(folder), *["--skip-bad"] * skip_bad]
    command = [sys.executable, "-m", "asmnet.evaluate.ablation.training", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        result = child.wait()
    if result == 2:
        sys.exit(2)  # it has said why
    if result:
        raise UserError(
            f"the training {folder.name} ended with code {result}; "
            "repeat the command to go on from its last epoch"
        )


def _judge(
    folders: Mapping[str, Sequence[Path]], sets: Mapping[str, Dataset], console: Any
) -> dict[str, dict[str, list[Scores]]]:
    """Scores by model, test set and seed, on crops that numpy cuts, as in training."""
    from rich.markup import escape
    from rich.progress import track

    first = next(iter(folders.values()))[0]
    record = json.loads((first / "run.json").read_text())

    @functools.cache
    def crops(title: str) -> tuple[np.ndarray, np.ndarray]:
        def bar(faces: Iterable) -> Iterable:
            return track(faces, f"reading {escape(title)}", console=console, transient=True)

        return crop_faces(sets[title].faces, record["size"], record["margin"], bar)[:2]

    scores: dict[str, dict[str, list[Scores]]] = {}
    for name, runs in folders.items():
        judged = [_test(folder, sets, crops) for folder in runs]
        scores[name] = {title: [one[title] for one in judged] for title in sets}
    return scores


def _test(folder: Path, sets: Mapping[str, Dataset], crops: Crops) -> dict[str, Scores]:
    """How a run's `best.keras` does on each set; `test.npz` beside it remembers."""
    best, cache = folder / "best.keras", folder / "test.npz"
    marks = {title: fingerprint(dataset.faces) for title, dataset in sets.items()}
    if cache.exists() and cache.stat().st_mtime >= best.stat().st_mtime:
        # A damaged one is measured again.
        with contextlib.suppress(Exception), np.load(cache) as known:
            if all(str(known.get(f"{title}/faces")) == mark for title, mark in marks.items()):
                return {t: Scores(known[f"{t}/nme"], known[f"{t}/pose"]) for t in sets}
    import keras

    from asmnet.train.asm_model import predict
    from asmnet.train.model import load_network

    network = load_network(best)
    scores = {}
    for title, dataset in sets.items():
        images, truth = crops(title)
        found, angles = predict(network, images)
        scheme = dataset.scheme
        if found.shape != truth.shape:  # a network of 98 points on 68, or the reverse
            found, truth, scheme = to_scheme(found, IBUG68), to_scheme(truth, IBUG68), IBUG68
        pose = np.abs(angles - poses_of(dataset.faces))
        scores[title] = Scores(nme(found, truth, scheme), pose)
    keras.backend.clear_session()
    arrays = {f"{title}/faces": np.array(mark) for title, mark in marks.items()}
    arrays |= {f"{title}/nme": score.errors for title, score in scores.items()}
    arrays |= {f"{title}/pose": score.pose for title, score in scores.items()}
    with atomic_path(cache) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    return scores


def _summary(title: str, scores: Mapping[str, Mapping[str, Sequence[Scores]]]) -> dict[str, Any]:
    """The figures of all models on one test set."""
    runs = {name: by_set[title] for name, by_set in scores.items()}
    return {
        "faces": len(next(iter(runs.values()))[0].errors),
        "models": {name: summarise(judged) for name, judged in runs.items()},
        "asm": {f"{a} - {b}": difference(runs[a], runs[b]) for a, b in PAIRS},
    }


def _cost(models: Mapping[str, tuple[str, str]], scheme: str, size: int) -> dict[str, Any]:
    """Parameters and operations of each architecture, at 224 pixels and at `size`."""
    from asmnet.train.model import build_model, count_flops

    cost = {}
    for arch in dict.fromkeys(arch for arch, _ in models.values()):
        networks = {side: build_model(arch, scheme, side) for side in (224, size)}
        cost[arch] = {
            "parameters": networks[224].count_params(),
            "flop": {str(side): count_flops(network) for side, network in networks.items()},
        }
    return cost
