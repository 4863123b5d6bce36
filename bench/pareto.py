"""Accuracy beside speed: the table and the plot from which the default network is chosen.

    python bench/against_mediapipe.py MODEL ... --task face_landmarker.task --json speed.json
    python bench/pareto.py MODEL ... --test 300w:DIR --hard wflw:DIR --speed speed.json

Every figure is of the int8 files, in boxes from the labels; jitter is the exporter's, on noisy
stills.  An update is frame in to smoothed landmarks out, on one core, MediaPipe's in the same run.
"""

from __future__ import annotations

from pathlib import Path

import click

from asmnet import models
from asmnet.cli.progress import progress_bars
from asmnet.cli.tables import Table
from asmnet.core import ANGLES, UserError, atomic_path, cli_errors, parse_json, read_spec
from asmnet.evaluate import evaluate

THEIRS = "mediapipe"
COLUMNS = ("model", "pixels", "NME, %", "hard NME, %", "hard > 10 %", "yaw / pitch / roll, °",
           "jitter, %", "update, ms", "x MediaPipe")  # fmt: skip


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="MODEL ...")
@click.option("--test", required=True, help="300w:DIR; the common subset.")
@click.option("--hard", required=True, help="wflw:DIR; as 68 points where a model has 68.")
@click.option("--speed", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--plot", type=click.Path(path_type=Path), default="build/pareto.png")
@cli_errors(extra="export")
def main(names: tuple[str, ...], test: str, hard: str, speed: Path | None, plot: Path) -> None:
    """Measure MODELs (shipped names, or .tflite files)."""
    spent: dict[str, float] = parse_json(speed.read_bytes()) if speed else {}
    if unknown := [name for name in names if spent and name not in spent]:
        raise UserError(f"{speed} has no {unknown[0]}; measure its speed in the same run")
    rows, points = [], {}
    with progress_bars() as progress:
        for name in names:
            file = models.find(name)
            on_test = evaluate(file, test, "common", progress=progress)
            on_hard = evaluate(file, hard, "full", progress=progress)
            easy, wild, spec = on_test.to_dict(), on_hard.to_dict(), read_spec(file)
            angles = " / ".join(f"{easy['pose_mae'][angle]:.2f}" for angle in ANGLES)
            jitter = spec.parity["figures"]["jitter"]["value"]
            row = [name, spec.input_size, f"{easy['nme']:.2f}", f"{wild['nme']:.2f}",
                   f"{wild['fr10']:.1f}", angles, f"{jitter:.2f}"]  # fmt: skip
            if spent:
                row += [f"{spent[name]:.2f}", f"{spent[THEIRS] / spent[name]:.2f}"]
                points[name] = (1e3 / spent[name], easy["nme"])
            rows.append(row)
    click.echo(Table("", COLUMNS[: len(rows[0])], rows).markdown())
    if points:
        _draw(plot, points, 1e3 / spent[THEIRS])
        click.echo(f"wrote {plot}")


def _draw(file: Path, points: dict[str, tuple[float, float]], theirs: float) -> None:
    """Frames a second and NME of each model; MediaPipe, whose points are others, as a line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name, (rate, nme) in points.items():
        axes.plot(rate, nme, "o", color="tab:blue")
        axes.annotate(
            name, (rate, nme), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=9
        )
    axes.axvline(theirs, color="gray", linestyle="--")
    axes.set(xlabel="frames a second of one core", ylabel="NME on 300-W common, %")
    axes.set_xlim(0, 1.2 * max(rate for rate, _ in points.values()))
    axes.margins(y=0.2)
    axes.annotate("MediaPipe's rate", (theirs, axes.get_ylim()[0]), xytext=(4, 6),
                  textcoords="offset points", color="gray", fontsize=9)  # fmt: skip
    axes.grid(alpha=0.3)
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(file) as temporary:
        figure.savefig(temporary, dpi=120, format="png")


if __name__ == "__main__":
    main()
