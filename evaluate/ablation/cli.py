"""`asmnet-train ablation`: the paper's tables from one command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from asmnet.cli.options import SETTINGS, data_option, skip_bad_option
from asmnet.core import cli_errors

__all__ = ["main"]


@click.command("ablation", context_settings=SETTINGS)
@data_option
@click.option(
    "--run", type=click.Path(path_type=Path), required=True, help="Folder of all the runs."
)
@click.option("--recipe", type=click.Choice(["modern", "paper"]), default="modern")
@click.option("--init", default="imagenet", help="As for a single training.")
@click.option("--size", type=click.IntRange(32, 512), default=112, help="Input side in pixels.")
@click.option("--epochs", type=click.IntRange(1), default=12, help="Of each training.")
@click.option("--seeds", type=click.IntRange(1), default=3, help="Trainings of each model.")
@click.option("--spatial", is_flag=True, help="Also our asmnet_spatial, with the ASM term.")
@click.option(
    "--test",
    "tests",
    multiple=True,
    help="Labelled faces to test on, as --data, besides the test set of --data.  Repeatable.",
)
@skip_bad_option
@cli_errors(extra="train")
def main(data: str, run: Path, tests: tuple[str, ...], **settings: Any) -> None:
    """Train the paper's four models under one schedule, and print the paper's tables.

    mnv2 and mnv2_r are MobileNetV2 without and with the ASM term, ASMNet_nr and ASMNet the
    half network.  RUN gets NAME-seedK/ for each training, tables.md, tables.json and
    ablation.png.  Kill it at any moment: the same command goes on.
    """
    from asmnet.evaluate.ablation.run import ablation

    ablation(data, run, tests=tests, **settings)
