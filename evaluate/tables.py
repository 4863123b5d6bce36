"""What asmnet-eval prints: tables of the reports that it can also write as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from asmnet.core import ANGLES

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["accuracy_table", "pose_table", "robustness_table", "study_tables"]

Report = dict[str, Any]


def accuracy_table(reports: Sequence[Report]) -> Table:
    """NME, failures and AUC of each model, a column for each subset."""
    from rich.markup import escape

    first = reports[0]
    parts: dict[str, Report | None] = first["subsets"]
    table = _table(f"{first['data']}, {first['boxes']} boxes", ["model", ""], parts)
    for report in reports:
        label = escape(report["label"])
        for name, key, digits in (("NME, %", "nme", 3), ("FR@10, %", "fr10", 2),
                                  ("AUC@10", "auc10", 4)):  # fmt: skip
            values = (_number(part and part[key], digits) for part in report["subsets"].values())
            table.add_row(label, name, *values)
            label = ""
        table.add_section()
    table.add_row("", "faces", *(str(part["faces"] if part else 0) for part in parts.values()))
    missed = {report["label"]: report["missed"] for report in reports if report["missed"]}
    if missed:
        count = ", ".join(sorted({str(number) for number in missed.values()}))
        table.caption = f"the detector missed {count}: failures in FR and AUC, not in NME"
    return table


def pose_table(reports: Sequence[Report]) -> Table | None:
    """Mean absolute errors of the angles, steep faces apart; None without pose labels."""
    from rich.markup import escape

    if not any(report["pose"] for report in reports):
        return None
    table = _table("Head pose, mean absolute error in °", ["model", "labelled yaw"],
                   ["faces", *ANGLES, "mean"])  # fmt: skip
    for report in reports:
        label = escape(report["label"])
        for part, row in report["pose"].items():
            angles = [row[angle] for angle in ANGLES]
            table.add_row(label, part, str(row["faces"]), *(f"{v:.2f}" for v in angles),
                          f"{sum(angles) / 3:.2f}")  # fmt: skip
            label = ""
        table.add_section()
    return table


def study_tables(report: Report) -> list[Table]:
    """What limits a model: see `asmnet.evaluate.error_analysis`."""
    found, made = report["study"], []
    if "groups" in found:
        groups = _table(f"{report['label']}, by part of the face", ["part"],
                        ["points", "NME, %", "bias, %", "spread, %"])  # fmt: skip
        kinds = ", ".join(f"{share:.0f} % {kind}" for kind, share in found["kinds"].items())
        groups.caption = f"squared error: {kinds}"
        for part, row in found["groups"].items():
            figures = (f"{row[key]:.2f}" for key in ("nme", "bias", "spread"))
            groups.add_row(part, str(row["points"]), *figures)
        made.append(groups)
    if found["yaw"]:
        yaw = _table(f"{report['label']}, by labelled yaw", ["|yaw|, °"],
                     ["faces", "NME, %", "FR@10, %", *(f"{a} MAE, °" for a in ANGLES)])  # fmt: skip
        for part, row in found["yaw"].items():
            figures = (_number(row[key], 2) for key in ("nme", "fr10", *ANGLES))
            yaw.add_row(part, str(row["faces"]), *figures)
        made.append(yaw)
    return made


def robustness_table(report: Report) -> Table:
    """What a model bears: see `asmnet.evaluate.robustness`."""
    table = _table(f"{report['label']}: robustness, {report['data']}, landmarks boxes",
                   ["condition"], ["NME, %", "more", "FR@10, %", "pose change, °"])  # fmt: skip
    clean = report["robustness"][0]["nme"]
    for row in report["robustness"]:
        figures = (row["nme"], row["nme"] - clean, row["fr10"], row["pose_change"])
        shown = [f"{value:.2f}" for value in figures]
        table.add_row(row["condition"], shown[0], f"{figures[1]:+.2f}", *shown[2:])
    return table


def _table(title: str, words: Iterable[str], figures: Iterable[str]) -> Table:
    from rich.markup import escape  # names of files and folders may hold brackets
    from rich.table import Table  # an extra: named when it is missed

    table = Table(title=escape(title))
    for name in words:
        table.add_column(name)
    for name in figures:
        table.add_column(name, justify="right")
    return table


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
