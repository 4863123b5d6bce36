"""`asmnet verify`: whether a model file answers on this machine as its float model does.

An exported file behaves on the machine that exported it.  Whether it does on a Raspberry
Pi, with another interpreter, threads or kernels, only that machine can tell; and neither
TensorFlow nor the float model are there.  So an export leaves a reference in the file: some
of the faces that it was judged on, and what the float model answers.
"""

from __future__ import annotations

import io
import sys
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import click
import cv2
import numpy as np

from asmnet import models, samples
from asmnet.cli.options import SETTINGS
from asmnet.cli.progress import Progress, no_progress, suppress_output
from asmnet.core import (
    Crop,
    ModelSpec,
    UserError,
    cli_errors,
    embedded_file,
    extract,
    read_spec,
)
from asmnet.edge_runtime.crops import OPENCV
from asmnet.edge_runtime.interpreter import interpreter_version
from asmnet.edge_runtime.io.pictures import pictures_in
from asmnet.edge_runtime.landmarker import Landmarker
from asmnet.edge_runtime.parity import Metric, jitter_metric, measure_jitter, run_file, shifts

__all__ = ["FACES", "REFERENCE", "Verification", "load_reference", "main", "verify"]

REFERENCE = "proof.npz"
FACES = 48
# Far above what `embed_reference` writes: some 40 kB, and squares of pictures that cameras make.
MOST_BYTES, FARTHEST = 1_000_000, 100_000.0
BROKEN = (zipfile.BadZipFile, zlib.error, RuntimeError, SyntaxError, OverflowError, MemoryError)


@dataclass(frozen=True)
class Verification:
    """What a file does on this machine.

    Attributes:
        spec: the file's contract.
        metrics: against the float model's answers.
        faces: how many.
        interpreter: its name and version.
    """

    spec: ModelSpec
    metrics: tuple[Metric, ...]
    faces: int
    interpreter: str

    @property
    def passed(self) -> bool:
        """Whether every metric passes."""
        return all(metric.passed for metric in self.metrics)


def verify(
    file: Path, folder: Path | None = None, threads: int = 1, progress: Progress = no_progress
) -> Verification:
    """Run a file on the faces of its reference, and compare with the float model's answers.

    Args:
        file: a `.tflite` of asmnet-export.
        folder: holds those pictures; None: those that ship with asmnet.
        threads: of the interpreter.
        progress: shows it.

    Raises:
        UserError: an unusable file, one without a reference, or pictures that are not there.
    """
    with suppress_output():
        landmarker = Landmarker.load(file, threads)
    images, expected = load_reference(file, folder, progress)
    metrics = shifts(expected, run_file(landmarker, images, progress), landmarker.spec)
    (own,) = measure_jitter([landmarker], images, progress)
    metrics.append(jitter_metric(own))
    return Verification(landmarker.spec, tuple(metrics), len(images), interpreter_version())


