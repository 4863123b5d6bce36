"""The pictures of `report.html`: parity, faces, calibration ranges, noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from asmnet.core import ANGLES
from asmnet.evaluate.plots import contact_sheet
from asmnet.export.pipeline import Export, ExportJob
from asmnet.export.report.tensor_stats import Noise, Ranges

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["calibration_crops", "faces_apart", "layers_noise", "layers_ranges", "parity"]

FLOAT, EXPORTED = "#18b04a", "#e0262a"


def parity(export: Export) -> Figure:
    """Exported against float: how far landmarks move, and pose against pose."""
    (float_points, float_pose), (points, pose) = export.parity.answers
    shift = np.linalg.norm(points - float_points, axis=-1) * export.spec.input_size
    figure = _figure(10, 3.4)
    left, right = figure.subplots(1, 2)
    values = np.sort(shift.ravel())
    left.plot(values, 100 * np.arange(1, len(values) + 1) / len(values), color=EXPORTED)
    for name, at in (("mean", values.mean()), ("p99", np.percentile(values, 99))):
        left.axvline(at, color="0.5", linewidth=0.8, linestyle="--")
        left.text(at, 4, f" {name} {at:.2f}", fontsize=8, color="0.35")
    left.set(xlabel=f"landmark shift, px of {export.spec.input_size}", ylabel="% of landmarks",
             xlim=(0, None), ylim=(0, 100))  # fmt: skip
    for index, name in enumerate(ANGLES):
        right.plot(
            float_pose[:, index], (pose - float_pose)[:, index], ".", markersize=3, label=name
        )
    right.axhline(0, color="0.5", linewidth=0.8)
    right.set(xlabel="float model's angle, degrees", ylabel="exported - float, degrees")
    right.legend(fontsize=8)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    return figure


def faces_apart(job: ExportJob, export: Export, columns: int = 6) -> Figure:
    """The faces whose landmarks differ most, and those that differ least."""
    (float_points, _), (points, _) = export.parity.answers
    shift = np.linalg.norm(points - float_points, axis=-1).mean(axis=1) * export.spec.input_size
    order = np.argsort(shift)[::-1]
    return contact_sheet(
        job.eval_faces.images,
        [("most:", order[:columns]), ("least:", order[-columns:])],
        [f"{value:.2f} px" for value in shift],
        [(float_points, FLOAT, 1.8), (points, EXPORTED, 0.7)],
        export.spec.landmark_scheme,
    )


def calibration_crops(images: np.ndarray, columns: int = 12, rows: int = 3) -> Figure:
    """Some of the crops, evenly chosen."""
    chosen = np.linspace(0, len(images) - 1, min(columns * rows, len(images))).astype(int)
    figure = _figure(columns, len(chosen) / columns + 0.2)
    grid = figure.subplots(-(-len(chosen) // columns), columns, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, index in zip(grid, chosen, strict=False):
        axes.imshow(images[index])
    return figure


def layers_ranges(ranges: Ranges) -> Figure:
    """The range of each layer: all crops, the middle 98 % of crops, and how fast it settled."""
    figure = _figure(10, 4.4)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    at = np.arange(len(ranges.layers))
    left.vlines(at, ranges.low.min(axis=0), ranges.high.max(axis=0), color="0.6", label="all crops")
    low, high = np.percentile(ranges.low, 1, axis=0), np.percentile(ranges.high, 99, axis=0)
    left.vlines(
        at, low, high, color="tab:blue", linewidth=2.5, label="1st to 99th percentile of crops"
    )
    left.set_yscale("symlog", linthresh=1)
    _name_layers(left, ranges.layers)
    left.set(ylabel="output, float")
    left.legend(fontsize=8)
    whole = ranges.width()
    counts = np.unique(np.geomspace(1, len(ranges.low), 30).astype(int))
    grown = np.array([100 * ranges.width(slice(n)) / whole for n in counts])
    right.plot(counts, grown.mean(axis=1), color="tab:blue", label="mean of the layers")
    right.plot(counts, grown.min(axis=1), color="tab:orange", label="slowest layer")
    right.set(xscale="log", ylim=(0, 102), xlabel="crops seen", ylabel="% of the final range")
    right.legend(fontsize=8)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    return figure


def layers_noise(noise: Sequence[Noise]) -> Figure:
    """Signal-to-quantization-noise ratio along the graph."""
    figure = _figure(10, 3.6)
    axes = figure.subplots()
    axes.plot([one.own for one in noise], ".", color="0.6", label="its own rounding alone")
    axes.plot([one.total for one in noise], color=EXPORTED, linewidth=1, marker=".", label="in all")
    _name_layers(axes, [one.layer for one in noise])
    axes.set(ylabel="SQNR, dB")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def _name_layers(axes: Axes, layers: Sequence[str]) -> None:
    """Every fourth layer gets its name: all of them would not be readable."""
    at = range(0, len(layers), 4)
    axes.set_xticks(at, layers[::4], rotation=60, ha="right", fontsize=6)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")
