"""What the detectors take for a face where there is none.

    python bench/false_finds.py FOLDER

FOLDER holds pictures without faces.  From each, squares of 30 to 100 % of its height or width are
cut at random places and shown to a tracker as the first frame of a video, with BlazeFace alone and
with YuNet alone: counted are the views in which it starts to follow something.
"""

from __future__ import annotations

from pathlib import Path

import click
import cv2
import numpy as np
from shared import load_detector, load_model, table

from asmnet import models
from asmnet.cli.progress import progress_bars, suppress_output
from asmnet.core import UserError, cli_errors
from asmnet.edge_runtime import FaceDetector, FaceTracker
from asmnet.edge_runtime.io.pictures import pictures_in, read_bgr

SIDE, VIEWS = 480, 40


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@cli_errors(extra="export")
def main(folder: Path) -> None:
    """Print a Markdown table."""
    pictures = [read_bgr(path) for path in pictures_in(folder)]
    if not pictures:
        raise UserError(f"{folder} holds no picture")
    landmarker, blaze = load_model(models.DEFAULT), load_detector()
    with suppress_output():
        yunet = FaceDetector.load(models.TURNED_DETECTOR)
    trackers = {
        "BlazeFace": FaceTracker(landmarker, blaze),
        "YuNet": FaceTracker(landmarker, yunet),
    }
    found, seen, rng = dict.fromkeys(trackers, 0), 0, np.random.default_rng(0)
    with progress_bars() as progress:
        for picture in progress(pictures, "searching"):
            height, width = picture.shape[:2]
            for _ in range(VIEWS):
                side = int(min(height, width) * 0.3 ** rng.uniform())
                x, y = rng.integers(width - side + 1), rng.integers(height - side + 1)
                view = cv2.resize(picture[y : y + side, x : x + side], (SIDE, SIDE))
                seen += 1
                for name, tracker in trackers.items():
                    tracker.reset()
                    found[name] += bool(tracker.update(view, 0.0))
    rows = [(name, count, f"{1000 * count / seen:.1f}") for name, count in found.items()]
    table(f"{seen} views without a face", ["detector", "followed", "per thousand"], rows)


if __name__ == "__main__":
    main()
