"""`asmnet-export`: a trained network in, a checked `.tflite` out."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import click

from asmnet import models
from asmnet.cli.groups import DefaultGroup, MainCommand
from asmnet.cli.options import SETTINGS
from asmnet.cli.outputs import check_outputs, set_aside
from asmnet.cli.progress import progress_bars
from asmnet.core import UserError, atomic_path, cli_errors
from asmnet.export.calibration import IMAGES, LEAST
from asmnet.export.eval_faces import folder_of
from asmnet.export.pipeline import Export, export_with, load_job, smallest
from asmnet.export.recipes import RECIPES, UNCALIBRATED
from asmnet.export.report.console import inspection, parity_table, recipe_table
from asmnet.export.report.html import write_report
from asmnet.export.report.tensor_stats import WIDENED

__all__ = ["main"]

# More of the ranges than this should have settled when calibration ends.
UNSETTLED = 0.05
VERIFY = {"verify": ("asmnet.edge_runtime.verify:main", "Check a model file on this machine.")}
# Bytes of room that converters take in the folder for temporary files.
SCRATCH = 100_000_000


class _GateFailed(Exception):
    """Leaves the block that writes the file, so that there is none."""


@click.group("export", cls=DefaultGroup, lazy=VERIFY)
def main() -> None:
    """Export to TFLite, see what is in a file, check it anywhere: `export`, `inspect`, `verify`."""


@main.command(
    "export",
    cls=MainCommand,
    context_settings=SETTINGS,
    epilog=f"Shipped models: {', '.join(models.shipped())}.",
)
@click.argument("model", default=models.DEFAULT)
@click.option("--quantize", is_flag=True, help="Make an integer model; else a float32 one.")
@click.option(
    "--recipe",
    type=click.Choice([*RECIPES, "all"]),
    help="How to convert.  all tries each and writes the smallest that passes.  "
    "[default: int8 with --quantize, else float32]",
)
@click.option(
    "--calibration",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Pictures of faces to calibrate on.  [default: those that ship with asmnet]",
)
@click.option(
    "--images",
    type=click.IntRange(1, 10_000),
    default=IMAGES,
    help=f"Crops to calibrate on, {LEAST} or more.",
)
@click.option(
    "--faces",
    metavar="DIR",
    help="Faces to judge on: a folder of pictures, with or "
    "without .pts labels, or 300w:DIR, wflw:DIR.  [default: those that ship]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The .tflite to write.  [default: MODEL's name and the recipe, here]",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FILE.html",
    help="Write a page: parity, faces, calibration ranges and where precision is lost.",
)
@click.option(
    "--json",
    "figures",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the parity report as JSON.",
)
@click.option("--keep-failed", is_flag=True, help="Write the file even if the gate fails.")
@cli_errors(extra="export")
def _export(
    model: str,
    quantize: bool,
    recipe: str | None,
    calibration: Path | None,
    images: int,
    faces: str | None,
    output: Path | None,
    report: Path | None,
    figures: Path | None,
    keep_failed: bool,
) -> None:
    """Export MODEL to TFLite, and check that it still behaves the same.

    MODEL is a shipped model's name or a .keras file of asmnet-train.  What is in the file:
    asmnet-export inspect FILE.

    Exit code 0: exported.  1: the gate failed; no file of that name, an older one is renamed.
    2: it could not be done.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"  # only effective before Keras is imported
    recipe = recipe or ("int8" if quantize else "float32")
    recipes = list(RECIPES) if recipe == "all" else [recipe]
    if recipe == "all" and find_spec("tensorflow_model_optimization") is None:
        recipes.remove("qat_int8")
        click.echo("qat_int8 is left out: pip install 'asmnet[qat]'", err=True)
    if set(recipes) <= set(UNCALIBRATED) and calibration is not None:
        raise UserError("--calibration is of use to --quantize only; add it, or leave both out")
    source = models.find(model, ".keras")
    ending = "smallest" if recipe == "all" else recipe.replace("_", "-")
    output = output or Path(f"{source.stem}-{ending}.tflite")
    if output.suffix != ".tflite" or output.is_dir():
        raise UserError(f"-o {output}: give the name of a .tflite file to write")
    check_outputs(
        {"-o": output, "--json": figures, "--report": report},
        [p for p in (source, source.with_suffix(".json"), calibration, folder_of(faces)) if p],
    )
    _check_room()
    with ExitStack() as stack:
        # Before the work: a file that cannot be written is better known now.
        json_file = stack.enter_context(atomic_path(figures)) if figures else None
        page = stack.enter_context(atomic_path(report)) if report else None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        written = aside = None
        try:
            with atomic_path(output) as file:
                with progress_bars() as progress:
                    job = load_job(source, folder, recipes, calibration, images, faces, progress)
                    exports = [export_with(job, name, progress) for name in recipes]
                    best = smallest(exports)
                    if page is not None:
                        write_report(page, job, best or exports[-1], progress)
                written = best or (exports[0] if keep_failed and len(exports) == 1 else None)
                if written is None:
                    raise _GateFailed
                shutil.copyfile(written.file, file)
        except _GateFailed:
            aside = set_aside(output)
        if json_file is not None:
            documents = [
                json.loads(one.spec.to_json()) | {"parity": one.parity.to_dict()} for one in exports
            ]
            document = documents if recipe == "all" else documents[0]
            json_file.write_text(json.dumps(document, indent=2) + "\n")
        _show(exports, written, output, aside)
        if job.ranges is not None and job.ranges.unsettled() > UNSETTLED:
            click.echo(
                f"warning: the last tenth of the calibration crops still widened "
                f"{100 * job.ranges.unsettled():.0f} % of the ranges by more than "
                f"{100 * WIDENED:.0f} %: they do not show all there is; give more pictures, "
                "of other heads and light",
                err=True,
            )
    if best is None:
        sys.exit(1)


