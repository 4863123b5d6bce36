"""The ablation's figures as tables and one picture, beside what the paper printed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asmnet.cli.tables import Table
from asmnet.core import ced

__all__ = ["PAPER_NME", "make_tables", "plot_ablation", "to_markdown"]

# Fard, Abdollahi and Mahoor (CVPR-W 2021), as far as the figures are at hand.
PAPER_COST = {"mobilenetv2": (2.42, 0.60), "asmnet": (1.43, 0.51)}  # M parameters, GFLOP
PAPER_NME: Mapping[str, Mapping[str, float]] = {
    "300-W common": {"mnv2": 3.93, "mnv2_r": 3.88, "ASMNet": 4.82},
    "300-W challenging": {},
    "300-W full": {"ASMNet": 5.50},
    "WFLW full": {"ASMNet": 10.77},
}
# Yaw, pitch, roll on 300-W; that the common subset is meant is our reading.
PAPER_POSE = {"300-W common": {"ASMNet": (1.62, 1.80, 1.24)}}
NETWORKS = {"mobilenetv2": "MobileNetV2", "asmnet": "ASMNet"}
# Without the ASM term dashed, with it solid; one colour an architecture.
STYLES = {
    "mnv2": ("tab:blue", "--"),
    "mnv2_r": ("tab:blue", "-"),
    "ASMNet_nr": ("tab:orange", "--"),
    "ASMNet": ("tab:orange", "-"),
    "asmnet_spatial": ("tab:green", "-"),
}


def make_tables(figures: Mapping[str, Any]) -> list[Table]:
    """All tables of an ablation.

    Args:
        figures: what `tables.json` holds: "settings", "cost" by architecture, and "sets":
            by test set "faces", "models" (see `compare.summarise`) and "asm" (see
            `compare.difference`).
    """
    tables = [_cost(figures), _nme(figures), _failures(figures), _pose(figures), _asm(figures)]
    return [table for table in tables if table.rows]


def to_markdown(figures: Mapping[str, Any], tables: Sequence[Table]) -> str:
    """The report: the command, the picture and the tables."""
    settings = figures["settings"]
    options = {key: settings[key] for key in ("data", "run", "recipe", "init", "size")}
    options |= {key: settings[key] for key in ("epochs", "seeds")}
    command = " ".join(f"--{key} {shlex.quote(str(value))}" for key, value in options.items())
    command += "".join(f" --test {shlex.quote(test)}" for test in settings["tests"])
    command += " --spatial" * settings["spatial"]
    lines = [
        "# The paper's models under one schedule",
        "",
        f"`asmnet-train ablation {command}`",
        "",
        f"{figures['learning_faces']:,} training faces, about a tenth of them held out to choose "
        "each run's weights; a seed chooses which, and the order and warps of the batches.  Data, "
        "schedule and input size are not the paper's, so compare the rows with each other first.",
        "",
        "Paper: Fard, Abdollahi and Mahoor, CVPR-W 2021, whose Tables 1, 2, 4, 6 and 7 cover these "
        "figures; “-” stands where one of them is not at hand.",
        "",
        "![Error distributions and mean errors](ablation.png)",
    ]
    for table in tables:
        lines += ["", f"## {table.title}", "", table.markdown(), "", table.caption]
    return "\n".join(lines) + "\n"


def plot_ablation(
    file: Path, figures: Mapping[str, Any], title: str, errors: Mapping[str, np.ndarray]
) -> None:
    """Write the error distributions and mean errors of the models on one test set.

    Args:
        file: picture to write.
        figures: as for `make_tables`.
        title: the test set's.
        errors: by model: NME in % of every face under every seed, (seeds x M,); its
            distribution is the mean of the seeds' distributions.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    models = figures["sets"][title]["models"]
    paper = PAPER_NME.get(title, {})
    for i, (name, values) in enumerate(errors.items()):
        colour, line = STYLES[name]
        x, y = ced(values)
        left.plot(x, 100 * y, color=colour, linestyle=line, label=_label(name), linewidth=1.4)
        nme = models[name]["nme"]
        reach = [[nme["mean"] - nme["ci95"][0]], [nme["ci95"][1] - nme["mean"]]]
        right.errorbar(i, nme["mean"], reach, fmt="o", color=colour, capsize=4)
        spread = np.linspace(0.15, 0.3, len(nme["seeds"]))
        right.scatter(i + spread, nme["seeds"], s=12, color=colour, alpha=0.5)
        if name in paper:
            right.scatter(i, paper[name], marker="x", color="black", zorder=3)
    right.scatter([], [], marker="o", color="gray", label="mean; bar: 95 % over faces")
    right.scatter([], [], s=12, color="gray", alpha=0.5, label="one seed each")
    if paper:
        right.scatter([], [], marker="x", color="black", label="the paper")
    faces, seeds = figures["sets"][title]["faces"], figures["settings"]["seeds"]
    of_seeds = f", mean of {seeds} seeds" if seeds > 1 else ""
    left.set(
        xlim=(0, 10), ylim=(0, 100), xlabel="NME, % of outer-eye distance",
        ylabel="% of faces at or below", title=f"Error distribution{of_seeds}",
    )  # fmt: skip
    right.set(ylabel="NME, %", title="Mean error")
    labels = [_label(name).replace("_spatial ", "\n_spatial\n") for name in errors]
    right.set_xticks(range(len(errors)), labels, fontsize=9)
    right.margins(x=0.12, y=0.25)
    left.grid(alpha=0.3)
    right.grid(alpha=0.3, axis="y")
    left.legend(loc="lower right")
    right.legend(loc="best", fontsize=8)
    figure.suptitle(f"{title}, {faces} faces")
    figure.savefig(file, dpi=120)


