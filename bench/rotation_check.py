"""How far landmarks move in a rotated crop: of faces, and of the detector's false positives.

    python bench/rotation_check.py --data 300w:DIR [--faceless FOLDER]

Landmarks are placed in the detector's crop and in the same crop rotated by the tracker's
`CHECK_ROTATION_DEG`; printed is how far they move on average, in % of their box.  Faces: every
fourth of 300-W's training pictures, as they are and degraded.  False positives: what the detector
takes for a face, close up, in ten seconds of roaming over each picture of FOLDER.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
import cv2
import numpy as np
import tracker_events
from shared import bgr, load_detector, load_model, table, training_faces

from asmnet import models
from asmnet.cli.progress import progress_bars
from asmnet.core import Crop, cli_errors
from asmnet.edge_runtime import FaceDetector, Landmarker
from asmnet.edge_runtime.tracking.search import DETECT_SCALE
from asmnet.edge_runtime.tracking.tracker import CHECK_ROTATION_DEG, MAX_ROTATION_DRIFT, NEW_SCORE

RNG = np.random.default_rng(0)
WORSE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "faces": lambda image: image,
    "in noise of 20 grey levels": lambda image: noisy(image, 20),
    "in noise of 40": lambda image: noisy(image, 40),
    "blurred by 6 pixels": lambda image: cv2.GaussianBlur(image, (0, 0), 6),
    "a fifth of the size": lambda image: cv2.resize(
        image, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA
    ),
    "a seventh of the light": lambda image: noisy(image * 0.15, 4),
}


def noisy(image: np.ndarray, deviation: float) -> np.ndarray:
    """The picture in sensor noise."""
    noise = RNG.normal(0, deviation, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def movement(landmarker: Landmarker, image: np.ndarray, crop: Crop) -> float:
    """How far landmarks move when the crop around them is rotated, % of their box."""
    found = landmarker(image, crop)
    around = Crop.around(found.landmarks, landmarker.spec.margin)
    straight = landmarker(image, around).landmarks
    rotated = landmarker(image, replace(around, angle=CHECK_ROTATION_DEG)).landmarks
    side = np.ptp(straight, axis=0).max()
    return float(100 * np.linalg.norm(rotated - straight, axis=1).mean() / side)


def false_finds(detector: FaceDetector, landmarker: Landmarker, folder: Path) -> list[float]:
    """The same of what is no face."""
    moved = []
    tracker_events.SECONDS = 10
    for picture in tracker_events.large_pictures(folder):
        for frame in tracker_events.roam([picture]):
            for rough in detector.detect(frame)[:1]:
                close = replace(rough.to_crop(1.0), side=rough.to_crop(1.0).side * DETECT_SCALE)
                for found in detector.detect(frame, close, NEW_SCORE)[:1]:
                    crop = found.to_crop(landmarker.spec.margin)
                    moved.append(movement(landmarker, frame, crop))
    return moved


@click.command()
@click.argument("name", default=models.DEFAULT)
@click.option("--data", required=True, metavar="300w:DIR")
@click.option("--faceless", type=click.Path(exists=True, path_type=Path), metavar="FOLDER")
@cli_errors(extra="export")
def main(name: str, data: str, faceless: Path | None) -> None:
    """Print a Markdown table."""
    landmarker, detector = load_model(name), load_detector()
    learned, held_out = training_faces(data)
    pictures = [bgr(face) for face in (learned + held_out)[::4]]
    rows = []
    with progress_bars() as progress:
        for label, worsen in WORSE.items():
            moved = []
            for picture in progress(pictures, label):
                height, width = (side // 2 for side in picture.shape[:2])
                wide = cv2.copyMakeBorder(
                    picture, height, height, width, width, cv2.BORDER_REPLICATE
                )
                image = worsen(wide)
                for found in detector.detect(image, None, NEW_SCORE)[:1]:
                    moved.append(movement(landmarker, image, found.to_crop(landmarker.spec.margin)))
            rows.append((label, moved))
    if faceless:
        rows.append(("no faces", false_finds(detector, landmarker, faceless)))
    table(
        f"Movement of {name}'s landmarks, %",
        [
            "what",
            "found",
            "median",
            "95th percentile",
            "most",
            f"over {100 * MAX_ROTATION_DRIFT:.0f} %",
        ],
        [
            (
                label,
                len(moved),
                *(f"{value:.1f}" for value in np.percentile(moved, (50, 95, 100))),
                f"{100 * np.mean(np.array(moved) > 100 * MAX_ROTATION_DRIFT):.1f} %",
            )
            for label, moved in rows
            if moved
        ],
    )


if __name__ == "__main__":
    main()
