"""Which files a batch is about, and what they are called in its results."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from asmnet.core import IMAGE_SUFFIXES, UserError

__all__ = ["SUFFIXES", "Source", "find_sources"]

_VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv")
SUFFIXES = (*IMAGE_SUFFIXES, *_VIDEOS)


@dataclass(frozen=True)
class Source:
    """A video or picture.

    Attributes:
        path: absolute.
        name: its path below the folder that all sources share.
        size: bytes.
        changed: when its content last was, ns.
    """

    path: Path
    name: str
    size: int
    changed: int


def find_sources(arguments: Sequence[str]) -> tuple[Path, list[Source]]:
    """The files that a command line names.

    Args:
        arguments: files; folders, whose videos and pictures are taken with those of their
            sub-folders, hidden ones left out; patterns, "**" for any folders; "@FILE", which has
            such an argument in each line.

    Returns:
        the folder that all share, below which names are unique; the sources, sorted by name.

    Raises:
        UserError: an argument matches nothing, or nothing at all was found.
    """
    starts: list[str] = []
    files: set[str] = set()
    for argument in _lines_of(arguments):
        start, paths = _matches(argument)
        starts.append(os.path.abspath(start))
        for path in paths:
            files.update(map(os.path.abspath, _below(path) if os.path.isdir(path) else [path]))
    if not files:
        raise UserError(
            f"{', '.join(arguments)}: no videos or pictures there ({', '.join(SUFFIXES)})"
        )
    root = os.path.commonpath(starts)
    return Path(root), [_source(root, path) for path in sorted(files)]


def _lines_of(arguments: Sequence[str]) -> Iterator[str]:
    for argument in arguments:
        if not argument.startswith("@"):
            yield argument
            continue
        try:
            content = Path(argument[1:]).read_bytes()
        except OSError as error:
            raise UserError(
                f"cannot read the list {argument[1:]}: {error.strerror}; name files, or a list of "
                "them as @FILE"
            ) from error
        for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
            if b"\0" in line:
                raise UserError(f"{argument[1:]}, line {number}: no text; a list has a path a line")
            if line.strip():
                yield os.fsdecode(line)


def _matches(argument: str) -> tuple[str, list[str]]:
    """The folder from which names count, and the files and folders."""
    if os.path.isdir(argument):
        return argument, [argument]
    if os.path.exists(argument):
        return os.path.dirname(os.path.abspath(argument)), [argument]
    found = glob.glob(argument, recursive=True) if glob.has_magic(argument) else []
    if not found:
        raise UserError(
            f"{argument} is no file, folder or pattern that matches one; @FILE names a list"
        )
    parts = Path(argument).parts
    fixed = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    return str(Path(*parts[:fixed])), found


def _below(folder: str) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield os.path.join(place, name)


def _source(root: str, path: str) -> Source:
    try:
        known = os.stat(path)
    except OSError:  # a link to nothing, or gone: reading it will say so
        return Source(Path(path), os.path.relpath(path, root), 0, 0)
    return Source(Path(path), os.path.relpath(path, root), known.st_size, known.st_mtime_ns)
