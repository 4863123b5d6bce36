"""What commands share."""

from __future__ import annotations

import click

from asmnet import models
from asmnet.core import FIELD_OF_VIEW

__all__ = [
    "MODELS",
    "SETTINGS",
    "data_option",
    "fov_option",
    "model_option",
    "ray_option",
    "skip_bad_option",
    "workers_option",
]

# `context_settings` of commands that show the default of every option.
SETTINGS = {"show_default": True, "max_content_width": 100}

# For the end of a command's help.
MODELS = f"Shipped models: {', '.join(models.shipped())}."

model_option = click.option(
    "--model",
    default=models.DEFAULT,
    show_default=True,
    metavar="NAME|FILE",
    help="A shipped model, or a .tflite made by asmnet-export.",
)

data_option = click.option(
    "--data",
    required=True,
    help="300w:DIR, wflw:DIR, a folder of picture + .pts, or a .jsonl of labels.",
)

skip_bad_option = click.option(
    "--skip-bad",
    is_flag=True,
    help="Leave out bad labels and unreadable pictures, and say how many.",
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
