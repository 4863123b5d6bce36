"""`asmnet-webcam`: follow faces in a camera, a video or pictures."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator

import click
import cv2
import numpy as np

from asmnet import models
from asmnet.core import cli_errors
from asmnet.edge_runtime.detector import FaceDetector
from asmnet.edge_runtime.drawing import draw, text_block
from asmnet.edge_runtime.landmarker import Landmarker
from asmnet.edge_runtime.sinks import JsonlWriter, Recorder, Stills, record_line
from asmnet.edge_runtime.sources import Frame, frames_from
from asmnet.edge_runtime.timing import Stopwatch, table
from asmnet.edge_runtime.tracker import FaceTracker

__all__ = ["main"]

_WINDOW = "ASMNet: q or Esc quits"


@click.command(epilog=f"Shipped models: {', '.join(models.shipped())}.")
@click.option(
    "--source",
    default="0",
    show_default=True,
    help="Camera number, video, picture, folder of pictures, URL, or demo.",
)
@click.option(
    "--model",
    default=models.DEFAULT,
    show_default=True,
    metavar="NAME|FILE",
    help="A shipped model, or a .tflite made by asmnet-export.",
)
@click.option("--faces", default=1, show_default=True, type=click.IntRange(1, 20))
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1, 64))
@click.option("--headless", is_flag=True, help="Open no window.")
@click.option("--record", metavar="FILE.mp4", help="Write the annotated video.")
@click.option("--jsonl", metavar="FILE", help="Write one JSON line per frame.")
@click.option("--stills", metavar="FOLDER", help="Save annotated pictures there.")
@click.option(
    "--every",
    default=3.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds from one still to the next.",
)
@cli_errors
def main(
    source: str,
    model: str,
    faces: int,
    threads: int,
    headless: bool,
    record: str | None,
    jsonl: str | None,
    stills: str | None,
    every: float,
) -> None:
    """Follow faces and show their landmarks and head pose, live.

    Ctrl-C stops after the current frame; recordings are whole files.
    """
    cv2.setNumThreads(threads)
    tracker = FaceTracker(
        Landmarker.load(model, threads), FaceDetector.load(threads=threads), faces
    )
    scheme = tracker.landmarker.spec.points
    status = _Status()
    with contextlib.ExitStack() as stack:
        stopped = stack.enter_context(_stop_signals())
        frames = stack.enter_context(contextlib.closing(frames_from(source)))
        recorder = stack.enter_context(Recorder(record)) if record else None
        saver = Stills(stills, every) if stills else None
        lines = stack.enter_context(JsonlWriter(jsonl)) if jsonl else None
        window = stack.enter_context(_Window()) if not headless and _can_show() else None
        stack.callback(status.summary)
        for frame in _timed(frames, status.watch):
            if frame.still:
                tracker.reset()
            found = tracker.update(frame.image, frame.t)
            status.watch.add(tracker.stopwatch)
            with status.watch("output"):
                if lines:
                    size = (frame.image.shape[1], frame.image.shape[0])
                    lines.write(record_line(frame.index, frame.t, frame.name, size, found))
                still = saver is not None and saver.due(frame)
                if window or recorder or still:
                    picture = frame.image.copy()
                    draw(picture, found, scheme)
                if saver and still:
                    saver.write(picture, frame)
                if recorder:
                    recorder.write(picture, frame)
            status.frame(len(found))
            if window and not window.show(picture, frame, status.line()):
                break
            if stopped():
                break
    for path in (record, jsonl, stills):
        if path and os.path.exists(path):
            click.echo(f"wrote {path}")


class _Status:
    """Counts, speed and stage times: one live line, and a summary at the end."""

    def __init__(self) -> None:
        self.watch = Stopwatch()
        self._stages: dict[str, list[float]] = {}
        self._frames = self._with_face = 0
        self._start = time.perf_counter()
        self._recent: deque[float] = deque([self._start], maxlen=30)
        self._printed = self._start

    def frame(self, faces: int) -> None:
        """Close a frame's account; on a terminal, refresh the live line twice a second."""
        now = time.perf_counter()
        for stage, seconds in self.watch.seconds.items():
            self._stages.setdefault(stage, []).append(seconds)
        self.watch.clear()
        self._frames += 1
        self._with_face += faces > 0
        self._recent.append(now)
        if sys.stderr.isatty() and now > self._printed + 0.5:
            self._printed = now
            click.echo(f"\r\x1b[K{self.line()}", nl=False, err=True)

    def line(self) -> str:
        """Frames per second, and what the latest call of each stage took."""
        span = self._recent[-1] - self._recent[0]
        fps = (len(self._recent) - 1) / span if span else 0.0
        stages = (f"{stage} {1e3 * times[-1]:.1f}" for stage, times in self._stages.items())
        return f"{fps:.0f} fps   {'  '.join(stages)} ms"

    def summary(self) -> None:
        """Print the run: frames, speed, stage times."""
        if sys.stderr.isatty():
            click.echo("\r\x1b[K", nl=False, err=True)
        seconds = time.perf_counter() - self._start
        click.echo(
            f"{self._frames} frames in {seconds:.1f} s ({self._frames / seconds:.0f} per second), "
            f"{self._with_face} of them with a face"
        )
        if self._frames:
            click.echo(table(self._stages))


class _Window:
    """The preview; plays files at their own speed."""

    def __init__(self) -> None:
        cv2.namedWindow(_WINDOW, cv2.WINDOW_NORMAL)
        self._start: float | None = None

    def show(self, picture: np.ndarray, frame: Frame, text: str) -> bool:
        """Show a picture, wait until the next is due; False when the user quits."""
        text_block(picture, [text], (0, 0))
        if self._start is None:
            self._start = time.perf_counter() - frame.t
        cv2.imshow(_WINDOW, picture)
        due = self._start + frame.t + (1 / frame.fps if not frame.live else 0)
        key = cv2.waitKey(max(1, int(1e3 * (due - time.perf_counter())))) & 0xFF
        return (
            key not in (ord("q"), 27) and cv2.getWindowProperty(_WINDOW, cv2.WND_PROP_VISIBLE) >= 1
        )

    def __enter__(self) -> _Window:
        return self

    def __exit__(self, *_: object) -> None:
        cv2.destroyAllWindows()


def _can_show() -> bool:
    """Whether a window can open; says why not."""
    # Without a display some OpenCV builds end the process instead of raising.
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        click.echo("no display: running without a window", err=True)
        return False
    try:
        cv2.namedWindow(_WINDOW, cv2.WINDOW_NORMAL)
        return True
    except cv2.error:
        click.echo(
            "this OpenCV cannot open windows: running without one "
            "(pip uninstall opencv-python-headless; pip install opencv-python)",
            err=True,
        )
        return False


@contextlib.contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether Ctrl-C or SIGTERM came.

    The first signal lets the current frame finish; a second one interrupts at once,
    should a camera or network hang.
    """
    seen: list[int] = []

    def handle(number: int, _: object) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(seen)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _timed(frames: Iterator[Frame], watch: Stopwatch) -> Iterator[Frame]:
    """The same frames; the time to get each is added to stage "capture"."""
    while True:
        with watch("capture"):
            frame = next(frames, None)
        if frame is None:
            return
        yield frame
