"""Readers of labelled faces: 300-W (iBUG `.pts` trees) and WFLW (original lists).

Coordinates leave here 0-based.  iBUG files are 1-based, so the reader subtracts 1.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from asmnet.core import IBUG68, WFLW98, Scheme, UserError

__all__ = ["Dataset", "Face", "read_300w", "read_dataset", "read_pts", "read_wflw"]

# Sagonas et al. (2013): LFPW and Helen training sets and AFW train; their test
# sets are the "common" subset, the iBUG pictures the "challenging" one.
SUBSETS_300W = {
    "train": ("afw", "helen/trainset", "lfpw/trainset"),
    "common": ("helen/testset", "lfpw/testset"),
    "challenging": ("ibug",),
}
WFLW_ATTRIBUTES = ("pose", "expression", "illumination", "makeup", "occlusion", "blur")
WFLW_SUBSETS = ("full", "pose", "expression", "illumination", "makeup", "occlusion", "blur")
PICTURES = (".jpg", ".jpeg", ".png", ".bmp")


@dataclass(frozen=True)
class Face:
    """One labelled face.

    Attributes:
        image: path of the picture.
        points: (N, 2) float64 landmarks in picture pixels, 0-based.
        pose: (3,) yaw, pitch, roll in degrees, or None where there is no label.
        tags: WFLW's attributes that hold for this face.
    """

    image: Path
    points: np.ndarray
    pose: np.ndarray | None = None
    tags: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Dataset:
    """Labelled faces under one scheme; `skipped` tells what `skip_bad` left out, and why."""

    scheme: Scheme
    faces: tuple[Face, ...]
    skipped: tuple[str, ...] = ()


def read_pts(path: Path) -> np.ndarray:
    """Read one iBUG `.pts` file: (68, 2) float64, made 0-based.

    Raises:
        UserError: malformed; names the file and the line.
    """
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    rows: list[tuple[float, float]] = []
    inside = closed = False
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text == "{":
            inside = True
        elif text == "}":
            closed = True
            break
        elif inside and text:
            try:
                x, y = map(float, text.split())
            except ValueError:
                raise UserError(f"{path}, line {number}: expected 'x y', found {text!r}") from None
            if not np.isfinite((x, y)).all():
                raise UserError(f"{path}, line {number}: {text!r} is not finite")
            rows.append((x, y))
    if not closed:
        raise UserError(f"{path}, line {len(lines)}: the file ends before its closing brace")
    if len(rows) != IBUG68.count:
        raise UserError(f"{path}: expected 68 points, found {len(rows)}")
    return np.asarray(rows) - 1.0


def read_300w(root: Path, subset: str = "train", skip_bad: bool = False) -> Dataset:
    """Read a part of 300-W, with poses from `head_pose.csv` in `root` where it exists.

    A folder without 300-W's sub-folders is read as one flat set of picture and
    `.pts` pairs, so that one's own faces need no ceremony.

    Args:
        root: holds afw/, helen/, lfpw/ and ibug/, as many as there are.
        subset: "train", "common", "challenging", or "full" (common + challenging).
        skip_bad: count malformed files and go on, instead of raising.

    Raises:
        UserError: nothing to read, or a malformed file (named with its line).
    """
    parts = (
        SUBSETS_300W["common"] + SUBSETS_300W["challenging"]
        if subset == "full"
        else SUBSETS_300W.get(subset)
    )
    if parts is None:
        raise UserError(f"unknown 300-W subset {subset!r}; choose train, common, challenging, full")
    if not root.is_dir():
        raise UserError(f"{root} is not a folder; give the folder that holds afw, helen and lfpw")
    folders = [root / part for part in parts if (root / part).is_dir()]
    known = {part.split("/")[0] for group in SUBSETS_300W.values() for part in group}
    if not folders and not any((root / name).is_dir() for name in known):
        folders = [root]
    labels = sorted(path for folder in folders for path in folder.glob("*.pts"))
    if not labels:
        raise UserError(f"{root} holds no .pts files of the {subset} subset ({', '.join(parts)})")
    poses = _read_poses(root / "head_pose.csv")

    def face(path: Path) -> Face:
        image = _picture_of(path)
        return Face(image, read_pts(path), poses.get(image.relative_to(root).as_posix()))

    return _collect(IBUG68, labels, face, skip_bad)


def read_wflw(
    root: Path, subset: str = "full", part: str = "test", skip_bad: bool = False
) -> Dataset:
    """Read a list of WFLW: 196 coordinates, [4 box sides, [6 attributes,]] picture name a line.

    Args:
        root: holds WFLW_annotations/ and WFLW_images/.
        subset: "full" or one of the six attributes: its own list where there
            is one, else the faces that carry the attribute in the full list.
        part: "train" or "test".
        skip_bad: count malformed lines and missing pictures and go on.

    Raises:
        UserError: nothing to read, or a malformed line (named).
    """
    if subset not in WFLW_SUBSETS:
        raise UserError(f"unknown WFLW subset {subset!r}; choose one of {', '.join(WFLW_SUBSETS)}")
    if not root.is_dir():
        raise UserError(f"{root} is not a folder; give the folder that holds WFLW_annotations")
    lists = sorted(root.rglob(f"list_98pt*_{part}*.txt"))
    own = [p for p in lists if p.stem.endswith("largepose" if subset == "pose" else subset)]
    endings = ("largepose", *WFLW_ATTRIBUTES)
    full = [p for p in lists if not p.stem.endswith(endings)]
    chosen = own or full
    if not chosen:
        raise UserError(f"{root} holds no list_98pt_…_{part}….txt; is it WFLW's folder?")
    path, images = chosen[0], root / "WFLW_images"
    entries = [
        (number, line.split())
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if line.strip()
    ]

    def face(entry: tuple[int, list[str]]) -> Face:
        number, fields = entry
        if len(fields) not in (197, 201, 207):
            raise UserError(
                f"{path}, line {number}: expected 197, 201 or 207 fields, found {len(fields)}"
            )
        try:
            points = np.asarray(fields[:196], np.float64).reshape(98, 2)
            flags = [int(f) for f in fields[200:-1]]
        except ValueError as error:
            raise UserError(f"{path}, line {number}: {error}") from None
        image = images / fields[-1]
        if not image.is_file():
            raise UserError(f"{path}, line {number}: picture {image} is missing")
        tags = frozenset(n for n, flag in zip(WFLW_ATTRIBUTES, flags, strict=False) if flag)
        return Face(image, points, None, tags)

    data = _collect(WFLW98, entries, face, skip_bad)
    if own or subset == "full":
        return data
    faces = tuple(f for f in data.faces if subset in f.tags)
    if not faces:
        raise UserError(f"{path} marks no face with the attribute {subset}")
    return Dataset(data.scheme, faces, data.skipped)


def read_dataset(source: str, subset: str | None = None, skip_bad: bool = False) -> Dataset:
    """Read "300w:DIR", "wflw:DIR" or a plain folder of `.pts` pairs.

    Args:
        source: what to read.
        subset: see `read_300w` and `read_wflw`; default: the test set ("common"; "full").
        skip_bad: count what is malformed and go on.
    """
    kind, _, folder = source.partition(":")
    if kind == "wflw" and folder:
        return read_wflw(Path(folder), subset or "full", skip_bad=skip_bad)
    if kind == "300w" and folder:
        return read_300w(Path(folder), subset or "common", skip_bad=skip_bad)
    return read_300w(Path(source), subset or "common", skip_bad=skip_bad)


def _collect(
    scheme: Scheme, entries: Iterable, face: Callable[..., Face], skip_bad: bool
) -> Dataset:
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


def _picture_of(label: Path) -> Path:
    for suffix in (*PICTURES, *(s.upper() for s in PICTURES)):
        image = label.with_suffix(suffix)
        if image.is_file():
            return image
    raise UserError(f"{label} has no picture beside it ({', '.join(PICTURES)})")


def _read_poses(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        return {}
    poses = {}
    with path.open(newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            try:
                pose = [float(row[f"{angle}_deg"]) for angle in ("yaw", "pitch", "roll")]
                poses[row["image"]] = np.asarray(pose)
            except (KeyError, TypeError, ValueError):
                raise UserError(
                    f"{path}, line {number}: expected image,yaw_deg,pitch_deg,roll_deg"
                ) from None
    return poses
