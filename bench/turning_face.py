"""Faces that turn away: how long the tracker keeps them, with and without the second detector.

    python bench/turning_face.py face_landmarker.task [--pictures FOLDER]

Frontal faces, drawn from the side (`asmnet.label.turned_views`), small in a video of 640 x 480 with
some noise: of a folder, or the shipped London faces, on which the second detector was calibrated.
  One clip each: it turns to profile and back in six seconds.  And one
clip each yaw: nobody for half a second, then the face, already turned.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import click
import cv2
import numpy as np
from shared import load_detector, load_model, table

from asmnet import models, samples
from asmnet.cli.progress import progress_bars, suppress_output
from asmnet.core import IBUG68, cli_errors, extract
from asmnet.edge_runtime import FaceDetector, FaceTracker
from asmnet.edge_runtime.crops import OPENCV
from asmnet.edge_runtime.io.pictures import pictures_in, read_bgr
from asmnet.label.face_square import tight_square
from asmnet.label.teachers import FaceMesh
from asmnet.label.turned_views import Topology, turn

FPS, STEP, YAWS = 30, 1, (0, 30, 45, 60, 75, 85)
WITHIN = 1.0  # seconds in which a face should be found
AHEAD = 15.0  # degrees of yaw and pitch


class Sitter:
    """A person who can be turned.

    Args:
        path: a frontal picture.
        mesh: the teacher of the 478 points.
    """

    def __init__(self, path: Path, mesh: FaceMesh) -> None:
        self.image = read_bgr(path)
        face = load_model(models.DEFAULT)(self.image)[0]
        look = mesh.crop(tight_square(face.landmarks, IBUG68))
        rgb = np.ascontiguousarray(self.image[..., ::-1])
        found, _ = mesh(extract(rgb, look, mesh.size, OPENCV))
        self.mesh = np.column_stack([look.to_picture(found[:, :2]), found[:, 2] * look.side])
        self.points, self.pose = face.landmarks, face.pose
        self._views: dict[int, np.ndarray] = {}

    def seen(self, yaw: float, topology: Topology) -> np.ndarray:
        """The picture, turned by whole degrees."""
        step = STEP * round(yaw / STEP)
        if step not in self._views:
            target = np.array([step, *self.pose[1:]])
            view = turn(self.image, self.mesh, self.points, self.pose, target, topology)
            self._views[step] = view.image
        return self._views[step]


def frontal(folder: Path) -> Iterator[Path]:
    """Pictures whose face looks ahead; of the London set one a person."""
    landmarker = load_model(models.DEFAULT)
    for path in pictures_in(folder):
        found = [] if path.name.startswith("smiling") else landmarker(read_bgr(path))
        if found and np.abs(found[0].pose[:2]).max() < AHEAD:
            yield path


NOISE = np.random.default_rng(0).normal(0, 3, (7, 480, 640, 3)).round().astype(np.int16)


def frame(view: np.ndarray | None, side: int, number: int) -> np.ndarray:
    """(480, 640, 3) uint8: the picture in the middle, its edges continued, in noise."""
    image: np.ndarray = np.full((480, 640, 3), 150, np.uint8)
    if view is not None:
        small = cv2.resize(view, (side, side), interpolation=cv2.INTER_AREA)
        x, y = (640 - side) // 2, (480 - side) // 2
        image = cv2.copyMakeBorder(
            small, y, 480 - side - y, x, 640 - side - x, cv2.BORDER_REPLICATE
        )
    return np.clip(image + NOISE[number % len(NOISE)], 0, 255).astype(np.uint8)


@click.command()
@click.argument("task", metavar="FILE.task")
@click.option("--pictures", type=click.Path(exists=True, path_type=Path), default=samples.LONDON)
@click.option("--faces", default=20, show_default=True, help="People.")
@click.option("--side", default=180, show_default=True, help="Pixels: a face is half as high.")
@cli_errors(extra="export")
def main(task: str, pictures: Path, faces: int, side: int) -> None:
    """Print two Markdown tables."""
    mesh, first, landmarker = FaceMesh(task), load_detector(), load_model(models.DEFAULT)
    with suppress_output():
        second = FaceDetector.load(models.TURNED_DETECTOR)
    people = [Sitter(path, mesh) for path in itertools.islice(frontal(pictures), faces)]
    topology = Topology(np.stack([p.mesh for p in people]), np.stack([p.pose for p in people]))
    kept, found = [], []
    with progress_bars() as progress:
        for name, turned in (("BlazeFace", None), ("and YuNet", second)):
            held: list[list[bool]] = [[] for _ in YAWS[1:]]
            counts: list[int] = []
            waits: dict[int, list[float]] = {yaw: [] for yaw in YAWS}
            for person in progress(people, name):
                tracker = FaceTracker(landmarker, first, turned=turned)
                ids = set()
                for k in range(6 * FPS):
                    yaw = 85 * np.sin(np.pi * k / (6 * FPS))
                    answer = tracker.update(frame(person.seen(yaw, topology), side, k), k / FPS)
                    ids |= {face.id for face in answer}
                    nth = int(np.searchsorted(YAWS[1:-1], yaw, side="right"))
                    held[nth].append(bool(answer))
                counts.append(len(ids))
                for yaw in YAWS:
                    tracker = FaceTracker(landmarker, first, turned=turned)
                    wait = np.inf
                    for k in range(2 * FPS):
                        view = person.seen(yaw, topology) if k >= FPS // 2 else None
                        if tracker.update(frame(view, side, k), k / FPS):
                            wait = k / FPS - 0.5
                            break
                    waits[yaw].append(wait)
            kept.append(
                [name, *(f"{100 * np.mean(h):.1f} %" for h in held), f"{np.mean(counts):.2f}"]
            )
            row = []
            for times in waits.values():
                soon = 100 * np.mean(np.array(times) <= WITHIN)
                row.append(f"{soon:.0f} %, {1e3 * np.median(times):.0f} ms")
            found.append([name, *row])
    ranges = (f"{a} to {b}°" for a, b in zip((0, *YAWS[1:]), YAWS[1:], strict=False))
    table("Frames in which a turning face is tracked", ["detector", *ranges, "ids a face"], kept)
    table(
        "Turned faces found within a second; median", ["detector", *(f"{y}°" for y in YAWS)], found
    )


if __name__ == "__main__":
    main()
