"""How much of the error on WFLW's faces, judged as 68 points, is where annotators put a point.

    python bench/annotation_conventions.py asmnet-spatial-68-112 --manual 300w:DIR \\
        --labels runs/shipped/300w_98.jsonl --test wflw:DIR

Two sets of labels of 300-W's training faces, the manual 68 points and the 68 of a teacher of
WFLW's 98, teach a linear translation from the one convention to the other.  A network of 68 points
is then judged on WFLW as it is, and translated.  Nothing is learned from WFLW's faces.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from shared import table

from asmnet import models
from asmnet.cli.progress import progress_bars
from asmnet.core import IBUG68, WFLW98, UserError, cli_errors, to_scheme
from asmnet.data.datasets import read_dataset
from asmnet.data.jsonl import read_jsonl
from asmnet.evaluate.labelled_faces import labelled_faces
from asmnet.evaluate.predictor import load_predictor
from asmnet.label.adapter import LandmarkAdapter

PARTS = ("contour", "brows", "nose", "eyes", "mouth")


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="MODEL ...")
@click.option("--manual", required=True, metavar="300w:DIR")
@click.option("--labels", required=True, type=Path, help="98 points of 300-W's training faces.")
@click.option("--test", required=True, metavar="wflw:DIR")
@cli_errors(extra="export")
def main(names: tuple[str, ...], manual: str, labels: Path, test: str) -> None:
    """Print the NME of MODELs on WFLW's faces as 68 points, as they are and translated."""
    translate, count = translation(manual, labels)
    rows = []
    with progress_bars() as progress:
        for name in names:
            network = load_predictor(models.find(name))
            faces = labelled_faces(test, network.spec, "full", progress=progress)
            assert faces.points is not None  # WFLW labels landmarks
            found, _ = network.predict(faces.images, progress)
            own, truth = to_scheme(found, IBUG68), to_scheme(faces.points, IBUG68)
            rows.append([name, "as it is", *errors(own, truth)])
            if network.spec.landmark_scheme is IBUG68:
                rows.append([name, "translated", *errors(translate(own), truth)])
    table(
        f"{len(truth)} faces of {test.partition(':')[0]} as 68 points, int8, in % of the eyes' "
        f"distance; the translation is of {count} training faces of 300-W",
        ["model", "convention", "NME", "beyond 10 %", *PARTS],
        rows,
    )


def translation(manual: str, labels: Path) -> tuple[LandmarkAdapter, int]:
    """From the convention of `manual` to that of `labels`, and of how many faces.

    Raises:
        UserError: `labels` has not 98 points, or is of other pictures.
    """
    theirs = {face.image.resolve(): face.points for face in read_jsonl(labels).faces}
    pairs = [
        (face.points, theirs[face.image.resolve()])
        for face in read_dataset(manual, "train").faces
        if face.image.resolve() in theirs
    ]
    if not pairs or len(pairs[0][1]) != WFLW98.count:
        raise UserError(
            f"{labels} has no 98-point labels of the pictures in {manual}; "
            f"asmnet label {manual} --teacher pfld_ghostone_98.onnx --out FILE.jsonl makes them"
        )
    ours, theirs_98 = (np.stack(points) for points in zip(*pairs, strict=True))
    return LandmarkAdapter(ours, to_scheme(theirs_98, IBUG68)), len(pairs)


def errors(found: np.ndarray, truth: np.ndarray) -> list[str]:
    """NME, share of the faces beyond 10 %, and the NME of each part of the face."""
    away = 100 * np.linalg.norm(found - truth, axis=-1) / IBUG68.interocular(truth)[:, None]
    of_face = away.mean(axis=1)
    parts = np.split(away.mean(axis=0), (17, 27, 36, 48))
    beyond = 100 * (of_face > 10).mean()
    return [f"{value:.2f}" for value in (of_face.mean(), beyond, *(p.mean() for p in parts))]


if __name__ == "__main__":
    main()
