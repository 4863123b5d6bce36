"""Broken files by the hundred: never a crash or a hang, always one sentence.

    python bench/fuzz.py [--trials 1000] [--seed 0]
    python bench/fuzz.py --structured 1000

Models, pictures and videos are damaged at random (bytes changed, zeroed, cut off, doubled,
shuffled), and each is given to what reads it, in a process of its own.  What may happen: it
works all the same (a changed pixel is no fault), or a `UserError` of one line.  What may not:
another exception, a signal, more than `LONGEST` seconds, not a number in an answer.

Random damage rarely gets past a parser.  With `--structured`, so many of each are made by the
rules of their format and spoiled in a few places instead: contracts, model files, labels, pose
tables, references and requests to the live page, by the tests of tests/fuzz.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import click
import cv2
import numpy as np

from asmnet import models, samples
from asmnet.core import UserError
from asmnet.edge_runtime import FaceDetector, FaceTracker, Landmarker, frames_from
from asmnet.edge_runtime.io.pictures import read_bgr

__all__ = ["KINDS", "damage", "trial"]

LONGEST = 20
FINE, TOLD, WRONG = 0, 10, 11


def damage(content: bytes, rng: random.Random) -> bytes:
    """A copy with one to three random faults."""
    broken = bytearray(content)
    for _ in range(rng.randint(1, 3)):
        if not broken:
            break
        # Headers and tables lie at the ends: they get half of the faults.
        where = rng.choice((0, max(len(broken) - 4000, 0), rng.randrange(len(broken))))
        at = min(where + rng.randrange(4000), len(broken) - 1)
        length = rng.choice((1, 1, 4, 64, 1000))
        fault = rng.randrange(6)
        if fault == 0:
            broken[at : at + length] = rng.randbytes(length)
        elif fault == 1:
            broken[at : at + length] = bytes(length)
        elif fault == 2:
            del broken[at:]
        elif fault == 3:
            broken[at:at] = broken[at : at + length]
        elif fault == 4:
            del broken[at : at + length]
        else:
            broken[at] ^= 1 << rng.randrange(8)
    return bytes(broken)


def read_model(path: Path) -> None:
    """Load it, and follow a face for a few frames."""
    tracker = FaceTracker(Landmarker.load(path), FaceDetector.load())
    picture = read_bgr(samples.PORTRAITS / "astronaut.jpg")
    for number in range(3):
        for face in tracker.update(picture, number / 30):
            if not np.isfinite(face.landmarks).all():
                raise ValueError("landmarks that are no numbers")


def read_detector(path: Path) -> None:
    """Load it, and look for faces."""
    picture = read_bgr(samples.PORTRAITS / "astronaut.jpg")
    for found in FaceDetector.load(path).detect(picture):
        if not np.isfinite(found.box).all():
            raise ValueError("a box that is no numbers")


def read_frames(path: Path) -> None:
    """Take all its frames."""
    for frame in frames_from(path):
        if frame.image.dtype != np.uint8 or frame.image.ndim != 3:
            raise ValueError("no picture")


def clip() -> bytes:
    """Two seconds of the sample clip: enough to damage, quick to read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30, (640, 480))
        for frame, _ in zip(frames_from("demo"), range(60), strict=False):
            writer.write(frame.image)
        writer.release()
        return path.read_bytes()


# What is damaged, the suffix it gets, who reads it, and its share of the trials.
KINDS: dict[str, tuple[Callable[[], bytes], str, Callable[[Path], None], int]] = {
    "model": (lambda: models.find().read_bytes(), ".tflite", read_model, 4),
    "detector": (lambda: models.DETECTOR.read_bytes(), ".tflite", read_detector, 2),
    "JPEG": ((samples.PORTRAITS / "astronaut.jpg").read_bytes, ".jpg", read_frames, 2),
    "video": (clip, ".mp4", read_frames, 2),
}


def trial(path: Path, reader: Callable[[Path], None]) -> tuple[int, str]:
    """Give a file to its reader in a process of its own.

    Returns:
        FINE, TOLD or WRONG, and what was said or seen.
    """
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(out)
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 1)
        os.dup2(devnull, 2)
        signal.alarm(LONGEST)
        try:
            reader(path)
            code, text = FINE, ""
        except UserError as error:
            code, text = TOLD if "\n" not in str(error) else WRONG, str(error)
        except BaseException as error:
            code, text = WRONG, f"{type(error).__name__}: {error}"
        os.write(into, text.encode()[:2000])
        os._exit(code)
    os.close(into)
    with os.fdopen(out, "rb") as pipe:
        text = pipe.read().decode(errors="replace")
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = "a hang" if number == signal.SIGALRM else signal.Signals(number).name
        return WRONG, name
    return os.WEXITSTATUS(status), text


@click.command()
@click.option("--trials", default=1000, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--structured", type=int, metavar="N", help="So many of each by a grammar instead.")
@click.option("--keep", type=click.Path(path_type=Path), help="Save what went wrong there.")
def main(trials: int, seed: int, structured: int | None, keep: Path | None) -> None:
    """Damage files, read them, count."""
    if structured:
        tests = Path(__file__).parents[1] / "tests/fuzz"
        command = [sys.executable, "-m", "pytest", "-s", f"--hypothesis-seed={seed}", str(tests)]
        sys.exit(subprocess.run(command, env={**os.environ, "FUZZ": str(structured)}).returncode)
    rng, start = random.Random(seed), time.monotonic()
    whole = {name: make() for name, (make, *_) in KINDS.items()}
    shares = [share for *_, share in KINDS.values()]
    counts: dict[str, Counter[int]] = {name: Counter() for name in KINDS}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(trials):
            (name,) = rng.choices(list(KINDS), shares)
            _, suffix, reader, _ = KINDS[name]
            path = Path(folder) / f"broken{suffix}"
            path.write_bytes(damage(whole[name], rng))
            code, text = trial(path, reader)
            counts[name][code] += 1
            if code not in (FINE, TOLD):
                click.echo(f"trial {number}, {name}: {text}")
                if keep:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{number}{suffix}").write_bytes(path.read_bytes())
    click.echo(f"{trials} broken files in {time.monotonic() - start:.0f} s")
    for name, count in counts.items():
        wrong = sum(count.values()) - count[FINE] - count[TOLD]
        click.echo(f"{name}: {count[FINE]} worked, {count[TOLD]} one sentence, {wrong} wrong")
    sys.exit(any(set(count) - {FINE, TOLD} for count in counts.values()))


if __name__ == "__main__":
    main()
