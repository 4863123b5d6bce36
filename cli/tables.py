"""Tables: for the terminal, and in Markdown for documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table as RichTable

__all__ = ["Table"]


@dataclass(frozen=True)
class Table:
    """A title, headings and cells; `rich` prints it as it is.

    Attributes:
        title: what it shows, with the unit.
        columns: their headings; none of them has text: no line for them on the terminal.
        rows: as long as `columns`; of a cell `str` is shown, in its style if it is rich's `Text`.
        caption: what one has to know to read it.
        words: so many columns, from the left, are text; the others are figures.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    caption: str = ""
    words: int = 1

    def markdown(self) -> str:
        """Headings and cells, aligned; without title and caption."""
        cells = [[str(cell).replace("|", "\\|") for cell in row] for row in self.rows]
        cells.insert(0, [column.replace("|", "\\|") for column in self.columns])
        widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
        rules = ["-" * width if i < self.words else "-" * (width - 1) + ":"
                 for i, width in enumerate(widths)]  # fmt: skip
        lines = [
            [cell.ljust(width) if i < self.words else cell.rjust(width)
             for i, (cell, width) in enumerate(zip(row, widths, strict=True))]
            for row in cells
        ]  # fmt: skip
        lines.insert(1, rules)
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def __rich__(self) -> RichTable:
        """What `rich.print` shows."""
        from rich.table import Table as RichTable  # an extra: named when it is missed
        from rich.text import Text

        # Text, for names of files and folders may hold brackets, which are rich's markup.
        shown = RichTable(
            title=Text(self.title), caption=Text(self.caption), show_header=any(self.columns)
        )
        for i, column in enumerate(self.columns):
            shown.add_column(Text(column), justify="left" if i < self.words else "right")
        for row in self.rows:
            shown.add_row(*(c if isinstance(c, Text) else Text(str(c)) for c in row))
        return shown
