"""Head position, openness and blinks on the talking face, beside MediaPipe's and labels by eye.

python bench/signals.py reference CLIP face_landmarker.task REFERENCE.npz   # where mediapipe is
python bench/signals.py compare CLIP REFERENCE.npz [MODEL ...] [--plot FILE.png]
python bench/signals.py motion [MODEL ...]   # the sample clip, whose motion is known
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
import numpy as np

if TYPE_CHECKING:  # `reference` runs where only mediapipe is
    from collections.abc import Mapping

    from asmnet.core.signals import Event
    from asmnet.edge_runtime import Face

# Frames in the middle of the blinks from FIRST on, labelled on contact sheets of both eyes: every
# second frame, doubtful stretches frame by frame.  The thresholds were chosen on the frames before.
FIRST = 2400
BLINKS = [2412, 2426, 2524, 2592, 2648, 2772, 2889, 2930, 3067, 3120, 3130, 3150, 3227, 3371, 3462]
BLINKS += [3503, 4018, 4055, 4133, 4143, 4153, 4181, 4229, 4423, 4479, 4537, 4609, 4688, 4789]
# Neither a blink nor none: eyes closed for a second, and lids that come half down.
DOUBTFUL = [(3810, 3850), (4058, 4070)]
SLACK = 4  # frames


@click.group()
def main() -> None:
    """Compare head position, openness and blinks with MediaPipe's and with labels by eye."""


@main.command()
@click.argument("clip")
@click.argument("model", metavar="face_landmarker.task")
@click.argument("out", metavar="REFERENCE.npz")
def reference(clip: str, model: str, out: str) -> None:
    """Store MediaPipe's head position (mm) and blend shapes of every frame."""
    import cv2
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=model),
        running_mode=vision.RunningMode.VIDEO,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    capture = cv2.VideoCapture(clip)
    rate = capture.get(cv2.CAP_PROP_FPS)
    places: list[tuple[float, float, float]] = []
    shapes: list[list[float]] = []
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        while (read := capture.read())[0]:
            pixels = cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)
            image = mp.Image(image_format=mp.ImageFormat.SRGB, data=pixels)
            found = landmarker.detect_for_video(image, round(1000 * len(places) / rate))
            x, y, z = 10 * found.facial_transformation_matrixes[0][:3, 3]
            places.append((x, -y, -z))
            shape = {s.category_name: s.score for s in found.face_blendshapes[0]}
            shapes.append([shape[k] for k in ("eyeBlinkRight", "eyeBlinkLeft", "jawOpen")])
    np.savez(out, places=places, shapes=shapes)


@main.command()
@click.argument("clip")
@click.argument("reference", metavar="REFERENCE.npz")
@click.argument("names", nargs=-1, metavar="[MODEL ...]")
@click.option("--plot", metavar="FILE.png")
def compare(clip: str, reference: str, names: tuple[str, ...], plot: str | None) -> None:
    """Print a line a model; plot the last."""
    from asmnet import models
    from asmnet.edge_runtime import FaceDetector, FaceTracker, Landmarker, frames_from

    stored = np.load(reference)
    for model in names or [models.DEFAULT]:
        tracker = FaceTracker(Landmarker.load(model), FaceDetector.load())
        times, faces = [], []
        for frame in frames_from(clip):
            times.append(frame.t)
            faces.append(tracker.update(frame.image, frame.t)[0])
        rate = (len(times) - 1) / (times[-1] - times[0])
        told = [_signals(face) for face in faces]
        places, openness = (np.array(values) for values in zip(*told, strict=True))
        blinks = [e for face in faces for e in face.events if e.kind == "blink"]
        yawns = sum(e.kind == "yawn" for face in faces for e in face.events)
        spans = [(e.start * rate - SLACK, e.end * rate + SLACK) for e in blinks]
        judged = [
            (a, b)
            for a, b in spans
            if a + SLACK >= FIRST and not any(x <= a + SLACK <= y for x, y in DOUBTFUL)
        ]
        found = sum(any(a <= k <= b for a, b in judged) for k in BLINKS)
        false = sum(not any(a <= k <= b for k in BLINKS) for a, b in judged)
        print(f"{model}: {found} of {len(BLINKS)} blinks, {false} false; {yawns} yawns")
        print("  position x, y, z:", *_correlations(places, stored["places"]))
        print("  right eye, left eye, mouth:", *_correlations(openness, stored["shapes"]))
    if plot:
        _plot(np.array(times), places, openness, blinks, stored, plot)


