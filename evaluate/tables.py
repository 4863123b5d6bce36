"""What asmnet-eval prints: tables of the reports that it can also write as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asmnet.cli.tables import Table
from asmnet.core import ANGLES

__all__ = ["accuracy_table", "pose_table", "robustness_table", "error_tables"]

Report = dict[str, Any]


def accuracy_table(reports: Sequence[Report]) -> Table:
    """NME, failures and AUC of each model, a column for each subset."""
    first = reports[0]
    parts: dict[str, Report | None] = first["subsets"]
    rows = []
    for report in reports:
        label = report["label"]
        for name, key, digits in (("NME, %", "nme", 3), ("FR@10, %", "fr10", 2),
                                  ("AUC@10", "auc10", 4)):  # fmt: skip
            values = (_number(part and part[key], digits) for part in report["subsets"].values())
            rows.append([label, name, *values])
            label = ""
    rows.append(["", "faces", *(str(part["faces"] if part else 0) for part in parts.values())])
    missed = {report["label"]: report["missed"] for report in reports if report["missed"]}
    caption = ""
    if missed:
        count = ", ".join(sorted({str(number) for number in missed.values()}))
        caption = f"the detector missed {count}: failures in FR and AUC, not in NME"
    title = f"{first['data']}, {first['boxes']} boxes"
    return Table(title, ["model", "", *parts], rows, caption, words=2)


def pose_table(reports: Sequence[Report]) -> Table | None:
    """Mean absolute errors of the angles, steep faces apart; None without pose labels."""
    if not any(report["pose"] for report in reports):
        return None
    rows = []
    for report in reports:
        label = report["label"]
        for part, row in report["pose"].items():
            angles = [row[angle] for angle in ANGLES]
            figures = [f"{value:.2f}" for value in (*angles, sum(angles) / 3)]
            rows.append([label, part, row["faces"], *figures])
            label = ""
    columns = ["model", "labelled yaw", "faces", *ANGLES, "mean"]
    return Table("Head pose, mean absolute error in °", columns, rows, words=2)


def error_tables(report: Report) -> list[Table]:
    """What limits a model: see `asmnet.evaluate.error_analysis`."""
    found, made = report["study"], []
    if "groups" in found:
        kinds = ", ".join(f"{share:.0f} % {kind}" for kind, share in found["kinds"].items())
        groups = [
            [part, row["points"], *(f"{row[key]:.2f}" for key in ("nme", "bias", "spread"))]
            for part, row in found["groups"].items()
        ]
        columns = ["part", "points", "NME, %", "bias, %", "spread, %"]
        title = f"{report['label']}, by part of the face"
        made.append(Table(title, columns, groups, f"squared error: {kinds}"))
    if found["yaw"]:
        yaws = [
            [part, row["faces"], *(_number(row[key], 2) for key in ("nme", "fr10", *ANGLES))]
            for part, row in found["yaw"].items()
        ]
        columns = ["|yaw|, °", "faces", "NME, %", "FR@10, %", *(f"{a} MAE, °" for a in ANGLES)]
        made.append(Table(f"{report['label']}, by labelled yaw", columns, yaws))
    return made


def robustness_table(report: Report) -> Table:
    """What a model bears: see `asmnet.evaluate.robustness`."""
    clean = report["robustness"][0]["nme"]
    rows = []
    for row in report["robustness"]:
        figures = [f"{row[key]:.2f}" for key in ("nme", "fr10", "pose_change")]
        rows.append([row["condition"], figures[0], f"{row['nme'] - clean:+.2f}", *figures[1:]])
    columns = ["condition", "NME, %", "more", "FR@10, %", "pose change, °"]
    title = f"{report['label']}: robustness, {report['data']}, landmarks boxes"
    return Table(title, columns, rows)


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