def _cost(figures: Mapping[str, Any]) -> Table:
    sizes = list(next(iter(figures["cost"].values()))["flop"])
    rows = []
    for arch, cost in figures["cost"].items():
        parameters, flop = PAPER_COST.get(arch, (None, None))
        counted = [f"{cost['flop'][size] / 1e9:.3f}" for size in sizes]
        row = [NETWORKS.get(arch, _label(arch)), f"{cost['parameters'] / 1e6:.3f}"]
        row += [_plain(parameters), counted[0], _plain(flop), *counted[1:]]
        rows.append(row)
    columns = ["network", "parameters, M", "paper", "GFLOP at 224", "paper at 224"]
    columns += [f"GFLOP at {size}" for size in sizes[1:]]
    caption = "GFLOP: two operations per multiply-add of convolutions and linear layers."
    return Table("Size and cost", columns, rows, caption)


def _nme(figures: Mapping[str, Any]) -> Table:
    columns, cells = ["model"], {name: [_label(name)] for name in _models(figures)}
    for title, result in figures["sets"].items():
        columns.append(f"{title} ({result['faces']} faces)")
        columns += ["paper"] * (title in PAPER_NME)
        for name, model in result["models"].items():
            low, high = model["nme"]["ci95"]
            cells[name].append(f"{_spread(model['nme'])} [{low:.2f}, {high:.2f}]")
            if title in PAPER_NME:
                cells[name].append(_plain(PAPER_NME[title].get(name)))
    caption = (
        "±: standard deviation over seeds; [ ]: 95 % bootstrap interval over faces of the error "
        "averaged over seeds; “-”: the paper's figure is not at hand."
    )
    title = "NME, % of the outer eye corners' distance"
    return Table(title, columns, list(cells.values()), caption)


def _failures(figures: Mapping[str, Any]) -> Table:
    columns, cells = ["model"], {name: [_label(name)] for name in _models(figures)}
    for title, result in figures["sets"].items():
        columns += [f"{title} FR, %", "AUC"]
        for name, model in result["models"].items():
            cells[name] += [_spread(model["fr10"]), _spread(model["auc10"], 3)]
    caption = "FR: faces with an NME above 10 %; AUC: area under the error distribution to 10 %."
    return Table("Failure rate and AUC at 10 %", columns, list(cells.values()), caption)


def _pose(figures: Mapping[str, Any]) -> Table:
    rows = []
    for title, result in figures["sets"].items():
        for name, model in result["models"].items():
            if "pose_mae" in model:
                figure = model["pose_mae"]
                paper = PAPER_POSE.get(title, {}).get(name)
                printed = " / ".join(f"{angle:.2f}" for angle in paper) if paper else "-"
                row = [_label(name), title, *(_spread(angle) for angle in figure.values())]
                rows.append((*row, printed))
    caption = (
        "Not the same measurement: the paper's errors are against HopeNet's labels, ours "
        "against head_pose.csv, another network's."
    )
    columns = ("model", "test set", "yaw", "pitch", "roll", "paper: yaw / pitch / roll")
    return Table("Head pose, mean absolute error in degrees", columns, rows, caption)


def _asm(figures: Mapping[str, Any]) -> Table:
    rows = []
    for title, result in figures["sets"].items():
        paper = PAPER_NME.get(title, {})
        for pair, gain in result["asm"].items():
            known = [paper[name] for name in pair.split(" - ") if name in paper]
            printed = f"{known[0] - known[1]:+.2f}" if len(known) == 2 else "-"
            low, high = gain["ci95"]
            interval = f"[{low:+.2f}, {high:+.2f}]"
            seeds = ", ".join(f"{value:+.2f}" for value in gain["seeds"])
            row = (pair, title, _spread(gain, sign="+"), interval, seeds, printed)
            rows.append((*row, gain["verdict"]))
    caption = (
        "NME points, paired by face and seed, without minus with: positive where the ASM term "
        "lowers the error.  ±: standard deviation over seeds; [ ]: 95 % bootstrap interval over "
        "faces.  It helps or hurts where that interval and Student's over the seeds leave out zero."
    )
    columns = ("without - with", "test set", "difference", "over faces", "each seed", "paper")
    title = "Does the ASM loss help?"
    return Table(title, (*columns, "the ASM loss"), rows, caption)


def _models(figures: Mapping[str, Any]) -> list[str]:
    return list(next(iter(figures["sets"].values()))["models"])


def _label(name: str) -> str:
    return f"{name} (ours)" if name == "asmnet_spatial" else name


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _spread(figure: Mapping[str, Any], digits: int = 2, sign: str = "") -> str:
    """The mean, and the standard deviation where several seeds give one."""
    mean = f"{figure['mean']:{sign}.{digits}f}"
    return mean if figure["std"] is None else f"{mean} ± {figure['std']:.{digits}f}"
