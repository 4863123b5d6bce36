"""The head pose from the network's head, from a fit of its landmarks, or from both.

    python bench/pose_sources.py --data 300w:DIR --lp DIR_OF_300W_LP

The fit is learned on labelled landmarks of training faces, the weights of the average
("fused") on training faces that neither network nor fit has seen.  Judged on 300-W's 554
common faces, whose labels are another network's, and on pictures of 300W-LP, whose
labels come from a 3-D face model.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from pose_fit import PoseFit
from shared import bgr, load_detector, load_model, table, training_faces

from asmnet import models
from asmnet.cli.progress import progress_bars
from asmnet.core import Crop, UserError, cli_errors, pose_mae, to_scheme
from asmnet.core.landmarks import IBUG68
from asmnet.data.datasets import LabelledFace, read_dataset
from asmnet.data.images import poses_of
from asmnet.edge_runtime import Landmarker

# Degrees.  The paper's errors of yaw, pitch, roll on 300-W; the mean of the three on 300W-LP.
BARS, BAR_TURNED = (1.62, 1.80, 1.24), 5.0
# Degrees of yaw to either side.
TURNS = {"yaw < 60": (0, 60), "< 30": (0, 30), "30-60": (30, 60), ">= 60": (60, 181)}


class Answers:
    """A landmarker's answers for faces in given crops.

    Attributes:
        points: (M, 68, 2) picture pixels.
        head: (M, 3) degrees, the network's own pose.
        truth: (M, 3) degrees.
    """

    def __init__(
        self, landmarker: Landmarker, faces: Sequence[LabelledFace], crops: Sequence[Crop]
    ):
        answers = [landmarker(bgr(f), c) for f, c in zip(faces, crops, strict=True)]
        self.points = to_scheme(np.stack([a.landmarks for a in answers]), IBUG68)
        self.head = np.stack([a.pose for a in answers]).astype(np.float64)
        self.truth = poses_of(faces)


class Sources:
    """Head, fits and fusion, for `Answers`.

    Attributes:
        share: (3,) of the head in the fused yaw, pitch and roll; the rest is the fit's.
    """

    def __init__(self, learned: Sequence[LabelledFace], held_out: Answers):
        points, pose = np.stack([f.points for f in learned]), poses_of(learned)
        self.linear, self.fit = PoseFit.learn(points, pose, squared=0), PoseFit.learn(points, pose)
        fitted = self.fit(held_out.points)
        apart = held_out.head - fitted
        least_squares = (apart * (held_out.truth - fitted)).sum(0) / (apart**2).sum(0)
        self.share = least_squares.clip(0, 1)

    def __call__(self, answers: Answers) -> dict[str, np.ndarray]:
        """Poses (M, 3) in degrees by source."""
        fitted = self.fit(answers.points)
        return {
            "head": answers.head,
            "linear fit": self.linear(answers.points),
            "quadratic fit": fitted,
            "fused": self.share * answers.head + (1 - self.share) * fitted,
        }


def label_crops(faces: Sequence[LabelledFace], margin: float) -> list[Crop]:
    """The crops that the benchmark is judged on."""
    return [Crop.around(face.points, margin) for face in faces]


def read_300w_lp(folder: Path) -> list[LabelledFace]:
    """The pictures of 300W-LP with their poses, and no points.

    `pt2d` holds the landmarks of the picture *before* it was turned, the same for every
    turned version, so it says nothing about where the face is.
    """
    from scipy.io import loadmat

    faces = []
    for path in sorted(folder.glob("*.mat")):
        try:
            pitch, yaw, roll = np.degrees(loadmat(path)["Pose_Para"][0, :3])
        except (KeyError, ValueError, OSError) as error:
            raise UserError(f"{path} is no label of 300W-LP: {error}") from error
        pose = np.array([yaw, pitch, roll], np.float64)
        faces.append(LabelledFace(path.with_suffix(".jpg"), np.empty((0, 2)), pose))
    if not faces:
        raise UserError(f"{folder} holds no .mat files; give a folder of 300W-LP's pictures")
    return faces


def detector_crops(
    faces: Sequence[LabelledFace], margin: float
) -> tuple[list[LabelledFace], list[Crop]]:
    """The faces that the detector finds, and its crops."""
    detector = load_detector()
    found = [(face, detector.detect(bgr(face))) for face in faces]
    kept = [(face, looks[0].to_crop(margin)) for face, looks in found if looks]
    if not kept:
        raise UserError("the detector finds no face in any picture of 300W-LP")
    return [face for face, _ in kept], [crop for _, crop in kept]


def show_300w(title: str, answers: Answers, sources: Sources) -> None:
    """Print the errors of each source on one set."""
    rows = []
    for name, pose in sources(answers).items():
        errors = pose_mae(pose, answers.truth)
        difference = np.abs(pose - answers.truth) - np.abs(answers.head - answers.truth)
        mean = difference.mean(axis=1)
        against = f"{mean.mean():+.3f} ± {mean.std() / np.sqrt(len(mean)):.3f}"
        against = "" if name == "head" else against
        rows.append([name, *(f"{e:.2f}" for e in (*errors, errors.mean())), against])
    rows.append(["the paper's", *(f"{b:.2f}" for b in BARS), "", ""])
    table(title, ("source", "yaw", "pitch", "roll", "mean", "mean - head's, ± s.e."), rows)


def show_turned(title: str, answers: Answers, sources: Sources) -> None:
    """Print the errors of each source by how far the head is turned."""
    turn = np.abs(answers.truth[:, 0])
    chosen = {name: (turn >= low) & (turn < high) for name, (low, high) in TURNS.items()}
    rows = []
    for name, pose in sources(answers).items():
        cells = []
        for bin_ in chosen.values():
            errors = pose_mae(pose[bin_], answers.truth[bin_]) if bin_.any() else np.full(3, np.nan)
            cells.append(f"{' / '.join(f'{e:.1f}' for e in errors)} = {errors.mean():.2f}")
        rows.append([name, *cells])
    rows.append(["our goal", f"{BAR_TURNED:.2f}", "", "", ""])
    header = [f"{name} ({bin_.sum()})" for name, bin_ in chosen.items()]
    table(f"{title}: yaw / pitch / roll = mean", ("source", *header), rows)


def show_saturation(answers: Answers, sources: Sources, width: int = 10) -> None:
    """Print what each source answers for how much the head is turned, away from frontal."""
    side = np.sign(answers.truth[:, 0])
    turn = np.abs(answers.truth[:, 0])
    bins = (turn // width).astype(int)
    rows = []
    poses = {name: side * pose[:, 0] for name, pose in sources(answers).items()}
    for b in np.unique(bins):
        inside = bins == b
        shown = (f"{y[inside].mean():.0f} ({np.ptp(y[inside]):.0f})" for y in poses.values())
        rows.append([f"{turn[inside].mean():.0f}", inside.sum(), *shown])
    title = "Mean answer (and range) for the yaw of 300W-LP, detector's crops"
    table(title, ("true", "pictures", *poses), rows)


@click.command()
@click.option("--data", required=True, help="300w:DIR, with head_pose.csv.")
@click.option("--lp", type=click.Path(path_type=Path), help="300W-LP: NAME.jpg and NAME.mat.")
@click.option("--model", default=models.DEFAULT, show_default=True, help="Name, or a .tflite.")
@click.option("--seed", default=0, show_default=True, help="Of the model's training.")
@cli_errors(extra="export")
def main(data: str, lp: Path | None, model: str, seed: int) -> None:
    """Compare the head's pose, a fit of the landmarks, and their average."""
    landmarker = load_model(model)
    turned = read_300w_lp(lp) if lp else []
    margin = landmarker.spec.margin
    learned, held_out = training_faces(data, seed)
    common = list(read_dataset(data, "common").faces)
    if any(face.pose is None for face in (*learned, *held_out, *common)):
        raise UserError(f"{data} has faces without a pose; head_pose.csv must name them all")
    with progress_bars() as progress:
        new, test = (
            Answers(landmarker, list(progress(faces, name)), label_crops(faces, margin))
            for faces, name in ((held_out, "held-out faces"), (common, "common faces"))
        )
    sources = Sources(learned, new)
    print(f"{landmarker.spec.name}: mean absolute errors in degrees")
    print(
        f"fused = head x {np.round(sources.share, 2)} + quadratic fit x the rest (yaw pitch roll)"
    )
    show_300w(f"{len(new.truth)} held-out training faces of 300-W", new, sources)
    show_300w(f"{len(test.truth)} common faces of 300-W", test, sources)
    if not turned:
        return
    faces, crops = detector_crops(turned, margin)
    first = Answers(landmarker, faces, crops)
    again = Answers(landmarker, faces, [Crop.around(p, margin) for p in first.points])
    print(f"\n300W-LP: {len(turned)} pictures, the detector misses {len(turned) - len(faces)}")
    show_turned("300W-LP, detector's crops", first, sources)
    show_turned("300W-LP, crops around the landmarks of those (tracking)", again, sources)
    show_saturation(first, sources)


if __name__ == "__main__":
    main()
