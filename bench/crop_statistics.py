"""How alike crops from a detector, from tracking and from labels look to the network.

    python bench/crop_statistics.py --data 300w:DIR

On 300-W's training faces, how far the runtime's crops lie from the crop around the
labels, what the training's augmentation draws, and what the network makes of each.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from shared import bgr, load_detector, load_model, table, training_faces

from asmnet import models
from asmnet.cli.progress import progress_bars, suppress_output
from asmnet.core import Crop, UserError, atomic_path, cli_errors, nme, to_scheme
from asmnet.core.landmarks import IBUG68
from asmnet.data.datasets import LabelledFace
from asmnet.edge_runtime import FaceDetector, Landmarker
from asmnet.edge_runtime.tracking.search import DETECT_SCALE
from asmnet.edge_runtime.tracking.tracker import RECROP_THRESHOLD

ROUNDS = 3
# More than this part of the crops beyond the range of the training's jitter: not covered.
MOST_OUTSIDE = 0.05
SOURCES = ("labels", "detector", *(f"tracking, round {i + 1}" for i in range(ROUNDS)))


def detected(detector: FaceDetector, image: np.ndarray, face: Crop, margin: float) -> Crop | None:
    """The tracker's first crop: a look at the surroundings, then a closer one; None if missed.

    Args:
        face: the labels' tight box, which tells this face from others in the picture.
    """
    height, width = image.shape[:2]
    region = Crop((width - 1) / 2, (height - 1) / 2, 2 * max(height, width))
    found = None
    for _ in range(2):
        looks = [found.to_crop(margin) for found in detector.detect(image, region)]
        near = [c for c in looks if np.abs(face.to_units(np.array([c.cx, c.cy]))).max() < 1 / 3]
        if not near:
            return found
        found = near[0]
        region = replace(found, side=found.side * DETECT_SCALE / margin)
    return found


def follow(
    landmarker: Landmarker, detector: FaceDetector, face: LabelledFace
) -> tuple[np.ndarray, np.ndarray] | None:
    """Crop a face as each of `SOURCES` does, and ask the network each time.

    Returns:
        strays: (sources, 3) offset to the right and down in sides of the labels' crop, and
            log of the ratio of sides.
        errors: (sources,) NME in %.  None if the detector misses the face.
    """
    image, margin = bgr(face), landmarker.spec.margin
    truth = Crop.around(face.points, margin)
    first = detected(detector, image, Crop.around(face.points, 1.0), margin)
    if first is None:
        return None
    crops, answers = [truth, first], [landmarker(image, truth), landmarker(image, first)]
    for _ in range(ROUNDS):
        crops.append(Crop.around(answers[-1].landmarks, margin))
        answers.append(landmarker(image, crops[-1]))
    offsets = truth.to_units(np.array([(c.cx, c.cy) for c in crops]))
    sizes = np.log([c.side / truth.side for c in crops])
    points = to_scheme(np.stack([a.landmarks for a in answers]), IBUG68)
    truths = np.broadcast_to(face.points, points.shape)
    return np.column_stack([offsets, sizes]), nme(points, truths, IBUG68)


def describe(title: str, strays: np.ndarray, errors: np.ndarray, jitter: np.ndarray) -> None:
    """Print what (faces, sources, 3) strays and (faces, sources) errors say.

    Args:
        jitter: (3,) what the augmentation draws from, uniformly in ± this.
    """

    def spread(mean: np.ndarray, std: np.ndarray) -> list[str]:
        return [f"{100 * m:+.1f} ± {100 * s:.1f}" for m, s in zip(mean, std, strict=True)]

    rows = []
    for i, source in enumerate(SOURCES):
        stray = strays[:, i]
        inside = 100 * (np.abs(stray) <= jitter).all(axis=1).mean()
        shown = spread(stray.mean(0), stray.std(0)) if i else ["0", "0", "0"]
        rows.append([source, *shown, f"{inside:.1f}", f"{errors[:, i].mean():.3f}"])
    rows.append(["drawn in training", *spread(np.zeros(3), jitter / np.sqrt(3)), "100.0", ""])
    header = (
        "crop from",
        "right, %",
        "down, %",
        "log size, %",
        "within training's range, %",
        "NME, %",
    )
    table(title, header, rows)


def conclude(strays: np.ndarray, errors: np.ndarray, jitter: np.ndarray) -> None:
    """Say how fast tracking settles, and whether the training's jitter covers what happens."""
    steps = np.abs(np.diff(strays[:, 1:], axis=1))
    for i in range(ROUNDS):
        moved, grew = steps[:, i, :2].max(axis=1), steps[:, i, 2]
        again = ((moved > RECROP_THRESHOLD) | (grew > 2 * RECROP_THRESHOLD)).mean()
        print(
            f"round {i + 1} moves the crop by {100 * moved.mean():.2f} % of its side "
            f"(99 % of faces: < {100 * np.percentile(moved, 99):.1f}) and changes its size by "
            f"{100 * grew.mean():.2f} %; {100 * again:.1f} % are moved enough to be taken again"
        )
    for i, source in enumerate(SOURCES[1:], 1):
        beyond = np.abs(strays[:, i]) > jitter
        out = beyond.any(axis=1)
        sides = " / ".join(f"{share:.1f}" for share in 100 * beyond.mean(axis=0))
        wide = np.percentile(np.abs(strays[:, i]), 99, axis=0)
        print(
            f"{source}: training {'covers' if out.mean() < MOST_OUTSIDE else 'does not cover'} it, "
            f"{100 * out.mean():.1f} % of the crops lie outside (right / down / size {sides} %); "
            f"± {' / '.join(f'{w:.3f}' for w in wide)} would take in 99 % each"
        )
        if out.any():
            there, before = errors[out, i].mean(), errors[out, 0].mean()
            print(f"  NME of those outside: {there:.2f}, from the labels' crop {before:.2f}")


