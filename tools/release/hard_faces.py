"""The model card's section on hard faces: by pose, occlusion and light, and on spoilt pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asmnet.cli.progress import Progress
from asmnet.cli.tables import Table
from asmnet.core import ANGLES
from asmnet.data.datasets import read_dataset
from asmnet.evaluate import evaluate
from asmnet.evaluate.predictor import load_predictor
from asmnet.evaluate.robustness import robustness

__all__ = ["HARD", "Hard", "hard_section", "measure_hard"]

HARD = "## Hard faces\n\n"

# What `measure_hard` found: a list of rows by title of its table, with the command.
Hard = dict[str, dict[str, Any]]


def measure_hard(model: Path, test: str, others: Sequence[str], progress: Progress) -> Hard:
    """Measure a model where networks fail.

    Args:
        model: a file of asmnet-train or asmnet-export.
        test: labelled faces to spoil.
        others: further labelled faces, such as wflw:DIR (subsets by kind of difficulty) and
            300wlp:DIR (true poses).

    Raises:
        UserError: the model or the faces cannot be used.
    """
    found: Hard = {}
    for source in others:
        result = evaluate(model, source, "test", progress=progress)
        subsets = {name: result.to_dict(name) for name, of in result.faces.subsets.items()
                   if of.any()}  # fmt: skip
        poses = result.pose_by_yaw() if result.faces.pose is not None else {}
        title = f"{result.faces.source}, {len(result.errors)} faces"
        found[title] = {"subsets": subsets, "pose": poses, "data": _public(source)}
    spoilt = robustness(load_predictor(model), read_dataset(test, "test"), progress=progress)
    found["spoilt"] = {"conditions": spoilt, "data": _public(test)}
    return found


def hard_section(name: str, hard: Hard) -> str:
    """The section in Markdown, heading included; what was not labelled has no table."""
    parts = [f"{HARD}The int8 file, boxes from the labels; NME in % and pose errors in degrees."]
    for title, found in hard.items():
        option = ""
        if "conditions" in found:
            option, title = " --robustness", "The test faces, spoilt"
            rows = [[row["condition"], f"{row['nme']:.2f}", f"{row['fr10']:.1f}"]
                    for row in found["conditions"]]  # fmt: skip
            tables = [Table("", ["condition", "NME", "FR > 10 %"], rows)]
        else:
            tables = [*_by_kind(found["subsets"]), *_by_yaw(found["pose"])]
        text = "\n\n".join(table.markdown() for table in tables)
        command = f"asmnet-eval {name} --data {found['data']}{option}"
        parts.append(f"{title}:\n\n{text}\n\n```\n{command}\n```")
    if hard:
        parts.append(
            "The pictures' licences do not let us show where it fails: `--out FOLDER` with any of "
            "these commands\ndraws the 50 worst faces."
        )
    return "\n\n".join(parts)


def _by_kind(subsets: dict[str, dict[str, Any]]) -> list[Table]:
    rows = [[kind, row["faces"], f"{row['nme']:.2f}", f"{row['fr10']:.1f}"]
            for kind, row in subsets.items() if row["nme"] is not None]  # fmt: skip
    return [Table("", ["faces with", "faces", "NME", "FR > 10 %"], rows)] if rows else []


def _by_yaw(poses: dict[str, dict[str, Any]]) -> list[Table]:
    rows = [[part, row["faces"], *(f"{row[angle]:.1f}" for angle in ANGLES)]
            for part, row in poses.items()]  # fmt: skip
    columns = ["labelled yaw", "faces", *(f"{angle} MAE" for angle in ANGLES)]
    return [Table("", columns, rows)] if rows else []


def _public(source: str) -> str:
    return f"{source.partition(':')[0]}:DIR"
