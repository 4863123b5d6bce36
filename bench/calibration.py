"""What int8 depends on: which crops calibrate it, how many, and how their extremes become ranges.

    python bench/calibration.py [MODEL] [--data 300w:DIR] [--faces 300w:DIR]

Each line is one int8 export of MODEL, judged on the same faces.  "inside 90 %" takes the
range that 90 % of the crops stay within instead of the extremes of all.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from shared import table

from asmnet import models
from asmnet.cli.progress import progress_bars, suppress_output
from asmnet.core import cli_errors
from asmnet.data.datasets import read_dataset
from asmnet.data.images import crop_faces
from asmnet.evaluate import FaceSet, detected_faces
from asmnet.evaluate.picture_split import calibrating
from asmnet.export.pipeline import ExportJob, export_with, load_job
from asmnet.export.recipes import prepared_float
from asmnet.export.report.tensor_stats import observe
from asmnet.export.report.tflite_graph import operations

HALVES = 5


def labelled_crops(data: str, job: ExportJob, images: int) -> FaceSet:
    """Crops of a benchmark's training faces, cut by their labels."""
    faces = read_dataset(data, "train").faces
    picked = [faces[i] for i in np.random.default_rng(0).permutation(len(faces))[:images]]
    cut, _, _ = crop_faces(picked, job.spec.input_size, job.spec.margin)
    return FaceSet(cut, tuple(face.image.name for face in picked), data, job.spec.landmark_scheme)


@contextmanager
def clipped_ranges(job: ExportJob, share: float) -> Iterator[None]:
    """While it lasts, int8 takes the ranges that a share of the crops stays within."""
    from ai_edge_quantizer.calibrator import Calibrator

    assert job.calibration is not None
    with suppress_output():
        content = prepared_float(job.network, "int8", job.calibration.images)
    ranges = observe(content, job.spec, job.calibration.images)
    low = dict(zip(ranges.layers, np.quantile(ranges.low, 1 - share, axis=0), strict=True))
    high = dict(zip(ranges.layers, np.quantile(ranges.high, share, axis=0), strict=True))
    layers = {operation.output: operation.layer for operation in operations(content)}
    whole = Calibrator.get_model_qsvs

    def clipped(calibrator: Calibrator) -> dict[str, Any]:
        found = whole(calibrator)
        for name, extremes in found.items():
            if (layer := layers.get(name)) in low:
                extremes["min"] = np.maximum(extremes["min"], low[layer])
                extremes["max"] = np.minimum(extremes["max"], high[layer])
        return found

    Calibrator.get_model_qsvs = clipped
    try:
        yield
    finally:
        Calibrator.get_model_qsvs = whole


@click.command()
@click.argument("model", default=models.DEFAULT)
@click.option("--data", metavar="300w:DIR", help="Also calibrate on its training faces.")
@click.option("--faces", metavar="DIR", help="Judge on these.  [default: those that ship]")
@cli_errors(extra="export")
def main(model: str, data: str | None, faces: str | None) -> None:
    """Export MODEL to int8 in several ways, and print a Markdown table."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    with tempfile.TemporaryDirectory() as folder, progress_bars() as progress:
        job = load_job(
            models.find(model, ".keras"), Path(folder), ["int8"], faces=faces, progress=progress
        )
        assert job.calibration is not None
        crops = job.calibration
        sets = {f"{len(crops.images)} shipped crops": crops}
        if data is not None:
            sets["200 of 300-W's training faces"] = labelled_crops(data, job, 200)
            sets["1,000 of them"] = labelled_crops(data, job, 1000)
        wanted = calibrating(None, None)
        sets["50 shipped crops"] = detected_faces(None, 50, job.spec, wanted=wanted)
        rng = np.random.default_rng(0)
        for number in range(HALVES):
            half = rng.permutation(len(crops.images))[: len(crops.images) // 2]
            sets[f"half of the shipped crops, no. {number + 1}"] = replace(
                crops, images=crops.images[half], names=(), warped=0
            )
        rows = []
        for label, each in sets.items():
            rows.append(
                (label, export_with(replace(job, calibration=each), "int8", progress).parity)
            )
        for share in (0.98, 0.9):
            with clipped_ranges(job, share):
                parity = export_with(job, "int8", progress).parity
            rows.append((f"shipped crops, inside {100 * share:.0f} %", parity))
    labelled = any(f.key == "nme" for f in rows[0][1].metrics)
    columns = ["calibrated on", "shift mean / p99 / max, px", "pose mean / max, °"]
    columns += ["jitter, x float", *["NME, points"] * labelled]
    cells = []
    for label, report in rows:
        value = {metric.key: metric.value for metric in report.metrics}
        row = [
            label,
            " / ".join(f"{value[key]:.2f}" for key in ("shift_mean", "shift_p99", "shift_max")),
            " / ".join(f"{value[key]:.2f}" for key in ("pose_mean", "pose_max")),
            f"{value['jitter_ratio']:.2f}",
        ]
        cells.append(row + ([f"{value['nme']:+.3f}"] if labelled else []))
    table("Calibration", columns, cells)


if __name__ == "__main__":
    main()
