"""Which faces a network learns from, and which only judge it.

Whether a face is held out follows from the content of its picture and the seed alone.  So
pictures that are added later move no other, the faces of one picture stay together, and a
copy in another folder or under another name stays on the side of its original.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asmnet.core import Scheme, UserError
from asmnet.data.datasets import read_dataset
from asmnet.data.faces import Face
from asmnet.data.images import poses_of, readable
from asmnet.data.jsonl import read_jsonl

__all__ = ["TrainingFaces", "fingerprint", "gather", "hold_out"]


@dataclass(frozen=True)
class TrainingFaces:
    """All faces of a training, on two sides.

    Attributes:
        scheme: of all points.
        learning: faces to learn from, those of `--extra` last.
        held_out: faces to judge by; no picture of theirs is learned from.
        skipped: what `--skip-bad` left out, and why.
        notes: what the user should know of the labels.
    """

    scheme: Scheme
    learning: list[Face]
    held_out: list[Face]
    skipped: tuple[str, ...]
    notes: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """What tells these faces and labels from others, fit for JSON."""
        return {
            "learning": len(self.learning),
            "held_out": len(self.held_out),
            "skipped": len(self.skipped),
            "sha256": fingerprint((*self.learning, *self.held_out)),
        }


def gather(
    data: str, extra: Sequence[str], validation: float, seed: int, skip_bad: bool
) -> TrainingFaces:
    """Read all faces of a training and part them.

    Args:
        data: see `read_dataset`.
        extra: `.jsonl` files to learn from too; pictures that are held out are left out.
        validation: fraction of the faces of `data` to hold out, nearly.
        seed: chooses which.
        skip_bad: leave out malformed labels and unreadable pictures instead of raising.

    Raises:
        UserError: bad data, another scheme in `extra`, or a side without faces.
    """
    dataset = read_dataset(data, "train", skip_bad)
    learning, held_out = hold_out(dataset.faces, validation, seed)
    skipped, notes = dataset.skipped, dataset.notes
    apart = set(_contents(held_out).values())
    for more in extra:
        labelled = read_jsonl(Path(more), skip_bad)
        labelled = readable(labelled) if skip_bad else labelled
        if labelled.scheme is not dataset.scheme:
            raise UserError(
                f"{more} has {labelled.scheme.count} points a face, {data} has "
                f"{dataset.scheme.count}; they must be the same"
            )
        contents = _contents(labelled.faces)
        learning += [face for face in labelled.faces if contents[face.image] not in apart]
        skipped, notes = skipped + labelled.skipped, notes + labelled.notes
    return TrainingFaces(dataset.scheme, learning, held_out, skipped, notes)


def hold_out(faces: Sequence[Face], fraction: float, seed: int) -> tuple[list[Face], list[Face]]:
    """Part faces into those to learn from and those to judge by.

    Args:
        faces: labelled faces.
        fraction: the probability that a picture is held out.
        seed: another seed holds out others.

    Returns:
        learning, held_out; each in the order of `faces`.

    Raises:
        UserError: a picture cannot be read, or one side would be empty.
    """
    contents = _contents(faces)
    chosen = {image: _draw(content, seed) < fraction for image, content in contents.items()}
    learning = [face for face in faces if not chosen[face.image]]
    held_out = [face for face in faces if chosen[face.image]]
    if not learning:
        raise UserError(f"{len(faces)} faces leave none to learn from; lower --validation")
    if fraction > 0 and not held_out:
        raise UserError(
            f"--validation {fraction:g} and --seed {seed} hold out none of {len(faces)} faces; "
            "give more faces or another seed, or --validation 0"
        )
    return learning, held_out


def fingerprint(faces: Iterable[Face]) -> str:
    """Changes with the faces, their labels and their order, but not with their folder."""
    faces = list(faces)
    digest = hashlib.sha256(poses_of(faces).tobytes())
    for face in faces:
        digest.update(face.image.name.encode(errors="surrogateescape"))
        digest.update(face.points.tobytes())
        if face.weights is not None:
            digest.update(face.weights.tobytes())
    return digest.hexdigest()


def _contents(faces: Iterable[Face]) -> dict[Path, bytes]:
    """The SHA-256 of each picture."""
    contents = {}
    for image in dict.fromkeys(face.image for face in faces):
        try:
            contents[image] = hashlib.sha256(image.read_bytes()).digest()
        except (OSError, ValueError) as error:
            raise UserError(f"cannot read picture {image}: {error}; replace or remove it") from None
    return contents


def _draw(content: bytes, seed: int) -> float:
    """A number in [0, 1) that depends on the picture and the seed alone."""
    mixed = hashlib.sha256(f"{seed} ".encode() + content).digest()
    return int.from_bytes(mixed[:8], "big") / 2**64
