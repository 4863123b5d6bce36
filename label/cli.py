"""`asmnet-label`: trained networks label faces, so that others learn from more of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click
import numpy as np

from asmnet import models
from asmnet.cli.options import SETTINGS, ray_option, workers_option
from asmnet.cli.progress import progress_bars
from asmnet.core import IBUG68, WFLW98, Crop, UserError, cli_errors
from asmnet.data.boxes import BOXES, read_boxes
from asmnet.data.datasets import LabelledFace, read_dataset
from asmnet.data.jsonl import write_jsonl
from asmnet.edge_runtime.io.pictures import pictures_in
from asmnet.label.face_square import tight_square
from asmnet.label.labelling import Answer, Job, label_faces, learn_adapters, load_labelling
from asmnet.label.manual_points import align_to_manual
from asmnet.label.teachers import PseudoLabel, load_teacher

__all__ = ["main"]

# A point counts in full as long as no teacher puts it farther from the mean than this, in % of
# the face, and hardly where one puts it at the second.  On 300-W's held-out faces the mean of
# two is off by 1.5 % of the face where they agree, by 3.6 % from there on.
SURE, DOUBTFUL = 1.5, 4.0
LEAST_WEIGHT = 0.1

# A face, and what the teachers of each scheme say.
Seen = tuple[LabelledFace, dict[str, PseudoLabel]]


@click.command(context_settings=SETTINGS)
@click.argument("source")
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    default=[models.DEFAULT],
    help="A model's name, a .tflite, a 98-point .onnx or MediaPipe's face_landmarker.task; "
    "repeat it to average several.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, metavar="FILE.jsonl")
@click.option(
    "--adapt-to",
    "--like",  # its name in 0.1, as of the next two
    "adapt_to",
    metavar="300w:DIR",
    help="Translate teachers of other points to those of these labelled faces.",
)
@click.option(
    "--out-98",
    "--wide",
    "out_98",
    type=click.Path(path_type=Path),
    metavar="FILE.jsonl",
    help="Write the 98 points as well.",
)
@click.option(
    "--max-spread",
    "--agree",
    "max_spread",
    type=click.FloatRange(0, min_open=True),
    default=2.5,
    help="Leave out faces whose views differ by more, in % of the face's size.",
)
@workers_option
@ray_option
@cli_errors(extra="export")
def main(
    source: str,
    teachers: tuple[str, ...],
    out: Path,
    adapt_to: str | None,
    out_98: Path | None,
    max_spread: float,
    workers: int,
    ray: str | None,
) -> None:
    """Label the faces of SOURCE for asmnet-train --extra FILE.jsonl.

    SOURCE is a folder of pictures, in which the detector looks for one face each; with a
    faces.csv (file, x, y, w, h and, if known, yaw, pitch, roll) its boxes tell where the
    faces are.  Or labelled faces (300w:DIR, a folder with .pts, a .jsonl): then their
    labels do.  With a 98-point teacher the labels have 98 points, held to the manual ones
    of 300w:DIR; with --adapt-to those of its faces.  Where teachers differ, points weigh less.
    """
    loaded = [load_teacher(name) for name in teachers]
    manual = read_dataset(adapt_to, "train") if adapt_to else None
    scheme = manual.scheme if manual else IBUG68
    foreign = [teacher for teacher in loaded if teacher.scheme is not scheme]
    if out_98 and scheme is WFLW98:
        raise UserError("with --adapt-to faces of 98 points all labels have 98; leave --out-98 out")
    if out_98 and not any(teacher.scheme is WFLW98 for teacher in foreign):
        raise UserError("--out-98 needs a 98-point teacher; give one with --teacher")
    if not adapt_to and any(teacher.scheme is None for teacher in foreign):
        raise UserError("a face mesh has to be translated; give labelled faces with --adapt-to")
    if manual and not foreign:
        raise UserError("--adapt-to is for teachers of other points; give one with --teacher")
    with progress_bars() as progress:
        adapters = learn_adapters(manual.faces, scheme, foreign, progress) if manual else None
        names = teachers if ray is None else [_anywhere(name) for name in teachers]
        make = partial(load_labelling, names, scheme.name, adapters, out_98 is not None)
        jobs = [(i, face, box) for i, (face, box) in enumerate(_faces(source))]
        answers = label_faces(jobs, make, workers, ray)
        steps = zip(answers, progress(jobs, "labelling"), strict=True)
        seen, lost, unreadable = _sorted([answer for answer, _ in steps])
    if not seen:
        also = f"; {len(unreadable)} cannot be read, as {unreadable[0]}" if unreadable else ""
        raise UserError(
            f"no face was found in {source}; give pictures in which faces are large{also}"
        )
    sure = [max(o.spread for o in answers.values()) <= max_spread for _, answers in seen]
    if not any(sure):
        raise UserError(
            f"the views of all {len(sure)} faces differ too much; raise --max-spread {max_spread}"
        )
    few, many = _points_of(seen, IBUG68.name), _points_of(seen, WFLW98.name)
    known = np.stack([f.points for f, _ in seen]) if source.startswith("300w:") else few
    if many is not None and known is not None:
        many = align_to_manual(many, known)  # to the faces' own labels, where they have some
    wanted = few if manual and scheme is IBUG68 or many is None else many
    for path, labels in ((out, wanted), (out_98, many)):
        if path is None or labels is None:
            continue
        chosen = [
            LabelledFace(
                face.image, place, _pose(face, answers), weights=_trust(answers, len(place))
            )
            for place, (face, answers), good in zip(labels, seen, sure, strict=True)
            if good
        ]
        write_jsonl(path, chosen)
        click.echo(
            f"{path}: {len(chosen)} faces with {labels.shape[1]} points; left out: "
            f"{lost} without a face, {len(seen) - len(chosen)} on which the views differ"
        )
    if unreadable:
        click.echo(f"left out too: {len(unreadable)} unreadable pictures; first, {unreadable[0]}")


def _points_of(seen: Sequence[Seen], scheme: str) -> np.ndarray | None:
    """(M, N, 2) of all faces, or None where no teacher has the scheme."""
    if scheme not in seen[0][1]:
        return None
    return np.stack([answers[scheme].points for _, answers in seen])


def _trust(answers: dict[str, PseudoLabel], count: int) -> np.ndarray:
    """(N,) weights of the points, the lower the farther teachers put them apart."""
    away = next(o.away for o in answers.values() if len(o.away) == count)
    falling = 1 - (1 - LEAST_WEIGHT) * (away - SURE) / (DOUBTFUL - SURE)
    return np.clip(falling, LEAST_WEIGHT, 1)


def _sorted(answers: Sequence[tuple[Job, Answer]]) -> tuple[list[Seen], int, list[str]]:
    """Every face with the teachers' answers, in the order of the source.

    One bad picture among thousands does not cost the labels of the others.

    Returns:
        the faces; how many pictures show none; which pictures cannot be read, and why.
    """
    seen, lost, unreadable = list[Seen](), 0, list[str]()
    for (_, face, _), said in sorted(answers, key=lambda answer: answer[0][0]):
        if isinstance(said, str):
            unreadable.append(said)
        elif said is None:
            lost += 1
        else:
            seen.append((face, said))
    return seen, lost, unreadable


def _pose(face: LabelledFace, answers: dict[str, PseudoLabel]) -> np.ndarray | None:
    """The manual pose, else the teachers'."""
    if face.pose is not None:
        return face.pose
    said = [o.pose for o in answers.values() if o.pose is not None]
    return said[0] if said else None


def _anywhere(teacher: str) -> str:
    """Its name on a machine that works in another folder."""
    return str(Path(teacher).absolute()) if Path(teacher).is_file() else teacher


def _faces(source: str) -> Sequence[tuple[LabelledFace, Crop | None]]:
    """Faces of a labelled set, of a folder with boxes, or pictures with empty labels.

    With each, where known, about the tight square of its landmarks.
    """
    kind, _, folder = source.rpartition(":")
    if not kind and (Path(folder) / BOXES).is_file():
        return read_boxes(Path(folder) / BOXES)
    if kind or folder.endswith(".jsonl") or any(Path(folder).glob("*.pts")):
        data = read_dataset(source, "train" if kind == "300w" else None)
        return [(face, tight_square(face.points, data.scheme)) for face in data.faces]
    return [(LabelledFace(path, np.empty((0, 2))), None) for path in pictures_in(Path(folder))]


if __name__ == "__main__":
    main()
