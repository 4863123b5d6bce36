"""Ship a network's int8 file again: a new export and new figures, the training as it was.

    python -m tools.release.republish asmnet-68-224 --test 300w:DIR

writes NAME-int8.tflite, the figures in NAME.json and in the card NAME.md, and the export's
report into `docs/measurements/reports/`: all of them, or none.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import click

from asmnet import models
from asmnet.cli.progress import progress_bars
from asmnet.core import ModelSpec, UserError, cli_errors, read_spec
from tools.release.hard_faces import HARD, Hard, hard_section, measure_hard
from tools.release.model_card import ACCURACY, PARITY, TESTS, accuracy, parity
from tools.release.publish import evaluate_both, quantize, write_provenance

__all__ = ["main", "renewed"]


def renewed(
    card: str, name: str, test: str, rows: dict[str, Any], hard: Hard, spec: ModelSpec
) -> str:
    """A card with new figures.

    Args:
        card: the old one.
        name, test, rows, hard, spec: as in `tools.release.model_card.Published`.

    Raises:
        UserError: it is no card of `tools.release.model_card`.
    """
    head, _, rest = card.partition(ACCURACY)
    between, _, rest = rest.partition(PARITY)
    _, found, tail = rest.partition("\n\nFaces, ranges and layers")
    report, training, tail = tail.partition("\n\n## Training")
    report = report.partition(f"\n\n{HARD}")[0]
    if not (between and found and training):
        raise UserError(f"the card of {name} has other sections than cards have; publish it anew")
    new = f"{head}{ACCURACY}{accuracy(name, spec, test, rows)}\n\n{PARITY}{parity(spec)}"
    return f"{new}{found}{report}\n\n{hard_section(name, hard)}{training}{tail}"


@click.command()
@click.argument("name")
@click.option("--test", required=True, help="Labelled faces to report on: 300w:DIR or wflw:DIR.")
@click.option("--also", multiple=True, help="Hard faces to report on: wflw:DIR, 300wlp:DIR.")
@click.option("--into", type=click.Path(path_type=Path), default=Path(models.__file__).parent)
@cli_errors("export")
def main(name: str, test: str, also: tuple[str, ...], into: Path) -> None:
    """Export the shipped network NAME again, and renew its figures."""
    os.environ["KERAS_BACKEND"] = "tensorflow"  # only effective before Keras is imported
    kind = test.partition(":")[0]
    if kind not in TESTS:
        raise UserError(f"--test {test}: give 300w:DIR or wflw:DIR")
    source = into / f"{name}.keras"
    try:
        old = source.with_suffix(".md").read_text()
        provenance = json.loads(source.with_suffix(".json").read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"cannot renew {name}: {error}; publish it first") from error
    rows: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=into) as folder:
        model, int8 = Path(folder) / source.name, Path(folder) / f"{name}-int8.tflite"
        page = Path(folder) / f"{name}.html"
        shutil.copyfile(source, model)
        write_provenance(model, provenance)
        with progress_bars() as progress:
            evaluate_both(rows, "float", model, test, progress)
        provenance["evaluation"] = {"data": TESTS[kind][0], **rows["float"]}
        write_provenance(model, provenance)
        quantize(model, int8, page)
        with progress_bars() as progress:
            evaluate_both(rows, "int8", int8, test, progress)
            hard = measure_hard(int8, test, also, progress)
        text = renewed(old, name, kind, rows, hard, read_spec(int8))
        model.with_suffix(".md").write_text(text)
        model.unlink()
        page.replace(into.resolve().parent / "docs" / "measurements" / "reports" / page.name)
        for file in sorted(Path(folder).iterdir()):
            file.replace(into / file.name)
    click.echo(f"wrote {into / name}.json, .md and {into / int8.name}")


if __name__ == "__main__":
    main()
