"""The one table: what documents get, and what the terminal shows."""

import io

from rich.console import Console
from rich.text import Text

from asmnet.cli.tables import Table

TABLE = Table("Speed [ms]", ["model", "a|b"], [["[red]x[/]", 1.5], ["y", Text("slow", "red")]], "c")


def shown(table: Table) -> str:
    console = Console(file=io.StringIO(), width=60)
    console.print(table)
    return console.file.getvalue()


def test_markdown_has_words_to_the_left_and_figures_to_the_right():
    assert TABLE.markdown().splitlines() == [
        "| model     | a\\|b |",
        "| --------- | ---: |",
        "| [red]x[/] |  1.5 |",
        "| y         | slow |",
    ]


def test_names_with_brackets_are_no_markup_on_the_terminal():
    text = shown(TABLE)
    for words in ("Speed [ms]", "a|b", "[red]x[/]", "1.5", "slow"):
        assert words in text


def test_without_headings_there_is_no_line_for_them():
    rows = [["size", 2]]
    assert len(shown(Table("", ["", ""], rows)).splitlines()) == 3
    assert len(shown(Table("", ["what", "much"], rows)).splitlines()) == 5
