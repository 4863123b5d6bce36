"""`asmnet-export`: a trained network in, a proven `.tflite` out."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asmnet import models
from asmnet.core import ModelSpec, UserError, atomic_path, cli_errors, embed_spec
from asmnet.export.calibration import IMAGES, LEAST, calibration_faces
from asmnet.export.convert import convert
from asmnet.export.faces import FaceSet, detected_faces, labelled_faces
from asmnet.export.float_model import load_float
from asmnet.export.recipes import RECIPES
from asmnet.export.terminal import Track, progress, quiet
from asmnet.export.verdict import Verdict, judge

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["main"]


class _GateFailed(Exception):
    """Leaves the block that writes the file, so that there is none."""


@click.command(
    context_settings={"show_default": True, "max_content_width": 100},
    epilog=f"Shipped models: {', '.join(models.shipped())}.",
)
@click.argument("model", default=models.DEFAULT)
@click.option("--quantize", is_flag=True, help="Make an integer model; else a float32 one.")
@click.option(
    "--recipe",
    type=click.Choice([r for r in RECIPES if r != "float32"]),
    default="int8",
    help="int8: with a float32 head, from the fusion of maps on.  full_int8: integers only.",
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
    "--json",
    "report",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the verdict as JSON.",
)
@click.option("--keep-failed", is_flag=True, help="Write the file even if the gate fails.")
@cli_errors
def main(
    model: str,
    quantize: bool,
    recipe: str,
    calibration: Path | None,
    images: int,
    faces: str | None,
    output: Path | None,
    report: Path | None,
    keep_failed: bool,
) -> None:
    """Export MODEL to TFLite, and prove that it still behaves the same.

    MODEL is a shipped model's name or a .keras file of asmnet-train.

    Exit code 0: exported.  1: the gate failed, no file.  2: bad input.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"  # only effective before Keras is imported
    recipe = recipe if quantize else "float32"
    if not quantize and calibration is not None:
        raise UserError("--calibration is of use to --quantize only; add it, or leave both out")
    source = models.find(model, ".keras")
    output = output or Path(f"{source.stem}-{recipe.replace('_', '-')}.tflite")
    if output.suffix != ".tflite" or output.is_dir():
        raise UserError(f"-o {output}: give the name of a .tflite file to write")
    with ExitStack() as files:
        # Before the work: a file that cannot be written is better known now.
        json_file = files.enter_context(atomic_path(report)) if report else None
        with progress() as track:
            spec, verdict = _export(
                source, recipe, calibration, images, faces, output, keep_failed, track
            )
        if json_file is not None:
            document = json.loads(spec.to_json()) | {"parity": verdict.to_dict()}
            json_file.write_text(json.dumps(document, indent=2) + "\n")
    from rich.console import Console  # an extra: named when it is missed

    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    console.print(_table(spec, verdict))
    if used := spec.quantization.get("calibration"):
        left_out = used["without_face"]
        note = f"; {left_out} pictures without a face were left out" if left_out else ""
        console.print(f"Calibrated on {used['images']} crops of {used['source']}{note}")
    if verdict.passed or keep_failed:
        state = "" if verdict.passed else "[yellow]Kept although the gate failed:[/] "
        console.print(f"{state}{output}  ({output.stat().st_size / 1e6:.2f} MB)", soft_wrap=True)
    if not verdict.passed:
        failed = ", ".join(figure.label for figure in verdict.figures if not figure.passed)
        written = "" if keep_failed else f"; {output} was not written (--keep-failed writes it)"
        console.print(f"[red]The gate failed:[/] {failed}{written}", soft_wrap=True)
        sys.exit(1)


def _export(
    model: Path,
    recipe: str,
    calibration: Path | None,
    images: int,
    faces: str | None,
    output: Path,
    keep_failed: bool,
    track: Track,
) -> tuple[ModelSpec, Verdict]:
    """Convert, judge, and write `output` if the verdict allows it."""
    try:
        with atomic_path(output) as file, tempfile.TemporaryDirectory() as folder:
            for _ in track([None], "loading TensorFlow"):
                with quiet():
                    import tensorflow  # noqa: F401
            network, trained = load_float(model)
            known = None
            if recipe != "float32":
                known = calibration_faces(trained, calibration, images, track)
            trial = _trial_faces(faces, images, trained, track)
            float_file = file if recipe == "float32" else Path(folder) / "float32.tflite"
            for _ in track([None], "converting to float32"):
                spec = convert(network, trained, "float32", None, float_file)
            if recipe != "float32":
                spec = convert(network, trained, recipe, known, file, track)
            verdict = judge(network, float_file, file, trial, track)
            spec = spec.replace(
                parity=verdict.to_dict(),
                evaluation={
                    key: value
                    for key, value in {
                        "float model": trained.evaluation,
                        "this file": verdict.evaluation,
                    }.items()
                    if value
                },
            )
            embed_spec(file, spec)
            if not (verdict.passed or keep_failed):
                raise _GateFailed
    except _GateFailed:
        pass
    return spec, verdict


def _trial_faces(source: str | None, images: int, spec: ModelSpec, track: Track) -> FaceSet:
    """The faces that the verdict is about: labelled where there are labels."""
    if source is None:
        # Another seed than calibration's: other warps, where they are warps.
        return detected_faces(None, max(images, IMAGES), spec, seed=1, track=track)
    folder = Path(source)
    if source.startswith(("300w:", "wflw:")) or any(folder.rglob("*.pts")):
        return labelled_faces(source, spec, track=track)
    return detected_faces(folder, max(images, IMAGES), spec, seed=1, track=track)


def _table(spec: ModelSpec, verdict: Verdict) -> Table:
    faces = verdict.faces
    from rich.table import Table

    table = Table(
        title=f"{spec.name} against the float model",
        caption=f"{faces['images']} face crops ({faces['source']}, {faces['warped_copies']} of "
        f"them turned and relit); {verdict.interpreter}, 1 thread",
    )
    for name in ("measure", "float", "exported", "figure", "limit", ""):
        table.add_column(name, justify="left" if name in ("measure", "") else "right")
    ratios = {
        "jitter_ratio": "x {:.3f}",
        "megabytes": "x {:.2f}",
        "milliseconds": "{:.2f} x faster",
    }
    for figure in verdict.figures:
        pattern = ratios.get(figure.key, "{:.2g}" if "keras" in figure.key else "{:.3f}")
        limit = "" if figure.limit is None else pattern.format(figure.limit)
        mark = "" if figure.limit is None else "[green]PASS[/]" if figure.passed else "[red]FAIL[/]"
        own = ["" if v is None else f"{v:.3f}" for v in (figure.before, figure.after)]
        table.add_row(figure.label, *own, pattern.format(figure.value), limit, mark)
    return table