def _check_room() -> None:
    """Refuse to start where the converters would fill up the disk, which they tell badly."""
    try:
        folder = tempfile.gettempdir()
        free = shutil.disk_usage(folder).free
    except OSError as error:  # not even a file of four bytes can be written
        raise UserError(f"{error.strerror or error}; set TMPDIR to a folder with room") from error
    if free < SCRATCH:
        raise UserError(
            f"{folder} has room for {free / 1e6:.0f} MB of temporary files, and conversion takes "
            f"{SCRATCH / 1e6:.0f}; make room, or set TMPDIR to another folder"
        )


def _show(
    exports: Sequence[Export], written: Export | None, output: Path, aside: Path | None
) -> None:
    """Tables, and what became of it, on the terminal."""
    from rich.console import Console  # an extra: named when it is missed
    from rich.markup import escape

    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    if len(exports) > 1:
        console.print(recipe_table(exports))
    else:
        console.print(parity_table(exports[0].spec, exports[0].parity))
    if used := exports[-1].spec.quantization.get("calibration"):
        left_out = used["without_face"]
        note = f"; {left_out} pictures without a face were left out" if left_out else ""
        crops = f"{used['images']} crops of {used['source']}"
        console.print(f"Calibrated on {crops}{note}", markup=False)
    several = len(exports) > 1
    if written is not None:
        why = f"The smallest that passes: {written.recipe}.  " if several else ""
        if not written.parity.passed:
            why = "[yellow]Kept although the gate failed:[/] "
        console.print(f"{why}{escape(str(output))}  ({written.size / 1e6:.2f} MB)", soft_wrap=True)
    if any(export.parity.passed for export in exports):
        return
    failed = ", ".join(f.label for f in exports[-1].parity.metrics if not f.passed)
    cause = "[red]No recipe passes the gate[/]" if several else f"[red]The gate failed:[/] {failed}"
    hint = "" if several else " (--keep-failed writes it)"
    end = "" if written is not None else f"; {escape(str(output))} was not written{hint}"
    console.print(f"{cause}{end}", soft_wrap=True)
    if aside is not None:
        console.print(f"The older {output.name} is {aside} now", soft_wrap=True, markup=False)


@main.command("inspect", context_settings=SETTINGS)
@click.argument("file", type=click.Path(path_type=Path))
@cli_errors(extra="export")
def _inspect(file: Path) -> None:
    """Show a .tflite FILE: its contract, operations, numbers and arithmetic."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 130, highlight=False)
    for part in inspection(models.find(str(file), ".tflite")):
        console.print(part)
