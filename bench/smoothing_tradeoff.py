"""Jitter of the tracker's smoothed points against their lag: for the choice of its filter.

    python bench/smoothing_tradeoff.py [MODEL ...] [--clip VIDEO] [--plot FILE.png]

Still: faces at rest under sensor noise; the jitter of their points, in % of the distance of the
outer eye corners.  Moving: the same faces swing along a known path, slowly, briskly and quickly;
by how many frames (of 30 a second) the points are late.  Clip: any video of one face; the jitter
of its points (second difference / sqrt 6: of white noise, its deviation).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import cv2
import numpy as np
from shared import load_detector, load_model, table

from asmnet import models, samples
from asmnet.cli.progress import Progress, progress_bars
from asmnet.core import UserError, cli_errors, jitter
from asmnet.edge_runtime import FaceTracker, frames_from
from asmnet.edge_runtime.io.pictures import read_bgr
from asmnet.edge_runtime.parity import NOISE
from asmnet.edge_runtime.tracking.smoothing import OneEuro
from asmnet.edge_runtime.tracking.tracks import POINTS_FILTER

FPS, SECONDS, FACES = 30, 3, 12
SIDE, FACE = 480, 320  # of the frame and of the picture in it, pixels
# The path of the moving faces: so many pixels to either side, once a second.  At their fastest
# they move by 0.2, 0.6 and 1.8 face widths a second.
SWINGS, HERTZ = (6.0, 20.0, 60.0), 1.0
Sequence = tuple[np.ndarray, np.ndarray, np.ndarray]  # times (T,), points (T, N, 2), scales (T,)
# At rest, moving by the swing, and the clip.
Measured = tuple[list[Sequence], dict[float, list[Sequence]], Sequence | None]


def path(t: float, swing: float) -> np.ndarray:
    """(2,) where a moving face is, pixels from the middle: across, and half as far up and down."""
    turn = 2 * np.pi * HERTZ * t
    return np.array([swing * np.sin(turn), swing / 2 * np.sin(turn + 1)])


def film(picture: np.ndarray, swing: float, seed: int) -> Iterator[tuple[np.ndarray, float]]:
    """Frames of a camera with noise that looks at a picture, and their times."""
    rng = np.random.default_rng(seed)
    for number in range(FPS * SECONDS):
        t = number / FPS
        x, y = (SIDE - FACE) / 2 + path(t, swing)
        place = np.array([[1, 0, x], [0, 1, y]])
        frame = cv2.warpAffine(
            picture, place, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        noisy = frame + rng.normal(0, NOISE, frame.shape)
        yield np.clip(noisy + 0.5, 0, 255).astype(np.uint8), t


def follow(tracker: FaceTracker, frames: Iterable[tuple[np.ndarray, float]]) -> Sequence:
    """The unsmoothed points of the one face in all frames."""
    tracker.reset()
    times, points, scales = [], [], []
    for image, t in frames:
        faces = tracker.update(image, t)
        if faces:
            times.append(t)
            points.append(faces[0].landmarks)
            scales.append(faces[0].crop.side / tracker.landmarker.spec.margin)
    if len(points) < FPS:
        raise UserError("the face was not followed for a second; give a video of one face")
    return np.array(times), np.stack(points), np.array(scales)


def smoothed(sequence: Sequence, parameters: tuple[float, float] | None) -> np.ndarray:
    """(T, N, 2) the points after the tracker's filter; unsmoothed if no parameters are given."""
    times, points, scales = sequence
    if parameters is None:
        return points
    smooth = OneEuro(*parameters)
    return np.stack([smooth(p, t, s) for p, t, s in zip(points, times, scales, strict=True)])


def lag(points: np.ndarray, times: np.ndarray, swing: float) -> float:
    """Frames by which the points' mean follows `path` too late: the delay that fits best."""
    seen = points.mean(axis=1)
    delays = np.arange(-1, 4, 0.02)
    misfit = []
    for delay in delays:
        truth = np.array([path(t - delay / FPS, swing) for t in times])
        rest = (seen - truth)[FPS:]
        misfit.append(np.square(rest - rest.mean(axis=0)).sum())
    return float(delays[int(np.argmin(misfit))])


def second_difference(points: np.ndarray, interocular: float) -> float:
    """% of the inter-ocular distance by which points leave a straight line, frame to frame."""
    second = points[2:] - 2 * points[1:-1] + points[:-2]
    return float(100 * np.sqrt(np.square(second).sum(axis=-1).mean() / 6) / interocular)


