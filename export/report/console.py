"""What the exporter's commands print: tables of parity, of recipes and of a file's insides."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asmnet.cli.progress import suppress_output
from asmnet.cli.tables import Table
from asmnet.core import ModelSpec, read_spec
from asmnet.export.gate import Metric, ParityReport
from asmnet.export.pipeline import Export
from asmnet.export.report.tflite_graph import integer_share, operations

if TYPE_CHECKING:
    from rich.text import Text

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
    rows = []
    for metric in report.metrics:
        pattern = RATIOS.get(metric.key, "{:.2g}" if "keras" in metric.key else "{:.3f}")
        own = ["" if v is None else f"{v:.3f}" for v in (metric.before, metric.after)]
        end: list[object] = ["", ""]
        if metric.limit is not None:
            end = [pattern.format(metric.limit), _mark(metric.passed)]
        rows.append([metric.label, *own, pattern.format(metric.value), *end])
    faces = report.faces
    return Table(
        f"{spec.name} against the float model",
        ["measure", "float", "exported", "figure", "limit", ""],
        rows,
        f"{faces['images']} face crops ({faces['source']}, {faces['warped_copies']} of them turned "
        f"and relit); {report.interpreter}, 1 thread",
    )


def recipe_table(exports: Sequence[Export]) -> Table:
    """All recipes of one network, a line each."""
    from rich.text import Text

    names = [name for name in COLUMNS if name != "NME, points" or _has(exports, "nme")]
    known = [{metric.key: metric for metric in e.parity.metrics} for e in exports]
    cost = next((f for f in known if "milliseconds" in f), {})
    rows = []
    for export, metrics in zip(exports, known, strict=True):
        cells = [Text(" / ").join(_cell(metrics.get(k)) for k in COLUMNS[name]) for name in names]
        time = metrics["milliseconds"].after if "milliseconds" in metrics else None
        if time is None and "milliseconds" in cost:
            time = cost["milliseconds"].before  # the float file itself
        shown = "-" if time is None else f"{time:.2f}"
        size = f"{export.size / 1e6:.2f}"
        rows.append([export.recipe, *cells, size, shown, _mark(export.parity.passed)])
    faces = exports[0].parity.faces
    return Table(
        "Every recipe against the float model",
        ["recipe", *names, "MB", "ms", "gate"],
        rows,
        f"{faces['images']} face crops ({faces['source']}); {exports[0].parity.interpreter}, "
        "1 thread",
    )


def inspection(file: Path) -> Iterator[Table]:
    """What a file holds: contract, numbers, operations.

    Raises:
        UserError: missing, corrupt or foreign.
    """
    spec, content = read_spec(file), file.read_bytes()
    with suppress_output():
        found = operations(content)
    side, scheme = spec.input_size, f"{spec.landmark_scheme.count} landmarks ({spec.scheme})"
    macs = sum(operation.macs for operation in found)
    kinds = Counter((operation.kind, operation.version) for operation in found)
    facts = {
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
    }
    title = f"{spec.name}, {len(content) / 1e6:.2f} MB"
    yield Table(title, ["", ""], list(facts.items()), words=2)
    rows = [
        [
            operation.kind,
            operation.layer,
            " x ".join(map(str, operation.shape)),
            operation.dtype,
            number,
            "" if operation.scale is None else f"{operation.scale:.5f}",
            "" if operation.zero_point is None else operation.zero_point,
            f"{operation.macs / 1e6:.2f}" if operation.macs else "",
            f"{operation.weights / 1e3:.1f}" if operation.weights else "",
        ]
        for number, operation in enumerate(found)
    ]
    words = ["operation", "layer", "output", "type"]
    figures = ["#", "scale", "zero", "M mult.", "kB"]
    yield Table("Operations in their order", [*words, *figures], rows, words=len(words))


def _has(exports: Sequence[Export], key: str) -> bool:
    return any(metric.key == key for export in exports for metric in export.parity.metrics)


def _cell(metric: Metric | None) -> Text:
    from rich.text import Text

    if metric is None:
        return Text("-")
    text = f"{metric.value:.2f}" if metric.key != "nme" else f"{metric.value:+.3f}"
    return Text(text, "" if metric.passed else "red")


def _mark(passed: bool) -> Text:
    from rich.text import Text  # an extra: named when it is missed

    return Text("PASS", "green") if passed else Text("FAIL", "red")
