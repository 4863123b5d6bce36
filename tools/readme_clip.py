"""Make docs/tracked.webp, the moving picture of the README: the shipped model on the sample clip.

python tools/readme_clip.py [--start SECONDS] [--seconds SECONDS]
"""

from __future__ import annotations

from pathlib import Path

import click
import cv2
from PIL import Image

from asmnet.edge_runtime import FaceDetector, FaceTracker, Landmarker, draw, frames_from

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "tracked.webp"
WIDTH, EVERY = 400, 3  # pixels; of 30 frames a second


@click.command()
@click.option("--start", default=22.0, show_default=True)
@click.option("--seconds", default=6.0, show_default=True)
def main(start: float, seconds: float) -> None:
    """Track the clip, draw what was found, keep every third frame."""
    landmarker = Landmarker.load()
    tracker = FaceTracker(landmarker, FaceDetector.load(), max_faces=2)
    pictures = []
    for frame in frames_from("demo"):
        faces = tracker.update(frame.image, frame.t)
        if frame.t >= start + seconds:
            break
        if frame.t < start or frame.index % EVERY:
            continue
        draw(frame.image, faces, landmarker.spec.landmark_scheme)
        height = round(WIDTH * frame.image.shape[0] / frame.image.shape[1])
        small = cv2.resize(frame.image, (WIDTH, height), interpolation=cv2.INTER_AREA)
        pictures.append(Image.fromarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB)))
    first, *others = pictures
    first.save(PICTURE, save_all=True, append_images=others, duration=100, loop=0, quality=55)
    click.echo(f"{PICTURE}: {len(pictures)} frames, {PICTURE.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