@main.command()
@click.argument("names", nargs=-1, metavar="[MODEL ...]")
def motion(names: tuple[str, ...]) -> None:
    """Distances in the sample clip, whose faces are drawn larger and smaller by known factors."""
    from asmnet import models, samples
    from asmnet.edge_runtime import FaceDetector, FaceTracker, Landmarker, frames_from

    truth = json.loads(samples.CLIP_TRUTH.read_text())["frames"]
    for model in names or [models.DEFAULT]:
        tracker = FaceTracker(Landmarker.load(model), FaceDetector.load(), 2)
        seen: dict[str, list[tuple[float, float]]] = {}
        for frame, known in zip(frames_from(samples.CLIP), truth, strict=True):
            for face in tracker.update(frame.image, frame.t):
                x, y = (face.landmarks.min(axis=0) + face.landmarks.max(axis=0)) / 2
                for drawn in known["faces"]:
                    left, top, right, bottom = drawn["box"]
                    if left < x < right and top < y < bottom and drawn["visible"] == 1:
                        scale = float(np.hypot(*drawn["transform"][0][:2]))
                        z = _signals(face)[0][2]
                        seen.setdefault(drawn["person"], []).append((z, 1 / scale))
        for person, pairs in sorted(seen.items()):
            far, farther = np.array(pairs).T
            steady = 100 * np.std(far / farther) / np.mean(far / farther)
            spread = farther.max() / farther.min()
            print(
                f"{model}, {person}, {len(far)} frames, distances 1 to {spread:.2f}: correlation "
                f"{np.corrcoef(far, farther)[0, 1]:.3f}, off by {steady:.1f} % (standard deviation)"
            )


def _signals(face: Face) -> tuple[list[float], list[float]]:
    """Where a tracked face is, mm, and how open its eyes and its mouth are, 0..1."""
    assert face.position is not None and face.eyes is not None and face.mouth is not None
    return face.position.tolist(), [*face.eyes.tolist(), face.mouth]


def _correlations(ours: np.ndarray, theirs: np.ndarray) -> list[str]:
    pairs = zip(ours.T, theirs.T, strict=True)
    return [f"{abs(np.corrcoef(a, b)[0, 1]):.3f}" for a, b in pairs]


def _plot(
    times: np.ndarray,
    places: np.ndarray,
    openness: np.ndarray,
    blinks: list[Event],
    stored: Mapping[str, np.ndarray],
    file: str,
) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (eyes, head) = pyplot.subplots(2, 1, figsize=(9, 6), constrained_layout=True)
    part = (times >= FIRST * times[-1] / len(times)) & (times < 132)
    eyes.plot(times[part], openness[part, :2].mean(axis=1), label="openness, mean of both eyes")
    shut = stored["shapes"][:, :2].mean(axis=1)
    eyes.plot(times[part], 1 - shut[part], "0.6", lw=1, label="1 - MediaPipe's eyeBlink")
    for event in blinks:
        if times[part][0] <= event.start <= times[part][-1]:
            eyes.axvspan(event.start, event.end, color="tab:orange", alpha=0.4, lw=0)
    eyes.set(xlabel="seconds", title="Blinks (orange)")
    for k, axis in enumerate("xyz"):
        ours, theirs = (p[:, k] - p[:, k].mean() for p in (places, stored["places"]))
        head.plot(times, ours + 60 * k, color=f"C{k}", lw=1, label=axis)
        head.plot(times, theirs + 60 * k, "0.6", lw=0.7, zorder=0)
    head.set(xlabel="seconds", ylabel="mm from the mean", title="The head's path; MediaPipe grey")
    head.set_yticks([])
    head.set_ylabel("60 mm from line to line")
    eyes.set_ylim(-0.25, 1.1)  # room for the legends
    head.set_ylim(top=head.get_ylim()[1] + 30)
    eyes.legend(loc="lower left", fontsize=8, ncols=2)
    head.legend(loc="upper left", fontsize=8, ncols=3)
    figure.savefig(file, dpi=110)


if __name__ == "__main__":
    main()
