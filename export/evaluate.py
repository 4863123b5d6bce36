"""`asmnet-eval`: how good a model is on labelled faces, `.keras` and `.tflite` alike."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from asmnet.core import (
    ModelSpec,
    UserError,
    atomic_path,
    auc,
    cli_errors,
    failure_rate,
    nme,
    pose_mae,
    read_spec,
)
from asmnet.edge_runtime import Landmarker
from asmnet.export.faces import FaceSet, labelled_faces, to_scheme
from asmnet.export.float_model import load_float
from asmnet.export.plots import plot_ced, plot_faces
from asmnet.export.terminal import Track, progress, quiet, silent
from asmnet.export.verdict import run_file

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Evaluation", "evaluate", "main"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model's answers on labelled faces.

    Attributes:
        faces: what was asked.
        points: (M, N, 2) float32 answers in crop units, in `faces.scheme`.
        errors: (M,) NME in %; infinite for each of `faces.missed`, appended at the end.
        pose_errors: (3,) degrees, mean absolute error of yaw, pitch, roll, or None.
    """

    faces: FaceSet
    points: np.ndarray
    errors: np.ndarray
    pose_errors: np.ndarray | None

    def to_dict(self) -> dict[str, Any]:
        """For `--json`: percentages, a fraction (auc10), degrees."""
        found = self.errors[np.isfinite(self.errors)]
        figures: dict[str, Any] = {
            "faces": len(self.errors),
            "missed": len(self.faces.missed),
            "nme": float(found.mean()),
            "fr10": failure_rate(self.errors),
            "auc10": auc(self.errors),
        }
        if self.pose_errors is not None:
            angles = ("yaw", "pitch", "roll")
            figures["pose_mae"] = dict(zip(angles, map(float, self.pose_errors), strict=True))
        return figures


def evaluate(
    model: Path,
    data: str,
    subset: str | None = None,
    boxes: str = "landmarks",
    skip_bad: bool = False,
    track: Track = silent,
) -> tuple[Evaluation, ModelSpec]:
    """Run a model on labelled faces; see `labelled_faces` for the other arguments.

    Args:
        model: a `.keras` file of asmnet-train or a `.tflite` file of asmnet-export.

    Raises:
        UserError: the model or the data cannot be used.
    """
    if model.suffix == ".tflite":
        spec = read_spec(model)
        with quiet():
            landmarker = Landmarker.load(model)
        faces = labelled_faces(data, spec, subset, boxes, skip_bad, track)
        points, pose = run_file(landmarker, faces.images, track)
    else:
        network, spec = load_float(model)
        from asmnet.train.trainer import predict  # imports Keras: after `load_float`, in silence

        faces = labelled_faces(data, spec, subset, boxes, skip_bad, track)
        with quiet():
            blocks = [faces.images[i : i + 32] for i in range(0, len(faces.images), 32)]
            parts = [predict(network, block) for block in track(blocks, "running Keras")]
        points, pose = (np.concatenate(part) for part in zip(*parts, strict=True))
    if faces.points is None or faces.pose is None:
        raise UserError(f"{data} has no labels; give a folder with .pts files")
    points = to_scheme(points, faces.scheme)
    errors = nme(points, faces.points, faces.scheme)
    errors = np.concatenate([errors, np.full(len(faces.missed), np.inf)])
    known = ~np.isnan(faces.pose).any(axis=1)
    angles = pose_mae(pose[known], faces.pose[known]) if known.any() else None
    return Evaluation(faces, points, errors, angles), spec


@click.command(context_settings={"show_default": True, "max_content_width": 100})
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--data", required=True, help="300w:DIR, wflw:DIR, or a folder of picture + .pts.")
@click.option(
    "--subset",
    help="300-W: train, common, challenging, full.  WFLW: full, pose, "
    "expression, ...  [default: common; full]",
)
@click.option(
    "--boxes",
    type=click.Choice(["landmarks", "detector"]),
    default="landmarks",
    help="Crop around the labels, as benchmarks do, or where the detector finds a face.",
)
@click.option(
    "--json",
    "report",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the figures as JSON.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write ced.png, and faces.png with the best, median and worst faces.",
)
@click.option("--skip-bad", is_flag=True, help="Count malformed files and go on.")
@cli_errors
def main(
    model: Path,
    data: str,
    subset: str | None,
    boxes: str,
    report: Path | None,
    out: Path | None,
    skip_bad: bool,
) -> None:
    """Evaluate MODEL (.keras or .tflite) on labelled faces.

    NME: mean distance in % of the outer eye corners' distance.  FR, AUC: failures above
    10 % and area under the error distribution up to 10 %.
    """
    with progress() as track:
        result, spec = evaluate(model, data, subset, boxes, skip_bad, track)
    figures = {
        "model": model.name,
        "data": result.faces.source,
        "boxes": boxes,
        **result.to_dict(),
    }
    if out is not None:
        with atomic_path(out / "ced.png") as file:
            plot_ced(file, result.errors, spec.name, result.faces.source)
        with atomic_path(out / "faces.png") as file:
            plot_faces(file, result.faces, result.points, result.errors)
    if report is not None:
        with atomic_path(report) as file:
            file.write_text(json.dumps(figures, indent=2) + "\n")
    from rich.console import Console  # an extra: named when it is missed

    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    console.print(_table(figures))
    if out is not None:
        console.print(f"Look at {out / 'ced.png'} and {out / 'faces.png'}", soft_wrap=True)


def _table(figures: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table(
        title=f"{figures['model']} on {figures['data']}, {figures['boxes']} boxes",
        caption=f"the detector missed {figures['missed']}: failures in FR and AUC, not in NME"
        if figures["missed"]
        else None,
    )
    values = {
        "faces": str(figures["faces"]),
        "NME, %": f"{figures['nme']:.3f}",
        "FR@10, %": f"{figures['fr10']:.2f}",
        "AUC@10": f"{figures['auc10']:.4f}",
    }
    values |= {f"{k} MAE, °": f"{v:.2f}" for k, v in figures.get("pose_mae", {}).items()}
    for name in values:
        table.add_column(name, justify="right")
    table.add_row(*values.values())
    return table
