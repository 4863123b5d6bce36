"""Readers of labelled faces: 300-W (iBUG `.pts` trees) and WFLW (original lists).

Coordinates leave here 0-based.  iBUG files are 1-based, so the reader subtracts 1.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from asmnet.core import IBUG68, WFLW98, UserError
from asmnet.train.faces import Dataset, Face, collect, part_of, picture_of
from asmnet.train.labels import read_jsonl
from asmnet.train.w300lp import read_300wlp

__all__ = [
    "Dataset",
    "Face",
    "read_300w",
    "read_300wlp",
    "read_dataset",
    "read_pts",
    "read_wflw",
]

# Sagonas et al. (2013): LFPW and Helen training sets and AFW train; their test
# sets are the "common" subset, the iBUG pictures the "challenging" one.
SUBSETS_300W = {
    "train": ("afw", "helen/trainset", "lfpw/trainset"),
    "common": ("helen/testset", "lfpw/testset"),
    "challenging": ("ibug",),
}
WFLW_ATTRIBUTES = ("pose", "expression", "illumination", "makeup", "occlusion", "blur")
WFLW_SUBSETS = ("full", *WFLW_ATTRIBUTES)


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
        subset: "train", "common", "challenging", "full" (both of these), or "test": as
            much of "full" as there is, with its parts as `Dataset.subsets`.
        skip_bad: count malformed files and go on, instead of raising.

    Raises:
        UserError: nothing to read, a part of "full" is missing, or a malformed file
            (named with its line).
    """
    wanted = ("common", "challenging") if subset in ("full", "test") else (subset,)
    if not SUBSETS_300W.keys() >= set(wanted):
        raise UserError(f"unknown 300-W subset {subset!r}; choose train, common, challenging, full")
    if not root.is_dir():
        raise UserError(f"{root} is not a folder; give the folder that holds afw, helen and lfpw")
    places = {
        name: tuple(root / part for part in SUBSETS_300W[name] if (root / part).is_dir())
        for name in wanted
    }
    known = {part.split("/")[0] for group in SUBSETS_300W.values() for part in group}
    if flat := not any((root / name).is_dir() for name in known):
        places = {"all": (root,)}
    labels = [
        (name, path)
        for name, folders in places.items()
        for path in sorted(path for folder in folders for path in folder.glob("*.pts"))
    ]
    found = tuple(name for name in places if any(name == part for part, _ in labels))
    missing = () if flat or subset == "test" else tuple(p for p in places if p not in found)
    if missing or not found:
        part = (missing or wanted)[0]
        why = f", without which there is no {subset} set" if part != subset and labels else ""
        folders = ", ".join(SUBSETS_300W[part])
        raise UserError(f"{root} holds no .pts files of the {part} subset ({folders}){why}")
    poses = _read_poses(root / "head_pose.csv")

    def face(entry: tuple[str, Path]) -> Face:
        part, path = entry
        image = picture_of(path)
        pose = poses.get(image.relative_to(root).as_posix())
        return Face(image, read_pts(path), pose, frozenset([part]))

    data = collect(IBUG68, labels, face, skip_bad)
    if subset == "test" or flat:
        return replace(data, subsets=(*found, "full") if len(found) > 1 else found)
    return replace(data, subsets=(subset,))


