"""Where the time goes, stage by stage."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

__all__ = ["Stopwatch", "table"]


class Stopwatch:
    """Adds up seconds under names, until cleared.

    >>> watch = Stopwatch()
    >>> with watch("network"):
    ...     total = sum(range(1000))
    >>> list(watch.seconds)
    ['network']
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def clear(self) -> None:
        """Start anew."""
        self.seconds = {}

    def add(self, other: Stopwatch) -> None:
        """Add another's stages."""
        for stage, seconds in other.seconds.items():
            self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    @contextlib.contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes to `stage`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


def table(stages: Mapping[str, Sequence[float]]) -> str:
    """Median and 95th percentile of each stage in milliseconds, as plain text.

    Args:
        stages: seconds of every time that a stage ran.
    """
    lines = [f"{'stage':<12}{'median ms':>10}{'p95 ms':>10}{'times':>8}"]
    for stage, seconds in stages.items():
        median, p95 = 1e3 * np.percentile(seconds, (50, 95))
        lines.append(f"{stage:<12}{median:>10.2f}{p95:>10.2f}{len(seconds):>8}")
    return "\n".join(lines)
