"""`asmnet-batch`: how fast, how robust, how steady.

    python bench/batch.py damaged      # 200 of 1,000 files
    python bench/batch.py kill         # ten times, kill -9
    python bench/batch.py memory       # of a worker, over 10,000 files
    python bench/batch.py plot FILE.png

Each makes its files from the sample clip and pictures, prints a table, and keeps the figures in
build/batch for the plot.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np

BUILD = Path(__file__).resolve().parents[1] / "build/batch"
RUN = [sys.executable, "-c", "from asmnet.edge_runtime.batch.cli import main; main()"]
MB = 1024.0


@click.group()
def main() -> None:
    """Measure asmnet-batch."""


def batch(source: Path, out: Path, workers: int = 1) -> float:
    """Run a batch; its seconds."""
    shutil.rmtree(out, ignore_errors=True)
    start = time.perf_counter()
    words = [*RUN, str(source), "-o", str(out), "--workers", str(workers)]
    subprocess.run(words, check=True, capture_output=True)
    return time.perf_counter() - start


def report(name: str, title: str, rows: list[tuple[str, Any]], **known: Any) -> None:
    """Print a table, and keep what the plot needs."""
    from shared import table

    table(title, ["", ""], rows)
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / f"{name}.json").write_text(json.dumps(known))


# --- small files


def small_pictures(count: int) -> list[bytes]:
    """Faces, JPEG, 160 pixels a side."""
    from asmnet import samples
    from asmnet.edge_runtime.io.pictures import read_bgr

    files = sorted(samples.LONDON.glob("*.jpg"))[:count]
    return [
        cv2.imencode(".jpg", cv2.resize(read_bgr(file), (160, 160)))[1].tobytes() for file in files
    ]


def small_videos(count: int, frames: int) -> list[bytes]:
    """From the sample clip, 320 x 240, as AVI (MJPEG) and MP4 (MPEG-4) in turn."""
    from asmnet.edge_runtime import frames_from

    shown = [cv2.resize(frame.image, (320, 240)) for frame in frames_from("demo")]
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            ending, codec = (("avi", "MJPG"), ("mp4", "mp4v"))[number % 2]
            path = f"{folder}/{number}.{ending}"
            writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*codec), 30, (320, 240))
            start = number * (len(shown) - frames) // count
            for image in shown[start : start + frames]:
                writer.write(image)
            writer.release()
            made.append(Path(path).read_bytes())
    return made


def spoil(content: bytes, how: int, draw: random.Random) -> bytes:
    """Damage as copies, disks and networks do it."""
    if how == 0:
        return b""
    if how == 1:
        return content[: draw.randrange(1, len(content) // 2)]
    if how == 2:
        return draw.randbytes(len(content))
    if how == 3:
        return b"\0" * len(content)
    return b"<html><body>404</body></html>\n"


@main.command()
def damaged() -> None:
    """200 damaged files among 1,000."""
    draw = random.Random(0)
    pictures, videos = small_pictures(100), small_videos(40, 10)
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name) / "in", Path(name) / "out"
        folder.mkdir()
        bad = set(draw.sample(range(1000), 200))
        for number in range(1000):
            video = number % 5 == 0
            content = videos[number // 5 % 40] if video else pictures[number % 100]
            ending = (".avi", ".mp4")[number // 5 % 2] if video else ".jpg"
            if number in bad:
                content = spoil(content, draw.randrange(5), draw)
            (folder / f"{number:04}{ending}").write_bytes(content)
        batch(folder, out, 2)
        lines = list(summary(out))
        failed = {int(line["file"][:4]) for line in lines if line["failure"]}
        tables = sum(1 for _ in out.glob("[0-9]*.csv"))
        reasons = {line["failure"].replace(line["file"], "FILE") for line in lines}
    report(
        "damaged",
        "Damaged files",
        [
            ("files, of which damaged", f"1000, {len(bad)}"),
            ("lines in the summary, tables", f"{len(lines)}, {tables}"),
            ("damaged files with a reason", len(failed & bad)),
            ("whole files that failed", len(failed - bad)),
            ("different reasons", len(reasons) - 1),
        ],
    )
    raise SystemExit(failed != bad or tables != 800)


def summary(out: Path) -> Iterator[dict[str, str]]:
    """Its lines."""
    import csv

    with (out / "summary.csv").open(newline="") as file:
        yield from csv.DictReader(file)


def content(out: Path) -> dict[str, bytes]:
    """All files of a result, hidden ones too."""
    files = (path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


@main.command()
@click.option("--seed", default=0, show_default=True)
def kill(seed: int) -> None:
    """Kill -9 at ten random moments, the parent alone and all processes in turn."""
    draw, videos = random.Random(seed), small_videos(120, 12)
    marks: list[tuple[float, int]] = []
    kills: list[tuple[float, int]] = []
    written: dict[Path, int] = {}
    with tempfile.TemporaryDirectory() as name:
        folder, whole, out = (Path(name) / part for part in ("in", "whole", "out"))
        folder.mkdir()
        for number, video in enumerate(videos):
            (folder / f"{number:03}{('.avi', '.mp4')[number % 2]}").write_bytes(video)
        batch(folder, whole, 2)
        start = time.monotonic()
        for number in range(11):
            words = [*RUN, str(folder), "-o", str(out), "--workers", "2"]
            run = subprocess.Popen(words, stderr=subprocess.DEVNULL, start_new_session=True)
            goal = done(out) + draw.randrange(1, 12) if number < 10 else 10**9
            while run.poll() is None and done(out) < goal:
                marks.append((time.monotonic() - start, done(out)))
                time.sleep(0.05)
            if number < 10:
                time.sleep(draw.random() / 5)
                if number % 2:
                    os.killpg(run.pid, signal.SIGKILL)
                else:
                    run.kill()
                kills.append((time.monotonic() - start, done(out)))
                time.sleep(0.5)  # workers end with their parent
                for line in (out / ".lines").glob("[!.]*.json"):
                    written.setdefault(line, line.stat().st_mtime_ns)
            run.wait()
        marks.append((time.monotonic() - start, done(out)))
        twice = sum(line.stat().st_mtime_ns != time for line, time in written.items())
        same = content(out) == content(whole)
    report(
        "kill",
        "Ten times kill -9",
        [
            ("files", len(videos)),
            ("done at each kill", ", ".join(str(count) for _, count in kills)),
            ("done twice", twice),
            ("the same bytes as without a kill", "yes" if same else "NO"),
        ],
        marks=marks,
        kills=kills,
    )
    raise SystemExit(not same or twice > 0)


def done(out: Path) -> int:
    """Files that the batch remembers as done."""
    folder = out / ".lines"
    return sum(not name.startswith(".") for name in os.listdir(folder)) if folder.is_dir() else 0


@main.command()
def memory() -> None:
    """Resident memory of the one worker over 10,000 small files, a tenth of them videos."""
    pictures, videos = small_pictures(100), small_videos(50, 3)
    marks: list[tuple[int, float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder, out, kinds = (Path(name) / part for part in ("in", "out", "kinds"))
        folder.mkdir()
        kinds.mkdir()
        for number, content in enumerate([*pictures, *videos]):
            (kinds / str(number)).write_bytes(content)
        for number in range(10_000):
            video = number % 10 == 0
            kind = 100 + number // 10 % 50 if video else number % 100
            ending = (".avi", ".mp4")[kind % 2] if video else ".jpg"
            os.link(kinds / str(kind), folder / f"{number:05}{ending}")
        words = [*RUN, str(folder), "-o", str(out), "--workers", "1"]
        words += ["--model", "asmnet-spatial-68-112"]  # the same code, in half of the time
        run = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        while run.poll() is None:
            sizes = [resident(child) for child in children(run.pid)]
            if sizes and (not marks or done(out) >= marks[-1][0] + 100):
                marks.append((done(out), max(sizes)))
            time.sleep(0.2)
        lines = list(summary(out))
        failed = sum(bool(line["failure"]) for line in lines)
    counts, sizes = np.array(marks).T
    later = counts >= 1000
    growth = np.polyfit(counts[later], sizes[later], 1)[0] * 9000
    report(
        "memory",
        "Memory of a worker, MB",
        [
            ("files, failed", f"{len(lines)}, {failed}"),
            ("after 1,000 files", f"{sizes[later][0]:.1f}"),
            ("at the end", f"{sizes[-1]:.1f}"),
            ("most", f"{sizes.max():.1f}"),
            ("growth from 1,000 to 10,000 files, by a line", f"{growth:.1f}"),
        ],
        marks=marks,
    )


def children(process: int) -> list[int]:
    """Those of a process that track: its resource tracker is small."""
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def resident(process: int) -> float:
    """MB; 0 of one that has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1]) / MB
    return 0.0


