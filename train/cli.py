"""`asmnet-train`: labelled faces in, a run folder with a trained network out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from asmnet.cli.groups import MainCommand
from asmnet.cli.options import SETTINGS, data_option, skip_bad_option
from asmnet.core import UserError, cli_errors

__all__ = ["stages", "train"]

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # only effective before the first import


def _numbers(_context: click.Context, _option: click.Parameter, text: str | None) -> list[float]:
    """Numbers between commas, none negative."""
    try:
        numbers = [float(word) for word in text.split(",")] if text else []
    except ValueError:
        raise click.BadParameter(f"{text!r} is no list of numbers, as 0.5,0.3,0.2") from None
    if not all(0 <= number < float("inf") for number in numbers):
        raise click.BadParameter(f"{text!r}: shares are finite and not negative")
    return numbers


@click.command("train", cls=MainCommand, context_settings=SETTINGS)
@data_option
@click.option(
    "--extra",
    multiple=True,
    metavar="FILE.jsonl",
    help="Learn from these labels too, made by asmnet-label.  Repeatable.",
)
@click.option(
    "--shares",
    callback=_numbers,
    metavar="N,N,...",
    help="How often faces of --data and of each --extra are drawn, whatever their number.  "
    "Default: each face once an epoch.",
)
@click.option(
    "--epoch-faces", type=click.IntRange(1), default=20_000, help="Faces an epoch, with --shares."
)
@click.option("--run", type=click.Path(path_type=Path), required=True, help="Run folder.")
@click.option(
    "--recipe", type=click.Choice(["modern", "polish", "sturdy", "paper"]), default="modern"
)
@click.option(
    "--arch", type=click.Choice(["asmnet", "asmnet_spatial", "mobilenetv2"]), default="asmnet"
)
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
    help="Batch statistics, or the initial ones kept: somewhat faster; for a trained --init.",
)
@click.option("--size", type=click.IntRange(32, 512), default=224, help="Input side in pixels.")
@click.option("--epochs", type=click.IntRange(1), default=None, help="Default: the recipe's.")
@click.option("--rate", type=click.FloatRange(1e-7, 1), default=None, help="Default: the recipe's.")
@click.option(
    "--batch",
    type=click.IntRange(1),
    default=None,
    help="Faces a step, of all devices together.  Default: the recipe's.",
)
@click.option("--seed", type=int, default=0)
@click.option(
    "--validation",
    type=click.FloatRange(0, 0.5),
    default=0.1,
    help="Fraction of the pictures held out, nearly: each by its content and the seed.",
)
@skip_bad_option
@cli_errors(extra="train")
def train(data: str, run: Path, skip_bad: bool, **settings: Any) -> None:
    """Train a landmark and pose network.

    Kill it at any moment: the same command goes on from the last epoch, on the same faces.
    KERAS_BACKEND chooses TensorFlow or JAX; all devices that JAX sees share each batch.

    The paper's tables, from one command: asmnet-train ablation --help
    """
    from asmnet.train.fit import fit

    fit(data, run, skip_bad=skip_bad, **settings)


@click.command("stages", context_settings=SETTINGS)
@click.argument("plan")
@click.argument("target", required=False)
@click.option(
    "--run", type=click.Path(path_type=Path), required=True, help="Folder of all outputs."
)
@click.option(
    "--input", "inputs", multiple=True, metavar="NAME=PATH", help="One of the plan's.  Repeatable."
)
@cli_errors(extra="train")
def stages(plan: str, target: str | None, run: Path, inputs: tuple[str, ...]) -> None:
    """Run the stages of PLAN, a .toml file or `shipped`, up to TARGET or all.

    Kill it at any moment: the same command goes on.  `shipped` makes this project's own networks.
    """
    from asmnet.train.stages import read_plan, run_stages

    pairs = [text.partition("=") for text in inputs]
    for name, equals, value in pairs:
        if not (equals and value):
            raise UserError(f"--input {name}{equals}: give NAME=PATH")
    click.echo(run_stages(read_plan(plan), run, {n: v for n, _, v in pairs}, target))
