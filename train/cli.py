"""`asmnet-train`: labelled faces in, a run folder with a trained network out."""

from __future__ import annotations

import os
from pathlib import Path

import click

from asmnet.core import cli_errors

__all__ = ["train"]

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # only effective before the first import


@click.command(context_settings={"show_default": True, "max_content_width": 100})
@click.option("--data", required=True, help="300w:DIR, wflw:DIR, or a folder of picture + .pts.")
@click.option("--run", type=click.Path(path_type=Path), required=True, help="Run folder.")
@click.option("--recipe", type=click.Choice(["modern", "paper"]), default="modern")
@click.option("--arch", type=click.Choice(["asmnet", "mobilenetv2"]), default="asmnet")
@click.option(
    "--loss",
    type=click.Choice(["asm", "mse"]),
    default="asm",
    help="With or without the Active Shape Model's term.",
)
@click.option(
    "--init",
    default="imagenet",
    help="imagenet (downloads), none, Keras' MobileNetV2 .h5, or a trained .keras of any size.",
)
@click.option(
    "--norm",
    type=click.Choice(["batch", "frozen"]),
    default="batch",
    help="Batch statistics, or the initial ones kept: 2.4 x faster on a CPU; for a trained --init.",
)
@click.option("--size", type=click.IntRange(32, 512), default=224, help="Input side in pixels.")
@click.option("--epochs", type=click.IntRange(1), default=None, help="Default: the recipe's.")
@click.option("--rate", type=click.FloatRange(1e-7, 1), default=None, help="Default: the recipe's.")
@click.option("--seed", type=int, default=0)
@click.option(
    "--validation",
    type=click.FloatRange(0, 0.5),
    default=0.1,
    help="Fraction of the faces held out.",
)
@click.option("--skip-bad", is_flag=True, help="Count malformed files and go on.")
@cli_errors
def train(data: str, run: Path, skip_bad: bool, **settings) -> None:
    """Train a landmark and pose network.

    Kill it at any moment: the same command goes on from the last epoch.  KERAS_BACKEND
    chooses TensorFlow, JAX or torch; all devices that JAX sees share each batch.
    """
    from asmnet.train.fit import fit

    fit(data, run, skip_bad=skip_bad, **settings)