# --- the plot


@main.command()
@click.argument("file")
def plot(file: str) -> None:
    """Draw what has been measured: speed, kills, memory."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    known = {path.stem: json.loads(path.read_text()) for path in BUILD.glob("*.json")}
    panels = [name for name in ("throughput", "kill", "memory") if known.get(name)]
    figure, axes = pyplot.subplots(
        1, len(panels), figsize=(4 * len(panels), 3.2), constrained_layout=True, squeeze=False
    )
    for name, axis in zip(panels, axes[0], strict=True):
        {"throughput": draw_speed, "kill": draw_kills, "memory": draw_memory}[name](
            axis, known[name]
        )
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=110)


def draw_speed(axis: Any, known: dict[str, float]) -> None:
    """Bars of frames a second."""
    bars = {"2 workers": known["two"], "1 worker": known["batch"]}
    if "mediapipe" in known:
        bars["MediaPipe, video mode"] = known["mediapipe"]
    names, values = list(bars), list(bars.values())
    axis.barh(names[::-1], values[::-1], color=["0.6", "C0", "C0"][-len(names) :])
    axis.set(title="Frames a second, decoding included", xlabel="one core a worker")


def draw_kills(axis: Any, known: dict[str, Any]) -> None:
    """Files over time."""
    times, counts = np.array(known["marks"]).T
    axis.plot(times, counts, "C0")
    for number, (at, count) in enumerate(known["kills"]):
        axis.plot(at, count, "x", color="C3", ms=7, mew=2, label=None if number else "kill -9")
    axis.set(title="Ten kills, the same bytes", xlabel="seconds", ylabel="files done")
    axis.legend(frameon=False)


def draw_memory(axis: Any, known: dict[str, Any]) -> None:
    """Megabytes over files."""
    counts, sizes = np.array(known["marks"]).T
    axis.plot(counts, sizes, "C0")
    axis.set(title="Memory of a worker", xlabel="files done", ylabel="MB")
    axis.set_ylim(0, 1.3 * sizes.max())


if __name__ == "__main__":
    main()
