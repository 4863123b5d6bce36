"""Labels that lie to one side: how far from what a picture and its mirror image agree on.

    python bench/label_offset.py 300w:DIR wflw:DIR [LABELS.jsonl]

A network's answers on a face and on its mirror image, mirrored back, are averaged: whatever the
network itself puts to one side cancels.  The labels' mean distance from that, along the line of the
eyes, is the annotators' own.
"""

from __future__ import annotations

import click
import numpy as np
from shared import table

from asmnet import models
from asmnet.cli.progress import progress_bars
from asmnet.core import cli_errors, to_scheme
from asmnet.data.datasets import SUBSETS_300W
from asmnet.evaluate.labelled_faces import labelled_faces
from asmnet.evaluate.predictor import load_predictor


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE ...")
@click.option("--model", default=models.DEFAULT, show_default=True, help="Name or file.")
@cli_errors(extra="export")
def main(sources: tuple[str, ...], model: str) -> None:
    """Measure the offset of the labels in each of SOURCES."""
    network = load_predictor(models.find(model))
    rows = []
    with progress_bars() as progress:
        for source in sources:
            kind = source.partition(":")[0]
            parts = {"300w": [*SUBSETS_300W][:2], "wflw": ["full"]}.get(kind, [None])
            for part in parts:
                faces = labelled_faces(source, network.spec, part, progress=progress)
                assert faces.points is not None  # these sources label landmarks
                seen, _ = network.predict(faces.images, progress)
                other, _ = network.predict(faces.images[:, :, ::-1].copy(), progress)
                mirror = network.spec.landmark_scheme.mirror
                agreed = to_scheme((seen + (other * (-1, 1))[:, mirror]) / 2, faces.scheme)
                right, left = (faces.points[:, i] for i in faces.scheme.outer_eyes)
                eyes = left - right
                shift = (faces.points - agreed).mean(axis=1)
                aside = 100 * (shift * eyes).sum(axis=-1) / (eyes**2).sum(axis=-1)
                error = aside.std() / np.sqrt(len(aside))
                name = f"{kind} {part}" if part else source.rpartition("/")[2]
                rows.append([name, len(aside), f"{np.median(aside):+.2f}", f"{aside.mean():+.2f}",
                             f"{error:.2f}"])  # fmt: skip
    table(
        f"Labels to the right of what {model} sees on both sides, % of the eyes' distance",
        ["labels", "faces", "median", "mean", "standard error"],
        rows,
    )


if __name__ == "__main__":
    main()
