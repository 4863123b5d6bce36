"""What a labelled set is called, and what of a benchmark is not at hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asmnet.data.datasets import Dataset

__all__ = ["name_of", "notes_on"]

# Faces in the benchmarks' subsets: a figure on fewer is another figure.
WHOLE = {"300w common": 554, "300w challenging": 135, "wflw full": 2500}


def name_of(source: str, subsets: Sequence[str]) -> str:
    """The folder's name and the subset, for example "300w common"."""
    folder = Path(source.rpartition(":")[2]).resolve().name
    part = "full" if "full" in subsets else subsets[0]
    return f"{folder} {part}".removesuffix(" all")


def notes_on(source: str, subset: str | None, data: Dataset) -> tuple[str, ...]:
    """Sentences on what a figure on these faces is not.

    Args:
        source, subset: as `asmnet.data.datasets.read_dataset` got them.
        data: what it read.
    """
    kind = source.partition(":")[0]
    notes = []
    for part in data.subsets:
        count, whole = sum(data.belongs(f, part) for f in data.faces), WHOLE.get(f"{kind} {part}")
        if whole and count != whole:
            notes.append(f"The benchmark's {part} subset has {whole:,} faces; {count:,} are here.")
    if subset == "test" and data.subsets in (("common",), ("challenging",)):
        (here,) = data.subsets
        other = "challenging (ibug)" if here == "common" else "common"
        notes.append(f"The {other} pictures are not there: this is the {here} subset, not full.")
    if not data.landmarks:
        name = name_of(source, data.subsets)
        notes.append(f"{name} labels poses only: no NME, and rough boxes.")
    if data.skipped:
        notes.append(f"Left out {len(data.skipped)} malformed, the first: {data.skipped[0]}")
    return (*notes, *data.notes)
