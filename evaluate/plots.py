"""Pictures of an evaluation: error distributions, and faces to look at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from asmnet.core import IBUG68, WFLW98, Scheme, auc, ced
from asmnet.evaluate.ablation.tables import PAPER_NME
from asmnet.evaluate.face_sets import FaceSet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["contact_sheet", "plot_ced", "plot_faces", "plot_worst", "published"]

COLUMNS = 6
WORST = (5, 10)  # rows, columns
PREDICTED, TRUE = "#ff8c1a", "#35e0ff"
LIMIT = 10.0

# The test sets of which the paper printed means: benchmark, subset, number of faces, scheme.
TESTS = {
    ("300w", "common", 554, IBUG68): "300-W common",
    ("wflw", "full", 2500, WFLW98): "WFLW full",
}
LABELS = {
    "mnv2": "MobileNetV2, paper",
    "mnv2_r": "MobileNetV2 + ASM loss, paper",
    "ASMNet": "ASMNet, paper",
}


def published(kind: str, subset: str, faces: int, scheme: Scheme) -> dict[str, float]:
    """The paper's mean NME in % of each model on the very same faces and points; else none.

    Args:
        kind: "300w" or "wflw".
        subset: of it.
        faces: how many there are; a part of a subset is another test.
        scheme: compared in; 68 of 98 points are another test.
    """
    means = PAPER_NME.get(TESTS.get((kind, subset, faces, scheme), ""), {})
    return {LABELS[name]: means[name] for name in sorted(means, key=means.__getitem__)}


def plot_ced(
    file: Path, curves: Mapping[str, np.ndarray], data: str, lines: Mapping[str, float]
) -> None:
    """Write the cumulative error distributions, at least up to 10 % NME.

    Args:
        curves: (M,) NME in % of each model; a dot marks the mean.
        data: for the title.
        lines: published means in %, drawn as labelled vertical lines.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    limit = max([LIMIT, *(math.ceil(mean + 0.5) for mean in lines.values())])
    for model, errors in curves.items():
        x, y = ced(errors, limit)
        mean = float(errors[np.isfinite(errors)].mean())
        label = f"{model}: mean {mean:.2f}, AUC@10 {auc(errors):.3f}"
        (line,) = axes.plot(x, 100 * y, label=label, linewidth=1.4)
        if mean < limit:
            share = 100 * float((errors <= mean).mean())
            axes.plot(mean, share, "o", color=line.get_color(), markersize=4)
    for model, mean in lines.items():
        axes.axvline(mean, color="0.45", linewidth=0.8, linestyle="--", zorder=0)
        # Neighbours that are close get their names on either side.
        others = [other for other in lines.values() if 0 < other - mean < 0.3]
        side, gap = ("right", -0.04) if others else ("left", 0.04)
        axes.text(mean + gap, 2, f"{model}: mean {mean:.2f}", rotation=90, fontsize=7,
                  ha=side, va="bottom", color="0.35")  # fmt: skip
    axes.set(
        xlim=(0, limit), ylim=(0, 100), xlabel="NME, % of outer-eye distance",
        ylabel="% of faces at or below", title=f"Cumulative error distribution, {data}",
    )  # fmt: skip
    axes.grid(alpha=0.3)
    axes.legend(loc="center right", fontsize=8)
    figure.savefig(file, dpi=120)


def plot_faces(file: Path, faces: FaceSet, points: np.ndarray, errors: np.ndarray) -> None:
    """Write a contact sheet: the best, the median and the worst faces.

    Args:
        faces: with labels.
        points: (M, N, 2) predictions in crop units.
        errors: NME in % of each face; what follows the first M is ignored.
    """
    order = np.argsort(errors[: len(faces.images)])
    columns = min(COLUMNS, len(order))
    middle = (len(order) - columns) // 2
    rows = [
        ("best", order[:columns]),
        ("median", order[middle : middle + columns]),
        ("worst", order[-columns:]),
    ]
    _save_sheet(file, faces, points, errors, rows)


def plot_worst(file: Path, faces: FaceSet, points: np.ndarray, errors: np.ndarray) -> None:
    """Write a contact sheet of the 50 worst faces, worst first; arguments as for `plot_faces`."""
    lines, columns = WORST
    order = np.argsort(errors[: len(faces.images)])[::-1][: lines * columns]
    rows = [("", order[i : i + columns]) for i in range(0, len(order), columns)]
    _save_sheet(file, faces, points, errors, rows)


def _save_sheet(
    file: Path,
    faces: FaceSet,
    points: np.ndarray,
    errors: np.ndarray,
    rows: Sequence[tuple[str, np.ndarray]],
) -> None:
    assert faces.points is not None
    drawn = ((faces.points, TRUE, 0.7), (points, PREDICTED, 0.7))
    titles = [f"{error:.2f} %" for error in errors]
    figure = contact_sheet(faces.images, rows, titles, drawn, faces.scheme)
    figure.suptitle("labels blue, predictions orange; NME", fontsize=10)
    figure.savefig(file, dpi=110)


def contact_sheet(
    images: np.ndarray,
    rows: Sequence[tuple[str, np.ndarray]],
    titles: Sequence[str],
    drawn: Sequence[tuple[np.ndarray, str, float]],
    scheme: Scheme,
) -> Figure:
    """Rows of faces with landmarks drawn over them.

    Args:
        images: (M, size, size, 3) uint8 RGB crops.
        rows: of each the word before its titles, and the indices of its faces.
        titles: of each face.
        drawn: sets of landmarks, (M, N, 2) in crop units, with colour and line width.
        scheme: of the landmarks; tells which points to join.
    """
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure

    size = images.shape[1]
    columns = max(len(chosen) for _, chosen in rows)
    figure = Figure(figsize=(2.4 * columns, 2.6 * len(rows) + 0.3), layout="constrained")
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for axes in grid.ravel():
        axes.set_axis_off()
    for line, (word, chosen) in zip(grid, rows, strict=True):
        for axes, index in zip(line, chosen, strict=False):
            axes.imshow(images[index])
            for points, colour, width in drawn:
                pixels = points[index] * size + (size - 1) / 2
                lines = pixels[np.array(scheme.edges)]
                axes.add_collection(LineCollection(lines, colors=colour, linewidths=width))
                axes.scatter(*pixels.T, s=2.5, color=colour)
            axes.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5))
            axes.set_title(f"{word} {titles[index]}".strip(), fontsize=9)
    return figure
