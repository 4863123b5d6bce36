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
from asmnet.data.faces import LabelledFace
from asmnet.data.images import poses_of, readable
from asmnet.data.jsonl import read_jsonl

__all__ = ["TrainingFaces", "fingerprint", "gather", "hold_out"]


@dataclass(frozen=True)
class TrainingFaces:
    """All faces of a training, on two sides.

    Attributes:
        scheme: of all points.
        learning: faces to learn from, those of `--extra` last.
        held_out: faces of `--data` to judge by; no picture of theirs is learned from.
        held_out_extra: those of `--extra`, none of which is in `held_out`.
        counts: how many of `learning` come from `--data` and from each `--extra`.
        skipped: what `--skip-bad` left out, and why.
        notes: what the user should know of the labels.
    """

    scheme: Scheme
    learning: list[LabelledFace]
    held_out: list[LabelledFace]
    held_out_extra: list[LabelledFace]
    counts: tuple[int, ...]
    skipped: tuple[str, ...]
    notes: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """What tells these faces and labels from others, fit for JSON."""
        return {
            "learning": len(self.learning),
            "held_out": len(self.held_out),
            "skipped": len(self.skipped),
            "sha256": fingerprint((*self.learning, *self.held_out, *self.held_out_extra)),
        }


def gather(
    data: str, extra: Sequence[str], validation: float, seed: int, skip_bad: bool
) -> TrainingFaces:
    """Read all faces of a training and part them.

    Args:
        data: see `read_dataset`.
        extra: `.jsonl` files to learn from too.
        validation: fraction of the pictures to hold out, nearly.
        seed: chooses which.
        skip_bad: leave out malformed labels and unreadable pictures instead of raising.

    Raises:
        UserError: bad data, another scheme in `extra`, or a side without faces.
    """
    dataset = read_dataset(data, "train", skip_bad)
    learning, held_out = hold_out(dataset.faces, validation, seed)
    skipped, notes, counts = dataset.skipped, dataset.notes, [len(learning)]
    held_out_extra: list[LabelledFace] = []
    known = {face.image.resolve() for face in dataset.faces}
    for more in extra:
        labelled = read_jsonl(Path(more), skip_bad)
        labelled = readable(labelled) if skip_bad else labelled
        if labelled.scheme is not dataset.scheme:
            raise UserError(
                f"{more} has {labelled.scheme.count} points a face, {data} has "
                f"{dataset.scheme.count}; they must be the same"
            )
        chosen = _chosen(labelled.faces, validation, seed)
        own = [face for face, out in zip(labelled.faces, chosen, strict=True) if not out]
        counts.append(len(own))
        learning += own
        held_out_extra += [
            face
            for face, out in zip(labelled.faces, chosen, strict=True)
            if out and face.drawn_from is None and face.image.resolve() not in known
        ]
        skipped, notes = skipped + labelled.skipped, notes + labelled.notes
    return TrainingFaces(
        dataset.scheme, learning, held_out, held_out_extra, tuple(counts), skipped, notes
    )


def hold_out(
    faces: Sequence[LabelledFace], fraction: float, seed: int
) -> tuple[list[LabelledFace], list[LabelledFace]]:
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
    chosen = _chosen(faces, fraction, seed)
    learning = [face for face, out in zip(faces, chosen, strict=True) if not out]
    held_out = [face for face, out in zip(faces, chosen, strict=True) if out]
    if not learning:
        raise UserError(f"{len(faces)} faces leave none to learn from; lower --validation")
    if fraction > 0 and not held_out:
        raise UserError(
            f"--validation {fraction:g} and --seed {seed} hold out none of {len(faces)} faces; "
            "give more faces or another seed, or --validation 0"
        )
    return learning, held_out


def fingerprint(faces: Iterable[LabelledFace]) -> str:
    """Changes with the faces, their labels and their order, but not with their folder."""
    faces = list(faces)
    digest = hashlib.sha256(poses_of(faces).tobytes())
    for face in faces:
        digest.update(face.image.name.encode(errors="surrogateescape"))
        digest.update(face.points.tobytes())
        if face.weights is not None:
            digest.update(face.weights.tobytes())
    return digest.hexdigest()


def _chosen(faces: Sequence[LabelledFace], fraction: float, seed: int) -> list[bool]:
    """Whether each face is held out: by the content of its picture, or of the one drawn from."""
    originals = [face.drawn_from or face.image for face in faces]
    sides = {}
    for image in dict.fromkeys(originals):
        try:
            content = hashlib.sha256(image.read_bytes()).digest()
        except (OSError, ValueError) as error:
            raise UserError(f"cannot read picture {image}: {error}; replace or remove it") from None
        sides[image] = _draw(content, seed) < fraction
    return [sides[image] for image in originals]


def _draw(content: bytes, seed: int) -> float:
    """A number in [0, 1) that depends on the picture and the seed alone."""
    mixed = hashlib.sha256(f"{seed} ".encode() + content).digest()
    return int.from_bytes(mixed[:8], "big") / 2**64
