"""How the tracker behaves when faces leave, return, are many, and when there is none.

    python bench/tracker_events.py [--faceless FOLDER]

Leaving and returning: the sample clip, whose truth is known.  Ghosts: a minute of a camera that
pans and zooms over pictures without faces; by default the portraits that ship, their faces painted
over.  Cost: one to four people side by side, one thread.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import click
import cv2
import numpy as np
from shared import load_detector, load_model, table

from asmnet import models, samples
from asmnet.cli.progress import progress_bars
from asmnet.core import UserError, cli_errors
from asmnet.edge_runtime import FaceDetector, FaceTracker, frames_from
from asmnet.edge_runtime.io.pictures import pictures_in, read_bgr

FPS, SECONDS, VIEW = 30, 60, (640, 480)


def leaving(tracker: FaceTracker) -> list[tuple[str, str]]:
    """Seconds from a face's last sight to its end, and from its first to its beginning."""
    truth = json.loads(samples.CLIP_TRUTH.read_text())["frames"]
    tracker.reset()
    found = [bool(tracker.update(frame.image, frame.t)) for frame in frames_from("demo")]
    there = [any(face["visible"] > 0 for face in frame["faces"]) for frame in truth]
    expected = [any(face["face_expected"] for face in frame["faces"]) for frame in truth]
    lost, back = [], []
    for k in range(1, len(truth)):
        if there[k - 1] and not there[k]:
            lost.append(next(i for i in range(len(found)) if not found[k + i]) / FPS)
        if expected[k] and not expected[k - 1]:
            back.append(next(i for i in range(len(found)) if found[k + i]) / FPS)
    return [
        (f"a face leaves ({len(lost)} x): lost after", f"{1e3 * max(lost):.0f} ms at most"),
        (f"a face returns ({len(back)} x): found after", f"{1e3 * max(back):.0f} ms at most"),
    ]


def hiding(tracker: FaceTracker) -> list[tuple[str, str]]:
    """Seconds until a face is lost that is covered at once, and one that fades in a second."""
    found: dict[float, list[float]] = {0.0: [], 1.0: []}
    for path in sorted(samples.LONDON.glob("*.jpg"))[:20]:
        face = cv2.resize(read_bgr(path), (480, 480))
        covered = cv2.GaussianBlur(face, (0, 0), 40)
        for fade, times in found.items():
            tracker.reset()
            for k in range(10 * FPS):
                since = k / FPS - 1  # the first second shows the face
                gone = min(since / fade, 1.0) if fade else 1.0
                frame = cv2.addWeighted(face, 1 - gone, covered, gone, 0) if since >= 0 else face
                if not tracker.update(frame, k / FPS) and since >= 0:
                    times.append(since - fade)
                    break
    return [
        ("20 faces covered at once: lost after", f"{1e3 * max(found[0.0]):.0f} ms at most"),
        (
            "20 faces that fade in a second: lost",
            f"{1e3 * max(found[1.0]):.0f} ms after it at most",
        ),
    ]


