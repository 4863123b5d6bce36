"""`asmnet-bench`: what each stage costs on this machine."""

from __future__ import annotations

import itertools
import os
import statistics

import click
import cv2

from asmnet import models
from asmnet.cli.options import MODELS
from asmnet.core import UserError, cli_errors
from asmnet.edge_runtime.doctor.machine import machine_name
from asmnet.edge_runtime.interpreter import interpreter_version
from asmnet.edge_runtime.io.cameras import public_name
from asmnet.edge_runtime.io.sources import frames_from
from asmnet.edge_runtime.timing import Stopwatch, table
from asmnet.edge_runtime.tracking.tracker import FaceTracker

__all__ = ["main"]

_WARM_UP = 5


@click.command(epilog=MODELS)
@click.option(
    "--model",
    "names",
    multiple=True,
    default=[models.DEFAULT],
    show_default=True,
    metavar="NAME|FILE",
    help="A shipped model, or a .tflite made by asmnet-export; repeat to compare several.",
)
@click.option(
    "--threads",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Measure 1, 2, ... up to so many threads.",
)
@click.option("--frames", default=200, show_default=True, type=click.IntRange(10, 10_000))
@click.option("--source", default="demo", show_default=True, help="A video or picture.")
@cli_errors()
def main(names: tuple[str, ...], threads: int, frames: int, source: str) -> None:
    """Time each stage of the tracker, in milliseconds, on one face.

    Models and thread counts take turns on every frame, so that they share whatever
    else the machine is doing.
    """
    # Threads here are the interpreter's; OpenCV's would blur the comparison.
    cv2.setNumThreads(1)
    runs = {
        (name, count): FaceTracker.load(name, threads=count)
        for name, count in itertools.product(dict.fromkeys(names), range(1, threads + 1))
    }
    times: dict[tuple[str, int], dict[str, list[float]]] = {run: {} for run in runs}
    for number, frame in enumerate(itertools.islice(frames_from(source), frames + _WARM_UP)):
        for run, tracker in runs.items():
            watch = Stopwatch()
            with watch("whole update"):
                tracker.update(frame.image, frame.t)
            watch.add(tracker.stopwatch)
            if number >= _WARM_UP:
                for stage, seconds in watch.seconds.items():
                    times[run].setdefault(stage, []).append(seconds)
    shown = public_name(source) if "://" in source else source
    if not all("network" in stages for stages in times.values()):
        raise UserError(f"no face in the first {frames} frames of {shown}; try --source demo")
    click.echo(f"{machine_name()}, {os.cpu_count()} cores")
    click.echo(f"{interpreter_version()}, OpenCV {cv2.__version__}")
    click.echo(f"{shown}, {number + 1 - _WARM_UP} frames; reading them is not counted")
    first = next(iter(runs))
    for (name, count), stages in times.items():
        size = f"{models.find(name).stat().st_size / 1e6:.2f} MB"
        click.echo(f"\n{name}  {size}  {count} thread{'s' if count > 1 else ''}")
        click.echo(table(stages))
        if (name, count) != first:
            ratio = statistics.median(times[first]["network"]) / statistics.median(
                stages["network"]
            )
            click.echo(f"network: {ratio:.2f} x as fast as {first[0]} with 1 thread")
