"""A proof inside the file: the float model's own answers, to check the file against anywhere.

An exported file behaves on the machine that exported it.  Whether it does on a Raspberry
Pi, with another interpreter, threads or kernels, only that machine can tell; and neither
TensorFlow nor the float model are there.  So some of the faces that the verdict is about
stay in the file: which picture, which square of it, what the float model answers.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from asmnet import samples
from asmnet.cli.progress import Track, no_progress, suppress_output
from asmnet.core import (
    Crop,
    ModelSpec,
    UserError,
    embed_file,
    embedded_file,
    extract,
    read_spec,
)
from asmnet.edge_runtime import Landmarker
from asmnet.edge_runtime.crops import OPENCV
from asmnet.edge_runtime.interpreter import interpreter_version
from asmnet.evaluate.face_sets import FaceSet, pictures_in
from asmnet.export.gate import Metric, jitter_metric, measure_jitter, run_file, shifts

__all__ = ["Verification", "embed_reference", "load_reference", "verify"]

PROOF = "proof.npz"
FACES = 48
# Far above what `embed_reference` writes: some 40 kB, and squares of pictures that cameras make.
MOST_BYTES, FARTHEST = 1_000_000, 100_000.0
BROKEN = (zipfile.BadZipFile, zlib.error, RuntimeError, SyntaxError, OverflowError, MemoryError)


@dataclass(frozen=True)
class Verification:
    """What a file does on this machine.

    Attributes:
        spec: the file's contract.
        figures: against the float model's answers.
        faces: how many.
        interpreter: its name and version.
    """

    spec: ModelSpec
    figures: tuple[Metric, ...]
    faces: int
    interpreter: str

    @property
    def passed(self) -> bool:
        """Whether every figure passes."""
        return all(figure.passed for figure in self.figures)


def embed_reference(file: Path, faces: FaceSet, points: np.ndarray, pose: np.ndarray) -> None:
    """Store what the float model answers on some of the faces in a `.tflite` file.

    Args:
        file: changed in place.
        faces: those judged; of the ones that are no warped copies `FACES` are kept.
        points, pose: the float model's answers: (M, N, 2) crop units and (M, 3) degrees.
    """
    if not faces.crops:
        return
    kept = np.linspace(0, len(faces.crops) - 1, min(FACES, len(faces.crops))).astype(int)
    squares = [faces.crops[i] for i in kept]
    # int16: steps far below what rounding the network does.
    step = np.float32(max(float(np.abs(points[kept]).max()), 1.0) / 32767)
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        names=np.array([faces.names[i] for i in kept]),
        crops=np.array([[c.cx, c.cy, c.side, c.angle] for c in squares]),
        points=np.rint(points[kept] / step).astype(np.int16),
        step=step,
        pose=pose[kept].astype(np.float32),
    )
    embed_file(file, PROOF, stream.getvalue())


def verify(
    file: Path, folder: Path | None = None, threads: int = 1, track: Track = no_progress
) -> Verification:
    """Run a file on the faces of its proof, and compare with the float model's answers.

    Args:
        file: a `.tflite` of asmnet-export.
        folder: holds those pictures; None: those that ship with asmnet.
        threads: of the interpreter.
        track: shows progress.

    Raises:
        UserError: an unusable file, one without a proof, or pictures that are not there.
    """
    with suppress_output():
        landmarker = Landmarker.load(file, threads)
    images, expected = load_reference(file, folder, track)
    figures = shifts(expected, run_file(landmarker, images, track), landmarker.spec)
    (own,) = measure_jitter([landmarker], images, track)
    figures.append(jitter_metric(own))
    return Verification(landmarker.spec, tuple(figures), len(images), interpreter_version())


def load_reference(
    file: Path, folder: Path | None = None, track: Track = no_progress
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """The faces of a file's proof, and what the float model answers.

    Returns:
        (M, size, size, 3) uint8 RGB crops; (M, N, 2) crop units and (M, 3) degrees.

    Raises:
        UserError: no proof, or pictures that are not there.
    """
    spec, stored = read_spec(file), embedded_file(file, PROOF)
    if stored is None:
        raise UserError(f"{file} carries no {PROOF}: export it again with this asmnet-export")
    try:
        names, crops, expected = _read(stored, spec)
    except (ValueError, TypeError, KeyError, OSError, EOFError, *BROKEN) as error:
        raise UserError(f"{file} has an unusable {PROOF} ({error}); export it again") from error
    found = _pictures(folder, set(names))
    missing = [name for name in names if name not in found]
    if missing:
        where = folder or "the pictures that ship with asmnet"
        raise UserError(
            f"{len(missing)} of the {len(names)} pictures that {file} was proven on are not in "
            f"{where} ({missing[0]}, ...); give their folder with --faces"
        )
    cut = []
    for name, crop in track(list(zip(names, crops, strict=True)), "reading faces"):
        # Not Pillow's decoder, which a device need not have.
        picture = cv2.imread(str(found[name]))
        if picture is None:
            raise UserError(f"cannot read {found[name]}: it is broken; restore it")
        view = extract(picture, crop, spec.size, OPENCV)
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
    with np.load(io.BytesIO(stored)) as proof:
        arrays = {key: proof[key] for key in ("names", "crops", "points", "step", "pose")}
    count = len(np.atleast_1d(arrays["names"]))
    shapes = {"names": (count,), "crops": (count, 4), "step": (), "pose": (count, 3)}
    shapes["points"] = (count, spec.points.count, 2)
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
                "proof means; give a folder that holds one of them"
            )
        found[path.name] = path
    return found
