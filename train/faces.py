"""One labelled face, and a set of them: what every reader of labels gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from asmnet.core import Scheme, UserError

__all__ = ["Dataset", "Face", "collect", "hold_out", "part_of", "picture_of"]

PICTURES = (".jpg", ".jpeg", ".png", ".bmp")


@dataclass(frozen=True)
class Face:
    """One labelled face.

    Attributes:
        image: path of the picture.
        points: (N, 2) float64 landmarks in picture pixels, 0-based.
        pose: (3,) yaw, pitch, roll in degrees, or None where there is no label.
        tags: the subsets of its benchmark, besides "full", that it belongs to.
    """

    image: Path
    points: np.ndarray
    pose: np.ndarray | None = None
    tags: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Dataset:
    """Labelled faces under one scheme.

    Attributes:
        scheme: of all points.
        faces: in the order of files or lines.
        skipped: what `skip_bad` left out, and why.
        subsets: the parts to report on; the first is what figures are compared by.
        landmarks: whether the points are labels; else they only tell where the face is.
    """

    scheme: Scheme
    faces: tuple[Face, ...]
    skipped: tuple[str, ...] = ()
    subsets: tuple[str, ...] = ("all",)
    landmarks: bool = True

    def belongs(self, face: Face, subset: str) -> bool:
        """Whether one of the faces counts in one of `subsets`."""
        return len(self.subsets) == 1 or subset == "full" or subset in face.tags


def collect(
    scheme: Scheme, entries: Iterable, face: Callable[..., Face], skip_bad: bool
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
                raise UserError(f"{error} (--skip-bad counts such files and goes on)") from error
            skipped.append(str(error))
    if not faces:
        raise UserError(f"no usable face was found; the last problem: {skipped[-1]}")
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
    for suffix in (*PICTURES, *(s.upper() for s in PICTURES)):
        image = label.with_suffix(suffix)
        if image.is_file():
            return image
    raise UserError(f"{label} has no picture beside it ({', '.join(PICTURES)})")


def hold_out(faces: Sequence[Face], fraction: float, seed: int) -> tuple[list[Face], list[Face]]:
    """Part faces at random into those to learn from and those to judge by; seeded.

    Raises:
        UserError: none would be left to learn from.
    """
    order = np.random.default_rng(seed).permutation(len(faces))
    count = round(fraction * len(faces))
    held_out, learning = order[:count], order[count:]
    if not len(learning):
        raise UserError(f"{len(faces)} faces leave none to learn from; lower --validation")
    return [faces[i] for i in learning], [faces[i] for i in held_out]
