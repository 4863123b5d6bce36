"""What commands share."""

from __future__ import annotations

import click

from asmnet import models
from asmnet.core import FIELD_OF_VIEW

__all__ = ["MODELS", "fov_option", "model_option", "ray_option", "workers_option"]

# For the end of a command's help.
MODELS = f"Shipped models: {', '.join(models.shipped())}."

model_option = click.option(
    "--model",
    default=models.DEFAULT,
    show_default=True,
    metavar="NAME|FILE",
    help="A shipped model, or a .tflite made by asmnet-export.",
)

fov_option = click.option(
    "--fov",
    default=FIELD_OF_VIEW,
    show_default=True,
    type=click.FloatRange(1, 170),
    help="The camera's field of view, degrees along the picture's longer side.",
)

ray_option = click.option(
    "--ray", metavar="ADDRESS", help="Work on a Ray cluster: HOST:PORT of its head, auto, local."
)

workers_option = click.option(
    "--workers",
    type=click.IntRange(1, 4096),
    default=1,
    show_default=True,
    help="Processes, each with the networks loaded; on a Ray cluster, workers.",
)
