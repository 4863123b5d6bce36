"""What a batch remembers, so that it goes on after a kill and ends with the same bytes.

A source's table is written first, then its line, each whole or not at all.  `parse_json` would not
read them: where names are not UTF-8, they hold half surrogate pairs.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from asmnet.core import UserError, atomic_path
from asmnet.edge_runtime.batch.inputs import Source
from asmnet.edge_runtime.batch.layouts import LAYOUTS
from asmnet.edge_runtime.batch.tracking import Line, Settings
from asmnet.edge_runtime.io.parquet import write_parquet

__all__ = ["keep_line", "kept_line", "settle", "write_summary"]

_COLUMNS = [field.name for field in fields(Line)]


def settle(out: Path, settings: Settings) -> None:
    """Keep the settings.

    Raises:
        UserError: the folder has others, or they are damaged.
    """
    kept, ours = out / "batch.json", asdict(settings)
    if not kept.exists():
        with atomic_path(kept) as path:
            path.write_text(json.dumps(ours))
        return
    try:
        theirs = dict(json.loads(kept.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f"{kept} is damaged ({error}); remove it, and repeat the command"
        ) from error
    for name, value in ours.items():
        if theirs.get(name) != value:
            raise UserError(
                f"{out} was begun with other options: {name} was {theirs.get(name)}, now it is "
                f"{value}; give another --out"
            )


def _line_of(out: Path, source: Source) -> Path:
    """A source's record; a hash, for names may be as long as file systems allow."""
    return out / ".lines" / f"{hashlib.sha256(os.fsencode(source.name)).hexdigest()[:32]}.json"


def keep_line(out: Path, source: Source, line: Line) -> None:
    """Remember that a source is done; its table is written."""
    with atomic_path(_line_of(out, source)) as path:
        record = {"size": source.size, "changed": source.changed, "line": asdict(line)}
        path.write_text(json.dumps(record))


def kept_line(out: Path, source: Source, settings: Settings) -> Line | None:
    """The line of a source that is done, and has not changed since."""
    try:
        record = json.loads(_line_of(out, source).read_bytes())
        line = Line(**record["line"])
        same = (record["size"], record["changed"]) == (source.size, source.changed)
    except (OSError, ValueError, TypeError, KeyError):  # damaged: done again
        return None
    table = out / LAYOUTS[settings.format].name(source.name)
    return line if same and (line.failure or table.is_file()) else None


def write_summary(out: Path, lines: Sequence[Line], layout: str) -> int:
    """Write summary.csv, and with layout "parquet" the same as summary.parquet.

    Returns:
        how many sources failed.
    """
    rows = [list(asdict(line).values()) for line in lines]
    for row in rows:  # names may be any bytes
        row[0] = os.fsencode(row[0]).decode("utf-8", "replace")
    with (
        atomic_path(out / "summary.csv") as path,
        path.open("w", newline="", encoding="utf-8", errors="replace") as file,
    ):
        csv.writer(file).writerows([_COLUMNS, *rows])
    if layout == "parquet":
        with atomic_path(out / "summary.parquet") as path:
            write_parquet(path, _COLUMNS, rows)
    return sum(bool(line.failure) for line in lines)
