"""Our tracker beside MediaPipe's Face Landmarker: speed, jitter, memory and start.

    make against-mediapipe
    python bench/against_mediapipe.py [MODEL ...] [--clip VIDEO] --task face_landmarker.task

All follow one face in the same frames, decoded beforehand, in turn and on one core.  Turns of a
single frame let each find the caches full of what the others left, as after other work on a
device; turns of many frames show it left to itself.  An update is frame in to smoothed landmarks
out, through the Python interfaces that users have; MediaPipe needs RGB in an image of its own,
so making that is counted.  Where other programs are at work, the processor's own time (CPU, all
threads) is the measure that varies less.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Before any library counts the cores and starts its threads.
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import click  # noqa: E402
import cv2  # noqa: E402
import numpy as np  # noqa: E402
from contenders import MEDIAPIPE, MEDIAPIPE_POSE, Asmnet, MediaPipe, contender  # noqa: E402
from shared import table  # noqa: E402

from asmnet import models  # noqa: E402
from asmnet.core import UserError, cli_errors  # noqa: E402
from asmnet.edge_runtime import Frame, frames_from  # noqa: E402

# The file that MediaPipe's documentation points to, float16, version 1.
TASK_SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
WARM_UP = 5
# Of the processes with one contender alone.
STARTS, ALONE_FRAMES = 5, 100
# Contenders follow the same face if their points are less than this apart on average, in
# distances of the outer eye corners.
SAME = 0.3
# Delays tried, in frames; a clip tells the lag if the face's velocities correlate so well.
DELAYS, LEAST_CORRELATION, STEP = np.linspace(-3, 3, 121), 0.8, 5


class Record:
    """What one contender did: seconds of each update and its parts, and its points."""

    def __init__(self) -> None:
        self.prepare: list[float] = []
        self.update: list[float] = []
        self.cpu: list[float] = []
        self.invoke: list[float] = []
        self.points: list[np.ndarray | None] = []


def run(names: list[str], task: str, frames: list[Frame], turn: int) -> dict[str, Record]:
    """Let all follow the face, `turn` frames at a time, in an order drawn anew for each turn."""
    field = {name: contender(name, task) for name in names}
    records = {name: Record() for name in names}
    order, draw = list(names), random.Random(0)
    for start in range(0, len(frames), turn):
        draw.shuffle(order)
        for name, frame in itertools.product(order, frames[start : start + turn]):
            follow(field[name], frame, records[name])
    for one in field.values():
        one.close()
    return records


def follow(one: Asmnet | MediaPipe, frame: Frame, record: Record) -> None:
    """Give the next frame to one contender."""
    cpu, start = time.process_time(), time.perf_counter()
    prepared = one.prepare(frame.image, frame.t)
    middle = time.perf_counter()
    result = one.update(*prepared)
    record.prepare.append(middle - start)
    record.update.append(time.perf_counter() - start)
    record.cpu.append(time.process_time() - cpu)
    record.points.append(one.points(result, frame.image.shape))
    if isinstance(one, Asmnet):
        start = time.perf_counter()
        one.invoke()
        record.invoke.append(time.perf_counter() - start)


def speed(title: str, records: dict[str, Record]) -> None:
    """Print the first table: milliseconds of an update, beside MediaPipe's and the network's."""
    header = ["", "update, median ms", "95th percentile", "frames / s", "x mediapipe"]
    header += ["CPU, median ms", "x in CPU"]
    header += ["network alone, median ms", "update / network, medians / means"]
    rows = []
    seconds = {name: np.array(record.update)[WARM_UP:] for name, record in records.items()}
    without = seconds[MEDIAPIPE] - np.array(records[MEDIAPIPE].prepare)[WARM_UP:]
    for name, spent in (*seconds.items(), ("mediapipe, image already made", without)):
        median, p95 = 1e3 * np.percentile(spent, (50, 95))
        row = [name, f"{median:.2f}", f"{p95:.2f}", f"{1 / spent.mean():.0f}"]
        row.append(f"{seconds[MEDIAPIPE].mean() / spent.mean():.2f}")
        record = records.get(name, Record())
        if record.cpu:
            cpu, theirs = (np.array(r.cpu)[WARM_UP:] for r in (record, records[MEDIAPIPE]))
            row += [f"{1e3 * np.median(cpu):.2f}", f"{theirs.mean() / cpu.mean():.2f}"]
        if record.invoke:
            invoke = np.array(record.invoke)[WARM_UP:]
            ratios = np.median(spent) / np.median(invoke), spent.mean() / invoke.mean()
            row += [f"{1e3 * np.median(invoke):.2f}", f"{ratios[0]:.2f} / {ratios[1]:.2f}"]
        rows.append(row + [""] * (len(header) - len(row)))
    table(title, header, rows)


def jitter_of_points(records: dict[str, Record]) -> None:
    """Print the second table: the jitter of the same points, where all follow the same face.

    Jitter as in smoothing_tradeoff.py: second difference / sqrt 6, in % of the distance of the
    outer eye corners.
    """
    gap = np.full((14, 2), np.nan)
    paths = {
        name: np.array([gap if points is None else points for points in record.points])
        for name, record in records.items()
    }
    theirs = paths[MEDIAPIPE]
    eyes = np.linalg.norm(theirs[:, 3] - theirs[:, 0], axis=-1)
    apart = {n: np.linalg.norm(p - theirs, axis=-1).mean(axis=-1) / eyes for n, p in paths.items()}
    same = np.all([distance < SAME for distance in apart.values()], axis=0)
    if same.sum() < 50:
        click.echo("\nThey did not follow the same face for 50 frames: nothing to compare.")
        return
    rows = []
    for name, path in paths.items():
        bent = (path[2:] - 2 * path[1:-1] + path[:-2]) / eyes[1:-1, None, None]
        squares = np.square(bent[same[2:] & same[1:-1] & same[:-2]]).sum(axis=-1)
        row = [name, str(np.isfinite(path[:, 0, 0]).sum())]
        row.append(f"{100 * np.sqrt(squares.mean() / 6):.3f}")
        row.append(f"{100 * apart[name][same].mean():.1f}")
        rows.append([*row, lag(path, theirs, same) if name != MEDIAPIPE else ""])
    header = ["", "frames with a face", "jitter, %", "apart from mediapipe, %", "later, frames"]
    table(f"Jitter, 14 points, the same face in {same.sum()} frames", header, rows)


def lag(ours: np.ndarray, theirs: np.ndarray, same: np.ndarray) -> str:
    """Frames by which our eye corners follow theirs: the delay whose velocities correlate best.

    Velocities are taken over STEP frames: from one to the next they are mostly noise.
    """
    frames = np.arange(len(same), dtype=float)
    one, other = (np.where(same[:, None], p[:, :4].mean(axis=1), 0.0) for p in (ours, theirs))
    # Steps that, however delayed, touch no frame where they did not follow the same face.
    reach = int(DELAYS[-1])
    sure = np.convolve(~same, np.ones(2 * reach + STEP + 1), "valid") < 0.5
    if not sure.any():
        return "not to be told"
    steps = (one[STEP:] - one[:-STEP])[reach:-reach][sure].ravel()
    found = []
    for delay in DELAYS:
        late = np.stack([np.interp(frames - delay, frames, axis) for axis in other.T], axis=-1)
        delayed = (late[STEP:] - late[:-STEP])[reach:-reach][sure].ravel()
        found.append(np.corrcoef(steps, delayed)[0, 1])
    best = int(np.argmax(found))
    clear = found[best] > LEAST_CORRELATION and 0 < best < len(DELAYS) - 1
    return f"{DELAYS[best]:+.2f}" if clear else "not to be told"


def footprint(names: list[str], task: str, frames: list[Frame]) -> None:
    """Print the third table: what each takes in a process of its own."""
    images = [frame.image for frame in frames[:ALONE_FRAMES]]
    height, width = images[0].shape[:2]
    rows = []
    with tempfile.NamedTemporaryFile(suffix=".bgr") as file:
        file.writelines(image.tobytes() for image in images)
        file.flush()
        program = str(Path(__file__).with_name("contenders.py"))
        for name in names:
            found = []
            for _ in range(STARTS):
                arguments = [program, name, task, file.name, str(height), str(width)]
                start = time.time()
                process = subprocess.run(
                    [sys.executable, *arguments], capture_output=True, text=True, check=False
                )
                if process.returncode:
                    raise UserError(f"{name} alone: {process.stderr.strip()[-300:]}")
                first, *memory = map(float, process.stdout.split())
                found.append((first - start, *memory))
            seconds, resident, peak = np.median(found, axis=0)
            rows.append([name, f"{seconds:.2f}", f"{resident:.0f}", f"{peak:.0f}"])
    header = ["", "start to first result, s", "resident, MB", "at its peak, MB"]
    table(f"Alone, median of {STARTS} starts, {len(images)} frames", header, rows)


def checked(task: str) -> str:
    """The path of MediaPipe's model file, if it is the published one."""
    digest = hashlib.sha256(Path(task).read_bytes()).hexdigest()
    if digest != TASK_SHA256:
        raise UserError(f"{task} has SHA-256 {digest}, the published file {TASK_SHA256}")
    click.echo(f"{Path(task).name}: SHA-256 {digest}, as published")
    return task


