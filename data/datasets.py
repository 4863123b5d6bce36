"""Readers of labelled faces: 300-W (iBUG `.pts` trees) and WFLW (original lists).

Coordinates leave here 0-based.  iBUG files are 1-based, so the reader subtracts 1.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from asmnet.core import ANGLES, IBUG68, WFLW98, UserError
from asmnet.data.faces import Dataset, LabelledFace, check_labels, collect, part_of, picture_of
from asmnet.data.images import readable
from asmnet.data.jsonl import read_jsonl
from asmnet.data.w300lp import read_300wlp

__all__ = [
    "Dataset",
    "LabelledFace",
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
    poses, bad, notes = _read_poses(root, skip_bad)

    def face(entry: tuple[str, Path]) -> LabelledFace:
        part, path = entry
        image, points = picture_of(path), read_pts(path)
        check_labels(str(path), points)
        return LabelledFace(
            image, points, poses.get(image.relative_to(root).as_posix()), frozenset([part])
        )

    data = collect(IBUG68, labels, face, skip_bad)
    data = replace(data, skipped=(*bad, *data.skipped), notes=notes)
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
    own = {n: p for n in WFLW_ATTRIBUTES for p in lists if p.stem.endswith(n)}  # largepose, too
    full = [p for p in lists if p not in own.values()]
    if not full:
        raise UserError(f"{root} holds no list_98pt_…_{part}….txt; is it WFLW's folder?")
    named = {name: {_key(line) for line in _lines(p)} for name, p in own.items()}

    def face(line: tuple[Path, int, list[str]]) -> LabelledFace:
        points, picture, flags = _wflw(line)
        check_labels(f"{line[0]}, line {line[1]}", points)
        image = root / "WFLW_images" / picture
        if not os.path.isfile(image):
            raise UserError(f"{line[0]}, line {line[1]}: picture {image} is missing")
        tags = {n for n in WFLW_ATTRIBUTES if n in flags and n not in named}
        tags |= {n for n, keys in named.items() if _key(line) in keys}
        return LabelledFace(image, points, None, frozenset(tags))

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
        skip_bad: count malformed labels and unreadable pictures and go on; it reads every
            picture once more.

    Raises:
        UserError: nothing to read, or what is malformed, with its file and line.
    """
    data = _read(source, subset, skip_bad)
    return readable(data) if skip_bad else data


def _read(source: str, subset: str | None, skip_bad: bool) -> Dataset:
    kind, _, folder = source.partition(":")
    if source.endswith(".jsonl"):
        return read_jsonl(Path(source), skip_bad)
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
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    for number, line in enumerate(lines, 1):
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


def _key(line: tuple[Path, int, list[str]]) -> tuple[str, bytes] | None:
    """The same face in two lists, which may print its points with other digits.

    None for a malformed line: in an attribute's own list it can name no face.
    """
    try:
        points, picture, _ = _wflw(line)
    except UserError:
        return None
    return picture, np.rint(points).tobytes()


def _read_poses(
    root: Path, skip_bad: bool
) -> tuple[dict[str, np.ndarray], tuple[str, ...], tuple[str, ...]]:
    """The rows of `head_pose.csv` in `root`, if it is there.

    Returns:
        poses: (3,) degrees by the picture's path in `root`.
        skipped: malformed rows, which `skip_bad` allows.
        notes: a sentence about rows whose picture is not there.
    """
    path = root / "head_pose.csv"
    if not path.is_file():
        return {}, (), ()
    poses, skipped = {}, []
    expected = "expected image,yaw_deg,pitch_deg,roll_deg"
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
        rows = csv.DictReader(text.splitlines())
        for row in rows:
            where = f"{path}, line {rows.line_num}"
            try:
                pose = np.array([float(row[f"{angle}_deg"]) for angle in ANGLES])
                check_labels(where, np.eye(2), pose)
                poses[row["image"]] = pose
            except UserError as error:
                skipped.append(str(error))
            except (KeyError, TypeError, ValueError):
                skipped.append(f"{where}: {expected}")
            if skipped and not skip_bad:
                raise UserError(skipped[0])
    except (OSError, csv.Error) as error:
        raise UserError(f"cannot read {path}: {error}; {expected}") from error
    absent = [name for name in poses if not os.path.isfile(root / name)]
    notes = []
    if absent:
        count = f"{len(absent)} of {len(poses)} rows"
        notes.append(f"{path}: {count} name no picture in its folder, the first {absent[0]!r}")
    return poses, tuple(skipped), tuple(notes)
