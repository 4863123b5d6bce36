"""How a run goes: frames, speed, stage times, latency, frames that nobody saw."""

from __future__ import annotations

import sys
import time
from collections import deque

import click
import numpy as np

from asmnet.edge_runtime.io.sources import Frame
from asmnet.edge_runtime.timing import Stopwatch, table

__all__ = ["Status"]

# Stage times are kept for so many frames, so that a run of weeks needs no more memory.
_KEPT = 10_000


class Status:
    """One live line on a terminal, and a summary at the end.

    Attributes:
        watch: what the current frame took, stage by stage.
    """

    def __init__(self) -> None:
        self.watch = Stopwatch()
        self._stages: dict[str, deque[float]] = {}
        self._latencies: deque[float] = deque(maxlen=_KEPT)
        self._frames = self._with_face = self._dropped = 0
        self._start = time.perf_counter()
        self._recent: deque[float] = deque([self._start], maxlen=30)
        self._printed = self._start

    def frame(self, frame: Frame, faces: int) -> None:
        """Close a frame's account; on a terminal, refresh the live line twice a second."""
        now = time.perf_counter()
        for stage, seconds in self.watch.seconds.items():
            self._stages.setdefault(stage, deque(maxlen=_KEPT)).append(seconds)
        self.watch.clear()
        self._frames += 1
        self._with_face += faces > 0
        self._dropped += frame.dropped
        if frame.live:
            self._latencies.append(time.monotonic() - frame.captured)
        self._recent.append(now)
        if sys.stderr.isatty() and now > self._printed + 0.5:
            self._printed = now
            click.echo(f"\r\x1b[K{self.line()}", nl=False, err=True)

    @property
    def fps(self) -> float:
        """Frames per second, of the last thirty."""
        span = self._recent[-1] - self._recent[0]
        return (len(self._recent) - 1) / span if span else 0.0

    def milliseconds(self) -> dict[str, float]:
        """What the latest call of each stage took."""
        return {stage: 1e3 * times[-1] for stage, times in self._stages.items()}

    def line(self) -> str:
        """Frames per second, stage times, and for cameras latency and frames dropped."""
        stages = "  ".join(f"{stage} {ms:.1f}" for stage, ms in self.milliseconds().items())
        text = f"{self.fps:.0f} fps   {stages} ms"
        if self._latencies:
            text += f"   latency {1e3 * self._latencies[-1]:.0f} ms, {self._dropped} dropped"
        return text

    def say(self, line: str) -> None:
        """Tell something on standard error, below the live line."""
        clear = "\r\x1b[K" if sys.stderr.isatty() else ""
        click.echo(f"{clear}{line}", err=True)

    def summary(self) -> None:
        """Print the run: frames, speed, stage times."""
        if sys.stderr.isatty():
            click.echo("\r\x1b[K", nl=False, err=True)
        seconds = time.perf_counter() - self._start
        click.echo(
            f"{self._frames} frames in {seconds:.1f} s ({self._frames / seconds:.0f} per second), "
            f"{self._with_face} of them with a face"
        )
        if self._latencies:
            middle, late = 1e3 * np.percentile(self._latencies, (50, 95))
            click.echo(
                f"latency from camera to result: median {middle:.0f} ms, 95th percentile "
                f"{late:.0f} ms; {self._dropped} frames dropped"
            )
        if self._frames:
            click.echo(table({stage: list(times) for stage, times in self._stages.items()}))
