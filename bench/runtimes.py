"""The same file in the interpreters that users have: how far apart the answers are, and how fast.

    python bench/runtimes.py [MODEL ...] [--save answers.npz] [--against answers.npz]

Runs every MODEL, a shipped name or a `.tflite` with a reference, in this environment's
interpreter with XNNPACK on and off, on one thread and two.  `make runtimes` does so under
ai-edge-litert, then under tflite-runtime, and compares.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from asmnet import models
from asmnet.cli.progress import suppress_output
from asmnet.cli.tables import Table
from asmnet.core import cli_errors, read_spec
from asmnet.edge_runtime import Landmarker
from asmnet.edge_runtime.interpreter import Network, interpreter_version
from asmnet.edge_runtime.parity import run_file
from asmnet.edge_runtime.verify import load_reference

# Pixels of a 224 x 224 input: kernels round differently, and a rounding may tip the next one.
LIMIT = 1.5
RUNS = 30
CONFIGURATIONS = [(True, 1), (True, 2), (False, 1), (False, 2)]


@click.command()
@click.argument("names", nargs=-1, metavar="[MODEL ...]")
@click.option("--save", type=click.Path(path_type=Path), help="Keep the answers, to compare with.")
@click.option("--against", type=click.Path(path_type=Path), help="Answers kept elsewhere.")
@cli_errors(extra="export")
def main(names: tuple[str, ...], save: Path | None, against: Path | None) -> None:
    """Print a Markdown table; exit with 1 if any two answers are farther apart than LIMIT."""
    others = dict(np.load(against)) if against else {}
    kept: dict[str, Any] = {}
    worst, rows = 0.0, []
    for name in names or models.shipped():
        file = models.find(name, ".tflite")
        spec = read_spec(file)
        images, _ = load_reference(file)
        first = None
        for xnnpack, threads in CONFIGURATIONS:
            with suppress_output():
                landmarker = Landmarker(Network(file, threads, xnnpack), spec)
            points, _ = run_file(landmarker, images)
            spent = []
            for image in images[:RUNS]:
                start = time.perf_counter()
                landmarker.raw(image)
                spent.append(time.perf_counter() - start)
            kernels = "XNNPACK" if xnnpack else "built in"
            key = f"{name}/{kernels}/{threads}"
            kept[key] = points
            first = points if first is None else first
            apart = [_apart(points, first, spec.input_size)]
            if key in others:
                apart.append(_apart(points, others[key], spec.input_size))
            worst = max(worst, *(value * 224 / spec.input_size for value in apart))
            cells = [f"{value:.3f}" for value in apart] + [""] * (2 - len(apart))
            rows.append([name, kernels, threads, f"{1e3 * statistics.median(spent):.2f}", *cells])
    columns = ["file", "kernels", "threads", "ms", "largest difference, px", "to the other, px"]
    click.echo(f"{interpreter_version()}\n\n{Table('', columns, rows, words=2).markdown()}")
    if save:
        np.savez(save, **kept)
    click.echo(f"\nfarthest apart: {worst:.3f} px of 224, allowed {LIMIT}")
    sys.exit(worst > LIMIT)


def _apart(one: np.ndarray, other: np.ndarray, size: int) -> float:
    return float(np.linalg.norm(one - other, axis=-1).max()) * size


if __name__ == "__main__":
    main()
