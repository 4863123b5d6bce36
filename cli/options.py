"""What commands share."""

from __future__ import annotations

import click

from asmnet import models

__all__ = ["MODELS", "model_option", "ray_option"]

# For the end of a command's help.
MODELS = f"Shipped models: {', '.join(models.shipped())}."

model_option = click.option(
    "--model",
    default=models.DEFAULT,
    show_default=True,
    metavar="NAME|FILE",
    help="A shipped model, or a .tflite made by asmnet-export.",
)

ray_option = click.option(
    "--ray", metavar="ADDRESS", help="Work on a Ray cluster: HOST:PORT of its head, auto, local."
)
