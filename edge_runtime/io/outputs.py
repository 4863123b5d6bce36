"""Outputs that would overwrite what the run reads, or each other: refused before any work."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from asmnet.core import IMAGE_SUFFIXES, UserError

__all__ = ["refuse_overwriting"]


def refuse_overwriting(
    source: str, model: str, files: Mapping[str, str | None], stills: str | None
) -> None:
    """Check that every file of a run has a place of its own, however its name is spelled.

    Args:
        source: as for `frames_from`.
        model: a file, or the name of a shipped one.
        files: outputs by the option that names them; None where it is not given.
        stills: the folder of `Stills`, if any.

    Raises:
        UserError: two of them are the same.
    """
    source = re.sub(r"^file:(//)?", "", source)
    taken = {place: f"--model {model}" for place in _places(model)}
    taken |= {place: f"--source {source}" for place in _places(source)}
    for option, name in files.items():
        if name is None:
            continue
        places = _places(name)
        for place in taken.keys() & places:
            raise UserError(f"{option} {name} would overwrite {taken[place]}; give another name")
        path = Path(os.path.realpath(name))
        if path.suffix.lower() in IMAGE_SUFFIXES and str(path.parent) in taken:
            raise UserError(f"{option} {name} is among the pictures of {taken[str(path.parent)]}")
        taken |= dict.fromkeys(places, f"{option} {name}")
    if stills is None:
        return
    folder = os.path.realpath(stills)
    still = re.compile(re.escape(os.path.join(folder, "")) + r"frame-\d{6,}\.jpg")
    for place, what in taken.items():
        if place == folder or still.fullmatch(str(place)):
            raise UserError(f"--stills {stills} would overwrite {what}; give another folder")


def _places(name: str) -> set[object]:
    """What stands for a file: its path without symbolic links, and its number on the disk."""
    places: set[object] = {os.path.realpath(name)}
    try:
        status = os.stat(name)
    except (OSError, ValueError):
        return places
    return places | {(status.st_dev, status.st_ino)}
