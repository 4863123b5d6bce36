"""`asmnet-label`: trained networks label faces, so that others learn from more of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from asmnet import models
from asmnet.core import IBUG68, WFLW98, Crop, UserError, cli_errors
from asmnet.edge_runtime import FaceDetector
from asmnet.export.faces import find_face, pictures_in
from asmnet.export.teachers import Dialect, Opinion, Teacher, hold_to_known, label_face
from asmnet.export.terminal import Track, progress, quiet
from asmnet.train.datasets import Face, read_dataset
from asmnet.train.labels import write_jsonl
from asmnet.train.pictures import read_face, read_picture

__all__ = ["main"]

# Two parts of the translated 98-point teacher to one of the 68-point ones: best of 1:1,
# 2:1 and each alone on held-out faces of 300-W.
SHARE_OF_TRANSLATED = 2 / 3

Seen = tuple[Face, dict[str, Opinion]]  # a face and what the teachers of each scheme say


@click.command(context_settings={"show_default": True, "max_content_width": 100})
@click.argument("source")
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    default=[models.DEFAULT],
    help="A model's name, a .tflite, or a 98-point .onnx; repeat it to average several.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, metavar="FILE.jsonl")
@click.option(
    "--like",
    metavar="300w:DIR",
    help="Translate a 98-point teacher to 68 points as this set's annotators would set them.",
)
@click.option(
    "--wide",
    type=click.Path(path_type=Path),
    metavar="FILE.jsonl",
    help="Write the 98 points as well.",
)
@click.option(
    "--agree",
    type=click.FloatRange(0, min_open=True),
    default=3.0,
    help="Leave out faces whose views differ by more, in % of the eyes' distance.",
)
@cli_errors(extra="export")
def main(
    source: str,
    teachers: tuple[str, ...],
    out: Path,
    like: str | None,
    wide: Path | None,
    agree: float,
) -> None:
    """Label the faces of SOURCE for asmnet-train --extra FILE.jsonl.

    SOURCE is a folder of pictures, in which the detector looks for one face each, or
    labelled faces (300w:DIR, or a folder with .pts): their labels then tell where the
    faces are.  With a 98-point teacher the labels have 98 points, held to the manual ones
    of 300w:DIR; with --like they have 68.
    """
    groups = _by_scheme([Teacher(name) for name in teachers])
    if (like or wide) and WFLW98.name not in groups:
        raise UserError("--like and --wide need a 98-point teacher; give one with --teacher")
    with progress() as track:
        dialect = _learn_dialect(like, groups[WFLW98.name], track) if like else None
        seen, lost, unreadable = _show(source, groups, track)
    if not seen:
        also = f"; {len(unreadable)} cannot be read, as {unreadable[0]}" if unreadable else ""
        raise UserError(
            f"no face was found in {source}; give pictures in which faces are large{also}"
        )
    sure = [max(o.spread for o in opinions.values()) <= agree for _, opinions in seen]
    if not any(sure):
        raise UserError(
            f"the views of all {len(sure)} faces differ too much; raise --agree {agree}"
        )
    few, many = _combine(seen, dialect, manual=source.startswith("300w:"))
    points = few if dialect or many is None else many
    for path, labels in ((out, points), (wide, many)):
        if path is None or labels is None:
            continue
        chosen = [
            Face(face.image, place, _pose(face, opinions))
            for place, (face, opinions), good in zip(labels, seen, sure, strict=True)
            if good
        ]
        write_jsonl(path, chosen)
        click.echo(
            f"{path}: {len(chosen)} faces with {labels.shape[1]} points; left out: "
            f"{lost} without a face, {len(seen) - len(chosen)} on which the views differ"
        )
    if unreadable:
        click.echo(f"left out too: {len(unreadable)} unreadable pictures; first, {unreadable[0]}")


def _by_scheme(teachers: Sequence[Teacher]) -> dict[str, list[Teacher]]:
    groups: dict[str, list[Teacher]] = {}
    for teacher in teachers:
        groups.setdefault(teacher.scheme.name, []).append(teacher)
    return groups


def _learn_dialect(like: str, teachers: Sequence[Teacher], track: Track) -> Dialect:
    faces = read_dataset(like, "train").faces
    said = [
        label_face(read_face(face), Crop.around(face.points, 1.0), teachers).points
        for face in track(faces, "learning the dialect")
    ]
    return Dialect(np.stack(said), np.stack([face.points for face in faces]))


def _show(
    source: str, groups: dict[str, list[Teacher]], track: Track
) -> tuple[list[Seen], int, list[str]]:
    """Every face with the opinions on it.

    One bad picture among thousands does not cost the labels of the others.

    Returns:
        the faces; how many pictures show none; which pictures cannot be read, and why.
    """
    with quiet():
        detector = FaceDetector.load()
    seen, lost, unreadable = [], 0, []
    for face in track(_faces(source), "labelling"):
        try:
            image = read_face(face) if len(face.points) else read_picture(face.image)
        except UserError as error:
            unreadable.append(str(error))
            continue
        box = _box(image, face, detector)
        if box is None:
            lost += 1
        else:
            seen.append((face, {name: label_face(image, box, g) for name, g in groups.items()}))
    return seen, lost, unreadable


def _combine(
    seen: Sequence[Seen], dialect: Dialect | None, manual: bool
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """What the teachers say together: (M, 68, 2) and (M, 98, 2), each None if none said it.

    Args:
        manual: the faces' own labels are the truth that 98 points are held to.
    """
    said = {name: np.stack([o[name].points for _, o in seen]) for name in seen[0][1]}
    few, many = said.get(IBUG68.name), said.get(WFLW98.name)
    if dialect and many is not None:
        translated = dialect(many)
        share = 1.0 if few is None else SHARE_OF_TRANSLATED
        few = translated if few is None else share * translated + (1 - share) * few
    known = np.stack([face.points for face, _ in seen]) if manual else few
    if many is not None and known is not None:
        many = hold_to_known(many, known)
    return few, many


def _pose(face: Face, opinions: dict[str, Opinion]) -> np.ndarray | None:
    """The manual pose, else the teachers'."""
    if face.pose is not None:
        return face.pose
    said = [o.pose for o in opinions.values() if o.pose is not None]
    return said[0] if said else None


def _faces(source: str) -> Sequence[Face]:
    """The faces of a labelled set, or the pictures of a folder with empty labels."""
    kind, _, folder = source.rpartition(":")
    if kind or any(Path(folder).glob("*.pts")):
        return read_dataset(source, "train" if kind == "300w" else None).faces
    return [Face(path, np.empty((0, 2))) for path in pictures_in(Path(folder))]


def _box(image: np.ndarray, face: Face, detector: FaceDetector) -> Crop | None:
    """About the landmarks' tight square: from the labels, else from the detector."""
    if len(face.points):
        return Crop.around(face.points, 1.0)
    found = find_face(np.ascontiguousarray(image[..., ::-1]), detector)
    return None if found is None else found.to_crop(1.0)


if __name__ == "__main__":
    main()