def load_reference(
    file: Path, folder: Path | None = None, progress: Progress = no_progress
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """The faces of a file's reference, and what the float model answers.

    Returns:
        (M, size, size, 3) uint8 RGB crops; (M, N, 2) crop units and (M, 3) degrees.

    Raises:
        UserError: no reference, or pictures that are not there.
    """
    spec, stored = read_spec(file), embedded_file(file, REFERENCE)
    if stored is None:
        raise UserError(f"{file} carries no {REFERENCE}: export it again with this asmnet-export")
    try:
        names, crops, expected = _read(stored, spec)
    except (ValueError, TypeError, KeyError, OSError, EOFError, *BROKEN) as error:
        raise UserError(f"{file} has an unusable {REFERENCE} ({error}); export it again") from error
    found = _pictures(folder, set(names))
    missing = [name for name in names if name not in found]
    if missing:
        where = folder or "the pictures that ship with asmnet"
        raise UserError(
            f"{len(missing)} of the {len(names)} pictures that {file} was checked on are not in "
            f"{where} ({missing[0]}, ...); give their folder with --faces"
        )
    cut = []
    for name, crop in progress(list(zip(names, crops, strict=True)), "reading faces"):
        # Not Pillow's decoder, which a device need not have.
        picture = cv2.imread(str(found[name]))
        if picture is None:
            raise UserError(f"cannot read {found[name]}: it is broken; restore it")
        view = extract(picture, crop, spec.input_size, OPENCV)
        cut.append(cv2.cvtColor(view, cv2.COLOR_BGR2RGB))
    return np.stack(cut), expected


def _read(
    stored: bytes, spec: ModelSpec
) -> tuple[list[str], list[Crop], tuple[np.ndarray, np.ndarray]]:
    """The pictures' names, the crops, and the float model's landmarks and pose.

    Raises:
        ValueError: not what `embed_reference` writes; says what is wrong.
    """
    with zipfile.ZipFile(io.BytesIO(stored)) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > MOST_BYTES:
        raise ValueError(f"it unpacks to {size:,} bytes, and {MOST_BYTES:,} are the most")
    with np.load(io.BytesIO(stored)) as archive:
        arrays = {key: archive[key] for key in ("names", "crops", "points", "step", "pose")}
    count = len(np.atleast_1d(arrays["names"]))
    shapes = {"names": (count,), "crops": (count, 4), "step": (), "pose": (count, 3)}
    shapes["points"] = (count, spec.landmark_scheme.count, 2)
    for key, shape in shapes.items():
        kind = "U" if key == "names" else "if"
        if arrays[key].shape != shape or arrays[key].dtype.kind not in kind or not count:
            raise ValueError(f"{key} of {arrays[key].dtype} {arrays[key].shape} in it")
        if key != "names" and not (np.abs(arrays[key]) < FARTHEST).all():
            raise ValueError(f"{key} that are not finite, or beyond {FARTHEST:,.0f}")
    if not (arrays["crops"][:, 2] >= 1).all() or not arrays["step"] > 0:
        raise ValueError("a crop or a step without a size")
    points = arrays["points"].astype(np.float32) * np.float32(arrays["step"])
    crops = [Crop(*map(float, crop)) for crop in arrays["crops"]]
    pose = arrays["pose"].astype(np.float32)
    return [str(name) for name in arrays["names"]], crops, (points, pose)


def _pictures(folder: Path | None, names: set[str]) -> dict[str, Path]:
    """Where the pictures with these names are; there must be one of each."""
    folders = [samples.LONDON, samples.PORTRAITS] if folder is None else [folder]
    found: dict[str, Path] = {}
    for path in (path for each in folders for path in pictures_in(each) if path.name in names):
        if path.name in found:
            raise UserError(
                f"{found[path.name]} and {path} have the same name, so it is not clear which the "
                "reference means; give a folder that holds one of them"
            )
        found[path.name] = path
    return found


@click.command("verify", context_settings=SETTINGS)
@click.argument("file", default=models.DEFAULT)
@click.option(
    "--faces",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The pictures that it was judged on.  [default: those that ship with asmnet]",
)
@click.option("--threads", default=1, type=click.IntRange(1, 64), help="Of the interpreter.")
@cli_errors()
def main(file: str, faces: Path | None, threads: int) -> None:
    """Check on this machine that FILE still answers as its float model does.

    FILE is a shipped model's name or a .tflite file of asmnet-export, which holds the float
    model's answers on some of the faces that it was judged on.  Needs no TensorFlow.

    Exit code 0: it does.  1: it does not.  2: it could not be checked.
    """
    path = models.find(file, ".tflite")
    checked = verify(path, faces, threads)
    click.echo(
        f"{checked.spec.name} against its float model: {checked.faces} faces, "
        f"{checked.interpreter}, {threads} thread{'s' * (threads > 1)}"
    )
    for metric in checked.metrics:
        mark = "PASS" if metric.passed else "FAIL"
        click.echo(f"{metric.label:<44}{metric.value:8.3f}   at most {metric.limit:5.2f}   {mark}")
    if not checked.passed:
        sys.exit(1)
