"""The command `asmnet`: everything that the single commands do, under one name.

`asmnet-train`, `asmnet-eval` and the others stay; they are the same commands.
"""

from __future__ import annotations

import click

import asmnet
from asmnet.cli.groups import DefaultGroup, LazyGroup

__all__ = ["main", "train"]

TRAINING = {
    "train": ("asmnet.train.cli:train", "Train a landmark and pose network."),
    "stages": (
        "asmnet.train.cli:stages",
        "Run a plan of labels and trainings.",
    ),
    "ablation": ("asmnet.evaluate.ablation.cli:main", "Train the paper's four models."),
}


@click.group("train", cls=DefaultGroup, lazy=TRAINING)
def train() -> None:
    """Train a network, several in stages, or the paper's four: `train`, `stages`, `ablation`."""


@click.group(
    "asmnet",
    cls=LazyGroup,
    lazy={
        "track": ("asmnet.edge_runtime.webcam:main", "Track faces in a camera, file or stream."),
        "batch": ("asmnet.edge_runtime.batch.cli:main", "Track many files; goes on after a kill."),
        "bench": ("asmnet.edge_runtime.bench:main", "Time each stage on this machine."),
        "doctor": ("asmnet.edge_runtime.doctor.cli:main", "Say what is wrong on this device."),
        "verify": ("asmnet.edge_runtime.verify:main", "Check a model file on this device."),
        "eval": ("asmnet.evaluate.cli:main", "Measure models on labelled faces."),
        "export": ("asmnet.export.cli:main", "Convert to TFLite; inspect a file."),
        "label": ("asmnet.label.cli:main", "Let trained networks label more faces."),
        "turn": ("asmnet.label.turn_cli:main", "Draw labelled faces as seen from the side."),
    },
)
@click.version_option(asmnet.__version__, prog_name="asmnet")
def main() -> None:
    """Face landmarks and head pose, from labelled faces to a device."""


main.add_command(train)

if __name__ == "__main__":
    main()
