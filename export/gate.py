"""The gate: whether the exported file still behaves like the network that was trained.

What is compared, and the limits, are those of `asmnet.edge_runtime.parity`.  All judged faces
must pass, and so must those alone that the file carries for `asmnet verify`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from asmnet.cli.progress import Progress, no_progress, suppress_output
from asmnet.core import auc, failure_rate, nme, to_scheme
from asmnet.edge_runtime import Landmarker
from asmnet.edge_runtime.interpreter import interpreter_version, load_interpreter
from asmnet.edge_runtime.parity import (
    LABELS,
    LIMITS,
    Metric,
    jitter_metric,
    measure_jitter,
    run_file,
    shifts,
)
from asmnet.evaluate.face_sets import FaceSet
from asmnet.export.reference import carried

if TYPE_CHECKING:
    import keras

__all__ = ["LIMITS", "Metric", "ParityReport", "measure_parity", "nme_metric", "worst_metric"]

TIMED_RUNS = 40


@dataclass(frozen=True)
class ParityReport:
    """All metrics, and the faces and the interpreter that they were measured with.

    Attributes:
        metrics: in the order of the table.
        faces: which ones, see `FaceSet.record`.
        interpreter: its name and version.
        evaluation: of the exported file on labelled faces; empty without labels.
        answers: of the float model and of the exported file: each (M, N, 2) landmarks in
            crop units and (M, 3) pose in degrees.
    """

    metrics: tuple[Metric, ...]
    faces: dict[str, Any]
    interpreter: str
    evaluation: dict[str, Any]
    answers: tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

    @property
    def passed(self) -> bool:
        """Whether every metric passes."""
        return all(metric.passed for metric in self.metrics)

    def to_dict(self) -> dict[str, Any]:
        """For the contract and for `--json`; JSON has no NaN, so such a figure has no value."""
        figures = {}
        for metric in self.metrics:
            parts = {"value": metric.value, "limit": metric.limit}
            parts |= {"float": metric.before, "exported": metric.after}
            figures[metric.key] = _finite(parts)
        return {
            "passed": self.passed,
            "figures": figures,
            "faces": self.faces,
            "interpreter": self.interpreter,
        }


def measure_parity(
    network: keras.Model,
    float_file: Path,
    file: Path,
    faces: FaceSet,
    progress: Progress = no_progress,
) -> ParityReport:
    """Compare Keras float, TFLite float and the exported file on the same crops.

    Args:
        network: the trained network.
        float_file: its float32 export.
        file: the export to judge; may be `float_file` itself.
        faces: real crops, labelled or not.
        progress: shows it.
    """
    from asmnet.train.asm_model import predict

    with suppress_output():
        reference, exported = (Landmarker.load(path) for path in (float_file, file))
    with suppress_output():
        keras_points, keras_pose = predict(
            network, faces.images, 32, lambda starts: progress(starts, "running Keras")
        )
    float_points, float_pose = run_file(reference, faces.images, progress)
    metrics = [
        worst_metric("keras_landmarks", LABELS["keras_landmarks"], float_points - keras_points),
        worst_metric("keras_pose", LABELS["keras_pose"], float_pose - keras_pose),
    ]
    points, pose = float_points, float_pose
    if file != float_file:
        points, pose = run_file(exported, faces.images, progress)
        metrics += shifts((float_points, float_pose), (points, pose), reference.spec)
        metrics += _jitter([reference, exported], faces, progress)
        metrics += _failing_alone(
            exported, (float_points, float_pose), (points, pose), faces, progress
        )
    evaluation: dict[str, Any] = {}
    if faces.points is not None:
        errors = [
            nme(to_scheme(p, faces.scheme), faces.points, faces.scheme)
            for p in (float_points, points)
        ]
        before, after = (float(e.mean()) for e in errors)
        measured = {"nme": after, "fr10": failure_rate(errors[1]), "auc10": auc(errors[1])}
        evaluation = {"data": faces.source, "faces": len(faces.images), **_finite(measured)}
        metrics.insert(2, nme_metric(before, after))
    if file != float_file:
        metrics += _cost(float_file, file, progress)
    return ParityReport(
        tuple(metrics),
        faces.record(),
        interpreter_version(),
        evaluation,
        ((float_points, float_pose), (points, pose)),
    )


def nme_metric(before: float, after: float) -> Metric:
    """The float model's mean error on labels and the exported file's, %."""
    return Metric("nme", LABELS["nme"], after - before, LIMITS["nme"], before, after)


def worst_metric(key: str, label: str, difference: np.ndarray) -> Metric:
    """The largest of some differences."""
    return Metric(key, label, float(np.abs(difference).max()), LIMITS[key])


def _jitter(landmarkers: Sequence[Landmarker], faces: FaceSet, progress: Progress) -> list[Metric]:
    before, after = measure_jitter(landmarkers, faces.images, progress)
    return [
        jitter_metric(after, before),
        Metric("jitter_ratio", LABELS["jitter_ratio"], after / before),
    ]


def _failing_alone(
    exported: Landmarker,
    before: tuple[np.ndarray, np.ndarray],
    after: tuple[np.ndarray, np.ndarray],
    faces: FaceSet,
    progress: Progress,
) -> list[Metric]:
    """What `asmnet verify` would refuse on a device: limits that the carried faces alone exceed."""
    kept = carried(faces)
    if not len(kept):
        return []
    own = [tuple(part[kept] for part in each) for each in (before, after)]
    metrics = shifts(own[0], own[1], exported.spec)
    metrics.append(jitter_metric(*measure_jitter([exported], faces.images[kept], progress)))
    return [
        replace(metric, key=f"carried_{metric.key}", label=f"{metric.label}, carried faces")
        for metric in metrics
        if not metric.passed
    ]


def _cost(float_file: Path, file: Path, progress: Progress) -> list[Metric]:
    """Size, and time of one inference: both files in turn, on one thread.

    The thread's own time, so that a busy machine, which interrupts it, changes little.
    """
    interpreters = [load_interpreter(path) for path in (float_file, file)]
    seconds: list[list[float]] = [[], []]
    for _ in progress(range(TIMED_RUNS), "timing"):
        for interpreter, spent in zip(interpreters, seconds, strict=True):
            start = time.thread_time()
            interpreter.invoke()
            spent.append(time.thread_time() - start)
    before, after = (1e3 * float(np.median(spent)) for spent in seconds)
    sizes = [path.stat().st_size / 1e6 for path in (float_file, file)]
    return [
        Metric("megabytes", LABELS["megabytes"], sizes[1] / sizes[0], None, *sizes),
        Metric("milliseconds", LABELS["milliseconds"], before / after, None, before, after),
    ]


def _finite(figures: Mapping[str, float | None]) -> dict[str, float]:
    """What JSON can hold of them."""
    return {k: v for k, v in figures.items() if v is not None and math.isfinite(v)}