@click.command(epilog=f"Shipped models: {', '.join(models.shipped())}.")
@click.argument("names", nargs=-1, metavar="[MODEL ...]")
@click.option(
    "--clip", "clips", multiple=True, default=["demo"], show_default=True, metavar="VIDEO"
)
@click.option("--task", required=True, type=click.Path(exists=True, dir_okay=False))
@click.option("--frames", "count", default=600, type=click.IntRange(100, 10_000), help="[600]")
@click.option("--json", "report", type=click.Path(path_type=Path), help="Milliseconds of each.")
@click.option("--turn", "turns", multiple=True, default=[1, 30], type=click.IntRange(1))
@cli_errors()
def main(
    names: tuple[str, ...],
    clips: tuple[str, ...],
    task: str,
    count: int,
    report: Path | None,
    turns: tuple[int, ...],
) -> None:
    """Compare MODELs (.tflite files or names; or all with 68 points) with MediaPipe on each clip.

    --turn: the frames that one follows before it is another's turn; 1 and 30 if not given.
    """
    checked(task)
    cv2.setNumThreads(1)
    ours = names or [name for name in models.shipped() if "-68-" in name]
    everyone = [MEDIAPIPE, MEDIAPIPE_POSE, *ours]
    packages = ("mediapipe", "ai-edge-litert", "opencv-python-headless", "numpy")
    click.echo(", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages))
    for number, clip in enumerate(clips):
        frames = list(itertools.islice(frames_from(clip), count))
        height, width = frames[0].image.shape[:2]
        click.echo(f"\n## {Path(clip).name}: {len(frames)} frames, {width} x {height}, one core")
        for turn in turns:
            records = run(everyone, task, frames, turn)
            speed(f"Speed, turns of {turn} frame{'s' * (turn > 1)}", records)
        jitter_of_points(records)
        if number == 0 and report:  # of the longest turns, for bench/pareto.py
            spent = {name: 1e3 * np.mean(r.update[WARM_UP:]) for name, r in records.items()}
            report.write_text(json.dumps(spent, indent=2) + "\n")
        if number == 0:
            footprint(everyone, task, frames)


if __name__ == "__main__":
    main()