def without_faces(detector: FaceDetector) -> list[np.ndarray]:
    """The portraits that ship, with what the detector finds painted over."""
    pictures = []
    for path in sorted(samples.PORTRAITS.glob("*.jpg")):
        picture = read_bgr(path)
        mask = np.zeros(picture.shape[:2], np.uint8)
        for face in detector.detect(picture, threshold=0.3):
            x, y = ((face.box[:2] + face.box[2:]) / 2).astype(int).tolist()
            radius = int(0.8 * (face.box[2] - face.box[0]))
            cv2.circle(mask, (x, y), radius, 255, -1)
        small = cv2.resize(picture, (640, 640 * picture.shape[0] // picture.shape[1]))
        hole = cv2.resize(mask, small.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        pictures.append(cv2.inpaint(small, hole, 5, cv2.INPAINT_TELEA))
    return pictures


def roam(pictures: list[np.ndarray]) -> Iterator[np.ndarray]:
    """A minute of views that pan and zoom, five seconds on each picture, with noise."""
    rng = np.random.default_rng(0)
    for k in range(SECONDS * FPS):
        if k % (5 * FPS) == 0:
            picture = pictures[k // (5 * FPS) % len(pictures)]
            height, width = picture.shape[:2]
            phase = rng.uniform(0, 2 * np.pi, 3)
        t = k / FPS
        scale = max(VIEW[0] / width, VIEW[1] / height) * (1.6 + 0.6 * np.sin(t + phase[0]))
        x = (width * scale - VIEW[0]) * (0.5 + 0.5 * np.sin(0.7 * t + phase[1]))
        y = (height * scale - VIEW[1]) * (0.5 + 0.5 * np.sin(0.5 * t + phase[2]))
        place = np.array([[scale, 0, -x], [0, scale, -y]])
        view = cv2.warpAffine(picture, place, VIEW, borderMode=cv2.BORDER_REFLECT)
        yield np.clip(view + rng.normal(0, 2, view.shape), 0, 255).astype(np.uint8)


def ghosts(tracker: FaceTracker, pictures: list[np.ndarray]) -> list[tuple[str, str]]:
    """How long something is followed that is no face."""
    tracker.reset()
    since: dict[int, float] = {}
    longest = total = 0.0
    with progress_bars() as progress:
        frames = enumerate(progress(list(roam(pictures)), "roaming"))
        for k, frame in frames:
            faces = tracker.update(frame, k / FPS)
            total += bool(faces) / FPS
            for face in faces:
                if face.id is not None:
                    longest = max(longest, k / FPS - since.setdefault(face.id, k / FPS) + 1 / FPS)
    return [
        (f"{SECONDS} s without a face: ghosts", str(len(since))),
        ("the longest of them", f"{longest:.2f} s"),
        ("all of them", f"{total:.2f} s"),
    ]


def crowd(people: int) -> np.ndarray:
    """(480, 1280, 3) uint8 BGR: so many people side by side."""
    pictures = sorted(samples.LONDON.glob("*.jpg"))[:people]
    frame = np.full((480, 1280, 3), 200, np.uint8)
    for number, path in enumerate(pictures):
        left = 10 + 315 * number
        frame[80:400, left : left + 320] = cv2.resize(read_bgr(path), (320, 320))
    return frame


def cost(tracker: FaceTracker) -> list[tuple[str, str]]:
    """Milliseconds of an update with one to four faces."""
    rows = []
    for people in range(1, 5):
        tracker.reset()
        tracker.max_faces, frame, spent = people, crowd(people), []
        for k in range(150):
            start = time.perf_counter()
            faces = tracker.update(frame, k / FPS)
            spent.append(1e3 * (time.perf_counter() - start))
        if len(faces) != people:
            raise UserError(f"{len(faces)} of {people} faces found; report this")
        rows.append((f"{people} faces: an update", f"{statistics.median(spent[60:]):.2f} ms"))
    return rows


def large_pictures(folder: Path) -> Iterator[np.ndarray]:
    """Those of a folder that can be read, of at least 200 pixels a side: (H, W, 3) uint8 BGR.

    Raises:
        UserError: there is no picture in it.
    """
    for path in pictures_in(folder):
        picture = read_bgr(path)
        if picture is not None and min(picture.shape[:2]) >= 200:
            yield picture


@click.command()
@click.argument("name", default=models.DEFAULT)
@click.option("--faceless", type=click.Path(exists=True, path_type=Path), metavar="FOLDER")
@cli_errors(extra="export")
def main(name: str, faceless: Path | None) -> None:
    """Print a Markdown table."""
    cv2.setNumThreads(1)
    detector = load_detector()
    tracker = FaceTracker(load_model(name), detector)
    if faceless:
        pictures = list(large_pictures(faceless))
    else:
        pictures = without_faces(detector)
    rows = [*leaving(tracker), *hiding(tracker), *ghosts(tracker, pictures), *cost(tracker)]
    table(f"Behaviour of {name}", ["what", "measured"], rows)


if __name__ == "__main__":
    main()
