"""`asmnet-webcam`: follow faces in a camera, a video or pictures."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator

import click
import cv2

from asmnet.cli.options import MODELS, fov_option, model_option
from asmnet.core import cli_errors
from asmnet.edge_runtime.drawing import draw
from asmnet.edge_runtime.io.outputs import refuse_overwriting
from asmnet.edge_runtime.io.recorder import Recorder
from asmnet.edge_runtime.io.senders import OpentrackSender, OscSender, UdpSender
from asmnet.edge_runtime.io.sinks import CsvWriter, JsonlWriter, Stills, record_line
from asmnet.edge_runtime.io.sources import Frame, frames_from
from asmnet.edge_runtime.io.window import Window, can_show
from asmnet.edge_runtime.status import Status
from asmnet.edge_runtime.timing import Stopwatch
from asmnet.edge_runtime.tracking.tracker import FaceTracker

__all__ = ["main"]


@click.command(epilog=MODELS)
@click.option(
    "--source",
    default="0",
    show_default=True,
    help="Camera number, picamera, video, picture, folder of pictures, URL, or demo.",
)
@model_option
@click.option("--faces", default=1, show_default=True, type=click.IntRange(1, 20))
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1, 64))
@click.option("--headless", is_flag=True, help="Open no window.")
@click.option("--fast", is_flag=True, help="Do not hold videos to their own speed.")
@click.option("--serve", metavar="[HOST:]PORT", help="Show a live page in the browser.")
@click.option("--record", metavar="FILE.mp4", help="Write the annotated video.")
@click.option("--jsonl", metavar="FILE", help="Write one JSON line per frame.")
@click.option("--csv", metavar="FILE", help="Write one row per face.")
@click.option("--udp", metavar="HOST:PORT", help="Send one JSON datagram per frame.")
@click.option("--osc", metavar="HOST:PORT", help="Send Open Sound Control messages.")
@click.option("--opentrack", metavar="HOST:PORT", help="Send the head's place to opentrack.")
@fov_option
@click.option("--stills", metavar="FOLDER", help="Save annotated pictures there.")
@click.option(
    "--every",
    default=3.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds from one still to the next.",
)
@cli_errors()
def main(
    source: str,
    model: str,
    faces: int,
    threads: int,
    headless: bool,
    fast: bool,
    serve: str | None,
    record: str | None,
    jsonl: str | None,
    csv: str | None,
    udp: str | None,
    osc: str | None,
    opentrack: str | None,
    fov: float,
    stills: str | None,
    every: float,
) -> None:
    """Follow faces and show their landmarks and head pose, live.

    In the window q or Esc quits, m mirrors, space pauses. Ctrl-C stops after the current
    frame; recordings are whole files. While somebody watches (a window, a page, --udp,
    --osc, --opentrack) videos play at their own speed; otherwise as fast as they can be read.
    """
    files = {"--record": record, "--jsonl": jsonl, "--csv": csv}
    refuse_overwriting(source, model, files, stills)
    cv2.setNumThreads(threads)
    tracker = FaceTracker.load(model, faces, threads, fov)
    scheme = tracker.landmarker.spec.landmark_scheme
    status = Status()
    window: Window | None = None
    with contextlib.ExitStack() as stack:
        signalled = stack.enter_context(_stop_signals())

        def stopped() -> bool:
            return signalled() or (window is not None and not window.is_open())

        opened = stack.enter_context(frames_from(source, stopped, status.say))
        recorder = stack.enter_context(Recorder(record)) if record else None
        saver = Stills(stills, every) if stills else None
        writers: list[JsonlWriter | CsvWriter | UdpSender] = []
        if jsonl:
            writers.append(stack.enter_context(JsonlWriter(jsonl)))
        if csv:
            writers.append(stack.enter_context(CsvWriter(csv, scheme.count)))
        if udp:
            writers.append(stack.enter_context(UdpSender(udp)))
        if osc:
            writers.append(stack.enter_context(OscSender(osc)))
        if opentrack:
            writers.append(stack.enter_context(OpentrackSender(opentrack)))
        page = None
        if serve:
            from asmnet.edge_runtime.io.serve import PreviewServer  # an extra

            page = stack.enter_context(PreviewServer(serve, scheme))
            click.echo(f"watch {page.url}", err=True)
        window = stack.enter_context(Window(scheme)) if not headless and can_show() else None
        stack.callback(status.summary)
        frames = _timed(opened, status.watch)
        if not fast and (window or page or udp or osc or opentrack):
            frames = _paced(frames, stopped)
        for frame in frames:
            if frame.still:
                tracker.reset()
            found = tracker.update(frame.image, frame.t)
            status.watch.add(tracker.stopwatch)
            with status.watch("output"):
                line = record_line(frame, found) if writers or page else {}
                for writer in writers:
                    writer.write(line)
                still = saver is not None and saver.due(frame)
                if recorder or still:
                    picture = frame.image.copy()
                    draw(picture, found, scheme)
                if saver and still:
                    saver.write(picture, frame)
                if recorder:
                    recorder.write(picture, frame)
                if page:
                    page.publish(frame.image, line, status.milliseconds(), fps=status.fps)
            status.frame(frame, len(found))
            if window:
                window.show(frame, found, status.line())
            if stopped():
                break
    for path in (*files.values(), stills):
        if path and os.path.exists(path):
            click.echo(f"wrote {click.format_filename(path)}")


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


def _paced(frames: Iterator[Frame], stopped: Callable[[], bool]) -> Iterator[Frame]:
    """The same frames; those of files not before they are due."""
    start = -float("inf")
    for frame in frames:
        if not frame.live:
            now = time.monotonic() - frame.t
            if now > start + 0.5:  # after a delay, no attempt to catch up
                start = now
            while (wait := start + frame.t - time.monotonic()) > 0 and not stopped():
                time.sleep(min(wait, 0.02))
        yield frame
