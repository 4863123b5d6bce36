"""The faces that parity is measured on: real ones, none of which calibrated."""

from __future__ import annotations

from pathlib import Path

from asmnet.cli.progress import Progress, no_progress
from asmnet.core import ModelSpec, UserError
from asmnet.evaluate.face_sets import FaceSet, detected_faces
from asmnet.evaluate.labelled_faces import labelled_faces
from asmnet.evaluate.picture_split import different, judging
from asmnet.export.calibration import IMAGES

__all__ = ["FEWEST", "folder_of", "eval_faces"]

# As many stills as the jitter is measured on.
FEWEST = 20
BENCHMARKS = ("300w:", "wflw:")


def folder_of(source: str | None) -> Path | None:
    """The folder of the pictures behind a source such as "300w:DIR" or "DIR"."""
    return None if source is None else Path(_path(source))


def eval_faces(
    spec: ModelSpec,
    source: str | None = None,
    images: int = IMAGES,
    calibration: Path | None = None,
    calibrated: FaceSet | None = None,
    progress: Progress = no_progress,
) -> FaceSet:
    """Crops to judge on: labelled where there are labels; see `FaceSet`.

    Args:
        spec: tells size, margin and scheme.
        source: a folder, "300w:DIR" or "wflw:DIR"; None: the pictures that ship.
        images: how many crops to make where no labels limit them.
        calibration: the folder that calibrated; None: the pictures that ship.
        calibrated: the faces that did; no copy of their pictures judges.
        progress: shows it.

    Raises:
        UserError: unusable pictures, or fewer than `FEWEST` different ones are left.
    """
    folder = folder_of(source)
    wanted = judging(calibration, folder)
    looks = None if calibrated is None else calibrated.looks
    if source is not None and folder is not None and _labelled(source, folder):
        faces = labelled_faces(source, spec, progress=progress, wanted=wanted, apart_from=looks)
    else:
        # Another seed than calibration's: other warps.
        faces = detected_faces(folder, images, spec, 1, progress, wanted, looks)
    count = different(faces.looks)
    if count < FEWEST:
        besides = f" besides the {faces.left_out} that calibrate" if faces.left_out else ""
        raise UserError(
            f"{source or faces.source}: the gate needs {FEWEST} different pictures of faces or "
            f"more, and there are {count}{besides}; add pictures, or give others with --faces"
        )
    return faces


def _labelled(source: str, folder: Path) -> bool:
    return source.startswith(BENCHMARKS) or any(folder.rglob("*.pts"))


def _path(source: str) -> str:
    for kind in BENCHMARKS:
        source = source.removeprefix(kind)
    return source
