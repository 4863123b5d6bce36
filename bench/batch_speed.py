"""How fast asmnet-batch is: two workers beside one, and one beside the tracker and MediaPipe.

    python bench/batch_speed.py throughput [--video FILE] [--mediapipe PYTHON --task FILE]

On two idle cores, 6 minutes; prints a table, and keeps the figures for `bench/batch.py plot`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from batch import batch, report, small_pictures

from asmnet.core import cli_errors

THEIRS = Path(__file__).with_name("contenders.py")
ROUNDS, ALONE, CLIPS, FRAMES, PICTURES = 2, 6, 60, 300, 300


@click.group()
def main() -> None:
    """Measure the throughput of asmnet-batch."""


def make_clips(folder: Path, videos: list[str]) -> None:
    """`CLIPS` H.264 clips of `FRAMES` frames, from each video in turn, spread over its length."""
    import imageio_ffmpeg

    from asmnet.edge_runtime import frames_from

    each = CLIPS // len(videos)
    for number, video in enumerate(videos):
        length = int(cv2.VideoCapture(video).get(cv2.CAP_PROP_FRAME_COUNT))
        starts = np.linspace(0, length - FRAMES, each).astype(int)
        writers: dict[int, Any] = {}
        for frame in frames_from(video):
            shown = (starts <= frame.index) & (frame.index < starts + FRAMES)
            for k in np.flatnonzero(shown).tolist():
                if k not in writers:
                    writers[k] = imageio_ffmpeg.write_frames(
                        str(folder / f"{number}-{k:02}.mp4"),
                        frame.image.shape[1::-1],
                        pix_fmt_in="bgr24",
                        fps=frame.fps,
                        codec="libx264",
                        macro_block_size=1,
                        output_params=["-preset", "veryfast", "-threads", "1"],
                    )
                    writers[k].send(None)
                writers[k].send(np.ascontiguousarray(frame.image))
                if frame.index == starts[k] + FRAMES - 1:
                    writers.pop(k).close()


def stages(clips: list[Path]) -> dict[str, float]:
    """Milliseconds a frame of what a worker does, one after the other, on one core."""
    from asmnet import models
    from asmnet.cli.progress import suppress_output
    from asmnet.edge_runtime import FaceDetector, FaceTracker, Landmarker, frames_from
    from asmnet.edge_runtime.io.sinks import CsvWriter, record_line

    with suppress_output():
        landmarker, detector = Landmarker.load(), FaceDetector.load()
        turned = FaceDetector.load(models.TURNED_DETECTOR)
    spent = {"decoding": 0.0, "tracking": 0.0, "writing": 0.0}
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        for clip in clips:
            tracker = FaceTracker(landmarker, detector, turned=turned)
            with CsvWriter(Path(folder) / "a.csv", 68) as table:
                frames = frames_from(clip)
                while True:
                    times = [time.perf_counter()]
                    frame = next(frames, None)
                    times.append(time.perf_counter())
                    if frame is None:
                        break
                    faces = tracker.update(frame.image, frame.t)
                    times.append(time.perf_counter())
                    table.write(record_line(frame, faces))
                    times.append(time.perf_counter())
                    count += 1
                    for stage, seconds in zip(spent, np.diff(times), strict=True):
                        spent[stage] += seconds
    return {stage: 1e3 * seconds / count for stage, seconds in spent.items()}


def alone(*words: object) -> str:
    """The last line that a program prints which has one core."""
    out = subprocess.run([*map(str, words)], check=True, capture_output=True, text=True).stdout
    return out.splitlines()[-1]


@main.command("stages")
@click.argument("clips", nargs=-1, type=click.Path(path_type=Path))
def show_stages(clips: tuple[Path, ...]) -> None:
    """Milliseconds a frame of each stage, as JSON: what throughput starts."""
    os.environ["OPENCV_FFMPEG_THREADS"] = "1"
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    click.echo(json.dumps(stages(list(clips))))


@main.command()
@click.option("--video", "videos", multiple=True, help="Besides the sample clip.")
@click.option("--mediapipe", metavar="PYTHON", help="Of an environment that has MediaPipe.")
@click.option("--task", help="MediaPipe's face_landmarker.task.")
@cli_errors(extra="samples")
def throughput(videos: tuple[str, ...], mediapipe: str | None, task: str | None) -> None:
    """One worker against two, beside the tracker alone, MediaPipe, and decoding: 6 minutes."""
    from asmnet import samples

    rates: dict[str, list[float]] = {"1": [], "2": [], "mediapipe": []}
    parts: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("clips", "pictures", "one"):
            (folder / part).mkdir()
        make_clips(folder / "clips", [str(samples.CLIP), *videos])
        clips = sorted((folder / "clips").iterdir())
        some = clips[:: len(clips) // ALONE][:ALONE]
        for _ in range(ROUNDS):
            parts.append(json.loads(alone(sys.executable, __file__, "stages", *some)))
            for workers in ("1", "2"):
                seconds = batch(folder / "clips", folder / "out", int(workers))
                rates[workers].append(CLIPS * FRAMES / seconds)
            if mediapipe and task:
                rates["mediapipe"].append(float(alone(mediapipe, THEIRS, "clips", task, *some)))
        pictures = small_pictures(100)
        for number in range(PICTURES):
            (folder / "pictures" / f"{number}.jpg").write_bytes(pictures[number % 100])
        (folder / "one/0.jpg").write_bytes(pictures[0])
        start = batch(folder / "one", folder / "out")
        file = (batch(folder / "pictures", folder / "out") - start) / (PICTURES - 1)
    ms = {stage: float(np.median([part[stage] for part in parts])) for stage in parts[0]}
    one, two = float(np.median(rates["1"])), float(np.median(rates["2"]))
    gain = float(np.median(np.array(rates["2"]) / np.array(rates["1"])))
    tracker = 1e3 / ms["tracking"]
    rows: list[tuple[str, Any]] = [
        (f"1 worker, {CLIPS} clips of {FRAMES} frames, frames/s", f"{one:.0f}"),
        ("2 workers, frames/s", f"{two:.0f}"),
        ("2 workers against 1, x", f"{gain:.2f}"),
        ("the tracker alone, as asmnet-bench, frames/s a core", f"{tracker:.0f}"),
        ("a worker against that, x", f"{one / tracker:.2f}"),
        *((f"{stage}, ms a frame", f"{spent:.2f}") for stage, spent in ms.items()),
        ("start, with one picture, s", f"{start:.1f}"),
        ("a small picture, all in all, ms", f"{1e3 * file:.1f}"),
        ("64 cores by arithmetic, frames/s", f"{32 * two:.0f}"),
    ]
    known = {"batch": one, "two": two, **ms}
    if rates["mediapipe"]:
        theirs = float(np.median(rates["mediapipe"]))
        known["mediapipe"] = theirs
        rows.append(
            ("MediaPipe, video mode, one core, decoding included, frames/s", f"{theirs:.0f}")
        )
        rows.append(("a worker against MediaPipe, x", f"{one / theirs:.2f}"))
    report("throughput", "Throughput", rows, **known)


if __name__ == "__main__":
    main()
