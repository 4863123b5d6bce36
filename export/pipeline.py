"""One trained network, exported by one recipe or by all, each with its parity report.

export("mine.keras", "mine-int8.tflite")        # one recipe, gate included

job = load_job(model, folder, recipes=["int8"])  # several, from the same faces
made = export_with(job, "int8")
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from asmnet import models
from asmnet.cli.progress import Progress, no_progress, suppress_output
from asmnet.core import ModelSpec, atomic_path, embed_spec
from asmnet.evaluate.face_sets import FaceSet
from asmnet.export.calibration import IMAGES, calibration_faces
from asmnet.export.convert import convert
from asmnet.export.eval_faces import eval_faces, folder_of
from asmnet.export.gate import ParityReport, measure_parity
from asmnet.export.recipes import UNCALIBRATED
from asmnet.export.reference import embed_reference
from asmnet.export.report.tensor_stats import Ranges, observe
from asmnet.train.checkpoint import load_float

if TYPE_CHECKING:
    import keras

__all__ = ["Export", "ExportJob", "GateFailed", "export", "export_with", "load_job", "smallest"]


@dataclass(frozen=True, eq=False)
class ExportJob:
    """What all exports of one network share.

    Attributes:
        network, spec: from `load_float`.
        calibration: crops; None if no recipe asks for them.
        ranges: of the network's tensors on those crops.
        eval_faces: those that parity is measured on; none of their pictures calibrated.
        float_file: the float32 export, which the others are compared with.
        folder: where files are made.
    """

    network: keras.Model
    spec: ModelSpec
    calibration: FaceSet | None
    ranges: Ranges | None
    eval_faces: FaceSet
    float_file: Path
    folder: Path


@dataclass(frozen=True, eq=False)
class Export:
    """One exported file, its contract and its parity report."""

    recipe: str
    file: Path
    spec: ModelSpec
    parity: ParityReport

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.file.stat().st_size


def load_job(
    model: Path,
    folder: Path,
    recipes: Sequence[str],
    calibration: Path | None = None,
    images: int = IMAGES,
    faces: str | None = None,
    progress: Progress = no_progress,
) -> ExportJob:
    """Load a network and the faces that its exports need.

    Args:
        model: a `.keras` file.
        folder: for the files.
        recipes: which will be asked for.
        calibration: a folder of pictures; None: those that ship.
        images: crops to calibrate on, and to judge on where no labels limit them.
        faces: a folder, "300w:DIR" or "wflw:DIR" to judge on; None: those that ship.
        progress: shows it.

    Raises:
        UserError: an unusable model, or too few faces.
    """
    for _ in progress([None], "loading TensorFlow"):
        with suppress_output():
            import tensorflow  # noqa: F401
    network, spec = load_float(model)
    known = None
    if set(recipes) - set(UNCALIBRATED):
        known = calibration_faces(spec, calibration, images, progress, folder_of(faces))
    judged = eval_faces(spec, faces, max(images, IMAGES), calibration, known, progress)
    float_file = folder / "float32.tflite"
    for _ in progress([None], "converting to float32"):
        convert(network, spec, "float32", None, float_file)
    ranges = None
    if known is not None:
        ranges = observe(float_file.read_bytes(), spec, known.images, progress)
    return ExportJob(network, spec, known, ranges, judged, float_file, folder)


def export_with(job: ExportJob, recipe: str, progress: Progress = no_progress) -> Export:
    """Convert by a recipe, measure parity, and embed the report and the reference in the file.

    Raises:
        UserError: no such recipe.
    """
    file = job.folder / f"{recipe}.tflite"
    calibration = None if recipe in UNCALIBRATED else job.calibration
    spec = convert(job.network, job.spec, recipe, calibration, file, progress)
    report = measure_parity(job.network, job.float_file, file, job.eval_faces, progress)
    figures = {"float model": job.spec.evaluation, "this file": report.evaluation}
    spec = spec.replace(parity=report.to_dict(), evaluation={k: v for k, v in figures.items() if v})
    embed_spec(file, spec)
    embed_reference(file, job.eval_faces, *report.answers[0])
    return Export(recipe, file, spec, report)


class GateFailed(Exception):
    """The exported file is too far from the float model; `export.parity` says where."""

    def __init__(self, export: Export) -> None:
        failed = ", ".join(f.label for f in export.parity.metrics if not f.passed)
        super().__init__(f"{export.spec.name} by {export.recipe}: {failed}")
        self.export = export


def export(
    model: str | os.PathLike[str],
    output: str | os.PathLike[str],
    recipe: str = "int8",
    calibration: Path | None = None,
    faces: str | None = None,
    progress: Progress = no_progress,
) -> Export:
    """Export a trained network to a file, if the file behaves as the network does.

    Args:
        model: a `.keras` file, or the name of a shipped model.
        output: the `.tflite` to write.
        recipe: a key of `RECIPES`.
        calibration: a folder of pictures; None: those that ship.
        faces: a folder, "300w:DIR" or "wflw:DIR" to judge on; None: those that ship.
        progress: shows it.

    Raises:
        UserError: an unusable model, too few faces, or no such recipe.
        GateFailed: a limit is exceeded; nothing is written.
    """
    source = models.find(model, ".keras")
    with tempfile.TemporaryDirectory() as folder, atomic_path(output) as file:
        job = load_job(source, Path(folder), [recipe], calibration, faces=faces, progress=progress)
        made = export_with(job, recipe, progress)
        if not made.parity.passed:
            raise GateFailed(made)
        shutil.copyfile(made.file, file)
    return replace(made, file=Path(output))


def smallest(exports: Sequence[Export]) -> Export | None:
    """The smallest file that passes the gate."""
    return min((e for e in exports if e.parity.passed), key=lambda e: e.size, default=None)