def plot(file: Path, strays: np.ndarray, jitter: np.ndarray) -> None:
    """Draw offsets of detector and tracking against the square that training draws from."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for i, colour in ((1, "tab:orange"), (2, "tab:blue")):
        left.scatter(*100 * strays[:, i, :2].T, s=3, alpha=0.4, color=colour, label=SOURCES[i])
        right.hist(100 * strays[:, i, 2], 60, alpha=0.5, color=colour, label=SOURCES[i])
    x, y, size = 100 * jitter
    left.plot([-x, x, x, -x, -x], [-y, -y, y, y, -y], "k--", label="drawn in training")
    left.set(xlabel="right, % of the crop", ylabel="down, % of the crop", aspect="equal")
    left.invert_yaxis()
    left.legend(fontsize=8)
    for limit in (-size, size):
        right.axvline(limit, color="k", linestyle="--")
    right.set(xlabel="log size, %", ylabel="faces")
    figure.savefig(file, dpi=110)


@click.command()
@click.option("--data", required=True, help="300w:DIR.")
@click.option("--model", default=models.DEFAULT, show_default=True, help="Name, or a .tflite.")
@click.option("--seed", default=0, show_default=True, help="Of the model's training.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Draw a .png.")
@cli_errors(extra="export")
def main(data: str, model: str, seed: int, out: Path | None) -> None:
    """Compare crops from labels, detector and tracking on 300-W's training faces."""
    landmarker, detector = load_model(model), load_detector()
    learned, held_out = training_faces(data, seed)
    with suppress_output():
        from asmnet.train.augment import MODERN  # imports Keras
    jitter = np.array([MODERN.shift, MODERN.shift, MODERN.scale])
    with progress_bars() as progress:
        faces = [*held_out, *learned]
        results = [follow(landmarker, detector, f) for f in progress(faces, "cropping faces")]
    seen = np.array([r is not None for r in results])
    if not seen.any():
        raise UserError(f"the detector finds no face in any picture of {data}")
    strays, errors = (np.stack(part) for part in zip(*filter(None, results), strict=True))
    new = int(seen[: len(held_out)].sum())
    print(f"{landmarker.spec.name}; the detector misses {(~seen).sum()} of {len(faces)} faces")
    describe(f"{new} held-out faces", strays[:new], errors[:new], jitter)
    describe(f"{len(strays) - new} learned faces", strays[new:], errors[new:], jitter)
    print("\nOn the held-out faces:")
    conclude(strays[:new], errors[:new], jitter)
    if out is not None:
        with atomic_path(out) as file:
            plot(file, strays[:new], jitter)


if __name__ == "__main__":
    main()
