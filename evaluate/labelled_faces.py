"""Crops of labelled faces: cut as the runtime cuts them, all at once or part by part."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from asmnet.cli.progress import Progress, no_progress
from asmnet.core import IBUG68, Crop, ModelSpec, UserError, to_scheme
from asmnet.data.datasets import Dataset, LabelledFace, read_dataset
from asmnet.data.images import poses_of, read_face
from asmnet.edge_runtime import FaceDetector
from asmnet.edge_runtime.crops import next_crop
from asmnet.edge_runtime.detector import find_face
from asmnet.evaluate.benchmarks import name_of, notes_on
from asmnet.evaluate.face_sets import FaceSet, cut
from asmnet.evaluate.picture_split import copies, look

__all__ = ["Cuts", "cut_again", "cut_faces", "face_set", "labelled_faces"]


@dataclass(frozen=True, eq=False)
class Cuts:
    """Crops of some labelled faces.

    Attributes:
        images: (K, size, size, 3) uint8 RGB.
        kept: the faces that they show.
        crops: where each was cut.
        looks: thumbnails of the pictures, see `asmnet.evaluate.picture_split`.
        lost: faces that the detector did not find.
    """

    images: np.ndarray
    kept: list[LabelledFace]
    crops: list[Crop]
    looks: list[np.ndarray]
    lost: list[LabelledFace]


def labelled_faces(
    source: str,
    spec: ModelSpec,
    subset: str | None = None,
    skip_bad: bool = False,
    progress: Progress = no_progress,
    wanted: Callable[[Path], bool] = lambda picture: True,
    apart_from: np.ndarray | None = None,
) -> FaceSet:
    """Crops around the boxes of labels; see `asmnet.data.datasets.read_dataset` for the source.

    Args:
        spec: tells size, margin and scheme.
        subset: of the benchmark; default its common test set; "test": all of its test
            faces at hand, with its parts in `FaceSet.subsets`.
        skip_bad: leave out malformed files instead of raising.
        wanted, apart_from: see `detected_faces`.

    Raises:
        UserError: nothing to read, a malformed file, or no face is left.
    """
    data = read_dataset(source, subset, skip_bad)
    chosen = [face for face in data.faces if wanted(face.image)]
    cuts = cut_faces(chosen, spec, None, progress, apart_from)
    return face_set(data, source, subset, spec, [cuts])


def cut_faces(
    faces: Sequence[LabelledFace],
    spec: ModelSpec,
    detector: FaceDetector | None,
    progress: Progress = no_progress,
    apart_from: np.ndarray | None = None,
) -> Cuts:
    """Cut faces out of their pictures.

    Args:
        faces: labelled.
        spec: tells size and margin.
        detector: tells the boxes; None: the labels do.
        progress: shows it.
        apart_from: see `detected_faces`.

    Raises:
        UserError: an unreadable picture.
    """
    images = np.empty((len(faces), spec.input_size, spec.input_size, 3), np.uint8)
    cuts = Cuts(images, [], [], [], [])
    for face in progress(faces, "reading faces"):
        image = cv2.cvtColor(read_face(face), cv2.COLOR_RGB2BGR)
        if apart_from is not None and copies(look(image), apart_from):
            continue
        if detector is None:
            crop = Crop.around(face.points, spec.margin)
        else:
            found = find_face(image, detector, Crop.around(face.points, 1.0))
            if found is None:
                cuts.lost.append(face)
                continue
            crop = found.to_crop(spec.margin)
        images[len(cuts.kept)] = cut(image, crop, spec.input_size)
        cuts.kept.append(face)
        cuts.crops.append(crop)
        cuts.looks.append(look(image))
    return Cuts(images[: len(cuts.kept)], cuts.kept, cuts.crops, cuts.looks, cuts.lost)


def cut_again(cuts: Cuts, spec: ModelSpec, points: np.ndarray) -> Cuts:
    """The same faces around the points that a network found, as `Landmarker` sees them twice.

    Args:
        cuts: of the first time.
        spec: tells size and margin.
        points: (K, N, 2) that were found, crop units.

    Raises:
        UserError: an unreadable picture.
    """
    found = zip(cuts.crops, points, strict=True)
    crops = [next_crop(crop.to_picture(units), spec.margin) for crop, units in found]
    images = np.empty_like(cuts.images)
    for i, (face, crop) in enumerate(zip(cuts.kept, crops, strict=True)):
        picture = cv2.cvtColor(read_face(face), cv2.COLOR_RGB2BGR)
        images[i] = cut(picture, crop, spec.input_size)
    return dataclasses.replace(cuts, images=images, crops=crops)


def face_set(
    data: Dataset, source: str, subset: str | None, spec: ModelSpec, parts: Sequence[Cuts]
) -> FaceSet:
    """Put crops together.

    Args:
        data: whose faces they show.
        source, subset: that it was read from.
        spec: tells the scheme.
        parts: the crops.

    Raises:
        UserError: there is none.
    """
    kept = [face for part in parts for face in part.kept]
    lost = [face for part in parts for face in part.lost]
    if not kept:
        raise UserError(
            f"the detector finds no face in any picture of {source}"
            if lost
            else f"{source}: of its {len(data.faces)} faces none is left, since no picture both "
            "calibrates and judges; give others"
        )
    crops = tuple(crop for part in parts for crop in part.crops)
    scheme = spec.landmark_scheme if spec.landmark_scheme is data.scheme else IBUG68
    units = [crop.to_units(face.points) for crop, face in zip(crops, kept, strict=True)]
    return FaceSet(
        np.concatenate([part.images for part in parts]),
        tuple(face.image.name for face in kept),
        name_of(source, data.subsets),
        scheme,
        missed=tuple(face.image.name for face in lost),
        crops=crops,
        points=to_scheme(np.asarray(units, np.float32), scheme) if data.landmarks else None,
        pose=poses_of(kept),
        subsets={
            part: np.array([data.belongs(face, part) for face in (*kept, *lost)], bool)
            for part in data.subsets
        },
        notes=notes_on(source, subset, data),
        looks=np.stack([look for part in parts for look in part.looks]),
        left_out=len(data.faces) - len(kept) - len(lost),
    )
