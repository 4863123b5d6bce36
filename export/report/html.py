"""`report.html`: one page that shows what an export is worth, and why; it needs no other file."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import io
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from asmnet.cli.progress import Progress, no_progress, suppress_output
from asmnet.export.pipeline import Export, ExportJob
from asmnet.export.recipes import UNCALIBRATED, prepared_float
from asmnet.export.report import plots as figures
from asmnet.export.report.tensor_stats import WIDENED, layer_noise

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["write_report"]

TEMPLATE = Path(__file__).with_name("report.html")
NOISE_CROPS, WORST = 24, 12


def write_report(
    file: Path, job: ExportJob, export: Export, progress: Progress = no_progress
) -> None:
    """Write the report of one export.

    Args:
        file: the page to write.
        job: what it was made from.
        export: the file and its parity report.
        progress: shows it.
    """
    import jinja2  # an extra: named when it is missed
    from markupsafe import Markup

    plots = {
        "parity": _svg(figures.parity(export)),
        "faces": _jpeg(figures.faces_apart(job, export)),
    }
    evidence: dict[str, Any] = {}
    if export.recipe not in UNCALIBRATED:
        evidence = _evidence(job, export, plots, progress)
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined
    )
    text = environment.from_string(TEMPLATE.read_text()).render(
        spec=export.spec,
        export=export,
        parity=export.parity,
        plots={name: Markup(plot) for name, plot in plots.items()},
        number=lambda value: (
            "" if value is None else f"{value:.3g}" if value < 1e-3 else f"{value:.3f}"
        ),
        provenance=_provenance(export),
        evidence=evidence,
    )
    file.write_text(text, encoding="utf-8")


def _evidence(
    job: ExportJob, export: Export, plots: dict[str, str], progress: Progress
) -> dict[str, Any]:
    """Calibration and noise: figures for the page, and their plots into `plots`."""
    faces = job.calibration
    ranges = job.ranges
    assert faces is not None and ranges is not None
    with suppress_output():
        content = prepared_float(job.network, export.recipe, faces.images)
    some = faces.images[np.linspace(0, len(faces.images) - 1, NOISE_CROPS).astype(int)]
    noise = layer_noise(content, export.file.read_bytes(), job.spec, some, progress)
    plots["calibration"] = _jpeg(figures.calibration_crops(faces.images))
    plots["ranges"] = _svg(figures.layers_ranges(ranges))
    if noise:
        plots["noise"] = _svg(figures.layers_noise(noise))
    real = (faces.images.astype(np.float32) - job.spec.mean) / job.spec.std
    return {
        "faces": faces,
        "layers": len(ranges.layers),
        "mean": float(real.mean()),
        "std": float(real.std()),
        "low": float(real.min()),
        "high": float(real.max()),
        "allowed": [(value - job.spec.mean) / job.spec.std for value in (0, 255)],
        "limit": 100 * WIDENED,
        "widened": int((ranges.growth() > WIDENED).sum()),
        "spread": 100 * float(ranges.spread().mean()),
        "worst": sorted(noise, key=lambda one: one.total)[:WORST],
    }


def _provenance(export: Export) -> dict[str, str]:
    """Where everything comes from, in words."""
    spec = export.spec
    facts = {
        "file": f"{spec.name}, sha256 {hashlib.sha256(export.file.read_bytes()).hexdigest()}",
        "float model trained by": "; ".join(spec.training.get("commands", [])) or "unknown",
        "calibration": ", ".join(
            f"{name.replace('_', ' ')} {value}"
            for name, value in spec.quantization.get("calibration", {}).items()
        ),
        "versions": ", ".join(
            f"{name} {importlib.metadata.version(name)}" for name in ("asmnet", "keras", "numpy")
        ),
        "interpreter": export.parity.interpreter,
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "licence": spec.license,
    }
    return {name: value for name, value in facts.items() if value}


def _svg(figure: Figure) -> str:
    """Drawn as lines, lettered as text; the same plot is the same bytes."""
    import matplotlib

    stream = io.BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "asmnet"}):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return _image("svg+xml", stream.getvalue())


def _jpeg(figure: Figure) -> str:
    stream = io.BytesIO()
    figure.savefig(stream, format="jpeg", dpi=110)
    return _image("jpeg", stream.getvalue())


def _image(kind: str, content: bytes) -> str:
    """An image inside the page, with names of its own."""
    return f'<img src="data:image/{kind};base64,{base64.b64encode(content).decode()}">'
