"""What teachers say of one face after another, here or by workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from asmnet.cli.progress import Progress, suppress_output
from asmnet.cli.workers import map_items, open_pool
from asmnet.core import SCHEMES, Crop, Scheme, UserError, extract
from asmnet.data.datasets import LabelledFace
from asmnet.data.images import read_face, read_picture
from asmnet.edge_runtime import FaceDetector
from asmnet.edge_runtime.crops import OPENCV
from asmnet.edge_runtime.detector import find_face
from asmnet.label.adapter import LandmarkAdapter
from asmnet.label.face_square import tight_square
from asmnet.label.teachers import PseudoLabel, Teacher, Translated, label_face, load_teacher

__all__ = ["Job", "Labelling", "Answer", "label_faces", "learn_adapters", "load_labelling"]

# What the teachers of each scheme say; None: no face was found; a text: why it cannot be read.
Answer = dict[str, PseudoLabel] | str | None
# A face's number and, where known, about its landmarks' tight square.
Job = tuple[int, LabelledFace, Crop | None]


class Labelling:
    """Asks teachers, whose networks are loaded.

    Args:
        groups: teachers by the scheme in which they answer.
    """

    def __init__(self, groups: dict[str, list[Teacher]]) -> None:
        self._groups = groups
        with suppress_output():
            self._detector = FaceDetector.load()

    def __call__(self, job: Job) -> Answer:
        """What they say of a face."""
        _, face, known = job
        try:
            image = read_face(face) if len(face.points) else read_picture(face.image)
        except UserError as error:
            return str(error)
        box = known or self._find(image)
        if box is None:
            return None
        yaw = None if face.pose is None else float(face.pose[0])
        return {name: label_face(image, box, group, yaw) for name, group in self._groups.items()}

    def _find(self, image: np.ndarray) -> Crop | None:
        found = find_face(np.ascontiguousarray(image[..., ::-1]), self._detector)
        return None if found is None else found.to_crop(1.0)


def learn_adapters(
    faces: Sequence[LabelledFace], scheme: Scheme, teachers: Sequence[Teacher], progress: Progress
) -> list[LandmarkAdapter]:
    """What each teacher says of labelled faces, against their labels.

    Args:
        faces: with labels of this scheme.
        scheme: see `faces`.
        teachers: to be translated.
        progress: shows it.

    Raises:
        UserError: an unreadable picture.
    """
    said: list[list[np.ndarray]] = [[] for _ in teachers]
    labels: list[list[np.ndarray]] = [[] for _ in teachers]
    for face in progress(faces, "learning the adapters"):
        image = read_face(face)
        for i, teacher in enumerate(teachers):
            look = teacher.crop(tight_square(face.points, scheme))
            points, _ = teacher(extract(image, look, teacher.size, OPENCV))
            said[i].append(points)
            labels[i].append(look.to_units(face.points))
    return [LandmarkAdapter(np.stack(p), np.stack(y)) for p, y in zip(said, labels, strict=True)]


def load_labelling(
    names: Sequence[str], scheme: str, adapters: Sequence[LandmarkAdapter] | None, wide: bool
) -> Labelling:
    """Load teachers.

    Args:
        names: of the teachers.
        scheme: of the labels.
        adapters: of teachers of other schemes, in this order; None: none is translated.
        wide: translated teachers also answer in their own scheme.
    """
    groups: dict[str, list[Teacher]] = {}
    teachers = [load_teacher(name) for name in names]
    target = SCHEMES[scheme]
    foreign = [teacher for teacher in teachers if teacher.scheme is not target]
    if adapters is not None:
        own = [teacher for teacher in teachers if teacher.scheme is target]
        pairs = zip(foreign, adapters, strict=True)
        groups[scheme] = [*own, *(Translated(teacher, how, target) for teacher, how in pairs)]
    for teacher in teachers if adapters is None else foreign if wide else []:
        if teacher.scheme is not None:
            groups.setdefault(teacher.scheme.name, []).append(teacher)
    return Labelling(groups)


def label_faces(
    jobs: Sequence[Job], make: Callable[[], Labelling], workers: int, ray: str | None
) -> Iterator[tuple[Job, Answer]]:
    """Each job with what is said of its face, as they come.

    Args:
        jobs: in this order.
        make: for each worker.
        workers: processes; 1: this one, unless on a cluster.
        ray: address of a cluster, or None.
    """
    if workers == 1 and ray is None:
        labelling = make()
        yield from ((job, labelling(job)) for job in jobs)
        return
    if ray is not None:  # other machines work in another folder
        jobs = [(i, replace(face, image=face.image.absolute()), box) for i, face, box in jobs]
    with open_pool(ray) as pool:
        yield from map_items(make, jobs, _lost, pool, workers)


def _lost(job: Job) -> Answer:
    return f"{job[1].image}: three workers crashed on it, or ran out of memory"
