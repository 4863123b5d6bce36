"""The gate: whether the exported file still behaves like the network that was trained.

Mean error alone hides the damage of quantization (a network can lose 0.3 NME points
and shake 28 % more), so the gate looks at mean, 99th percentile, maximum and jitter.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from asmnet.cli.progress import Track, no_progress, suppress_output
from asmnet.core import Crop, ModelSpec, auc, extract, failure_rate, jitter, nme, to_scheme
from asmnet.edge_runtime import Landmarker
from asmnet.edge_runtime.crops import OPENCV
from asmnet.edge_runtime.interpreter import interpreter_version, load_interpreter
from asmnet.evaluate.face_sets import FaceSet

if TYPE_CHECKING:
    import keras

__all__ = [
    "LIMITS",
    "Metric",
    "ParityReport",
    "jitter_metric",
    "measure_parity",
    "measure_jitter",
    "nme_figure",
    "run_file",
    "shifts",
    "worst_figure",
]

# Above these the gate fails.  Pixels are those of a 224 x 224 input.
LIMITS = {
    # Two orders above float32 rounding through 50 layers; a wrong layer is far beyond.
    "keras_landmarks": 1e-4,  # crop units
    "keras_pose": 1e-2,  # degrees
    # A tenth of what separates good published methods.
    "nme": 0.05,  # points of % NME
    # Annotators of 300-W disagree by some 2 px at this size: half of that on average,
    # and no single landmark off by more than a viewer would forgive.
    "shift_mean": 1.0,  # px
    "shift_p99": 2.5,
    "shift_max": 5.0,
    # The labels themselves are good to about 2 degrees.
    "pose_mean": 0.3,  # degrees
    "pose_max": 2.0,
    # The runtime's filter leaves about a third of it on a still face: 0.15 % of the distance
    # between the eyes, a quarter of a pixel when they are 160 pixels apart.  Absolute, since
    # int8 adds nearly the same noise to every model: a ratio punishes the steady ones.
    "jitter": 0.45,  # % of inter-ocular, the exported file's own
}
LIMITS_SIZE = 224

# Jitter: so many stills, drawn so many times, with camera noise of so many grey
# levels and crops that are off by up to half a pixel each way.
STILLS, DRAWS, NOISE = 20, 16, 2.0
TIMED_RUNS = 40


@dataclass(frozen=True)
class Metric:
    """One line of the verdict; it passes if `value` is at most `limit`.

    `before` and `after` are the float model's and the exported file's own figures,
    where there are such.  Without a limit a figure is only reported.
    """

    key: str
    label: str
    value: float
    limit: float | None = None
    before: float | None = None
    after: float | None = None

    @property
    def passed(self) -> bool:
        """Whether the gate lets it through; NaN never passes."""
        return self.limit is None or bool(self.value <= self.limit)


@dataclass(frozen=True)
class ParityReport:
    """All figures, and the faces and the interpreter that they were measured with.

    Attributes:
        figures: in the order of the table.
        faces: which ones, see `FaceSet.record`.
        interpreter: its name and version.
        evaluation: of the exported file on labelled faces; empty without labels.
        answers: of the float model and of the exported file: each (M, N, 2) landmarks in
            crop units and (M, 3) pose in degrees.
    """

    figures: tuple[Metric, ...]
    faces: dict[str, Any]
    interpreter: str
    evaluation: dict[str, Any]
    answers: tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

    @property
    def passed(self) -> bool:
        """Whether every figure passes."""
        return all(figure.passed for figure in self.figures)

    def to_dict(self) -> dict[str, Any]:
        """For the contract and for `--json`; JSON has no NaN, so such a figure has no value."""
        figures = {}
        for figure in self.figures:
            parts = {"value": figure.value, "limit": figure.limit}
            parts |= {"float": figure.before, "exported": figure.after}
            figures[figure.key] = _finite(parts)
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
    track: Track = no_progress,
) -> ParityReport:
    """Compare Keras float, TFLite float and the exported file on the same crops.

    Args:
        network: the trained network.
        float_file: its float32 export.
        file: the export to judge; may be `float_file` itself.
        faces: real crops, labelled or not.
        track: shows progress.
    """
    from asmnet.train.trainer import predict

    with suppress_output():
        reference, exported = (Landmarker.load(path) for path in (float_file, file))
    with suppress_output():
        keras_points, keras_pose = predict(
            network, faces.images, 32, lambda starts: track(starts, "running Keras")
        )
    float_points, float_pose = run_file(reference, faces.images, track)
    figures = [
        worst_figure("keras_landmarks", "Keras - TFLite float, landmarks, max, units",
                     float_points - keras_points),
        worst_figure("keras_pose", "Keras - TFLite float, pose, max, °", float_pose - keras_pose),
    ]  # fmt: skip
    points, pose = float_points, float_pose
    if file != float_file:
        points, pose = run_file(exported, faces.images, track)
        figures += shifts((float_points, float_pose), (points, pose), reference.spec)
        figures += _jitter([reference, exported], faces, track)
    evaluation: dict[str, Any] = {}
    if faces.points is not None:
        errors = [
            nme(to_scheme(p, faces.scheme), faces.points, faces.scheme)
            for p in (float_points, points)
        ]
        before, after = (float(e.mean()) for e in errors)
        measured = {"nme": after, "fr10": failure_rate(errors[1]), "auc10": auc(errors[1])}
        evaluation = {"data": faces.source, "faces": len(faces.images), **_finite(measured)}
        figures.insert(2, nme_figure(before, after))
    if file != float_file:
        figures += _cost(float_file, file, track)
    return ParityReport(
        tuple(figures),
        faces.record(),
        interpreter_version(),
        evaluation,
        ((float_points, float_pose), (points, pose)),
    )


def run_file(
    landmarker: Landmarker, images: np.ndarray, track: Track = no_progress
) -> tuple[np.ndarray, np.ndarray]:
    """Run a `.tflite` on crops (M, size, size, 3) uint8 RGB.

    Returns:
        landmarks (M, N, 2) crop units and pose (M, 3) degrees, float32.
    """
    answers = [landmarker.raw(image) for image in track(images, "running TFLite")]
    return np.stack([a[0] for a in answers]), np.stack([a[1] for a in answers])


def nme_figure(before: float, after: float) -> Metric:
    """The verdict's line on the float model's mean error on labels and the exported file's, %."""
    label = "NME, % (labelled faces)"
    return Metric("nme", label, after - before, LIMITS["nme"], before, after)