def read_wflw(
    root: Path, subset: str = "full", part: str = "test", skip_bad: bool = False
) -> Dataset:
    """Read a list of WFLW: 196 coordinates, [4 box sides, [6 attributes,]] picture name a line.

    A face carries an attribute if the attribute's own list names it or, where there is
    no such list, if its flag in the full list says so.

    Args:
        root: holds WFLW_annotations/ and WFLW_images/.
        subset: "full", one of the six attributes, or "test": "full" with the attributes
            as `Dataset.subsets`.
        part: "train" or "test".
        skip_bad: count malformed lines and missing pictures and go on.

    Raises:
        UserError: nothing to read, or a malformed line (named).
    """
    if subset not in ("test", *WFLW_SUBSETS):
        raise UserError(f"unknown WFLW subset {subset!r}; choose one of {', '.join(WFLW_SUBSETS)}")
    if not root.is_dir():
        raise UserError(f"{root} is not a folder; give the folder that holds WFLW_annotations")
    lists = sorted(root.rglob(f"list_98pt*_{part}*.txt"))
    endings = {name: "largepose" if name == "pose" else name for name in WFLW_ATTRIBUTES}
    own = {n: p for n, end in endings.items() for p in lists if p.stem.endswith(end)}
    full = [p for p in lists if p not in own.values()]
    if not full:
        raise UserError(f"{root} holds no list_98pt_…_{part}….txt; is it WFLW's folder?")
    named = {name: {_key(*_wflw(line)[:2]) for line in _lines(p)} for name, p in own.items()}

    def face(line: tuple[Path, int, list[str]]) -> Face:
        points, picture, flags = _wflw(line)
        image = root / "WFLW_images" / picture
        if not image.is_file():
            raise UserError(f"{line[0]}, line {line[1]}: picture {image} is missing")
        tags = {n for n in WFLW_ATTRIBUTES if n in flags and n not in named}
        tags |= {n for n, keys in named.items() if _key(points, picture) in keys}
        return Face(image, points, None, frozenset(tags))

    data = collect(WFLW98, _lines(full[0]), face, skip_bad)
    if subset == "test":
        return replace(data, subsets=WFLW_SUBSETS)
    return part_of(data, subset)


def read_dataset(source: str, subset: str | None = None, skip_bad: bool = False) -> Dataset:
    """Read "300w:DIR", "wflw:DIR", "300wlp:DIR", a `.jsonl` file or a folder of `.pts` pairs.

    Args:
        source: what to read.
        subset: "train", or a part of the test set, see `read_300w` and `read_wflw`; "test"
            is the whole test set at hand with its parts; default: the usual one ("common";
            "full").  300W-LP, a `.jsonl` file and a plain folder have no subsets.
        skip_bad: count what is malformed and go on.
    """
    kind, _, folder = source.partition(":")
    if source.endswith(".jsonl"):
        return read_jsonl(Path(source))
    if kind == "wflw" and folder:
        if subset == "train":
            return read_wflw(Path(folder), part="train", skip_bad=skip_bad)
        return read_wflw(Path(folder), subset or "full", skip_bad=skip_bad)
    if kind == "300wlp" and folder:
        if subset not in (None, "test"):
            raise UserError(f"300W-LP has no subset {subset!r}; leave --subset out")
        return read_300wlp(Path(folder), skip_bad)
    if kind == "300w" and folder:
        return read_300w(Path(folder), subset or "common", skip_bad)
    return read_300w(Path(source), subset or "common", skip_bad)


def _lines(path: Path) -> Iterator[tuple[Path, int, list[str]]]:
    """The lines of a WFLW list that are not blank: file, number, fields."""
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        if line.strip():
            yield path, number, line.split()


def _wflw(line: tuple[Path, int, list[str]]) -> tuple[np.ndarray, str, set[str]]:
    """Points (98, 2), name of the picture, and attributes of a line."""
    path, number, fields = line
    if len(fields) not in (197, 201, 207):
        raise UserError(
            f"{path}, line {number}: expected 197, 201 or 207 fields, found {len(fields)}"
        )
    try:
        points = np.asarray(fields[:196], np.float64).reshape(98, 2)
        flags = [int(f) for f in fields[200:-1]]
    except ValueError as error:
        raise UserError(f"{path}, line {number}: {error}") from None
    return points, fields[-1], {n for n, f in zip(WFLW_ATTRIBUTES, flags, strict=False) if f}


def _key(points: np.ndarray, picture: str) -> tuple[str, bytes]:
    """The same face in two lists, which may print its points with other digits."""
    return picture, np.rint(points).tobytes()


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
