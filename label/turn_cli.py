"""`asmnet turn`: turned views of labelled faces, to learn poses that few photographs show."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from PIL import Image

from asmnet.cli.options import SETTINGS
from asmnet.cli.progress import Progress, progress_bars
from asmnet.core import Crop, Scheme, UserError, cli_errors, extract
from asmnet.data.datasets import LabelledFace, read_dataset
from asmnet.data.images import read_face
from asmnet.data.jsonl import write_jsonl
from asmnet.edge_runtime.crops import OPENCV
from asmnet.label.face_square import face_size, tight_square
from asmnet.label.teachers import FaceMesh
from asmnet.label.turned_views import Topology, TurnedView, turn

__all__ = ["main"]

# What a view is made from: a face that shows both sides, sharp, with labels to be trusted.
FRONTAL, LEAST_FACE, TRUSTED = 30.0, 60.0, 0.8  # degrees, pixels, mean weight of the points
# What it shows: from where photographs become few, up to profile.
YAW, PITCH, ROLL = (28.0, 90.0), 9.0, 6.0  # degrees: range; standard deviations of changes
STEEPEST = 38.0  # degrees of pitch
ROOM = 1.9  # side of the written picture / longer side of the landmarks' box
SIDES = (120, 256)  # pixels
FIRST = 300  # faces whose mean tells the triangles


@click.command(context_settings=SETTINGS)
@click.argument("source")
@click.option(
    "--mesh", required=True, metavar="FILE.task", help="MediaPipe's face_landmarker.task."
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="New folder."
)
@click.option("--views", type=click.IntRange(1, 20), default=2, help="How many a face.")
@click.option("--seed", type=int, default=0)
@cli_errors(extra="export")
def main(source: str, mesh: str, out: Path, views: int, seed: int) -> None:
    """Draw labelled faces as seen from the side, into DIR with DIR/labels.jsonl.

    SOURCE is 300w:DIR or a FILE.jsonl of asmnet-label.  Faces that look forward are turned
    to a yaw between 28 and 90 degrees.  Landmarks that the head then hides have the weight 0.
    """
    if out.exists():
        raise UserError(f"{out} exists; choose a new folder")
    partial = out.with_name(f".{out.name}.partial")  # of a killed command; whole or not at all
    data = read_dataset(source, "train")
    faces = [face for face in data.faces if _serves(face)]
    if not faces:
        raise UserError(f"no face of {source} looks forward, is large and sure enough to be turned")
    teacher = FaceMesh(mesh)
    with progress_bars() as progress:
        meshes = _meshes(faces, teacher, data.scheme, progress)
        poses = [face.pose for face in faces if face.pose is not None]
        topology = Topology(np.stack(meshes[:FIRST]), np.stack(poses[:FIRST]))
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        written: list[LabelledFace] = []
        for i, (face, pose) in enumerate(zip(progress(faces, "turning"), poses, strict=True)):
            image = read_face(face)
            digest = hashlib.sha256(f"{seed} ".encode() + face.image.read_bytes()).digest()
            rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
            for number in range(views):
                view = turn(image, meshes[i], face.points, pose, _target(pose, rng), topology)
                written.append(_write(partial / f"{i:06d}_{number}.jpg", view, face))
    write_jsonl(partial / "labels.jsonl", written)
    partial.rename(out)
    click.echo(f"{out / 'labels.jsonl'}: {len(written)} views of {len(faces)} faces")


def _serves(face: LabelledFace) -> bool:
    return (
        face.pose is not None
        and float(np.abs(face.pose[:2]).max()) < FRONTAL
        and face_size(face.points) > LEAST_FACE
        and (face.weights is None or float(face.weights.mean()) > TRUSTED)
    )


def _meshes(
    faces: Sequence[LabelledFace], teacher: FaceMesh, scheme: Scheme, progress: Progress
) -> list[np.ndarray]:
    """The 478 points with depth of each face, in picture pixels."""
    found = []
    for face in progress(faces, "meshes"):
        look = teacher.crop(tight_square(face.points, scheme))
        mesh, _ = teacher(extract(read_face(face), look, teacher.size, OPENCV))
        found.append(np.column_stack([look.to_picture(mesh[:, :2]), mesh[:, 2] * look.side]))
    return found


def _write(path: Path, view: TurnedView, face: LabelledFace) -> LabelledFace:
    """Write the part of a view around its face, and label it."""
    crop = Crop.around(view.points, ROOM)
    side = int(np.clip(crop.side, *SIDES))
    Image.fromarray(extract(view.image, crop, side, OPENCV)).save(path, quality=92)
    trust = np.ones(len(face.points)) if face.weights is None else face.weights
    return LabelledFace(
        path,
        crop.to_units(view.points) * side + (side - 1) / 2,
        view.pose,
        weights=np.where(view.seen, trust, 0.0),
        drawn_from=face.image,
    )


def _target(pose: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A pose to draw: on to the side to which the face looks already, if it does."""
    yaw, pitch, roll = pose
    side = np.sign(yaw) if abs(yaw) > 8 else rng.choice([-1, 1])
    return np.array(
        [
            side * rng.uniform(*YAW),
            np.clip(pitch + rng.normal(0, PITCH), -STEEPEST, STEEPEST),
            roll + rng.normal(0, ROLL),
        ]
    )


if __name__ == "__main__":
    main()
