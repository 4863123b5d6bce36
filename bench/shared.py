"""What the measurements here share: 300-W's training faces, a model, pictures, tables."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from asmnet import models
from asmnet.cli.progress import suppress_output
from asmnet.cli.tables import Table
from asmnet.core import UserError
from asmnet.data.datasets import LabelledFace, read_dataset
from asmnet.data.images import read_picture
from asmnet.edge_runtime import FaceDetector, Landmarker
from asmnet.train.split import hold_out

__all__ = ["bgr", "load_detector", "load_model", "table", "training_faces"]


def training_faces(data: str, seed: int = 0) -> tuple[list[LabelledFace], list[LabelledFace]]:
    """300-W's training faces, and which of them a network of `asmnet-train` never learned from.

    Args:
        data: "300w:DIR", with the 2,012 pictures that the shipped networks learned from.
        seed: of the model's training; with its default `--validation`, 0.1.

    Returns:
        learned, held_out.
    """
    return hold_out(read_dataset(data, "train").faces, 0.1, seed)


def load_model(name: str) -> Landmarker:
    """A shipped network by its name, or a `.tflite` file by its path.

    Raises:
        UserError: another kind of file, or one that cannot be used.
    """
    path = models.find(name)
    if path.suffix != ".tflite":
        raise UserError(f"{path} is no .tflite file; asmnet-export {path} -o FILE.tflite makes one")
    with suppress_output():
        return Landmarker.load(path)


def load_detector() -> FaceDetector:
    """The shipped detector, without the interpreter's greeting."""
    with suppress_output():
        return FaceDetector.load()


def bgr(face: LabelledFace) -> np.ndarray:
    """A face's picture: (H, W, 3) uint8 BGR."""
    return cv2.cvtColor(read_picture(face.image), cv2.COLOR_RGB2BGR)


def table(title: str, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table in Markdown, ready for docs/."""
    print(f"\n{title}\n\n{Table(title, [*header], [[*row] for row in rows]).markdown()}")
