"""How a batch writes its tables, by the value of `--format`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from asmnet.edge_runtime.batch.openface import OpenFaceWriter
from asmnet.edge_runtime.io.closing import Closing
from asmnet.edge_runtime.io.parquet import ParquetWriter
from asmnet.edge_runtime.io.sinks import CsvWriter, record_line
from asmnet.edge_runtime.io.sources import Frame
from asmnet.edge_runtime.landmarker import Face

__all__ = ["LAYOUTS", "Layout"]


class TableWriter(Protocol):
    """Takes frames; a context manager that closes itself."""

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Append a frame."""

    def __enter__(self) -> TableWriter: ...
    def __exit__(self, *_: object) -> None: ...


class _Records(Closing):
    """The records of `asmnet track`."""

    def __init__(self, path: Path, points: int, kind: type[CsvWriter] | type[ParquetWriter]):
        self._writer = kind(path, points)

    def write(self, frame: Frame, faces: list[Face]) -> None:
        self._writer.write(record_line(frame, faces))

    def close(self) -> None:
        self._writer.close()


def _openface(path: Path, points: int, separator: str) -> OpenFaceWriter:
    return OpenFaceWriter(path, separator)


@dataclass(frozen=True)
class Layout:
    """One kind of table.

    Attributes:
        open: a table, from its path and the number of landmarks.
        suffix: of the file.
        replaces: the suffix stands in place of the source's, not after it.
    """

    open: Callable[[Path, int], TableWriter]
    suffix: str
    replaces: bool = False

    def name(self, source: str) -> str:
        """Of a source's table."""
        return (os.path.splitext(source)[0] if self.replaces else source) + self.suffix


LAYOUTS: Mapping[str, Layout] = {
    "csv": Layout(partial(_Records, kind=CsvWriter), ".csv"),
    "parquet": Layout(partial(_Records, kind=ParquetWriter), ".parquet"),
    # Scripts look for OpenFace's file names as well as for its columns.
    "openface": Layout(partial(_openface, separator=","), ".csv", replaces=True),
    "openface-spaces": Layout(partial(_openface, separator=", "), ".csv", replaces=True),
}
