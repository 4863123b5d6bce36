"""Ship a trained run: model files, figures and card, all from commands that anyone can rerun.

    python -m tools.release.publish runs/mine mine-68-224 --test 300w:DIR

writes NAME.keras, NAME.shape.npz, NAME.json (provenance), NAME-int8.tflite and
NAME.md (the model card) into `models/`, and the export's report into
`docs/measurements/reports/` beside
it: all of them, or none.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from asmnet import models
from asmnet.cli.progress import Progress, progress_bars
from asmnet.core import UserError, cli_errors, read_spec
from asmnet.evaluate import evaluate
from asmnet.train.checkpoint import load_float
from asmnet.train.split import gather
from tools.release.hard_faces import measure_hard
from tools.release.history import commands_of, settings_of
from tools.release.model_card import TESTS, Published, card, license_of, sources_of

__all__ = ["evaluate_both", "main", "quantize", "write_provenance"]


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("name")
@click.option("--test", required=True, help="Labelled faces to report on: 300w:DIR or wflw:DIR.")
@click.option("--also", multiple=True, help="Hard faces to report on: wflw:DIR, 300wlp:DIR.")
@click.option("--note", "notes", multiple=True, help="A paragraph more on the training.")
@click.option("--into", type=click.Path(path_type=Path), default=Path(models.__file__).parent)
@cli_errors(extra="export")
def main(
    run: Path, name: str, test: str, also: tuple[str, ...], notes: tuple[str, ...], into: Path
) -> None:
    """Publish the network of RUN as NAME: its best, or its last where no face was held out."""
    os.environ["KERAS_BACKEND"] = "tensorflow"  # only effective before Keras is imported
    kind = test.partition(":")[0]
    if kind not in TESTS:
        raise UserError(f"--test {test}: give 300w:DIR or wflw:DIR")
    settings, commands = settings_of(run), commands_of(run)
    options = ("validation", "seed", "skip_bad")
    faces = gather(settings["data"], settings.get("extra", ()), *map(settings.get, options))
    source = run / ("best.keras" if settings["validation"] else "last.keras")
    if not source.is_file():
        raise UserError(f"{run} holds no {source.name}; let its training end at least one epoch")
    network, spec = load_float(source)
    from asmnet.train.model import count_flops  # imports Keras: after `load_float`, in silence

    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=into) as folder:
        model, int8 = Path(folder) / f"{name}.keras", Path(folder) / f"{name}-int8.tflite"
        shutil.copyfile(source, model)
        shutil.copyfile(run / "shape.npz", model.with_suffix(".shape.npz"))
        provenance = {
            "name": name,
            "scheme": spec.scheme,
            "margin": settings["margin"],
            "training": {"data": ", ".join(sources_of(commands)), "commands": commands},
            "license": license_of(commands),
        }
        write_provenance(model, provenance)
        rows: dict[str, dict[str, Any]] = {}
        with progress_bars() as progress:
            evaluate_both(rows, "float", model, test, progress)
        provenance["evaluation"] = {"data": TESTS[kind][0], **rows["float"]}
        write_provenance(model, provenance)
        page = Path(folder) / f"{name}.html"
        quantize(model, int8, page)
        with progress_bars() as progress:
            evaluate_both(rows, "int8", int8, test, progress)
            hard = measure_hard(int8, test, also, progress)
        published = Published(
            name=name,
            arch=settings["arch"],
            parameters=network.count_params(),
            flops=count_flops(network),
            spec=read_spec(int8),
            test=kind,
            rows=rows,
            hard=hard,
            settings=settings,
            commands=commands,
            faces=[*faces.learning, *faces.held_out, *faces.held_out_extra],
            notes=notes,
        )
        model.with_suffix(".md").write_text(card(published))
        reports = into.resolve().parent / "docs" / "measurements" / "reports"
        reports.mkdir(parents=True, exist_ok=True)
        page.replace(reports / page.name)
        for file in sorted(Path(folder).iterdir()):
            file.replace(into / file.name)
    click.echo(f"wrote {into / name}.keras, .shape.npz, .json, .md and {into / int8.name}")


def write_provenance(model: Path, provenance: dict[str, Any]) -> None:
    """Write NAME.json beside NAME.keras."""
    model.with_suffix(".json").write_text(json.dumps(provenance, indent=2) + "\n")


def evaluate_both(
    rows: dict[str, dict[str, Any]], label: str, model: Path, test: str, progress: Progress
) -> None:
    """Add a model's figures, with boxes from the labels and from the detector."""
    for boxes, suffix in (("landmarks", ""), ("detector", ", detector boxes")):
        found = evaluate(model, test, boxes=boxes, progress=progress)
        rows[label + suffix] = found.to_dict()


def quantize(model: Path, target: Path, report: Path) -> None:
    """Export in a process of its own, as a user does; its parity report appears on the terminal."""
    export = [sys.executable, "-c", "from asmnet.export.cli import main; main()"]
    files = ["-o", str(target), "--report", str(report)]
    done = subprocess.run([*export, str(model), "--quantize", *files])
    if done.returncode:
        raise UserError("nothing was published: the int8 export failed; see above")


if __name__ == "__main__":
    main()
