"""Evaluating part by part, here or by workers: a set of faces may be larger than the memory."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from asmnet.cli.progress import Progress, no_progress, suppress_output
from asmnet.cli.workers import map_items, open_pool
from asmnet.core import ModelSpec, UserError
from asmnet.data.datasets import LabelledFace, read_dataset
from asmnet.edge_runtime import FaceDetector
from asmnet.evaluate.evaluation import Evaluation, compared
from asmnet.evaluate.labelled_faces import Cuts, cut_again, cut_faces, face_set
from asmnet.evaluate.predictor import load_predictor

__all__ = ["evaluate", "evaluate_parts"]

PART = 64  # faces

Numbered = tuple[int, Sequence[LabelledFace]]
# Of each network: its contract, the crops that it saw, landmarks and pose.
Answer = list[tuple[ModelSpec, Cuts, np.ndarray, np.ndarray]]


class Evaluating:
    """Runs networks, which are loaded once, on one part after another.

    Args:
        files: of the networks.
        boxes: see `evaluate_parts`.
        pixels: give the crops back with the answers.
        alone: this process may take all cores, since there is no other.
    """

    def __init__(self, files: Sequence[Path], boxes: str, pixels: bool, alone: bool) -> None:
        if not alone:
            cv2.setNumThreads(1)
            # TensorFlow reads them when it is imported, with the first .keras file.
            for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
                os.environ[name] = "1"
        self._networks = [load_predictor(file) for file in files]
        with suppress_output():
            self._detector = FaceDetector.load() if boxes == "detector" else None
        self._pixels = pixels

    def __call__(self, part: Numbered) -> Answer:
        """What the networks answer on a part.

        Raises:
            UserError: an unreadable picture.
        """
        seen: dict[tuple[int, float], Cuts] = {}
        answers: Answer = []
        for network in self._networks:
            spec = network.spec
            view = (spec.input_size, spec.margin)  # networks that see the same crops share them
            if view not in seen:
                seen[view] = cut_faces(part[1], spec, self._detector)
            cuts = seen[view]
            size = len(cuts.kept)
            points, pose = np.empty((0, spec.landmark_scheme.count, 2)), np.empty((0, 3))
            if size:
                points, pose = network.predict(cuts.images)
            if size and self._detector:
                cuts = cut_again(cuts, spec, points)
                points, pose = network.predict(cuts.images)
            if not self._pixels:
                cuts = dataclasses.replace(cuts, images=np.empty((size, 0, 0, 3), np.uint8))
            answers.append((spec, cuts, points, pose))
        return answers


def evaluate(
    model: Path,
    data: str,
    subset: str | None = None,
    boxes: str = "landmarks",
    skip_bad: bool = False,
    progress: Progress = no_progress,
) -> Evaluation:
    """Run a model on labelled faces; see `evaluate_parts`, which runs several.

    Args:
        model: a `.keras` file of asmnet-train or a `.tflite` file of asmnet-export.

    Raises:
        UserError: the model or the data cannot be used.
    """
    [found] = evaluate_parts([model], data, subset, boxes, skip_bad, progress=progress)
    return found


def evaluate_parts(
    files: Sequence[Path],
    source: str,
    subset: str | None,
    boxes: str = "landmarks",
    skip_bad: bool = False,
    pixels: bool = True,
    workers: int = 1,
    ray: str | None = None,
    progress: Progress = no_progress,
) -> list[Evaluation]:
    """Run models on labelled faces; the same figures from any number of workers.

    Args:
        files: of the models.
        source, subset, skip_bad: see `asmnet.evaluate.labelled_faces.labelled_faces`.
        boxes: crop around the labels' box ("landmarks", as benchmarks do), or where the runtime's
            detector finds the face, and once more around what was found there ("detector", as
            `Landmarker` does); faces that it does not find are left out and counted in `missed`.
        pixels: keep the crops: `FaceSet.images` has no pixels otherwise.
        workers: processes; 1: this one, unless on a cluster.
        ray: address of a cluster, or None.
        progress: shows it.

    Raises:
        UserError: a model or the data cannot be used.
    """
    alone = workers == 1 and ray is None
    if ray is not None:  # other machines work in another folder
        files = [file.absolute() for file in files]
    make = partial(Evaluating, files, boxes, pixels, alone)
    here = make() if alone else None
    data = read_dataset(source, subset, skip_bad)
    faces: Sequence[LabelledFace] = data.faces
    if ray is not None:
        faces = [dataclasses.replace(face, image=face.image.absolute()) for face in faces]
    parts = [(i, faces[i : i + PART]) for i in range(0, len(faces), PART)]
    found_by = (
        ((part[0], here(part)) for part in parts)
        if here
        else _by_workers(parts, make, workers, ray)
    )
    steps = zip(found_by, progress(parts, "evaluating"), strict=True)
    answers = dict(numbered for numbered, _ in steps)
    found = []
    for each in zip(*(answers[number] for number, _ in parts), strict=True):
        specs, cuts, points, pose = zip(*each, strict=True)
        asked = face_set(data, source, subset, specs[0], cuts)
        found.append(compared(asked, np.concatenate(points), np.concatenate(pose)))
    return found


def _by_workers(
    parts: Sequence[Numbered], make: Callable[[], Evaluating], workers: int, ray: str | None
) -> Iterator[tuple[int, Answer]]:
    with open_pool(ray) as pool:
        for part, answer in map_items(make, parts, _lost, pool, workers):
            yield part[0], answer


def _lost(part: Numbered) -> Answer:
    raise UserError(
        f"three workers crashed on the faces from {part[1][0].image} on, or ran out of memory; "
        "take fewer --workers"
    )
