"""`asmnet-eval`: how good models are on labelled faces, `.keras` and `.tflite` alike."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from asmnet.cli.options import SETTINGS, ray_option, workers_option
from asmnet.cli.outputs import check_outputs
from asmnet.cli.progress import progress_bars
from asmnet.core import UserError, atomic_path, cli_errors
from asmnet.data.datasets import read_dataset
from asmnet.evaluate import tables
from asmnet.evaluate.error_analysis import by_part, by_yaw
from asmnet.evaluate.evaluation import Evaluation
from asmnet.evaluate.face_sets import FaceSet
from asmnet.evaluate.parts import evaluate_parts
from asmnet.evaluate.plots import plot_ced, plot_faces, plot_worst, published
from asmnet.evaluate.predictor import load_predictor, model_files
from asmnet.evaluate.robustness import robustness

__all__ = ["main"]


@click.command(context_settings=SETTINGS)
@click.argument("models", metavar="MODEL...", nargs=-1, required=True)
@click.option(
    "--data", required=True, help="300w:DIR, wflw:DIR, 300wlp:DIR, or a folder of picture + .pts."
)
@click.option(
    "--subset",
    help="300-W: train, common, challenging, full.  WFLW: full, pose, expression, ...  "
    "[default: each test subset there is]",
)
@click.option(
    "--boxes",
    type=click.Choice(["landmarks", "detector"]),
    default="landmarks",
    help="Crop around the labels, as benchmarks do, or where the detector finds a face.",
)
@click.option("--study", "studied", is_flag=True, help="What limits each model: part, yaw, kind.")
@click.option(
    "--robustness",
    "spoilt",
    is_flag=True,
    help="What rolled heads, boxes that are off, and bad pictures cost.",
)
@click.option(
    "--json",
    "report",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the figures as JSON: an object, or for several models a list.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write ced.png; faces.png with the best, median and worst faces; worst.png with 50.",
)
@click.option("--skip-bad", is_flag=True, help="Leave out bad labels and pictures, and count them.")
@workers_option
@ray_option
@cli_errors(extra="export")
def main(
    models: tuple[str, ...],
    data: str,
    subset: str | None,
    boxes: str,
    studied: bool,
    spoilt: bool,
    report: Path | None,
    out: Path | None,
    skip_bad: bool,
    workers: int,
    ray: str | None,
) -> None:
    """Evaluate models on labelled faces.

    MODEL is a .keras or .tflite file, or the name of a shipped model, which means both its
    float and its int8 file.

    NME: mean distance in % of the outer eye corners' distance.  FR, AUC: failures above
    10 % and area under the error distribution up to 10 %.
    """
    files = model_files(models)
    labels = _labels(files)
    pages = {"--json": report, "--out": out / "ced.png" if out else None}
    read = [file.with_suffix(end) for file in files for end in (file.suffix, ".json")]
    check_outputs(pages, [*read, Path(data.rpartition(":")[2])])
    part = subset or "test"
    reports: list[dict[str, Any]] = []
    with progress_bars() as progress:
        results = evaluate_parts(
            files, data, part, boxes, skip_bad, out is not None, workers, ray, progress
        )
        if results[0].faces.points is None and (spoilt or out):
            raise UserError(f"{data} labels poses only; --robustness and --out need landmarks")
        for result, file, label in zip(results, files, labels, strict=True):
            figures = _report(result, file, label, boxes)
            if studied:
                figures["study"] = _analysis(result)
            if spoilt:
                faces = read_dataset(data, part, skip_bad)
                figures["robustness"] = robustness(load_predictor(file), faces, progress=progress)
            reports.append(figures)
    if out is not None:
        _draw(out, results, labels, data)
    if report is not None:
        with atomic_path(report) as file:
            document = reports if len(reports) > 1 else reports[0]
            file.write_text(json.dumps(document, indent=2) + "\n")
    _print(reports, results[0].faces, out)


def _report(result: Evaluation, file: Path, label: str, boxes: str) -> dict[str, Any]:
    """All figures of a model: those of the first subset, then of each."""
    subsets = {
        name: result.to_dict(name) if members.any() else None
        for name, members in result.faces.subsets.items()
    }
    first = next(iter(subsets))
    return {
        "model": file.name,
        "label": label,
        "data": result.faces.source,
        "boxes": boxes,
        **result.to_dict(first),
        "subsets": subsets,
        "pose": result.pose_by_yaw(),
    }


def _analysis(result: Evaluation) -> dict[str, Any]:
    faces = result.faces
    assert faces.pose is not None
    yaw = by_yaw(result.errors[: len(result.pose)], result.pose, faces.pose)
    parts = {} if faces.points is None else by_part(result.points, faces.points, faces.scheme)
    return {**parts, "yaw": yaw}


def _draw(out: Path, results: Sequence[Evaluation], labels: Sequence[str], data: str) -> None:
    """The error distributions of all models in one picture; for each model its faces."""
    first = results[0].faces
    subset, members = next(iter(first.subsets.items()))
    lines = published(data.partition(":")[0], subset, int(members.sum()), first.scheme)
    curves = {
        label: result.errors[result.faces.subsets[subset]]
        for label, result in zip(labels, results, strict=True)
    }
    with atomic_path(out / "ced.png") as file:
        plot_ced(file, curves, f"{first.source}, {members.sum()} faces", lines)
    for label, result in zip(labels, results, strict=True):
        ending = f"-{label.replace('/', '-')}.png" if len(results) > 1 else ".png"
        for name, plot in (("faces", plot_faces), ("worst", plot_worst)):
            with atomic_path(out / f"{name}{ending}") as file:
                plot(file, result.faces, result.points, result.errors)


def _print(reports: Sequence[dict[str, Any]], faces: FaceSet, out: Path | None) -> None:
    from rich.console import Console  # an extra: named when it is missed

    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    if faces.points is not None:
        console.print(tables.accuracy_table(reports))
    if pose := tables.pose_table(reports):
        console.print(pose)
    for report in reports:
        for table in tables.error_tables(report) if "study" in report else ():
            console.print(table)
        if "robustness" in report:
            console.print(tables.robustness_table(report))
    notes = list(faces.notes)
    if found := reports[0].get("study"):
        if "groups" in found:
            notes.append("Bias: what all faces have in common; spread: the rest (rms of both).")
        if not found["yaw"]:
            notes.append("No pose labels: no errors by yaw.")
    if out is not None:
        notes.append(f"Look at ced.png, faces*.png and worst*.png in {out}")
    for note in notes:
        console.print(note, soft_wrap=True, markup=False)


def _labels(files: Sequence[Path]) -> list[str]:
    """Short names that tell the files apart: without suffix, with the folder, or in full."""
    for shorten in (lambda f: f.stem, lambda f: f.name, lambda f: f"{f.parent.name}/{f.name}"):
        names = [shorten(file) for file in files]
        if len(set(names)) == len(names):
            return names
    return [str(file) for file in files]
