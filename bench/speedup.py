"""How many times as fast an int8 file is as its float32 original, bare: the networks alone.

    asmnet-export --recipe float32 -o float.tflite
    python bench/speedup.py float.tflite [INT8]

Both on one thread with XNNPACK, in turns of 25 calls of which the first 3 do not count.
`asmnet-bench --model INT8 --model float.tflite` tells the same inside the tracker.
"""

from __future__ import annotations

import time

import click
import numpy as np
from shared import load_model, table

from asmnet import models
from asmnet.cli.progress import suppress_output
from asmnet.core import cli_errors
from asmnet.edge_runtime.interpreter import load_interpreter

RUNS, TURNS, CALLS, SKIPPED = 5, 30, 25, 3


@click.command()
@click.argument("original")
@click.argument("name", default=models.DEFAULT)
@cli_errors(extra="export")
def main(original: str, name: str) -> None:
    """Print medians of each run as a Markdown table."""
    files = [models.find(original), models.find(name)]
    for file in files:
        load_model(str(file))  # says what is wrong with it
    rows = []
    for run in range(RUNS):
        with suppress_output():
            interpreters = [load_interpreter(file) for file in files]
        spent: list[list[float]] = [[], []]
        for _ in range(TURNS):
            for interpreter, seconds in zip(interpreters, spent, strict=True):
                for call in range(CALLS):
                    start = time.perf_counter()
                    interpreter.invoke()
                    if call >= SKIPPED:
                        seconds.append(time.perf_counter() - start)
        before, after = (1e3 * float(np.median(seconds)) for seconds in spent)
        rows.append([run + 1, f"{before:.2f}", f"{after:.2f}", f"{before / after:.2f}"])
    table(f"{name} against {original}", ["run", "float ms", "int8 ms", "times as fast"], rows)


if __name__ == "__main__":
    main()
