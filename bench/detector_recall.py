"""How many faces a detector finds, by how far they are turned.

    python bench/detector_recall.py FOLDER [--yunet yunet.onnx]

FOLDER holds pictures and a `faces.csv` with boxes and yaw.  A face counts as found when a
detection overlaps its box by 0.4 (intersection over union).  Boxes that came from one of the
detectors favour that one.
"""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import click
import cv2
import numpy as np
from rich.progress import track
from shared import load_detector, table

from asmnet import models
from asmnet.cli.progress import suppress_output
from asmnet.core import Crop, cli_errors, extract
from asmnet.edge_runtime import FaceDetector
from asmnet.edge_runtime.crops import OPENCV_PADDED
from asmnet.edge_runtime.detector import iou
from asmnet.edge_runtime.io.pictures import read_bgr

YAWS = (0, 20, 40, 60, 75, 180)
OVERLAP = 0.4
INSIDE = 0.6  # of the cut that is real picture


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--yunet", type=click.Path(path_type=Path), help="For OpenCV's detector, to compare.")
@click.option("--room", multiple=True, type=float, default=(1.0, 3.0), help="Square / picture.")
@click.option("--every", default=1, help="Take every Nth face.")
@cli_errors(extra="export")
def main(folder: Path, yunet: Path | None, room: tuple[float, ...], every: int) -> None:
    """Measure recall by yaw; print a Markdown table."""
    with (folder / "faces.csv").open(newline="") as file:
        faces = [r for r in csv.DictReader(file) if float(r.get("inside") or 1) >= INSIDE][::every]
    with suppress_output():
        ours = {
            "BlazeFace": load_detector(),
            "YuNet, int8": FaceDetector.load(models.TURNED_DETECTOR),
        }
    other = cv2.FaceDetectorYN.create(str(yunet), "", (320, 320), 0.5) if yunet else None
    names = [*ours, "YuNet in OpenCV"][: len(ours) + bool(other)]
    found: dict[str, list[bool]] = {f"{name}, room {r:g}": [] for name in names for r in room}
    for row in track(faces, "detecting"):
        image = read_bgr(folder / row["file"])
        x, y, w, h = (float(row[k]) for k in "xywh")
        # Detectors differ in height: brows or hairline to chin.  A square about the centre is fair.
        box = np.array([x + w / 2 - h / 2, y, x + w / 2 + h / 2, y + h])
        height, width = image.shape[:2]
        for r in room:
            region = Crop((width - 1) / 2, (height - 1) / 2, r * max(height, width))
            for name, detector in ours.items():
                boxes = [d.box for d in detector.detect(image, region)]
                found[f"{name}, room {r:g}"].append(_hit(box, boxes))
            if other:
                square = extract(image, region, 320, OPENCV_PADDED)
                theirs = other.detect(square)[1]
                boxes = []
                for fx, fy, fw, fh in [] if theirs is None else theirs[:, :4]:
                    low = region.to_picture(
                        (np.array([fx + fw / 2 - fh / 2, fy]) + 0.5) / 320 - 0.5
                    )
                    boxes.append(np.concatenate([low, low + fh * region.side / 320]))
                found[f"YuNet in OpenCV, room {r:g}"].append(_hit(box, boxes))
    yaw = np.array([abs(float(row["yaw"])) for row in faces])
    ranges = list(itertools.pairwise(YAWS))
    bins = [(yaw >= low) & (yaw < high) for low, high in ranges]
    rows = [("faces", *(int(chosen.sum()) for chosen in bins))]
    for name, hits in found.items():
        rows.append((name, *(f"{100 * np.mean(np.array(hits)[chosen]):.1f} %" for chosen in bins)))
    table("Faces found, by yaw", ["detector", *(f"{a} to {b}°" for a, b in ranges)], rows)


def _hit(box: np.ndarray, boxes: list[np.ndarray]) -> bool:
    return bool(boxes) and float(iou(box, np.array(boxes)).max()) > OVERLAP


if __name__ == "__main__":
    main()