def measure(
    tracker: FaceTracker, stills: list[np.ndarray], clip: str | None, progress: Progress
) -> Measured:
    """Unsmoothed points of the stills, of the moving faces, and of the clip."""
    rest: list[Sequence] = []
    moving: dict[float, list[Sequence]] = {swing: [] for swing in SWINGS}
    for seed, picture in enumerate(progress(stills, "filming faces")):
        rest.append(follow(tracker, film(picture, 0.0, seed)))
        for swing in SWINGS:
            moving[swing].append(follow(tracker, film(picture, swing, seed)))
    if clip is None:
        return rest, moving, None
    frames = itertools.islice(frames_from(clip), 1500)
    read = ((frame.image, frame.t) for frame in progress(frames, "following the clip"))
    return rest, moving, follow(tracker, read)


def figures(
    tracker: FaceTracker, measured: Measured, parameters: tuple[float, float] | None
) -> list[float]:
    """Jitter of stills in %, lags in frames by swing, and jitter of the clip in %."""
    rest, moving, clip = measured
    scheme = tracker.landmarker.spec.landmark_scheme
    found = [float(np.mean([jitter(smoothed(one, parameters)[FPS:], scheme) for one in rest]))]
    for swing, films in moving.items():
        late = [lag(smoothed(one, parameters), one[0], swing) for one in films]
        found.append(float(np.mean(late)))
    if clip is not None:
        interocular = float(scheme.interocular(clip[1].mean(axis=0)))
        found.append(second_difference(smoothed(clip, parameters), interocular))
    return found


def draw(curves: dict[float, list[tuple[float, list[float]]]], file: str) -> None:
    """Jitter against the worst lag: a line for each minimal cutoff, a dot for each beta."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for cutoff, dots in curves.items():
        lags, jitters = [max(f[1:4]) for _, f in dots], [f[0] for _, f in dots]
        axes.plot(lags, jitters, "o-", ms=4, label=f"{cutoff} Hz")
        for (beta, _), late, still in zip(dots, lags, jitters, strict=True):
            if (cutoff, beta) == POINTS_FILTER:
                axes.plot([late], [still], "o", ms=11, mfc="none", mec="black")
            axes.annotate(f"{beta:g}", (late, still), (3, 3), textcoords="offset points", size=7)
    axes.axvline(1, color="gray", lw=0.8, ls="--")
    axes.set_xlabel("lag of a moving face, worst of three speeds, frames at 30 a second")
    axes.set_ylabel("jitter of a still face, % of the eyes' distance")
    axes.set_xlim(0, 3)
    axes.set_ylim(0)
    axes.legend(title="minimal cutoff; dots: beta")
    axes.grid(alpha=0.3)
    figure.savefig(file, dpi=100)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--clip", metavar="VIDEO", help="A video of one face; the first 1,500 frames count.")
@click.option("--plot", metavar="FILE", help="Draw jitter against lag for the first model.")
@cli_errors(extra="export")
def main(names: tuple[str, ...], clip: str | None, plot: str | None) -> None:
    """Print a Markdown table: a line unsmoothed and one smoothed for each model."""
    pictures = sorted(samples.LONDON.glob("*.jpg"))
    picked = [pictures[i] for i in np.linspace(0, len(pictures) - 1, FACES).astype(int)]
    stills = [cv2.resize(read_bgr(file), (FACE, FACE)) for file in picked]
    rows: list[list[str]] = []
    for name in names or (models.DEFAULT,):
        tracker = FaceTracker(load_model(name), load_detector(), smoothing=False)
        with progress_bars() as progress:
            measured = measure(tracker, stills, clip, progress)
        for label, parameters in (("no", None), ("yes", POINTS_FILTER)):
            found = figures(tracker, measured, parameters)
            rows.append([Path(name).stem, label, *(f"{value:.3f}" for value in found)])
        if plot is not None:
            curves = {
                cutoff: [
                    (beta, figures(tracker, measured, (cutoff, beta)))
                    for beta in (10.0, 20.0, 30.0, 50.0, 100.0, 200.0)
                ]
                for cutoff in (0.5, 1.0, 2.0, 4.0)
            }
            draw(curves, plot)
            plot = None
    header = ["model", "smoothed", "jitter at rest, %", "lag, slow", "brisk", "quick"]
    table("Jitter and lag", header + ["clip, %"] * (clip is not None), rows)


if __name__ == "__main__":
    main()
