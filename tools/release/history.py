"""How a network was made: the commands of its run and of all that it rests on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from asmnet.core import UserError
from asmnet.train.stages import BRACES, Plan, fill, finished_part

__all__ = ["commands_of", "settings_of"]

# Options of asmnet-train in the order of a command; what equals the default is left out.
OPTIONS = ("recipe", "arch", "loss", "norm", "size", "epochs", "rate", "seed", "validation")
DEFAULTS = {"recipe": "modern", "arch": "asmnet", "loss": "asm", "norm": "batch", "size": 224}
DEFAULTS |= {"seed": 0, "validation": 0.1}


def settings_of(run: Path) -> dict[str, Any]:
    try:
        return json.loads((run / "run.json").read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {run / 'run.json'}: {error}; give a run folder") from error


def commands_of(run: Path) -> list[str]:
    """The commands that made a run and all that it started or learned from, oldest first.

    Of a plan's stage, the one command that runs the plan up to it, and its stages.

    Raises:
        UserError: the run started from a network, or learned from labels, of unknown origin.
    """
    part = finished_part(run.resolve().parent)
    if run.resolve().name in part.stages:
        return _stages(part, run.resolve())
    settings = settings_of(run)
    init: str = settings["init"]
    before: list[str] = []
    if init.endswith(".keras"):
        before, init = _history(run, Path(init))
    elif init.endswith(".h5"):
        init = "imagenet"  # Keras' own file, given by its path
    if extra := settings.get("extra"):
        raise UserError(
            f"{run} learned from {extra[0]}, and nothing tells how those labels were made; make "
            "labels and network by a plan (asmnet-train stages)"
        )
    parts = ["asmnet-train", f"--data {_public(settings['data'])}"]
    parts += [f"--run runs/{run.resolve().name}", f"--init {init}"]
    parts += [f"--{k} {settings[k]}" for k in OPTIONS if settings[k] != DEFAULTS.get(k)]
    return [*before, " ".join(parts)]


def _stages(part: Plan, run: Path) -> list[str]:
    folder, names = f"runs/{part.name}", part.needed(run.name)
    inputs = {word for name in names for word in BRACES.findall(part.stages[name])}
    inputs -= {*part.stages, "out"}
    given = {name: "imagenet" if name == "imagenet" else "DIR" for name in inputs}
    given |= {name: f"{folder}/{name}" for name in names}
    one = f"asmnet-train stages {part.name} {run.name} --run {folder}"
    one += "".join(f" --input {name}={given[name]}" for name in sorted(inputs))
    filled = [fill(part.stages[name], given | {"out": f"{folder}/{name}"}) for name in names]
    return [one, *(f"asmnet {' '.join(words)}" for words in filled)]


def _history(run: Path, init: Path) -> tuple[list[str], str]:
    """How the network that `run` started from was trained, and what commands call it."""
    if (init.parent / "run.json").is_file():
        return commands_of(init.parent), f"runs/{init.parent.name}/{init.name}"
    try:
        known = json.loads(init.with_suffix(".json").read_text())
        return list(known["training"]["commands"]), f"models/{init.name}"
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(
            f"{run} started from {init}, and neither a run.json nor a {init.stem}.json beside it "
            "tells how that was trained; put one there"
        ) from None


def _public(data: str) -> str:
    """A data source without the folders of this machine."""
    kind, _, path = data.rpartition(":")
    return f"{kind}:DIR" if kind else Path(path).name if path.endswith(".jsonl") else "DIR"
