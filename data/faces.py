"""One labelled face, and a set of them: what every reader of labels gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from asmnet.core import IMAGE_SUFFIXES, Scheme, UserError

__all__ = ["Dataset", "LabelledFace", "check_labels", "collect", "part_of", "picture_of"]

FARTHEST = 1e5  # pixels; no picture format in use goes beyond 65,535
LEAST_SIDE = 1.0  # pixels of the landmarks' box: points in units of the picture have less
LARGEST_ANGLE = 360.0


@dataclass(frozen=True)
class LabelledFace:
    """One labelled face.

    Attributes:
        image: path of the picture.
        points: (N, 2) float64 landmarks in picture pixels, 0-based.
        pose: (3,) yaw, pitch, roll in degrees, or None where there is no label.
        tags: the subsets of its benchmark, besides "full", that it belongs to.
        weights: (N,) how much each point counts in training, 0 to 1; None: all in full.
        drawn_from: the picture from which this one was drawn, as turned views are; it tells on
            which side of a split the face belongs.
    """

    image: Path
    points: np.ndarray
    pose: np.ndarray | None = None
    tags: frozenset[str] = field(default_factory=frozenset)
    weights: np.ndarray | None = None
    drawn_from: Path | None = None


@dataclass(frozen=True)
class Dataset:
    """Labelled faces under one scheme.

    Attributes:
        scheme: of all points.
        faces: in the order of files or lines.
        skipped: what `skip_bad` left out, and why.
        subsets: the parts to report on; the first is what figures are compared by.
        landmarks: whether the points are labels; else they only tell where the face is.
        notes: what the user should know of the labels that were read.
    """

    scheme: Scheme
    faces: tuple[LabelledFace, ...]
    skipped: tuple[str, ...] = ()
    subsets: tuple[str, ...] = ("all",)
    landmarks: bool = True
    notes: tuple[str, ...] = ()

    def belongs(self, face: LabelledFace, subset: str) -> bool:
        """Whether one of the faces counts in one of `subsets`."""
        return len(self.subsets) == 1 or subset == "full" or subset in face.tags


def check_labels(where: str, points: np.ndarray, pose: np.ndarray | None = None) -> None:
    """Refuse labels that no face in a picture can have.

    Args:
        where: the file and line, for the message.
        points: (N, 2) picture pixels.
        pose: (3,) degrees, or None.

    Raises:
        UserError: points that are not finite, beyond any picture or all in one place; or
            angles that are not finite or beyond a full turn.
    """
    if not (np.abs(points) <= FARTHEST).all():  # NaN is not either
        raise UserError(f"{where}: landmarks must be pixels, finite and within {FARTHEST:.0f}")
    width, height = np.ptp(points, axis=0)
    if min(width, height) < LEAST_SIDE:
        raise UserError(
            f"{where}: the landmarks span {width:.3g} x {height:.3g} pixels, which is no face"
        )
    if pose is not None and not (np.abs(pose) <= LARGEST_ANGLE).all():
        angles = ", ".join(f"{angle:g}" for angle in pose)
        raise UserError(f"{where}: the pose {angles} is not in degrees from -360 to 360")


def collect(
    scheme: Scheme, entries: Iterable, face: Callable[..., LabelledFace], skip_bad: bool
) -> Dataset:
    """Make a face of each entry; with `skip_bad`, of each that allows it.

    Raises:
        UserError: what `face` raised, or no face is left.
    """
    faces, skipped = [], []
    for entry in entries:
        try:
            faces.append(face(entry))
        except UserError as error:
            if not skip_bad:
                raise UserError(f"{error} (--skip-bad counts such faces and goes on)") from error
            skipped.append(str(error))
    if not faces:
        problem = skipped[-1] if skipped else "there are no labels"
        raise UserError(f"no usable face was found; the last problem: {problem}")
    return Dataset(scheme, tuple(faces), tuple(skipped))


def part_of(data: Dataset, subset: str) -> Dataset:
    """One subset of a whole set.

    Raises:
        UserError: no face belongs to it.
    """
    faces = tuple(f for f in data.faces if subset == "full" or subset in f.tags)
    if not faces:
        raise UserError(f"none of the {len(data.faces)} faces belongs to the subset {subset}")
    return replace(data, faces=faces, subsets=(subset,))


def picture_of(label: Path) -> Path:
    """The picture beside a label, of the same name.

    Raises:
        UserError: there is none.
    """
    for suffix in (*IMAGE_SUFFIXES, *(s.upper() for s in IMAGE_SUFFIXES)):
        image = label.with_suffix(suffix)
        if image.is_file():
            return image
    raise UserError(f"{label} has no picture beside it ({', '.join(IMAGE_SUFFIXES)})")
