"""What the exporter's commands print: tables of parity, of recipes and of a file's insides."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asmnet.cli.progress import suppress_output
from asmnet.core import ModelSpec, read_spec
from asmnet.export.gate import Metric, ParityReport
from asmnet.export.pipeline import Export
from asmnet.export.report.tflite_graph import integer_share, operations

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["inspection", "recipe_table", "parity_table"]

RATIOS = {"jitter_ratio": "x {:.3f}", "megabytes": "x {:.2f}", "milliseconds": "{:.2f} x faster"}
# The ladder's columns: headings, and the figures' keys.
COLUMNS = {
    "NME, points": ("nme",),
    "shift mean / p99 / max, px": ("shift_mean", "shift_p99", "shift_max"),
    "pose mean / max, °": ("pose_mean", "pose_max"),
    "jitter, %": ("jitter",),
    "x": ("jitter_ratio",),
}


def parity_table(spec: ModelSpec, report: ParityReport) -> Table:
    """One export against the float model, metric by metric."""
    from rich.markup import escape  # names of files and folders may hold brackets
    from rich.table import Table

    faces = report.faces
    table = Table(
        title=f"{escape(spec.name)} against the float model",
        caption=f"{faces['images']} face crops ({escape(faces['source'])}, "
        f"{faces['warped_copies']} of them turned and relit); {report.interpreter}, 1 thread",
    )
    for name in ("measure", "float", "exported", "figure", "limit", ""):
        table.add_column(name, justify="left" if name in ("measure", "") else "right")
    for metric in report.metrics:
        pattern = RATIOS.get(metric.key, "{:.2g}" if "keras" in metric.key else "{:.3f}")
        limit = "" if metric.limit is None else pattern.format(metric.limit)
        mark = "" if metric.limit is None else "[green]PASS[/]" if metric.passed else "[red]FAIL[/]"
        own = ["" if v is None else f"{v:.3f}" for v in (metric.before, metric.after)]
        table.add_row(metric.label, *own, pattern.format(metric.value), limit, mark)
    return table


def recipe_table(exports: Sequence[Export]) -> Table:
    """All recipes of one network, a line each."""
    from rich.markup import escape
    from rich.table import Table

    faces = exports[0].parity.faces
    table = Table(
        title="Every recipe against the float model",
        caption=f"{faces['images']} face crops ({escape(faces['source'])}); "
        f"{exports[0].parity.interpreter}, 1 thread",
    )
    names = [name for name in COLUMNS if name != "NME, points" or _has(exports, "nme")]
    for name in ("recipe", *names, "MB", "ms", "gate"):
        table.add_column(name, justify="left" if name in ("recipe", "gate") else "right")
    known = [{metric.key: metric for metric in e.parity.metrics} for e in exports]
    cost = next((f for f in known if "milliseconds" in f), {})
    for export, figures in zip(exports, known, strict=True):
        cells = [" / ".join(_cell(figures.get(key)) for key in COLUMNS[name]) for name in names]
        time = figures["milliseconds"].after if "milliseconds" in figures else None
        if time is None and "milliseconds" in cost:
            time = cost["milliseconds"].before  # the float file itself
        gate = "[green]PASS[/]" if export.parity.passed else "[red]FAIL[/]"
        shown = "-" if time is None else f"{time:.2f}"
        table.add_row(export.recipe, *cells, f"{export.size / 1e6:.2f}", shown, gate)
    return table


def inspection(file: Path) -> Iterator[Any]:
    """What rich prints of a file: contract, numbers, operations.

    Raises:
        UserError: missing, corrupt or foreign.
    """
    from rich.markup import escape
    from rich.table import Table

    spec, content = read_spec(file), file.read_bytes()
    with suppress_output():
        found = operations(content)
    facts = Table(title=f"{escape(spec.name)}, {len(content) / 1e6:.2f} MB", show_header=False)
    side, scheme = spec.input_size, f"{spec.landmark_scheme.count} landmarks ({spec.scheme})"
    macs = sum(operation.macs for operation in found)
    kinds = Counter((operation.kind, operation.version) for operation in found)
    for name, value in {
        "sha256": hashlib.sha256(content).hexdigest(),
        "input": f"(1, {side}, {side}, 3) RGB, (pixel - {spec.mean}) / {spec.std}",
        "crop": f"{spec.margin} x the landmarks' box",
        "outputs": f"{spec.landmarks_tensor}: {scheme}; "
        f"{spec.pose_tensor}: yaw, pitch, roll in degrees",
        "recipe": spec.quantization.get("recipe", "unknown"),
        "arithmetic": f"{macs / 1e6:.1f} M multiplications with weights, "
        f"{100 * integer_share(found):.1f} % of them in integers",
        "operations": ", ".join(f"{n} {kind} v{v}" for (kind, v), n in kinds.items()),
        "licence": spec.license,
    }.items():
        facts.add_row(name, escape(str(value)))
    yield facts
    table = Table(title="Operations in their order")
    for name in ("#", "operation", "layer", "output", "type", "scale", "zero", "M mult.", "kB"):
        words = name in ("operation", "layer", "output", "type")
        table.add_column(name, justify="left" if words else "right", no_wrap=True)
    for number, operation in enumerate(found):
        table.add_row(
            str(number),
            operation.kind,
            escape(operation.layer),
            " x ".join(map(str, operation.shape)),
            operation.dtype,
            "" if operation.scale is None else f"{operation.scale:.5f}",
            "" if operation.zero_point is None else str(operation.zero_point),
            f"{operation.macs / 1e6:.2f}" if operation.macs else "",
            f"{operation.weights / 1e3:.1f}" if operation.weights else "",
        )
    yield table


def _has(exports: Sequence[Export], key: str) -> bool:
    return any(metric.key == key for export in exports for metric in export.parity.metrics)


def _cell(metric: Metric | None) -> str:
    if metric is None:
        return "-"
    text = f"{metric.value:.2f}" if metric.key != "nme" else f"{metric.value:+.3f}"
    return text if metric.passed else f"[red]{text}[/]"
