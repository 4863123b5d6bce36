"""How the detector's box relates to the landmarks' tight box, measured on 300-W.

    python bench/detector_box.py FOLDER_OF_300W

prints the statistics behind the constants in `edge_runtime/detector.py`, on the
training pictures alone: afw, helen/trainset, lfpw/trainset.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from shared import bgr, load_detector

from asmnet.core import Crop, cli_errors
from asmnet.data.datasets import read_300w

# The pictures of 300-W are often cut close around the face; a wider, padded search
# shows the detector the same faces at half and a quarter of that size.
WIDTHS = (1.0, 2.0, 4.0)


def describe(name: str, truth: list[Crop], guess: list[Crop]) -> None:
    """Print mean and standard deviation of the crops' differences, in % of the true side."""
    error = 100 * np.array(
        [
            ((g.cx - t.cx) / t.side, (g.cy - t.cy) / t.side, g.side / t.side - 1)
            for t, g in zip(truth, guess, strict=True)
        ]
    )
    cells = "   ".join(
        f"{label} {m:+5.1f} ± {s:4.1f}"
        for label, m, s in zip(("right", "down", "size"), error.mean(0), error.std(0), strict=True)
    )
    print(f"  {name:<18}{cells}")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@cli_errors(extra="export")
def main(folder: Path) -> None:
    """Measure the detector's box on the training pictures of 300-W in FOLDER."""
    faces = read_300w(folder, "train").faces
    detector = load_detector()
    for width in WIDTHS:
        truth, boxes, crops, scores = [], [], [], []
        for labelled in faces:
            image, face = bgr(labelled), Crop.around(labelled.points, 1.0)
            height, width_px = image.shape[:2]
            side = width * max(height, width_px)
            region = Crop((width_px - 1) / 2, (height - 1) / 2, side)
            for found in detector.detect(image, region):
                centre = (found.box[:2] + found.box[2:]) / 2
                if np.abs(centre - (face.cx, face.cy)).max() < face.side / 3:
                    truth.append(face)
                    x, y = centre.tolist()
                    boxes.append(Crop(x, y, float(found.box[2] - found.box[0])))
                    crops.append(found.to_crop(1.0))
                    scores.append(found.score)
                    break
        print(f"searching {width:g} x the picture: {len(truth)} of {len(faces)} faces found")
        low, middle = np.percentile(scores, (0.1, 50))
        print(f"  score: median {middle:.2f}, 99.9 % of them above {low:.2f}")
        print("  errors in % of the landmarks' box, mean ± standard deviation")
        describe("box itself", truth, boxes)
        describe("after correction", truth, crops)


if __name__ == "__main__":
    main()
