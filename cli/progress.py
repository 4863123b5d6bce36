"""Long steps that show progress, and only that."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import Protocol, TextIO, TypeVar

__all__ = ["Progress", "no_progress", "progress_bars", "suppress_output"]

T = TypeVar("T")

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # read when TensorFlow is first imported


class Progress(Protocol):
    """Wraps an iteration to show how far it is."""

    def __call__(self, items: Iterable[T], label: str) -> Iterable[T]:
        """Yield the items."""


def no_progress(items: Iterable[T], label: str) -> Iterable[T]:
    """The `Progress` that shows nothing."""
    return iter(items)


@contextlib.contextmanager
def suppress_output() -> Iterator[None]:
    """Keep the chatter of TensorFlow and its converter off the terminal.

    It comes from C++ straight to file descriptor 2, from Python's warnings, and from
    prints; errors arrive as exceptions all the same.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    with open(os.devnull, "w") as null, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.dup2(null.fileno(), 2)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)


@contextlib.contextmanager
def progress_bars() -> Iterator[Progress]:
    """Progress bars on stderr, one a step, which `suppress_output` does not silence."""
    from rich import progress as bars  # an extra: named when it is missed
    from rich.console import Console

    stream: TextIO
    try:
        stream = os.fdopen(os.dup(sys.stderr.fileno()), "w", buffering=1)
    except (OSError, io.UnsupportedOperation):
        stream = sys.stderr  # replaced by a test or a notebook: not a descriptor
    with bars.Progress(
        bars.TextColumn("{task.description:<22}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TimeElapsedColumn(),
        console=Console(file=stream),
        redirect_stdout=False,
        redirect_stderr=False,
    ) as bar:
        yield lambda items, label: bar.track(items, description=label)
