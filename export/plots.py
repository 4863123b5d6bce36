"""Pictures of an evaluation: the error distribution, and faces to look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asmnet.core import auc, ced
from asmnet.export.faces import FaceSet

__all__ = ["plot_ced", "plot_faces"]

COLUMNS = 6
PREDICTED, TRUE = "#ff8c1a", "#35e0ff"


def plot_ced(file: Path, errors: np.ndarray, model: str, data: str) -> None:
    """Write the cumulative error distribution up to 10 % NME.

    Args:
        errors: (M,) NME in %.
        model, data: for the title.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4.5), layout="constrained")
    axes = figure.subplots()
    x, y = ced(errors)
    axes.plot(x, 100 * y, label=f"{model}, AUC@10 {auc(errors):.3f}")
    axes.set(
        xlim=(0, 10), ylim=(0, 100), xlabel="NME, % of outer-eye distance",
        ylabel="% of faces at or below", title=f"Cumulative error distribution, {data}",
    )  # fmt: skip
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(file, dpi=120)


def plot_faces(file: Path, faces: FaceSet, points: np.ndarray, errors: np.ndarray) -> None:
    """Write a contact sheet: the best, the median and the worst faces.

    Args:
        faces: with labels.
        points: (M, N, 2) predictions in crop units.
        errors: NME in % of each face; what follows the first M is ignored.
    """
    from matplotlib.figure import Figure

    assert faces.points is not None
    size = faces.images.shape[1]
    order = np.argsort(errors[: len(faces.images)])
    columns = min(COLUMNS, len(order))
    middle = (len(order) - columns) // 2
    rows = {
        "best": order[:columns],
        "median": order[middle : middle + columns],
        "worst": order[-columns:],
    }
    figure = Figure(figsize=(2.4 * columns, 8), layout="constrained")
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for line, (label, chosen) in zip(grid, rows.items(), strict=True):
        for axes, index in zip(line, chosen, strict=True):
            axes.imshow(faces.images[index])
            for values, colour in ((faces.points[index], TRUE), (points[index], PREDICTED)):
                pixels = values * size + (size - 1) / 2
                for a, b in faces.scheme.edges:
                    axes.plot(*pixels[[a, b]].T, color=colour, linewidth=0.7)
                axes.scatter(*pixels.T, s=2.5, color=colour)
            axes.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5), xticks=[], yticks=[])
            axes.set_title(f"{label}: {errors[index]:.2f} %", fontsize=9)
    figure.suptitle("labels blue, predictions orange; NME", fontsize=10)
    figure.savefig(file, dpi=110)
