"""Files that an export writes: never over what it reads, and what stood there before is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path

from asmnet.core import IMAGE_SUFFIXES, UserError

__all__ = ["check_outputs", "set_aside"]

READ = (*IMAGE_SUFFIXES, ".pts", ".csv", ".txt")  # what a folder of labelled faces holds


def check_outputs(outputs: Mapping[str, Path | None], inputs: Iterable[Path] = ()) -> None:
    """Refuse to write a file twice, or over one that is read.

    Args:
        outputs: by the options that name them; None: not asked for.
        inputs: files, or folders of pictures and labels.

    Raises:
        UserError: names the options or the input.
    """
    read = [path.resolve() for path in inputs]
    taken: dict[Path, str] = {}
    for option, given in outputs.items():
        if given is None:
            continue
        path = given.resolve()
        if path in taken:
            raise UserError(f"{taken[path]} and {option} both write {given}; give two names")
        inside = path.suffix.lower() in READ and path.exists()
        if path in read or (inside and any(path.is_relative_to(folder) for folder in read)):
            raise UserError(f"{option} {given} would overwrite what is read; give another name")
        taken[path] = option


def set_aside(file: Path) -> Path | None:
    """Rename a file, if it is there, to a free NAME.previous beside it; returns that name."""
    if not file.exists():
        return None
    for number in count(1):
        ending = ".previous" if number == 1 else f".previous-{number}"
        free = file.with_name(f"{file.stem}{ending}{file.suffix}")
        if not free.exists():
            file.replace(free)
            return free
    raise AssertionError  # count() has no end
