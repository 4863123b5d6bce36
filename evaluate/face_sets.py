"""Face crops for calibrating and judging: cut as the runtime cuts them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from asmnet import samples
from asmnet.cli.progress import Progress, no_progress, suppress_output
from asmnet.core import Crop, ModelSpec, Scheme, UserError, extract
from asmnet.data.images import read_picture
from asmnet.edge_runtime import FaceDetector
from asmnet.edge_runtime.crops import OPENCV
from asmnet.edge_runtime.detector import find_face
from asmnet.edge_runtime.io.pictures import pictures_in
from asmnet.evaluate.picture_split import copies, look

__all__ = ["FaceSet", "cut", "detected_faces"]

# How far the runtime's crops stray: the detector's box (see `Detection.to_crop`), heads
# that tilt, and light.  Standard deviations in crop sides; degrees; log-gain.
SHIFT, SIZE, ROLL, LIGHT = 0.035, 0.07, 20.0, 0.35


@dataclass(frozen=True, eq=False)
class FaceSet:
    """Crops of faces.

    Attributes:
        images: (M, size, size, 3) uint8 RGB.
        names: of the picture behind each crop.
        source: where they come from, in words.
        scheme: the landmark scheme to compare in.
        warped: how many of the crops, at the end, are turned and relit copies of others.
        missed: pictures in which no face was found.
        crops: where each was cut, of those that are no warped copies.
        points: (M, N, 2) float32 labels in crop units, in `scheme`; None without labels,
            or where these are poses only.
        pose: (M, 3) float32 degrees, NaN where unknown; None without labels.
        subsets: parts of a benchmark, each a mask (M + missed,) bool of the crops and,
            after them, of the missed faces.
        notes: sentences on what is not there.
        looks: (M - warped, 768) float32 thumbnails of the pictures, see
            `asmnet.evaluate.picture_split`.
        left_out: how many pictures stay out since they are on the split's other side.
    """

    images: np.ndarray
    names: tuple[str, ...]
    source: str
    scheme: Scheme
    warped: int = 0
    missed: tuple[str, ...] = ()
    crops: tuple[Crop, ...] = ()
    points: np.ndarray | None = None
    pose: np.ndarray | None = None
    subsets: dict[str, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    looks: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))
    left_out: int = 0

    def record(self) -> dict[str, Any]:
        """For contracts and reports: which pixels these are."""
        return {
            "images": len(self.images),
            "pictures": len(self.images) - self.warped,
            "warped_copies": self.warped,
            "without_face": len(self.missed),
            "left_out": self.left_out,
            "sha256": hashlib.sha256(self.images.tobytes()).hexdigest(),
            "source": self.source,
        }


def detected_faces(
    folder: Path | None,
    images: int,
    spec: ModelSpec,
    seed: int = 0,
    progress: Progress = no_progress,
    wanted: Callable[[Path], bool] = lambda picture: True,
    apart_from: np.ndarray | None = None,
) -> FaceSet:
    """Crops of the faces that the runtime's detector finds, one a picture.

    With fewer pictures than `images`, the same faces once more under what a runtime
    meets: a box that is a little off, a tilted head, other light.

    Args:
        folder: searched with its sub-folders; None: the pictures that ship with asmnet.
        images: how many crops to make; of more pictures, a random choice.
        spec: tells size and margin.
        seed: of that choice and the warps.
        wanted: tells the pictures to choose from.
        apart_from: `FaceSet.looks` of which no copy is taken.

    Raises:
        UserError: no folder, no pictures, an unreadable one, or no face in any.
    """
    rng = np.random.default_rng(seed)
    if folder is None:
        paths = pictures_in(samples.LONDON) + pictures_in(samples.PORTRAITS)
        source = "asmnet samples: london, portraits"
    else:
        paths, source = pictures_in(folder), folder.resolve().name
    order = rng.permutation(len(paths)) if len(paths) > images else range(len(paths))
    chosen: list[int] = []
    left_out = 0
    for i in order:
        if len(chosen) == images:
            break
        if wanted(paths[i]):
            chosen.append(i)
        else:
            left_out += 1
    with suppress_output():
        detector = FaceDetector.load()
    crops, found, missed, looks = [], [], [], []
    for path in progress([paths[i] for i in sorted(chosen)], "finding faces"):
        image = cv2.cvtColor(read_picture(path), cv2.COLOR_RGB2BGR)
        if apart_from is not None and copies(look(image), apart_from):
            left_out += 1
            continue
        face = find_face(image, detector)
        if face is None:
            missed.append(path.name)
            continue
        crop = face.to_crop(spec.margin)
        found.append((path, crop))
        looks.append(look(image))
        crops.append(cut(image, crop, spec.input_size))
    if not found:
        raise UserError(
            f"no face was found in any of the {len(missed)} pictures of {source}; "
            "give photographs in which faces are large and upright"
            if missed
            else f"{source}: of its pictures, {left_out} in all, none is left, since no picture "
            "both calibrates and judges; give more, or another folder"
        )
    extra = images - len(missed) - len(found) if len(chosen) < images else 0
    again = [found[i % len(found)] for i in range(extra)]
    for path, crop in progress(again, "turning and relighting"):
        image = cv2.cvtColor(read_picture(path), cv2.COLOR_RGB2BGR)
        crops.append(_relit(cut(image, _strayed(crop, rng), spec.input_size), rng))
    return FaceSet(
        np.stack(crops),
        tuple(path.name for path, _ in [*found, *again]),
        source,
        spec.landmark_scheme,
        warped=extra,
        missed=tuple(missed),
        crops=tuple(crop for _, crop in found),
        looks=np.stack(looks),
        left_out=left_out,
    )


def cut(image_bgr: np.ndarray, crop: Crop, size: int) -> np.ndarray:
    """A (size, size, 3) RGB crop of a BGR picture, as the runtime cuts it."""
    return cv2.cvtColor(extract(image_bgr, crop, size, OPENCV), cv2.COLOR_BGR2RGB)


def _strayed(crop: Crop, rng: np.random.Generator) -> Crop:
    dx, dy = rng.normal(0.0, SHIFT * crop.side, 2)
    return replace(
        crop,
        cx=crop.cx + dx,
        cy=crop.cy + dy,
        side=crop.side * float(np.exp(rng.normal(0.0, SIZE))),
        angle=crop.angle + rng.uniform(-ROLL, ROLL),
    )


def _relit(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another exposure and a little of another colour."""
    gain = np.exp(rng.uniform(-LIGHT, LIGHT) + rng.normal(0.0, 0.03, 3))
    return np.clip(image * gain + 0.5, 0, 255).astype(np.uint8)