def worst_figure(key: str, label: str, difference: np.ndarray) -> Metric:
    """The verdict's line on the largest of some differences."""
    return Metric(key, label, float(np.abs(difference).max()), LIMITS[key])


def shifts(
    before: tuple[np.ndarray, np.ndarray], after: tuple[np.ndarray, np.ndarray], spec: ModelSpec
) -> list[Metric]:
    """How far answers have moved.

    Args:
        before, after: (M, N, 2) landmarks in crop units and (M, 3) pose in degrees.
        spec: tells the input's size, which the limits on pixels go with.
    """
    scale = spec.size / LIMITS_SIZE
    shift = np.linalg.norm(after[0] - before[0], axis=-1) * spec.size
    turn = np.abs(after[1] - before[1])
    return [
        Metric(key, label, float(value), LIMITS[key] * unit)
        for key, label, value, unit in (
            ("shift_mean", "landmark shift, mean, px", shift.mean(), scale),
            ("shift_p99", "landmark shift, 99th percentile, px", np.percentile(shift, 99), scale),
            ("shift_max", "landmark shift, max, px", shift.max(), scale),
            ("pose_mean", "pose shift, mean, °", turn.mean(), 1.0),
            ("pose_max", "pose shift, max, °", turn.max(), 1.0),
        )
    ]


def measure_jitter(
    landmarkers: Sequence[Landmarker], images: np.ndarray, track: Track = no_progress
) -> list[float]:
    """Shake stills a little, as a camera and a tracker do, and see how the answers shake.

    Args:
        landmarkers: all are shown the same pixels.
        images: (M, size, size, 3) uint8 RGB crops, of which `STILLS` are taken.

    Returns:
        for each landmarker, % of the inter-ocular distance.
    """
    rng = np.random.default_rng(0)
    spec: ModelSpec = landmarkers[0].spec
    stills = np.linspace(0, len(images) - 1, min(STILLS, len(images))).astype(int)
    measured: list[list[float]] = [[] for _ in landmarkers]
    for index in track(stills, "shaking stills"):
        tracks: list[list[np.ndarray]] = [[] for _ in landmarkers]
        for _ in range(DRAWS):
            x, y = (spec.size - 1) / 2 + rng.uniform(-0.5, 0.5, 2)
            crop = Crop(float(x), float(y), float(spec.size))
            noise = rng.normal(0.0, NOISE, images[index].shape)
            noisy = np.clip(images[index] + noise + 0.5, 0, 255).astype(np.uint8)
            view = extract(noisy, crop, spec.size, OPENCV)
            for landmarker, points in zip(landmarkers, tracks, strict=True):
                points.append(crop.to_picture(landmarker.raw(view)[0]))
        for values, points in zip(measured, tracks, strict=True):
            values.append(jitter(np.stack(points), spec.points))
    return [float(np.mean(values)) for values in measured]


def jitter_metric(own: float, before: float | None = None) -> Metric:
    """The verdict's line on `measure_jitter`: the file's own, and the float model's if known."""
    label = "jitter on noisy stills, % of inter-ocular"
    return Metric("jitter", label, own, LIMITS["jitter"], before, own)


def _jitter(landmarkers: Sequence[Landmarker], faces: FaceSet, track: Track) -> list[Metric]:
    before, after = measure_jitter(landmarkers, faces.images, track)
    return [
        jitter_metric(after, before),
        Metric("jitter_ratio", "jitter, exported : float", after / before),
    ]


def _cost(float_file: Path, file: Path, track: Track) -> list[Metric]:
    """Size, and time of one inference: both files in turn, on one thread.

    The thread's own time, so that a busy machine, which interrupts it, changes little.
    """
    interpreters = [load_interpreter(path) for path in (float_file, file)]
    seconds: list[list[float]] = [[], []]
    for _ in track(range(TIMED_RUNS), "timing"):
        for interpreter, spent in zip(interpreters, seconds, strict=True):
            start = time.thread_time()
            interpreter.invoke()
            spent.append(time.thread_time() - start)
    before, after = (1e3 * float(np.median(spent)) for spent in seconds)
    sizes = [path.stat().st_size / 1e6 for path in (float_file, file)]
    return [
        Metric("megabytes", "size, MB", sizes[1] / sizes[0], None, *sizes),
        Metric("milliseconds", "time, ms (1 thread)", before / after, None, before, after),
    ]


def _finite(figures: Mapping[str, float | None]) -> dict[str, float]:
    """What JSON can hold of them."""
    return {k: v for k, v in figures.items() if v is not None and math.isfinite(v)}
