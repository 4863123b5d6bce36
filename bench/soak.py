"""Half an hour of video without a pause, to see whether anything grows.

    python bench/soak.py [--minutes 30] [--fast]

The sample clip is opened again and again and played at its own speed (or as fast as it goes),
faces are followed, lines written, datagrams sent, a page served to one viewer if aiohttp is there.
Once a minute: resident memory, open files, threads, and the time of an update, which must not
have grown since the first minute.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import click
import numpy as np
from shared import table

from asmnet.edge_runtime import FaceTracker, frames_from
from asmnet.edge_runtime.io.senders import UdpSender
from asmnet.edge_runtime.io.serve import PreviewServer
from asmnet.edge_runtime.io.sinks import JsonlWriter, record_line

MOST_GROWTH = 5.0  # MB, after the first minute
PAGE = os.sysconf("SC_PAGE_SIZE")


def watch(url: str, over: threading.Event) -> None:
    """A viewer of the page: takes every frame it is offered."""
    import asyncio

    import aiohttp

    async def look() -> None:
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(url + "live") as socket:
                async for message in socket:
                    if over.is_set():
                        return
                    if message.type is aiohttp.WSMsgType.BINARY:
                        await socket.send_str("drawn")

    asyncio.run(look())


@click.command()
@click.option("--minutes", default=30.0, show_default=True)
@click.option("--fast", is_flag=True, help="Do not hold the clip to its own speed.")
def main(minutes: float, fast: bool) -> None:
    """Follow faces for so many minutes, and print a Markdown table."""
    tracker = FaceTracker.load(max_faces=2)
    rows: list[list[str]] = []
    memory: list[float] = []
    over = threading.Event()
    start = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        JsonlWriter(Path(folder) / "soak.jsonl") as lines,
        UdpSender("127.0.0.1:9") as sender,
        PreviewServer("0", tracker.landmarker.spec.landmark_scheme) as page,
    ):
        threading.Thread(target=watch, args=(page.url, over), daemon=True).start()
        spent: list[float] = []
        frames = 0
        while time.monotonic() - start < 60 * minutes:
            tracker.reset()
            began = time.monotonic()
            for frame in frames_from("demo"):
                if not fast:
                    time.sleep(max(0.0, began + frame.t - time.monotonic()))
                before = time.perf_counter()
                faces = tracker.update(frame.image, frame.t)
                spent.append(time.perf_counter() - before)
                line = record_line(frame, faces)
                lines.write(line)
                sender.write(line)
                page.publish(frame.image, line, {}, fps=30.0)
                frames += 1
                if time.monotonic() - start > 60 * (len(rows) + 1):
                    resident = int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6
                    memory.append(resident)
                    files = len(os.listdir("/proc/self/fd"))
                    middle, late = 1e3 * np.percentile(spent, (50, 99))
                    numbers = [f"{middle:.2f}", f"{late:.2f}", str(page.viewers)]
                    rows.append([str(len(rows) + 1), str(frames), f"{resident:.1f}", str(files),
                                 str(threading.active_count()), *numbers])  # fmt: skip
                    click.echo(" ".join(rows[-1]), err=True)
                    spent.clear()
        over.set()
    header = ["minute", "frames", "MB", "files", "threads", "median ms", "p99 ms", "viewers"]
    table("Soak", header, rows)
    growth = memory[-1] - memory[0]
    same = rows[-1][3] == rows[0][3]
    click.echo(f"\nmemory grew by {growth:+.1f} MB after the first minute; files "
               f"{'as at first' if same else 'grew'}")  # fmt: skip
    sys.exit(growth > MOST_GROWTH or not same)


if __name__ == "__main__":
    main()
