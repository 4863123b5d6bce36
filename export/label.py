"""`asmnet-label`: trained networks label faces, so that others learn from more of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from asmnet import models
from asmnet.core import IBUG68, WFLW98, Crop, UserError, cli_errors
from asmnet.edge_runtime import FaceDetector
from asmnet.export.faces import pictures_in
from asmnet.export.teachers import Dialect, Opinion, Teacher, hold_to_known, label_face
from asmnet.export.terminal import progress, quiet
from asmnet.train.datasets import Face, read_dataset
from asmnet.train.labels import write_jsonl
from asmnet.train.pictures import read_picture

__all__ = ["main"]

# Two parts of the translated 98-point teacher to one of the 68-point ones: best of 1:1,
# 2:1 and each alone on held-out faces of 300-W.
SHARE_OF_TRANSLATED = 2 / 3


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
@cli_errors
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
    masters = [Teacher(name) for name in teachers]
    groups = {
        scheme.name: [t for t in masters if t.scheme is scheme] for scheme in (WFLW98, IBUG68)
    }
    wide_group = groups[WFLW98.name]
    if (like or wide) and not wide_group:
        raise UserError("--like and --wide need a 98-point teacher; give one with --teacher")
    with quiet():
        detector = FaceDetector.load()
    with progress() as track:
        dialect = None
        if like:
            pairs = [
                (label_face(read_picture(f.image), Crop.around(f.points, 1.0), wide_group), f)
                for f in track(read_dataset(like, "train").faces, "learning the dialect")
            ]
            dialect = Dialect(
                np.stack([o.points for o, _ in pairs]), np.stack([f.points for _, f in pairs])
            )
        found, lost = [], 0
        for face in track(_faces(source), "labelling"):
            image = read_picture(face.image)
            box = _box(image, face, detector)
            if box is None:
                lost += 1
                continue
            found.append(
                (face, {name: label_face(image, box, g) for name, g in groups.items() if g})
            )
    if not found:
        raise UserError(f"no face was found in {source}; give pictures in which faces are large")
    said = {
        name: np.stack([opinions[name].points for _, opinions in found])
        for name, group in groups.items()
        if group
    }
    few = said.get(IBUG68.name)
    if dialect:
        translated = dialect(said[WFLW98.name])
        share = 1.0 if few is None else SHARE_OF_TRANSLATED
        few = translated if few is None else share * translated + (1 - share) * few
    if wide_group:
        known = [face.points for face, _ in found] if source.startswith("300w:") else few
        if known is not None:
            said[WFLW98.name] = hold_to_known(said[WFLW98.name], np.asarray(known))
    sure = [max(o.spread for o in opinions.values()) <= agree for _, opinions in found]
    if not any(sure):
        raise UserError(
            f"the views of all {len(sure)} faces differ too much; raise --agree {agree}"
        )
    points = few if dialect or not wide_group else said[WFLW98.name]
    for path, labels in ((out, points), (wide, said.get(WFLW98.name))):
        if path is None or labels is None:
            continue
        write_jsonl(
            path,
            [
                Face(face.image, place, _pose(face, opinions))
                for place, (face, opinions), good in zip(labels, found, sure, strict=True)
                if good
            ],
        )
        click.echo(
            f"{path}: {sum(sure)} faces with {labels.shape[1]} points; left out: "
            f"{lost} without a face, {len(sure) - sum(sure)} on which the views differ"
        )


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
    height, width = image.shape[:2]
    side = max(height, width)
    bgr = np.ascontiguousarray(image[..., ::-1])
    for room in (1.0, 2.0):  # a picture that is all face is searched as part of a larger one
        region = Crop((width - 1) / 2, (height - 1) / 2, room * side)
        for detection in detector.detect(bgr, region):
            return detection.to_crop(1.0)
    return None


if __name__ == "__main__":
    main()
