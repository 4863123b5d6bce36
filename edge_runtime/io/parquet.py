"""Tables as Parquet: typed columns, read whole or one by one, in half of the size."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asmnet.core import UserError
from asmnet.edge_runtime.io.closing import Closing
from asmnet.edge_runtime.io.sinks import csv_columns, csv_rows

if TYPE_CHECKING:
    import pyarrow

__all__ = ["ParquetWriter", "require_pyarrow", "write_parquet"]

_ROWS = 2000  # kept in memory until they are written: 10 MB
# All other columns are float64: what a CSV reader would make of them, so both say the same.
_INTEGERS = {"frame", "width", "height", "id", "frames", "frames_with_faces", "faces"}
_TEXTS = {"source", "file", "failure"}


class ParquetWriter(Closing):
    """The columns and rows of `CsvWriter`; what is empty there is missing here.

    Args:
        path: of the file.
        points: how many landmarks a face has.

    Raises:
        UserError: pyarrow is not installed.
    """

    def __init__(self, path: str | os.PathLike[str], points: int) -> None:
        require_pyarrow()
        from pyarrow import parquet

        self._columns, self._rows = csv_columns(points), list[list[Any]]()
        self._file = parquet.ParquetWriter(path, _schema(self._columns), compression="zstd")

    def write(self, line: dict[str, Any]) -> None:
        """Append what `record_line` made.

        Raises:
            OSError: the disk is full, or has gone.
        """
        self._rows += csv_rows(line, len(self._columns))
        if len(self._rows) >= _ROWS:
            self._flush()

    def close(self) -> None:
        """Write what is left, and the index without which nothing can read the file."""
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        if self._rows:
            self._file.write_table(_table(self._columns, self._rows))
            self._rows.clear()


def require_pyarrow() -> None:
    """Raise a `UserError` if pyarrow is not installed."""
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise UserError("pyarrow is not installed; run: pip install 'asmnet[batch]'") from error


def write_parquet(path: Path, columns: list[str], rows: list[list[Any]]) -> None:
    """Write a whole table; None is a missing number, and so is "", which is also the empty text.

    Raises:
        UserError: pyarrow is not installed.
    """
    require_pyarrow()
    from pyarrow import parquet

    parquet.write_table(_table(columns, rows), path, compression="zstd")


def _schema(columns: list[str]) -> pyarrow.Schema:
    import pyarrow

    def kind(name: str) -> Any:
        if name in _TEXTS:
            return pyarrow.string()
        return pyarrow.int64() if name in _INTEGERS else pyarrow.float64()

    return pyarrow.schema([(name, kind(name)) for name in columns])


def _table(columns: list[str], rows: list[list[Any]]) -> pyarrow.Table:
    import pyarrow

    schema = _schema(columns)
    arrays = []
    for field, cells in zip(schema, zip(*rows, strict=True), strict=True):
        known = [None if cell == "" and field.name not in _TEXTS else cell for cell in cells]
        arrays.append(pyarrow.array(known, field.type))
    return pyarrow.Table.from_arrays(arrays, schema=schema)
