"""Many silent connections beside a run that records: nothing may be lost, and viewers get in.

    python bench/siege.py [--minutes 10] [--connections 1100]

The sample clip, repeated, is played at its own speed by `asmnet-webcam` with a page, stills, a
recording and lines, in a process that may have 1,024 files open, as is usual.  Connections to the
page that say nothing are opened, and again as often as they are closed.  Every ten seconds a viewer
asks for the page.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import click
import numpy as np
from shared import table

from asmnet.edge_runtime import frames_from
from asmnet.edge_runtime.io.pictures import read_bgr
from asmnet.edge_runtime.io.recorder import Recorder

FILES = 1024


def make_video(path: Path, minutes: float) -> int:
    """The sample clip over and over; answers the number of frames."""
    count = 0
    with Recorder(path) as recorder:
        while count < minutes * 60 * 30:
            for frame in frames_from("demo"):
                still = type(frame)(frame.image, count / 30, count, 30.0, "clip")
                recorder.write(frame.image, still)
                count += 1
    return count


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))


def connect(port: int) -> socket.socket:
    """A connection that will say nothing."""
    no_progress = socket.socket()
    no_progress.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        no_progress.connect(("127.0.0.1", port))
    return no_progress


def is_closed(no_progress: socket.socket) -> bool:
    try:
        return no_progress.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def ask(port: int) -> float:
    """Seconds until the page is there."""
    start = time.monotonic()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
        assert b"<canvas" in answer.read()
    return time.monotonic() - start


@click.command()
@click.option("--minutes", default=10.0, show_default=True)
@click.option("--connections", default=1100, show_default=True)
def main(minutes: float, connections: int) -> None:
    """Besiege a run for so many minutes, and print what was lost as a Markdown table."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    with tempfile.TemporaryDirectory() as name, socket.socket() as free:
        folder = Path(name)
        frames = make_video(folder / "clip.mp4", minutes)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        code = "from asmnet.edge_runtime.webcam import main; main()"
        run = subprocess.Popen(
            [sys.executable, "-c", code, "--source", folder / "clip.mp4", "--headless",
             "--serve", str(port), "--jsonl", folder / "a.jsonl", "--record", folder / "a.mp4",
             "--stills", folder / "stills"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limit_files,
        )  # fmt: skip
        while run.poll() is None and not (folder / "a.jsonl").exists():
            time.sleep(0.1)
        time.sleep(1)
        opened, most, waits = 0, 0, []
        began = asked = time.monotonic()
        no_progress: list[socket.socket] = []
        while run.poll() is None:
            for one in [one for one in no_progress if is_closed(one)]:
                no_progress.remove(one)
                one.close()
            while len(no_progress) < connections:
                no_progress.append(connect(port))
                opened += 1
            with contextlib.suppress(OSError):
                most = max(most, len(os.listdir(f"/proc/{run.pid}/fd")))
                if time.monotonic() > asked + 10:
                    asked = time.monotonic()
                    waits.append(ask(port))
            if time.monotonic() > began + 60 * minutes:
                run.send_signal(signal.SIGINT)  # a machine that is too slow for the clip's speed
                break
            time.sleep(0.05)
        out, errors = run.communicate()
        lines = [json.loads(line) for line in (folder / "a.jsonl").read_text().splitlines()]
        recorded = sum(1 for _ in frames_from(folder / "a.mp4"))
        stills = [read_bgr(path) for path in (folder / "stills").iterdir()]
        whole = sum(still is not None for still in stills)
        gaps = np.diff([line["frame"] for line in lines])
    table(
        "Siege",
        ["what", "of", "there"],
        [
            ["exit code", "0", str(run.returncode)],
            ["lines", str(frames), f"{len(lines)}, {(gaps != 1).sum()} gaps"],
            ["frames recorded", str(len(lines)), str(recorded)],
            ["stills", str(len(stills)), str(whole)],
            ["files open at most", str(FILES), str(most)],
            ["silent connections opened", "", str(opened)],
            ["page fetched, s: median, most", str(len(waits)),
             f"{np.median(waits):.2f}, {max(waits):.2f}" if waits else "never"],
        ],
    )  # fmt: skip
    click.echo(out)
    click.echo(errors)
    sys.exit(run.returncode or (gaps != 1).any() or recorded != len(lines))


if __name__ == "__main__":
    main()
