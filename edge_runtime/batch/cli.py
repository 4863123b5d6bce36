"""`asmnet-batch`: many videos and pictures, each to a table of its own, and one summary.

All workers track; this process alone keeps what is done, and writes the summary.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import click

from asmnet import models
from asmnet.cli.options import MODELS, fov_option, model_option, ray_option
from asmnet.cli.progress import suppress_output
from asmnet.cli.workers import map_items, open_pool
from asmnet.core import UserError, cli_errors, remove_temporaries
from asmnet.edge_runtime.batch.inputs import Source, find_sources
from asmnet.edge_runtime.batch.layouts import LAYOUTS
from asmnet.edge_runtime.batch.records import keep_line, kept_line, settle, write_summary
from asmnet.edge_runtime.batch.tracking import Line, Settings, Tracking
from asmnet.edge_runtime.io.parquet import require_pyarrow
from asmnet.edge_runtime.landmarker import Landmarker

__all__ = ["main"]

_EVERY = 5.0  # seconds between two lines of progress


@click.command(epilog=MODELS)
@click.argument("sources", nargs=-1, required=True)
@click.option(
    "--out", "-o", required=True, type=click.Path(path_type=Path), help="Folder of the tables."
)
@model_option
@click.option(
    "--faces",
    default=1,
    show_default=True,
    type=click.IntRange(1, 20),
    help="Followed at once, at most.",
)
@click.option(
    "--format",
    "layout",
    default="csv",
    show_default=True,
    type=click.Choice([*LAYOUTS]),
    help="openface: OpenFace's columns; openface-spaces: as it wrote them before 2.2.",
)
@fov_option
@click.option("--workers", type=click.IntRange(1, 4096), help="Processes; default: all cores.")
@ray_option
@cli_errors()
def main(
    sources: tuple[str, ...],
    out: Path,
    model: str,
    faces: int,
    layout: str,
    fov: float,
    workers: int | None,
    ray: str | None,
) -> None:
    """Track the faces of all videos and pictures in SOURCES.

    SOURCES are files, folders with their sub-folders, patterns, or @FILE, a list of such. Each NAME
    becomes OUT/NAME.csv. OUT/summary.csv has a line for each, with what went wrong where a file
    could not be read. Stopped or killed, the same command goes on.
    """
    root, found = find_sources(sources)
    with suppress_output():
        Landmarker.load(model)  # what is wrong with it is told once, and now
    if model not in models.shipped():
        model = str(Path(model).absolute())  # workers may be elsewhere
    settings = Settings(str(root), model, faces, layout, fov)
    _check_names(found, settings, out)
    if layout == "parquet":
        require_pyarrow()
    settle(out, settings)
    lines = {source: line for source in found if (line := kept_line(out, source, settings))}
    # The largest first, lest one worker ends long after the others.
    todo = sorted((s for s in found if s not in lines), key=lambda s: -s.size)
    if todo and lines:
        click.echo(f"{len(lines)} of {len(found)} files are done", err=True)
    for source, line in _with_progress(_track(todo, settings, out, workers, ray), todo):
        lines[source] = line
        keep_line(out, source, line)
    tables = [out / LAYOUTS[layout].name(source.name) for source in found]
    remove_temporaries(path for path in tables if path.parent.is_dir())  # of lost workers
    failed = write_summary(out, [lines[source] for source in found], layout)
    click.echo(f"files: {len(found)}, failed: {failed}; {out / 'summary.csv'}")


def _track(
    todo: Sequence[Source], settings: Settings, out: Path, workers: int | None, ray: str | None
) -> Iterator[tuple[Source, Line]]:
    if todo:
        make = partial(Tracking, settings, out.absolute())
        with open_pool(ray) as pool:
            yield from map_items(make, todo, _lost, pool, workers)


def _lost(source: Source) -> Line:
    return Line(source.name, failure="three workers crashed on it, or ran out of memory")


def _with_progress(
    work: Iterator[tuple[Source, Line]], todo: Sequence[Source]
) -> Iterator[tuple[Source, Line]]:
    """Tell what fails, and how far it is by the files' sizes."""
    whole, done, failed = sum(s.size for s in todo), 0, 0
    began = told = time.monotonic()
    for number, (source, line) in enumerate(work, start=1):
        done += source.size
        if line.failure:
            failed += 1
            click.echo(f"{line.file}: {line.failure}", err=True)
        now = time.monotonic()
        if now - told >= _EVERY and number < len(todo):
            told = now
            left = timedelta(seconds=round((now - began) * (whole - done) / max(1, done)))
            end = datetime.now() + left
            click.echo(
                f"{number} of {len(todo)} files, {failed} failed; {left} left, until {end:%H:%M}",
                err=True,
            )
        yield source, line


def _check_names(found: Sequence[Source], settings: Settings, out: Path) -> None:
    """Refuse what would overwrite the archive, or a table with another."""
    if out.resolve() == Path(settings.root).resolve():
        raise UserError(f"--out {out} is the folder that is read; give another")
    tables = defaultdict(list, {"summary.csv": ["the summary"]})
    for source in found:
        tables[LAYOUTS[settings.format].name(source.name)].append(source.name)
    for table, names in tables.items():
        if len(names) > 1:
            raise UserError(
                f"{' and '.join(names)} would both become {table}; rename a file, or take "
                "--format csv"
            )


if __name__ == "__main__":
    main()
